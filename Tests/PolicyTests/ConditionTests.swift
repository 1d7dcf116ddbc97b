import Bytes
import Contracts
import Documents
import Identity
import JSON
import Policy
import Testing

@Suite struct ConditionTests {
    static let contract = """
        operation: order.confirm
        title: Confirm
        description: d
        kind: write
        admission: realtime
        deadline: 5s
        roles: []
        idempotency: none
        settling: {found_by: external-id, look: The thing., absent: repeats, handed_over: [the thing]}
        errors: []
        resource: [site, product_category]
        endpoints:
          - name: confirm
            method: POST
            path: /v1/orders/{id}/confirm
            summary: s
            path_parameters: [{name: id, description: d, schema: {type: integer}}]
            body:
              schema:
                type: object
                additionalProperties: false
                properties:
                  quantity: {type: number}
                  unit: {type: string}
                  final: {type: boolean}
                  lots: {type: array, items: {type: object, additionalProperties: false, properties: {name: {type: string}, amount: {type: number}}}}
            response: {schema: {type: object}}
            examples: [{summary: s, path: {id: 1}, body: {quantity: 1}, response: {}}]
        """

    static func load(_ condition: String, more: String = "") throws -> PolicySet {
        let contracts = try ContractSet.load(files: [("services/order.confirm.yaml", contract)])
        let roles = "roles:\n  a:\n    description: d\n    any: [{claim: roles, contains: a}]\n"
        let rules = """
            rules:
              - id: r
                effect: allow
                roles: [a]
                operations: [order.confirm]
                sites: "*"
                condition: \(condition)
            \(more)
            """
        return try PolicySet.load(
            files: [("roles.yaml", roles), ("access/t.yaml", rules)],
            catalog: OperationCatalog(contracts: contracts, proxied: ["proxy.web"]), digest: checksum)
    }

    func decide(
        _ policy: PolicySet, _ input: JSONValue, _ claims: JSONObject = ["roles": ["a"], "site": "plant-1"],
        resource: Resource = Resource(site: "plant-1")
    ) -> Decision {
        let caller = caller(claims)
        return policy.decide(
            policy.roles(of: caller), principal: caller, operation: "order.confirm", resource: resource, input: input,
            facts: noon)
    }

    @Test(
        arguments: [
            ("input.quantity <= 100.0", ["quantity": 100], true), ("input.quantity <= 100.0", ["quantity": 101], false),
            ("input.quantity <= 100", ["quantity": 99], true),
            ("input.final && input.unit == \"kg\"", ["final": true, "unit": "kg"], true),
            ("!has(input.final)", [:], true), ("!has(input.final)", ["final": false], false),
            ("input.id == 26", ["id": 26], true),
            ("input.lots.all(l, l.amount < 5.0)", ["lots": [["name": "x", "amount": 4]]], true),
            ("input.lots.exists(l, l.name.startsWith(\"Q\"))", ["lots": [["name": "x", "amount": 4]]], false),
            ("\"a\" in principal.roles && principal.sites == [\"plant-1\"]", [:], true),
            ("principal.claims.level >= 3.0", [:], false), ("resource.site == \"plant-1\"", [:], true),
            ("environment.time < timestamp(\"2027-01-01T00:00:00Z\")", [:], true),
            ("environment.time.getHours() < 6", [:], false), ("resource.product_category == \"x\"", [:], false),
        ] as [(String, JSONValue, Bool)])
    func conditionsSeeCallerInputResourceAndTime(condition: String, input: JSONValue, allowed: Bool) throws {
        let policy = try Self.load("'\(condition.replacing("'", with: "''"))'")
        #expect(decide(policy, input).isPermitted == allowed)
    }

    @Test(
        arguments: [
            ("input.quantty <= 100.0", "7:22: condition: ", "quantity"),
            ("input.quantity <= \"100\"", "7:31: condition: ", ""),
            ("principal.role == \"a\"", "7:26: condition: ", "roles"),
            ("resource.warehouse == \"WH\"", "7:25: condition: ", ""), ("input.quantity", "7:16: condition: ", "bool"),
            ("environment.time < 5", "7:33: condition: ", ""), ("quantity < 5", "7:16: condition: ", ""),
        ])
    func aConditionThatCannotBeIsAnErrorAtItsPlace(condition: String, place: String, hint: String) throws {
        do {
            _ = try Self.load(condition)
            Issue.record("it loads")
        } catch let error as DocumentErrors {
            let first = try #require(error.errors.first?.description)
            #expect(error.errors.count == 1 && first.hasPrefix("access/t.yaml:7:"), "\(error)")
            #expect(first.contains("condition: ") && (hint.isEmpty || first.contains(hint)), "\(first)")
        }
    }

    @Test func aConditionThatCannotBeEvaluatedNeverAllowsAndAlwaysForbids() throws {
        let allow = try Self.load("input.quantity <= 100.0")
        let denied = decide(allow, [:])
        #expect(!denied.isPermitted && denied.cause == .condition)
        #expect(denied.clauses == [Decision.Clause(text: "input.quantity <= 100.0", held: nil)])
        let forbid = try Self.load(
            "\"true\"",
            more:
                "  - {id: f, effect: forbid, roles: [a], operations: [order.confirm], sites: \"*\", condition: 'input.quantity > 100.0'}"
        )
        #expect(decide(forbid, [:]).rule == "f")
        #expect(decide(forbid, ["quantity": 5]).isPermitted)
        #expect(decide(forbid, ["quantity": 101]).rule == "f")
    }

    @Test func clausesSayWhatHeldAndWhatFailed() throws {
        let policy = try Self.load("input.quantity <= 100.0 && input.unit == \"kg\"")
        let decision = decide(policy, ["quantity": 500, "unit": "kg"])
        #expect(
            decision.clauses == [
                Decision.Clause(text: "input.quantity <= 100.0", held: false),
                Decision.Clause(text: "input.unit == \"kg\"", held: true),
            ])
        #expect(decision.reason == "rule 'r' would allow it, but its condition does not hold")
        let problem = decision.problem(operation: "order.confirm")
        #expect(problem.members["rule"]?.string == "r" && problem.members["unmet"] == nil)
    }

    @Test func theGateWaitsForWhatIsNotKnownYet() throws {
        let caller = caller(["roles": ["a"]])
        func opens(_ condition: String) throws -> Bool {
            let policy = try Self.load(condition)
            return policy.gate(
                policy.roles(of: caller), principal: caller, operation: "order.confirm", facts: noon
            ).isPermitted
        }
        #expect(try opens("input.quantity <= 100.0"))
        #expect(try opens("resource.site == \"x\""))
        #expect(try !opens("environment.time < timestamp(\"2020-01-01T00:00:00Z\")"))
        #expect(try !opens("principal.subject == \"ben\""))
    }

    @Test func whatDependsOnTheInputIsNotDecidedOnce() throws {
        #expect(try !Self.load("input.quantity <= 100.0").isConstant("order.confirm"))
        #expect(try !Self.load("environment.listener == \"tls\"").isConstant("order.confirm"))
        #expect(try Self.load("'\"a\" in principal.roles'").isConstant("order.confirm"))
    }

    @Test func auditedAreTheClaimsAndInputsThatThePolicyLooksAt() throws {
        let policy = try Self.load("input.quantity <= 100.0 && principal.claims.level == \"x\"")
        let caller = caller(["roles": ["a"], "site": "s", "level": "x", "email": "a@example"])
        #expect(policy.claims(of: caller)?.members.map(\.key).sorted() == ["level", "roles", "site"])
        #expect(
            policy.inputs(of: "order.confirm", in: ["quantity": 5, "unit": "kg"]).members.map(\.key) == ["quantity"])
    }

    @Test func proxiedRequestsAreDecidedByMethodAndPath() throws {
        let policy = try Self.load(
            "\"true\"",
            more:
                "  - {id: p, effect: allow, roles: [a], operations: [proxy.web], sites: \"*\", condition: 'input.method == \"GET\" && input.path.startsWith(\"/report\")'}"
        )
        let caller = caller(["roles": ["a"]])
        func allowed(_ method: String, _ path: String) -> Bool {
            policy.gate(
                policy.roles(of: caller), principal: caller, operation: "proxy.web",
                input: ["method": .string(method), "path": .string(path)], facts: noon
            ).isPermitted
        }
        #expect(allowed("GET", "/report/1") && !allowed("POST", "/report/1") && !allowed("GET", "/web"))
    }
}
