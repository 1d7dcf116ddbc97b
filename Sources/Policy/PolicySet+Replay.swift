import Identity
import JSON

/// What of a caller and a request the policy looks at: it goes into the audit log, so that decisions can be made again
/// under another policy.
extension PolicySet {
    /// Claims by which callers belong somewhere.
    private static let placeClaims: Set<String> = ["site", "sites", "work_center", "work_centers"]

    /// The claims that roles, places and obligations depend on, as the caller has them. Nil for none.
    package func claims(of principal: Principal) -> JSONObject? {
        var kept = JSONObject()
        for (name, value) in principal.claims.members
        where usesAllClaims || claimNames.contains(name) { kept[name] = value }
        return kept.members.isEmpty ? nil : kept
    }

    static func claimNames(_ roles: [Role], _ rules: [Rule]) -> Set<String> {
        var names = placeClaims
        for condition in roles.flatMap(\.conditions) {
            switch condition {
            case .claimContains(let claim, _, _), .claimEquals(let claim, _, _): names.insert(claim)
            case .client, .subject, .certificate, .certificateSubject: break
            }
        }
        for condition in rules.compactMap(\.condition) { names.formUnion(condition.claims) }
        if rules.contains(where: { $0.obligations.tokenAgeMax != nil }) { names.formUnion(["iat", "auth_time"]) }
        return names
    }

    static func inputNames(_ rules: [Rule]) -> [String: Set<String>] {
        var names: [String: Set<String>] = [:]
        for rule in rules {
            for (operation, compiled) in rule.condition?.byOperation ?? [:] {
                names[operation, default: []].formUnion(compiled.expression.references.compactMap(Condition.inputName))
            }
        }
        return names
    }

    /// The members of the input that one rule's condition asks for; of all rules, where no rule decided.
    package func inputNames(of operation: String, rule: String?) -> Set<String> {
        guard let rule else { return inputNames[operation] ?? [] }
        let condition = rules.first { $0.id == rule }?.condition
        return Set((condition?.expression(for: operation)?.references ?? []).compactMap(Condition.inputName))
    }

    /// The members of the input that conditions on the operation ask for.
    package func inputs(of operation: String, in input: JSONObject) -> JSONObject {
        var kept = JSONObject()
        for (name, value) in input.members where inputNames[operation]?.contains(name) == true { kept[name] = value }
        return kept
    }
}
