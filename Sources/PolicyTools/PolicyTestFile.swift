import Bytes
import Contracts
import Documents
import Identity
import JSON
import Policy

/// One case of a policy test: who asks for what, and what must come of it.
package struct PolicyCase: Sendable {
    package let name: String
    package let caller: Principal
    package let operation: String
    package let resource: Resource
    package let input: JSONValue
    package let facts: RequestFacts
    package let expected: Decision.Effect
    /// The rule that must decide; nil where any will do.
    package let rule: String?
    /// No rule at all must decide.
    package let expectsNoRule: Bool
    package let mark: DocumentMark
}

/// Reads `tests/*.yaml`.
///
/// ```yaml
/// callers:
///   anna: {claims: {roles: [operator], site: plant-1}}
/// cases:
///   - name: an operator confirms at the own site
///     caller: anna
///     operation: production-order.confirm
///     resource: {site: plant-1}
///     input: {quantity: 5}
///     expect: allow
///     rule: site-staff-confirm
/// ```
package struct PolicyTestFile {
    private let reader: DocumentReader
    private let operations: Set<String>
    private let rules: Set<String>
    private let now: WallInstant
    private var callers: [String: Principal] = [:]
    private var issuer = PolicyTestFile.issuerDefault

    package static let issuerDefault = "https://id.millgate.example"

    /// - Parameter now: the time of cases that name none.
    /// - Throws: everything that is wrong in the files, names of unknown rules and operations included.
    package static func read(
        _ files: [(path: String, text: String)], policy: PolicySet, now: WallInstant
    ) throws(DocumentErrors) -> [PolicyCase] {
        let reader = DocumentReader()
        var cases: [PolicyCase] = []
        for (path, text) in files {
            var file = PolicyTestFile(
                reader: reader, operations: policy.operations, rules: Set(policy.rules.map(\.id)), now: now)
            reader.read(text, file: path) { map in cases += file.read(map) }
        }
        try reader.finish()
        return cases
    }

    private mutating func read(_ map: DocumentMapping) -> [PolicyCase] {
        issuer = map.string("issuer", default: issuer)
        let at = map.optional("at").flatMap(Self.instant) ?? now
        map.optional("callers")?.mapping { (names: DocumentMapping) in
            for (_, name, value) in names.entries {
                callers[name] = value.mapping { caller($0, name: name) }
            }
        }
        return map.required("cases")?.list(minCount: 1) { value in
            value.mapping { (map: DocumentMapping) -> PolicyCase? in one(map, at: at) }
        } ?? []
    }

    private func one(_ map: DocumentMapping, at: WallInstant) -> PolicyCase? {
        let name = map.requiredString("name")
        var who: Principal?
        if let value = map.required("caller") {
            if case .mapping = value.node.content {
                who = value.mapping { caller($0, name: "somebody") }
            } else if let text = value.string() {
                who = callers[text]
                if who == nil {
                    value.report(
                        "unknown caller \(value.node.kind)" + Suggestion.clause(for: text, among: callers.keys))
                }
            }
        }
        let operation = map.requiredString("operation")
        if !operation.isEmpty, !operations.contains(operation), !RPCOperation.isOperation(operation) {
            map.optional("operation")?.report(
                "unknown operation '\(operation)'" + Suggestion.clause(for: operation, among: operations))
        }
        let resource =
            map.mapping("resource") { (map: DocumentMapping) -> Resource? in
                Resource(
                    site: map.string("site"), workCenter: map.string("work_center"),
                    warehouse: map.string("warehouse"), productCategory: map.string("product_category"))
            } ?? Resource()
        var facts = RequestFacts(now: map.optional("at").flatMap(Self.instant) ?? at)
        facts.hasClientCertificate = map.bool("client_certificate", default: false)
        facts.address = map.string("address")
        facts.listener = map.string("listener")
        let expected = map.required("expect")?.choice(Decision.Effect.self, what: "effect") ?? .forbid
        let rule = map.string("rule")
        if let rule, rule != "none", !rules.contains(rule) {
            map.optional("rule")?.report("unknown rule '\(rule)'" + Suggestion.clause(for: rule, among: rules))
        }
        let input = map.optional("input")?.node.json ?? .null
        guard let who else { return nil }
        return PolicyCase(
            name: name, caller: who, operation: operation, resource: resource, input: input, facts: facts,
            expected: expected, rule: rule == "none" ? nil : rule, expectsNoRule: rule == "none", mark: map.mark)
    }

    private func caller(_ map: DocumentMapping, name: String) -> Principal {
        let claims = map.optional("claims")?.node.json.object ?? JSONObject()
        let certificate = map.mapping("certificate") { (map: DocumentMapping) -> (String, String?, String?)? in
            (map.string("thumbprint", default: "none"), map.string("subject"), map.string("issuer"))
        }
        let subject = map.string("subject", default: name)
        let issuer = map.string("issuer", default: issuer)
        let client = map.string("client_id")
        let expires = WallInstant(nanoseconds: .max)
        if let (thumbprint, subject, issuer) = certificate {
            return Principal(
                subject: subject ?? name, issuer: issuer ?? "", expires: expires,
                authentication: .clientCertificate(thumbprint: thumbprint), certificateThumbprint: thumbprint)
        }
        return Principal(
            subject: subject, issuer: issuer, clientID: client, claims: claims, expires: expires,
            authentication: .bearer(keyID: nil, algorithm: .es256))
    }

    private static func instant(_ value: DocumentValue) -> WallInstant? {
        guard let text = value.string() else { return nil }
        if let instant = WallInstant(text) { return instant }
        value.report("expected a time such as 2026-11-25T10:00:00Z")
        return nil
    }
}
