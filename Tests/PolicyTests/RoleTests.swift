import Documents
import Identity
import JSON
import Policy
import Testing

@Suite struct RoleTests {
    static let thumbprint = String(repeating: "A", count: 43)

    func has(_ condition: String, _ caller: Principal) throws -> Bool {
        let policy = try PolicySet.load(
            files: [
                ("roles.yaml", "roles:\n  r:\n    description: d\n    any:\n      - \(condition)\n"),
                ("access/t.yaml", "rules: [{id: p, effect: allow, roles: [r], operations: \"*\", sites: \"*\"}]"),
            ], operations: knownOperations, digest: checksum)
        return !policy.roles(of: caller).isEmpty
    }

    @Test(
        arguments: [
            ("{claim: groups, contains: x}", ["groups": ["y", "x"]], true),
            ("{claim: groups, contains: x}", ["groups": "x"], true),
            ("{claim: groups, contains: x}", ["groups": "x y"], false),
            ("{claim: groups, contains: x}", ["groups": ["xx"]], false), ("{claim: groups, contains: x}", [:], false),
            ("{claim: groups, contains: x}", ["groups": [["x"]]], false),
            ("{claim: groups, contains: x}", ["groups": ["x": true]], false),
            ("{claim: team, equals: x}", ["team": "x"], true), ("{claim: team, equals: x}", ["team": ["x"]], false),
            ("{claim: level, equals: 3}", ["level": 3], true), ("{claim: level, equals: 3}", ["level": "3"], true),
            ("{claim: ok, equals: true}", ["ok": true], true), ("{claim: ok, equals: true}", ["ok": nil], false),
            ("{claim: team, equals: x, issuer: https://id.millgate.example}", ["team": "x"], true),
            ("{claim: team, equals: x, issuer: https://other.example}", ["team": "x"], false),
        ] as [(String, JSONObject, Bool)])
    func claimsGiveRoles(condition: String, claims: JSONObject, holds: Bool) throws {
        #expect(try has(condition, caller(claims)) == holds)
        let certificate = Principal.Authentication.clientCertificate(thumbprint: Self.thumbprint)
        #expect(try !has(condition, caller(claims, authentication: certificate)))
    }

    @Test func serviceAccountsNeedTheirIssuer() throws {
        let client = "{client_id: mes, issuer: https://id.millgate.example}"
        #expect(try has(client, caller(client: "mes")))
        #expect(try !has(client, caller(subject: "mes")))
        #expect(try !has(client, caller(issuer: "https://other.example", client: "mes")))
        let subject = "{subject: anna, issuer: https://id.millgate.example}"
        #expect(try has(subject, caller()))
        #expect(try !has(subject, caller(subject: "bert")))
        #expect(throws: DocumentErrors.self) { try has("{client_id: mes}", caller()) }
        #expect(throws: DocumentErrors.self) { try has("{subject: mes}", caller()) }
    }

    @Test func certificatesGiveRolesToConnectionsOnly() throws {
        let thumbprint = "{certificate: {thumbprint: \(Self.thumbprint)}}"
        let held = Principal.Authentication.clientCertificate(thumbprint: Self.thumbprint)
        #expect(try has(thumbprint, caller(authentication: held)))
        #expect(try !has(thumbprint, caller(authentication: .clientCertificate(thumbprint: "B"))))
        #expect(try !has(thumbprint, caller()))
        #expect(try has("{certificate: {subject: anna}}", caller(authentication: held)))
        #expect(try !has("{certificate: {subject: anna}}", caller()))
        #expect(try !has("{certificate: {subject: anna, issuer: CN=X}}", caller(authentication: held)))
        #expect(try !has("{subject: anna, issuer: https://id.millgate.example}", caller(authentication: held)))
    }

    @Test func sixtyFourRolesFit() throws {
        func policy(_ count: Int) throws -> PolicySet {
            var roles = "roles:\n"
            for i in 0..<count { roles += "  r\(i):\n    description: d\n    any: [{claim: roles, contains: r\(i)}]\n" }
            return try PolicySet.load(
                files: [
                    ("roles.yaml", roles),
                    (
                        "access/t.yaml",
                        "rules: [{id: p, effect: allow, roles: [r63], operations: \"*\", sites: \"*\"}]"
                    ),
                ], operations: knownOperations, digest: checksum)
        }
        #expect(try policy(64).effect(staff("r63"), "product.read", nil))
        #expect(try !policy(64).effect(staff("r0"), "product.read", nil))
        #expect(throws: DocumentErrors.self) { try policy(65) }
    }
}
