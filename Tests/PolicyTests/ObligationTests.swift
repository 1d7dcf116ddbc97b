import Bytes
import Contracts
import Identity
import JSON
import Policy
import Testing

@Suite struct ObligationTests {
    func decision(_ obligations: String, _ claims: JSONObject = [:], certificate: Bool = false) throws -> Decision {
        let policy = try PolicySet.rules(
            "- {id: r, effect: allow, roles: \"*\", operations: [product.read], sites: \"*\", obligations: \(obligations)}"
        )
        var facts = noon
        facts.hasClientCertificate = certificate
        let caller = caller(claims)
        return policy.decide(
            policy.roles(of: caller), principal: caller, operation: "product.read", resource: Resource(), facts: facts)
    }

    @Test func aClientCertificateIsAskedFor() throws {
        let without = try decision("{client_certificate: true}")
        #expect(without.cause == .need(.clientCertificate) && !without.isPermitted && without.rule == "r")
        #expect(without.problem(operation: "product.read").type == .clientCertificateRequired)
        #expect(try decision("{client_certificate: true}", certificate: true).isPermitted)
    }

    @Test(
        arguments: [
            (["iat": 1_794_999_701], true), (["iat": 1_794_999_700], true), (["iat": 1_794_999_699], false),
            (["iat": 1_795_000_000, "auth_time": 1_794_000_000], false),
            (["iat": 1_700_000_000, "auth_time": 1_794_999_999], true), ([:], false), (["iat": "now"], false),
            (["iat": 9_999_999_999_999], false),
        ] as [(JSONObject, Bool)])
    func aTokenMustBeFresh(claims: JSONObject, allowed: Bool) throws {
        let made = try decision("{fresh_token: {max_age: 5m}}", claims)
        #expect(made.isPermitted == allowed)
        guard !allowed else { return }
        let problem = made.problem(operation: "product.read")
        #expect(problem.type == .freshTokenRequired && problem.status == 401)
        #expect(problem.members["max_age"]?.int == 300)
        #expect(problem.challenge?.contains("insufficient_user_authentication") == true)
        #expect(problem.challenge?.contains("max_age=300") == true)
    }

    @Test func theGateDoesNotAskForWhatOnlySomePlacesNeed() throws {
        let policy = try PolicySet.rules(
            """
            - {id: r, effect: allow, roles: "*", operations: [product.read], sites: [x],
               obligations: {client_certificate: true}}
            """)
        let caller = caller()
        #expect(policy.opens(caller, "product.read"))
        // Of a proxied request everything is known: there is no later question.
        let proxied = policy.gate(
            policy.roles(of: caller), principal: caller, operation: "product.read", input: [:], facts: noon)
        #expect(proxied.cause == .need(.clientCertificate))
    }

    @Test func obligationsOfAllRulesThatAllowAddUp() throws {
        let policy = try PolicySet.rules(
            """
            - {id: r1, effect: allow, roles: "*", operations: [product.read], sites: "*", obligations: {mask: [price]}}
            - {id: r2, effect: allow, roles: "*", operations: [product.read], sites: "*",
               obligations: {mask: [cost], second_person: {roles: [a]}, audit_body: true}}
            - {id: r3, effect: allow, roles: "*", operations: [product.read], sites: "*",
               obligations: {second_person: {roles: [b], valid_for: 1h}}}
            - {id: r4, effect: allow, roles: [c], operations: [product.read], sites: "*", obligations: {mask: [name]}}
            """)
        let caller = caller()
        let made = policy.decide(
            policy.roles(of: caller), principal: caller, operation: "product.read", resource: Resource())
        #expect(made.rule == "r1" && made.obligations.auditBody)
        #expect(made.obligations.mask == ["price", "cost"])
        #expect(
            made.obligations.secondPerson == [
                Obligations.SecondPerson(roles: ["a"]), Obligations.SecondPerson(roles: ["b"], validFor: .hours(1)),
            ])
    }

    @Test func whatARefusedCallerIsToldIsForThePolicyToSay() throws {
        func problem(_ disclosure: String) throws -> Problem {
            let policy = try PolicySet.rules(
                """
                - {id: p, effect: allow, roles: [a, b], operations: [product.read], sites: "*"}
                - {id: f, effect: forbid, roles: [c], operations: [product.read], sites: "*", help: Ask the office.,
                   disclosure: \(disclosure)}
                """)
            let caller = staff("c")
            return policy.gate(policy.roles(of: caller), principal: caller, operation: "product.read")
                .problem(operation: "product.read")
        }
        let operation = try problem("operation")
        #expect(operation.members.members.map(\.key) == ["operation"])
        #expect(operation.detail == "this is not allowed to you")
        let rule = try problem("rule")
        #expect(rule.members["rule"]?.string == "f" && rule.members["help"] == nil)
        let help = try problem("help")
        #expect(help.members["help"]?.string == "Ask the office.")
    }

    @Test func whoMayIsToldWhereTheBundleSaysSo() throws {
        let roles = "roles:\n  a:\n    description: d\n    any: [{claim: roles, contains: a}]\n"
        let rules = "rules:\n  - {id: p, effect: allow, roles: [a], operations: [product.read], sites: \"*\"}\n"
        let policy = try PolicySet.load(
            files: [("roles.yaml", roles), ("access/t.yaml", rules), ("bundle.yaml", "disclosure: help\n")],
            operations: knownOperations, digest: checksum)
        let caller = staff("b")
        let problem = policy.gate(policy.roles(of: caller), principal: caller, operation: "product.read")
            .problem(operation: "product.read")
        #expect(problem.members["roles"] == ["a"])
    }
}
