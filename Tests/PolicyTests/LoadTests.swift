import Documents
import Policy
import Testing

@Suite struct LoadTests {
    static let roles = "roles:\n  operator:\n    description: d\n    any: [{claim: roles, contains: operator}]\n"
    static let rules = "rules: [{id: p, effect: allow, roles: [operator], operations: [product.read], sites: own}]\n"

    func errors(_ files: [(path: String, text: String)]) -> [String] {
        do throws(DocumentErrors) {
            _ = try PolicySet.load(files: files, operations: knownOperations, digest: checksum)
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test func everyMistakeInRulesIsReportedAtOnceWithItsPlace() {
        let text = """
            rules:
              - id: first
                effect: alow
                roles: [operatr]
                operations: [production-order.relase, prodution-order.*, "*.read", production-order*]
                sites: plant-1
              - id: first
                efect: allow
                roles: []
                operations: []
                sites: []
                work_centers: [own]
              - id: Bad Id
                effect: forbid
                roles: [operator, operator]
                operations: [product.read]
                sites: [x, x]
                obligations: {audit-body: true}
              - just text
            """
        #expect(
            errors([("policies/roles.yaml", Self.roles), ("policies/access/line.yaml", text)]) == [
                "policies/access/line.yaml:3:13: unknown effect 'alow'; did you mean 'allow'?",
                "policies/access/line.yaml:4:13: unknown role 'operatr'; did you mean 'operator'?",
                "policies/access/line.yaml:5:18: unknown operation 'production-order.relase'; did you mean 'production-order.release'?",
                "policies/access/line.yaml:5:43: 'prodution-order.*' matches no operation; did you mean 'production-order.*'?",
                "policies/access/line.yaml:5:62: a wildcard is '*' alone or at the end behind a '.', not '*.read'",
                "policies/access/line.yaml:5:72: a wildcard is '*' alone or at the end behind a '.', not 'production-order*'",
                "policies/access/line.yaml:6:12: expected \"*\", own or a list of sites, not 'plant-1'",
                "policies/access/line.yaml:7:5: missing key 'effect'",
                "policies/access/line.yaml:7:9: duplicate rule id 'first', first in policies/access/line.yaml:2",
                "policies/access/line.yaml:8:5: unknown key 'efect'; did you mean 'effect'?",
                "policies/access/line.yaml:9:12: the list must not be empty",
                "policies/access/line.yaml:10:17: the list must not be empty",
                "policies/access/line.yaml:11:12: the list must not be empty",
                "policies/access/line.yaml:12:20: 'own' stands alone, not in a list",
                "policies/access/line.yaml:13:9: rule id 'Bad Id' must be lower-case letters, digits, '-', '.' and '_', beginning with a letter, at most 64",
                "policies/access/line.yaml:15:23: role 'operator' is listed twice",
                "policies/access/line.yaml:17:16: 'x' is listed twice",
                "policies/access/line.yaml:18:19: unknown key 'audit-body'; did you mean 'audit_body'?",
                "policies/access/line.yaml:19:5: expected a mapping, not 'just text'",
            ])
    }

    @Test func everyMistakeInRolesIsReportedAtOnceWithItsPlace() {
        let text = """
            roles:
              Operator:
                description: d
                any: [{claim: roles, contains: x}]
              one:
                any: []
              two:
                description: d
                any:
                  - {clam: roles, contains: x}
                  - {claim: roles}
                  - {claim: roles, contains: x, equals: y}
                  - {claim: roles, contains: x, client_id: y}
                  - {client_id: x}
                  - {certificate: {thumbprint: abc}}
                  - {certificate: {}}
                  - {issuer: x}
            """
        #expect(
            errors([("roles.yaml", text), ("access/a.yaml", Self.rules.replacing("[operator]", with: "[two]"))]) == [
                "roles.yaml:2:3: role name 'Operator' must be lower-case letters, digits, '-', '.' and '_', beginning with a letter, at most 64",
                "roles.yaml:6:5: missing key 'description'", "roles.yaml:6:10: the list must not be empty",
                "roles.yaml:10:10: unknown key 'clam'; did you mean 'claim'?",
                "roles.yaml:11:9: a claim needs either 'contains' or 'equals'",
                "roles.yaml:12:9: a claim needs either 'contains' or 'equals'",
                "roles.yaml:13:9: exactly one of claim, client_id, subject, certificate is needed",
                "roles.yaml:14:9: missing key 'issuer'",
                "roles.yaml:15:36: a thumbprint is the SHA-256 of the certificate in base64url, 43 characters",
                "roles.yaml:16:23: a certificate needs either 'thumbprint' or 'subject'",
                "roles.yaml:17:9: exactly one of claim, client_id, subject, certificate is needed",
            ])
    }

    @Test func misplacedAndMissingFilesAreErrors() {
        #expect(
            errors([("policies/roles.yaml", Self.roles), ("policies/acess/a.yaml", Self.rules)]) == [
                "access:1:1: no access files: nothing would be allowed",
                "policies/acess/a.yaml:1:1: not a policy file; expected roles.yaml, bundle.yaml or access/NAME.yaml",
            ])
        #expect(errors([]).count == 2)
        #expect(
            errors([("roles.yaml", Self.roles), ("access/a.yml", Self.rules)]).contains(
                "access/a.yml:1:1: not a policy file; expected roles.yaml, bundle.yaml or access/NAME.yaml"))
        #expect(errors([("roles.yaml", ""), ("access/a.yaml", "")]).count == 2)
    }

    @Test func ruleIDsAreUniqueAcrossFiles() {
        #expect(
            errors([("roles.yaml", Self.roles), ("access/a.yaml", Self.rules), ("access/b.yaml", Self.rules)]) == [
                "access/b.yaml:1:14: duplicate rule id 'p', first in access/a.yaml:1"
            ])
    }

    @Test func digestCoversNamesAndTextsButNotTheFolderOrTheOrder() throws {
        func digest(_ files: [(path: String, text: String)]) throws -> String {
            try PolicySet.load(files: files, operations: knownOperations, digest: checksum).digest
        }
        let a = (path: "p/roles.yaml", text: Self.roles)
        let b = (path: "p/access/a.yaml", text: Self.rules)
        let base = try digest([a, b])
        #expect(try digest([b, a]) == base)
        #expect(try digest([("/etc/x/roles.yaml", a.text), ("/etc/x/access/a.yaml", b.text)]) == base)
        #expect(try digest([a, ("p/access/b.yaml", b.text)]) != base)
        #expect(try digest([a, (b.path, b.text + "\n")]) != base)
    }

    @Test func rulesKnowTheirPlaceAndResolvedOperations() throws {
        let policy = try PolicySet.shipped()
        let rule = try #require(policy.rules.first { $0.id == "mes-production" })
        #expect(rule.operations.count == 31)
        #expect(rule.place.hasPrefix("access/production.yaml:"))
        #expect(
            policy.roles.map(\.name) == [
                "operator", "supervisor", "mes", "wms", "machine-connector", "supplier", "auditor", "delivery-operator",
                "security",
            ])
    }
}
