import Bytes

/// The answer to "may it?", with the rule that made it.
package struct Decision: Sendable, Hashable {
    package enum Effect: String, Sendable, CaseIterable { case allow, forbid }

    /// Why, beside the rule that `rule` names.
    package enum Cause: Sendable, Hashable {
        /// The rule that `rule` names.
        case rule
        /// No rule allows the operation to the caller.
        case noRule
        /// Rules allow it to the caller, but not for this resource.
        case otherResources
        /// The rule that `rule` names would allow it, if its condition held: `clauses` says what did not.
        case condition
        /// The rule that `rule` names allows it, once something is there that is missing now.
        case need(Need)
        /// The policy knows no such operation.
        case unknownOperation
        /// The roles were derived by another version of the policy and must be derived again.
        case staleRoles
    }

    /// What a request must bring to be allowed, though its caller may do the operation.
    package enum Need: Sendable, Hashable {
        /// A connection with a client certificate.
        case clientCertificate
        /// A token whose caller has signed in within this time.
        case freshToken(maxAge: Nanoseconds)
        /// Somebody else's consent: `Obligations.secondPerson` says whose.
        case secondPerson
    }

    /// One part of a condition, and whether it held.
    package struct Clause: Sendable, Hashable {
        package let text: String
        /// Nil when it could not be evaluated: a field was absent, a number too large.
        package let held: Bool?

        package init(text: String, held: Bool?) {
            self.text = text
            self.held = held
        }
    }

    /// What a rule or a bundle in observe mode would have done.
    package struct Observation: Sendable, Hashable {
        package let effect: Effect
        /// Nil where no rule allowed it.
        package let rule: String?

        package init(effect: Effect, rule: String?) {
            self.effect = effect
            self.rule = rule
        }
    }

    package let effect: Effect
    /// The id of the deciding rule; nil when the operation is denied because no rule allows it.
    package let rule: String?
    package let cause: Cause
    package var obligations: Obligations
    /// Parts of the condition of `rule`, where that decided.
    package var clauses: [Clause] = []
    /// What was not enforced: its author only wants to see it.
    package var observation: Observation?
    /// How much of this a refused caller is told.
    package var disclosure = Disclosure.rule
    /// What the rule's author says to a refused caller.
    package var help: String?
    /// Roles that could do it, for a caller who may know.
    package var rolesThatMay: [String] = []

    package init(effect: Effect, rule: String, obligations: Obligations) {
        self.effect = effect
        self.rule = rule
        self.cause = .rule
        self.obligations = obligations
    }

    package init(denied cause: Cause, rule: String? = nil, obligations: Obligations = Obligations()) {
        effect = .forbid
        self.rule = rule
        self.cause = cause
        self.obligations = obligations
    }

    package var isPermitted: Bool { effect == .allow }

    /// One line for people, the audit log and problem details. It names rules, never claims.
    package var reason: String {
        switch cause {
        case .rule: return (effect == .allow ? "allowed by rule '" : "forbidden by rule '") + (rule ?? "") + "'"
        case .noRule: return "no rule allows this to the caller"
        case .otherResources: return "allowed to the caller only for other sites, work centers or goods"
        case .condition: return "rule '\(rule ?? "")' would allow it, but its condition does not hold"
        case .need(.clientCertificate): return "rule '\(rule ?? "")' asks for a client certificate"
        case .need(.freshToken): return "rule '\(rule ?? "")' asks for a fresh token"
        case .need(.secondPerson): return "rule '\(rule ?? "")' asks for a second person's approval"
        case .unknownOperation: return "the policy knows no such operation"
        case .staleRoles: return "the caller's roles belong to an earlier policy"
        }
    }
}

/// How much of a refusal its caller is told. The audit log and `millgate policy explain` always know all of it.
package enum Disclosure: String, Sendable, CaseIterable {
    /// The operation only.
    case operation
    /// The rule's id too. The default.
    case rule
    /// Also what would help: clauses that did not hold, roles that may, the author's words.
    case help
}
