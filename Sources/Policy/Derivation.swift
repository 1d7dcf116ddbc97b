import Bytes
import Identity
import JSON

/// A decision with everything it was made of: each rule that speaks of the operation, and why it applied or not.
package struct Derivation: Sendable {
    /// What one rule had to do with it.
    package struct Consideration: Sendable {
        package enum Outcome: String, Sendable {
            case applies = "applies"
            case otherCallers = "speaks of other callers"
            case otherIssuer = "speaks of callers of another issuer"
            case otherSite = "speaks of another site"
            case otherWorkCenter = "speaks of another work center"
            case otherWarehouse = "speaks of another warehouse"
            case otherCategory = "speaks of another product category"
            case notYet = "is not valid yet"
            case noLonger = "is no longer valid"
            case condition = "its condition does not hold"
            case error = "its condition cannot be evaluated"
        }

        package let rule: Rule
        package let outcome: Outcome
        package let clauses: [Decision.Clause]
    }

    package let decision: Decision
    package let operation: String
    package let resource: Resource
    package let subject: String
    package let issuer: String
    package let roles: [String]
    package let policy: String
    /// In the order of the files.
    package let considered: [Consideration]

    /// Whether it decided, or would if it were enforced.
    package func isDeciding(_ consideration: Consideration) -> Bool { consideration.rule.id == decision.rule }
}

extension PolicySet {
    /// `decide`, with its whole derivation: for people, off the way of requests.
    package func explain(
        _ principal: Principal, operation: String, resource: Resource, input: JSONValue = .null, facts: RequestFacts
    ) -> Derivation {
        let roles = roles(of: principal)
        let decision = decide(
            roles, principal: principal, operation: operation, resource: resource, input: input, facts: facts)
        let names = rules(of: operation)?.names ?? []
        let question = Question(
            policy: self, roles: roles, principal: principal, names: names, resource: resource, input: input,
            facts: facts)
        let considered = rules.filter { rule in names.contains { rule.operations.contains($0) } }.map { rule in
            let outcome = Self.outcome(rule, question)
            let hasRun = [.applies, .condition, .error].contains(outcome)
            return Derivation.Consideration(
                rule: rule, outcome: outcome, clauses: hasRun ? question.clauses(of: rule) : [])
        }
        return Derivation(
            decision: decision, operation: operation, resource: resource, subject: principal.subject,
            issuer: principal.issuer, roles: self.names(of: roles), policy: digest, considered: considered)
    }

    private static func outcome(_ rule: Rule, _ question: Question) -> Derivation.Consideration.Outcome {
        let principal = question.principal
        let resource = question.resource
        if !rule.principals.issuers.isEmpty, !rule.principals.issuers.contains(principal.issuer) { return .otherIssuer }
        if !rule.principals.contains(question.roles, principal) { return .otherCallers }
        if let from = rule.validFrom, question.facts.now < from { return .notYet }
        if let until = rule.validUntil, question.facts.now >= until { return .noLonger }
        if !rule.sites.contains(resource.site, ownClaims: .site, of: principal) { return .otherSite }
        if !rule.workCenters.contains(resource.workCenter, ownClaims: .workCenter, of: principal) {
            return .otherWorkCenter
        }
        if !rule.warehouses.contains(resource.warehouse, ownClaims: .none, of: principal) { return .otherWarehouse }
        if !rule.productCategories.contains(resource.productCategory, ownClaims: .none, of: principal) {
            return .otherCategory
        }
        guard rule.condition != nil else { return .applies }
        switch question.outcome(rule) {
        case .holds: return .applies
        case .fails: return .condition
        case .error, .unknown: return .error
        }
    }
}

// MARK: - As text and as JSON

extension Derivation {
    /// For people, several lines.
    package var text: String {
        var lines = ["\(decision.effect.rawValue): \(decision.reason)"]
        lines.append("  caller     \(subject) of \(issuer)")
        lines.append("  roles      \(roles.isEmpty ? "none" : roles.joined(separator: ", "))")
        lines.append("  operation  \(operation)")
        let places = Resource.Attribute.allCases.compactMap { attribute in
            resource[attribute].map { "\(attribute.rawValue.replacing("_", with: " ")) \($0)" }
        }
        lines.append("  resource   \(places.isEmpty ? "no place" : places.joined(separator: ", "))")
        lines.append("  policy     \(policy)")
        if let observation = decision.observation {
            let rule = observation.rule.map { "rule '\($0)'" } ?? "the default"
            lines.append("  observed   \(rule) would \(observation.effect.rawValue) it, if it were enforced")
        }
        let obligations = decision.obligations.words
        if !obligations.isEmpty { lines.append("  obliges to \(obligations.joined(separator: "; "))") }
        lines.append(considered.isEmpty ? "No rule speaks of this operation." : "Rules that speak of this operation:")
        for one in considered {
            let mark = isDeciding(one) ? "=>" : "  "
            let mode = one.rule.mode == .observe ? " (observed)" : ""
            lines.append(
                "\(mark) \(one.rule.id) (\(one.rule.place)), \(one.rule.effect.rawValue)\(mode): \(one.outcome.rawValue)"
            )
            for clause in one.clauses {
                let sign = clause.held.map { $0 ? "holds" : "FAILS" } ?? "ERROR"
                lines.append("       \(sign)  \(clause.text)")
            }
        }
        return lines.joined(separator: "\n")
    }

    package var json: JSONValue {
        [
            "decision": .string(decision.effect.rawValue), "rule": decision.rule.map { .string($0) } ?? .null,
            "reason": .string(decision.reason),
            "caller": [
                "subject": .string(subject), "issuer": .string(issuer),
                "roles": .array(roles.map { .string($0) }),
            ], "operation": .string(operation), "resource": resource.json, "policy": .string(policy),
            "obligations": .array(decision.obligations.words.map { .string($0) }),
            "rules": .array(
                considered.map { one in
                    [
                        "id": .string(one.rule.id), "place": .string(one.rule.place),
                        "effect": .string(one.rule.effect.rawValue), "mode": .string(one.rule.mode.rawValue),
                        "outcome": .string(one.outcome.rawValue),
                        "clauses": .array(
                            one.clauses.map { clause in
                                [
                                    "text": .string(clause.text),
                                    "held": clause.held.map { .bool($0) } ?? .null,
                                ]
                            }),
                    ]
                }),
        ]
    }
}

extension Resource {
    package var json: JSONValue {
        .object(
            JSONObject(
                Attribute.allCases.compactMap { attribute in
                    self[attribute].map { (attribute.rawValue, JSONValue.string($0)) }
                }))
    }
}

extension Obligations {
    /// Each as its own words, in a fixed order.
    package var words: [String] {
        var words: [String] = []
        if auditBody { words.append("audit the body") }
        if requiresClientCertificate { words.append("client certificate") }
        if let tokenAgeMax { words.append("token at most \(tokenAgeMax / 1_000_000_000) s old") }
        for person in secondPerson {
            let roles = person.roles.sorted().joined(separator: " or ")
            words.append("second person" + (roles.isEmpty ? "" : " (\(roles))"))
        }
        if !mask.isEmpty { words.append("mask " + mask.sorted().joined(separator: ", ")) }
        return words
    }
}
