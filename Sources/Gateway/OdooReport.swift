import JSON
import Odoo

/// What `/readyz` says of Odoo: its version, what is installed, and what services do for want of the rest.
enum OdooReport {
    /// Ready all the same where nothing is known: whether Odoo can be reached is said by its circuit.
    static func check(_ apps: OdooApps?) -> ReadinessReport.Check {
        guard let apps else {
            return .init(name: "odoo", isReady: true, detail: "what is installed could not be asked yet", facts: .null)
        }
        return .init(name: "odoo", isReady: true, detail: text(apps), facts: facts(apps))
    }

    static func text(_ apps: OdooApps) -> String {
        [
            "Odoo \(apps.version)",
            apps.hasQuality
                ? "quality alerts and checks in the quality application"
                : "no quality application: alerts are activities, inspections are notes",
            apps.hasMaintenance ? "maintenance is installed" : "no maintenance application: its requests are refused",
            addon(apps.addon),
        ].joined(separator: "; ")
    }

    private static func addon(_ addon: OdooAddon?) -> String {
        guard let addon else { return "no addon: what became of a lost answer is read from the records" }
        return addon.isUsable
            ? "addon \(addon.version): requests are carried out once"
            : "addon \(addon.version) speaks protocol \(addon.protocolVersion), not \(OdooAddon.protocolSpoken): not used"
    }

    private static func facts(_ apps: OdooApps) -> JSONValue {
        [
            "version": .string("\(apps.version)"),
            "quality": apps.hasQuality ? "quality.alert" : "activity",
            "maintenance": .bool(apps.hasMaintenance),
            "addon": apps.addon.map {
                ["version": .string($0.version), "protocol": JSONValue($0.protocolVersion), "used": .bool($0.isUsable)]
            } ?? .null,
        ]
    }
}
