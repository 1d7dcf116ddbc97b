/// The answer to "may it?", with the rule that made it.
package struct Decision: Sendable, Hashable {
    package enum Effect: String, Sendable, CaseIterable { case permit, forbid }

    /// Why, when no rule was decisive.
    package enum Cause: Sendable, Hashable {
        /// The rule that `rule` names.
        case rule
        /// No rule permits the operation to any role of the caller.
        case noRule
        /// Rules permit it to a role of the caller, but not for this resource.
        case otherResources
        /// The policy knows no such operation.
        case unknownOperation
        /// The roles were derived by another version of the policy and must be derived again.
        case staleRoles
    }

    package let effect: Effect
    /// The id of the deciding rule; nil when the operation is denied because no rule permits it.
    package let rule: String?
    package let cause: Cause
    package let obligations: Obligations

    init(effect: Effect, rule: String, obligations: Obligations) {
        self.effect = effect
        self.rule = rule
        self.cause = .rule
        self.obligations = obligations
    }

    init(denied cause: Cause) {
        effect = .forbid
        rule = nil
        self.cause = cause
        obligations = Obligations()
    }

    package var isPermitted: Bool { effect == .permit }

    /// One line for people, the audit log and problem details. It names rules, never claims.
    package var reason: String {
        switch cause {
        case .rule: (effect == .permit ? "permitted by rule '" : "forbidden by rule '") + (rule ?? "") + "'"
        case .noRule: "no rule permits this to the caller's roles"
        case .otherResources: "permitted to the caller's roles only for other sites or work centers"
        case .unknownOperation: "the policy knows no such operation"
        case .staleRoles: "the caller's roles belong to an earlier policy"
        }
    }
}

/// What must be done besides, when a decision is carried out.
package struct Obligations: Sendable, Hashable {
    /// The request's body goes into the audit log, redacted; otherwise only its digest does.
    package var auditBody: Bool

    package init(auditBody: Bool = false) { self.auditBody = auditBody }
}
