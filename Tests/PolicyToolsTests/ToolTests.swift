import Bytes
import Documents
import JSON
import Policy
import PolicyTools
import Testing

@Suite struct ToolTests {
    // MARK: who-can

    @Test func whoCanIsSaidForEachSite() throws {
        let who = WhoCan(
            try policy(DiffTests.base), operation: "order.confirm", sites: [], known: ["plant-1"], now: noon)
        let lines = who.lines.map { "\($0.caller) \($0.site ?? "-") \($0.isOwn) \($0.isAlways)" }
        #expect(
            lines.sorted() == [
                "client mes of https://i plant-1 false true", "client mes of https://i plant-2 false true",
                "roles with operator another-site true false", "roles with operator plant-1 true false",
                "roles with operator plant-2 true false",
            ])
        #expect(who.lines.first { $0.isOwn }?.conditions == ["input.quantity <= 100.0"])
        let only = WhoCan(
            try policy(DiffTests.base), operation: "order.release", sites: ["plant-2"], known: [], now: noon)
        #expect(only.lines.map(\.caller) == ["client mes of https://i"])
        #expect(
            WhoCan(try policy(DiffTests.base), operation: "proxy.web", sites: [], known: [], now: noon).text
                == "proxy.web\n  nobody")
    }

    @Test func whoCanSaysForWhichGoodsAndWhatIsForbidden() throws {
        let rules = """
            - {id: chairs, effect: allow, roles: [auditor], operations: [order.release], sites: [plant-1],
               product_categories: [All / Furniture]}
            - {id: all, effect: allow, roles: [mes], operations: [order.release], sites: [plant-1]}
            - {id: no-paint, effect: forbid, roles: [mes], operations: [order.release], sites: "*",
               product_categories: [All / Paint]}

            """
        let text = WhoCan(try policy(rules), operation: "order.release", sites: [], known: ["plant-1"], now: noon).text
        #expect(text.contains("roles with auditor  by chairs  when for goods of All / Furniture"), "\(text)")
        #expect(text.contains("by all  but for no-paint"), "\(text)")
    }

    // MARK: findings

    func findings(_ rules: String, roles: String = "") throws -> [String] {
        PolicyFindings(try policy(rules, roles: roles), issuers: ["https://i"], now: noon).findings.map {
            "\($0.line): \($0.message)"
        }
    }

    static let rest = """
        - {id: rest, effect: allow, roles: [operator, supervisor, auditor, mes], operations: [order.read, stock.read, order.confirm, order.release], sites: own}
        - {id: web, effect: forbid, roles: "*", operations: [proxy.web], sites: "*"}

        """

    @Test(
        arguments: [
            ("", []),
            (
                "- {id: x, effect: allow, roles: [operator], operations: [order.read], sites: own}\n",
                ["4: rule 'x' never matters: 'rest' (access/t.yaml:2) says as much already"]
            ),
            // With an obligation of its own it does matter.
            (
                "- {id: x, effect: allow, roles: [operator], operations: [order.read], sites: own, obligations: {audit_body: true}}\n",
                []
            ),
            (
                "- {id: x, effect: allow, roles: [auditor], operations: [proxy.web], sites: \"*\"}\n",
                ["4: rule 'x' never allows anything: 'web' (access/t.yaml:3) forbids all of it"]
            ),
            (
                "- {id: x, effect: allow, roles: [auditor], operations: [proxy.web, stock.read], sites: \"*\"}\n",
                ["4: rule 'x' allows 'proxy.web' in vain: 'web' (access/t.yaml:3) forbids it"]
            ),
            (
                "- {id: x, effect: allow, roles: [auditor], operations: [stock.read], sites: \"*\", valid_until: 2026-01-01}\n",
                ["4: rule 'x' ended at 2026-01-01T00:00:00.000Z; remove it"]
            ),
            (
                "- {id: x, effect: allow, roles: [auditor], operations: [stock.read], sites: \"*\", condition: '1 < 2'}\n",
                ["4: the condition of rule 'x' is the same for every request"]
            ),
            (
                "- {id: x, effect: forbid, roles: [auditor], operations: [proxy.web], sites: own}\n",
                ["4: rule 'x' never matters: 'web' (access/t.yaml:3) says as much already"]
            ),
        ])
    func whatIsProbablyNotMeantIsFound(rule: String, findings expected: [String]) throws {
        #expect(try findings(Self.rest + rule) == expected)
    }

    @Test func rolesThatNobodyHasOrNoRuleNamesAreFound() throws {
        let roles = """
              idle: {description: d, any: [{claim: roles, contains: idle}]}
              gone: {description: d, any: [{client_id: x, issuer: https://other}]}
            """
        let found = try findings(
            Self.rest + "- {id: g, effect: allow, roles: [gone], operations: [order.read], sites: \"*\"}\n",
            roles: roles)
        #expect(
            found == [
                "6: no rule speaks of role 'idle'",
                "7: nobody has role 'gone': no token of its issuers is accepted here",
            ])
    }

    @Test func operationsThatNoRuleAllowsAreFound() throws {
        let found = try findings(
            "- {id: x, effect: allow, roles: [operator, supervisor, auditor, mes], operations: [\"order.*\"], sites: own}\n"
        )
        #expect(found == ["1: no rule allows 'proxy.web' to anybody", "1: no rule allows 'stock.read' to anybody"])
    }

    // MARK: tests

    static let cases = """
        callers:
          anna: {claims: {roles: [operator], site: plant-1}}
          mes: {client_id: mes, issuer: https://i}
        at: 2026-11-25T10:00:00Z
        cases:
          - {name: small, caller: anna, operation: order.confirm, resource: {site: plant-1}, input: {quantity: 100}, expect: allow, rule: confirm}
          - {name: large, caller: anna, operation: order.confirm, resource: {site: plant-1}, input: {quantity: 101}, expect: forbid, rule: confirm}
          - {name: elsewhere, caller: anna, operation: order.read, resource: {site: plant-2}, expect: forbid, rule: none}
          - {name: machine, caller: mes, operation: order.release, resource: {site: plant-2}, expect: allow}
          - {name: own, caller: anna, operation: stock.read, resource: {site: plant-1}, expect: allow}

        """

    func run(_ text: String) throws -> PolicyTestRun {
        let policy = try policy(DiffTests.base)
        let cases = try PolicyTestFile.read([("tests/t.yaml", text)], policy: policy, now: noon)
        return PolicyTestRun(cases, policy: policy)
    }

    @Test func casesAreTriedAndWhatTheyCoverIsCounted() throws {
        let run = try run(Self.cases)
        #expect(run.failures.isEmpty, "\(run.failures)")
        #expect(run.coveredRules == ["read", "confirm", "mes"])
        #expect(run.ruleCoverage == 60)
        #expect(run.clauseWays.count == 2 && run.clauseCoverage == 100)
        #expect(run.uncovered.count == 2)
    }

    @Test func aCaseThatComesOutOtherwiseIsAFailureWithItsPlace() throws {
        let run = try run(Self.cases.replacing("expect: allow, rule: confirm", with: "expect: allow, rule: mes"))
        #expect(
            run.failures.map(\.description) == [
                "tests/t.yaml:6:5: small: expected rule 'mes' to decide, got allow, allowed by rule 'confirm'"
            ])
    }

    @Test func mistakesInCasesAreErrorsWithTheirPlace() throws {
        do throws(DocumentErrors) {
            _ = try PolicyTestFile.read(
                [
                    (
                        "t.yaml",
                        """
                        cases:
                          - {name: a, caller: nobody, operation: order.cofirm, expect: permit, rule: confrim}
                          - {name: b, caller: {claims: {}}, operation: order.read}
                        """
                    )
                ], policy: try! policy(DiffTests.base), now: noon)
            Issue.record("it loads")
        } catch {
            #expect(
                error.errors.map(\.description) == [
                    "t.yaml:2:23: unknown caller 'nobody'",
                    "t.yaml:2:42: unknown operation 'order.cofirm'; did you mean 'order.confirm'?",
                    "t.yaml:2:64: unknown effect 'permit'; expected one of allow, forbid",
                    "t.yaml:2:78: unknown rule 'confrim'; did you mean 'confirm'?",
                    "t.yaml:3:5: missing key 'expect'",
                ])
        }
    }

    // MARK: explain

    @Test func aDerivationNamesEachRuleAndWhy() throws {
        let policy = try policy(DiffTests.base)
        let derivation = policy.explain(
            caller("operator", site: "plant-1"), operation: "order.confirm", resource: Resource(site: "plant-1"),
            input: ["quantity": 101], facts: RequestFacts(now: noon))
        #expect(derivation.decision.cause == .condition && derivation.decision.rule == "confirm")
        #expect(
            derivation.considered.map { "\($0.rule.id): \($0.outcome.rawValue)" } == [
                "confirm: its condition does not hold", "mes: speaks of other callers",
            ])
        #expect(derivation.text.contains("FAILS  input.quantity <= 100.0"))
        #expect(derivation.json["rules"]?[0]?["clauses"]?[0]?["held"] == false)
    }

    // MARK: replay

    @Test func recordedDecisionsAreMadeAgain() throws {
        func line(_ subject: String, _ role: String, _ site: String, _ effect: String, _ quantity: Int) -> [UInt8] {
            let entry: JSONValue = [
                "seq": 7, "time": "2026-11-25T10:00:00.000Z", "kind": "outcome", "subject": .string(subject),
                "issuer": "https://i", "claims": ["roles": [.string(role)], "site": .string(site)],
                "operation": "order.confirm", "effect": .string(effect), "rule": "confirm", "site": .string(site),
                "input": ["quantity": JSONValue(quantity)],
            ]
            return entry.bytes
        }
        var replay = PolicyReplay(try policy(DiffTests.base.replacing("<= 100.0", with: "<= 50.0")))
        replay.take(line("anna", "operator", "plant-1", "allow", 10))
        for _ in 0..<3 { replay.take(line("ben", "operator", "plant-2", "allow", 80)) }
        replay.take(line("eve", "auditor", "plant-1", "forbid", 10))
        replay.take(Array("{\"kind\":\"segment\",\"seq\":1}".utf8))
        replay.take(Array("not json".utf8))
        #expect(replay.entries == 6 && replay.decisions == 5 && replay.unchanged == 2 && replay.unreadable == 1)
        let changes = replay.changes
        #expect(changes.count == 1 && changes.first?.count == 3 && changes.first?.firstSequence == 7)
        #expect(changes.first?.change.subject == "ben" && changes.first?.change.after == "forbid")
        #expect(replay.text.contains("3 × order.confirm of ben at plant-2: allow (confirm) becomes forbid (confirm)"))
    }

    @Test func whatWasNotRecordedCannotBeTold() throws {
        var replay = PolicyReplay(try policy(DiffTests.base))
        let entry: JSONValue = [
            "seq": 1, "time": "2026-11-25T10:00:00.000Z", "kind": "outcome", "subject": "anna", "issuer": "https://i",
            "claims": ["roles": ["operator"], "site": "plant-1"], "operation": "order.confirm", "effect": "allow",
            "rule": "x", "site": "plant-1",
        ]
        replay.take(entry.bytes)
        #expect(replay.undecided == 1 && replay.changedCount == 0)
    }
}
