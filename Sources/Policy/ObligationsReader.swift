import Bytes
import Documents

/// Reads `obligations` of a rule.
enum ObligationsReader {
    static func read(_ map: DocumentMapping, roles: [String]) -> Obligations {
        var obligations = Obligations(auditBody: map.bool("audit_body", default: false))
        obligations.requiresClientCertificate = map.bool("client_certificate", default: false)
        obligations.tokenAgeMax = map.mapping("fresh_token") { map in
            map.required("max_age")?.duration(in: .seconds(10) ... .hours(24))
        }
        if let person = map.mapping("second_person", { secondPerson($0, roles: roles) }) {
            obligations.secondPerson = [person]
        }
        for value in map.list("mask", minCount: 1, { $0 }) {
            guard let name = value.string() else { continue }
            if name.contains(".") || name.contains("/") || name.contains("*") {
                value.report("a member's name alone, which is masked at any depth, not \(value.node.kind)")
            }
            if !obligations.mask.insert(name).inserted { value.report("'\(name)' is listed twice") }
        }
        return obligations
    }

    private static func secondPerson(_ map: DocumentMapping, roles: [String]) -> Obligations.SecondPerson {
        var person = Obligations.SecondPerson()
        for value in map.list("roles", { $0 }) {
            guard let name = value.string() else { continue }
            if roles.contains(name) {
                person.roles.insert(name)
            } else {
                value.report("unknown role \(value.node.kind)" + Suggestion.clause(for: name, among: roles))
            }
        }
        person.validFor = map.duration(
            "valid_for", in: .seconds(10) ... .hours(24), default: Obligations.SecondPerson.validForDefault)
        return person
    }
}
