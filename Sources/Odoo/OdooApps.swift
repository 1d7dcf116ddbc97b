import JSON

/// What an Odoo has installed, as far as services do their work in another way without it.
package struct OdooApps: Hashable, Sendable {
    package var version: OdooVersion
    /// Which of `QualityAlertRecipe.fields` its `quality.alert` has; nil where there is no quality application, as on
    /// every Community edition (recording 163).
    package var qualityFields: Set<String>?
    package var hasMaintenance: Bool
    /// What the addon `millgate` says of itself; nil where it is not installed, or not for our user.
    package var addon: OdooAddon?

    package init(
        version: OdooVersion, qualityFields: Set<String>? = nil, hasMaintenance: Bool = false, addon: OdooAddon? = nil
    ) {
        self.version = version
        self.qualityFields = qualityFields
        self.hasMaintenance = hasMaintenance
        self.addon = addon
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

/// The addon `millgate` in Odoo (`deploy/odoo-addon/millgate`): a call that it carries is done once under its request
/// id, however often it is sent.
package struct OdooAddon: Hashable, Sendable {
    /// Of what it takes and answers; ours is `protocolVersion`.
    package let version: Int
    /// Of the addon itself, for people.
    package let release: String

    /// What this gateway speaks.
    package static let protocolVersion = 1
    package static let model = "millgate.request"

    /// Nil for what is not our addon's answer, or of a protocol that we do not speak.
    package init?(_ about: JSONValue?) {
        guard let about, about["protocol"]?.int == Self.protocolVersion else { return nil }
        version = Self.protocolVersion
        release = about["release"]?.string ?? ""
    }

    package static let about = OdooCall(model: model, method: "about")
}
