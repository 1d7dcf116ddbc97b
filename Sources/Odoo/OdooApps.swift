import JSON

/// What an Odoo has installed, as far as services do their work in another way without it.
package struct OdooApps: Hashable, Sendable {
    package var version: OdooVersion
    /// Which of `QualityAlertRecipe.fields` its `quality.alert` has; nil where there is no quality application, as on
    /// every Community edition (recording 163).
    package var qualityFields: Set<String>?
    package var hasMaintenance: Bool
    /// The gateway's own addon; nil where it is not there, or not for our user.
    package var addon: OdooAddon?

    package init(
        version: OdooVersion, qualityFields: Set<String>? = nil, hasMaintenance: Bool = false, addon: OdooAddon? = nil
    ) {
        self.addon = addon
        self.version = version
        self.qualityFields = qualityFields
        self.hasMaintenance = hasMaintenance
    }

    package var hasQuality: Bool { qualityFields != nil }
}

// MARK: - Asking

extension OdooApps {
    /// Fields of a model by a list of names; those that it has not are left out of the answer (recording 028).
    package static func fields(of model: String, _ names: [String]) -> OdooCall {
        OdooCall(
            model: model, method: "fields_get",
            positional: [.init("allfields", .array(names.map { .string($0) }))],
            named: [.init("attributes", ["type"])])
    }

    /// Whether an error says that a model is not there: a business refusal on `/jsonrpc` (163, 166), 404 on JSON-2.
    package static func isAbsence(_ error: OdooError) -> Bool {
        switch error.kind {
        case .user, .unknownMethod, .missing: true
        default: false
        }
    }
}
