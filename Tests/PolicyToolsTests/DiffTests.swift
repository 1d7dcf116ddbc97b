import Bytes
import JSON
import Policy
import PolicyTools
import Testing

@Suite struct DiffTests {
    static let base = """
        - {id: read, effect: allow, roles: [operator, supervisor], operations: [order.read, stock.read], sites: own}
        - {id: confirm, effect: allow, roles: [operator], operations: [order.confirm], sites: own,
           condition: 'input.quantity <= 100.0'}
        - {id: release, effect: allow, roles: [supervisor], operations: [order.release], sites: [plant-1]}
        - {id: mes, effect: allow, roles: [mes], operations: ["order.*"], sites: [plant-1, plant-2]}
        - {id: no-web, effect: forbid, roles: "*", operations: [proxy.web], sites: "*"}

        """

    func diff(_ old: String, _ new: String) throws -> PolicyDiff {
        PolicyDiff(try policy(old), try policy(new), sites: ["plant-1", "plant-2"], now: noon)
    }

    /// Kind, operation and caller of each change.
    func words(_ diff: PolicyDiff) -> [String] {
        diff.changes.map { "\($0.kind.rawValue) \($0.operation) \($0.caller)" }
    }

    @Test func samePoliciesDoNotDiffer() throws {
        let diff = try diff(Self.base, Self.base)
        #expect(diff.changes.isEmpty && diff.omissions.isEmpty && diff.caseCount > 500)
    }

    @Test func aRoleThatIsAddedToARuleGainsWhatItSays() throws {
        let diff = try diff(
            Self.base, Self.base.replacing("roles: [supervisor], op", with: "roles: [supervisor, auditor], op"))
        #expect(words(diff) == ["gains order.release roles with auditor"])
        let change = try #require(diff.changes.first)
        #expect(change.sites == ["plant-1"])
        #expect(change.example.principal.claims["roles"] == ["auditor"])
        #expect(!change.example.before.isPermitted && change.example.after.rule == "release")
    }

    @Test func aBoundThatMovesIsFoundAtTheBound() throws {
        let diff = try diff(Self.base, Self.base.replacing("<= 100.0", with: "< 100.0"))
        #expect(words(diff) == ["loses order.confirm roles with operator"])
        #expect(diff.changes.first?.example.input["quantity"]?.int == 100)
        let more = try self.diff(Self.base, Self.base.replacing("<= 100.0", with: "<= 1000.0"))
        #expect(words(more) == ["gains order.confirm roles with operator"])
        let quantity = try #require(more.changes.first?.example.input["quantity"]?.text).asNumber
        #expect(quantity > 100 && quantity <= 1_000)
    }

    @Test func aForbidThatGoesIsFoundForWhoHasBothRoles() throws {
        let forbid = "- {id: f, effect: forbid, roles: [auditor], operations: [order.release], sites: \"*\"}\n"
        let diff = try diff(Self.base + forbid, Self.base)
        #expect(
            words(diff) == [
                "gains order.release roles with auditor and client mes of https://i",
                "gains order.release roles with supervisor and roles with auditor",
            ])
    }

    @Test func anObligationThatGoesIsAChange() throws {
        let new = Self.base
        let old = new.replacing("sites: [plant-1]}", with: "sites: [plant-1], obligations: {second_person: {}}}")
        #expect(words(try diff(old, new)) == ["is obliged otherwise order.release roles with supervisor"])
    }

    @Test func aRoleThatSomebodyElseNowHasIsAChange() throws {
        let rules = Self.base
        let old = try policy(rules)
        let new = try policy(
            rules, roles: "  extra: {description: d, inherits: [supervisor], any: [{claim: team, equals: x}]}\n")
        let diff = PolicyDiff(old, new, sites: ["plant-1"], now: noon)
        #expect(words(diff).contains("gains order.release team x"))
        #expect(diff.changes.allSatisfy { $0.caller == "team x" && $0.kind == .gains })
    }

    @Test func whatBeginsAndEndsIsLookedAtOnBothSides() throws {
        let rule = "- {id: t, effect: allow, roles: [auditor], operations: [order.read], sites: \"*\""
        let diff = try diff(
            Self.base + rule + ", valid_until: 2027-01-01}\n", Self.base + rule + ", valid_until: 2027-02-01}\n")
        #expect(words(diff) == ["gains order.read roles with auditor"])
        #expect(diff.changes.first?.example.time == WallInstant("2027-01-01T00:00:00Z"))
    }

    /// One rule of five hundred gives an auditor what only one supervisor of one site had, hidden behind a claim.
    @Test func aPlantedEscalationIsFoundAmongFiveHundredRules() throws {
        var rules = ""
        let operations = ["order.confirm", "order.release", "order.read", "stock.read"]
        for number in 0..<500 {
            let operation = operations[number % 4]
            let role = ["operator", "supervisor", "mes"][number % 3]
            rules += "- {id: r\(number), effect: allow, roles: [\(role)], operations: [\(operation)], "
            rules += "sites: [plant-\(number % 40)], condition: 'input.quantity <= \(number % 7 * 10).0'}\n"
        }
        let planted = "- {id: r137, effect: allow, roles: [mes], operations: [order.release], "
        #expect(rules.contains("- {id: r137, "))
        var lines = rules.split(separator: "\n").map(String.init)
        lines[137] =
            "- {id: r137, effect: allow, principals: {roles: [supervisor, auditor]}, operations: [order.release], "
            + "sites: [plant-17], condition: 'input.quantity <= 40.0'}"
        _ = planted
        let old = try policy(rules)
        let new = try policy(lines.joined(separator: "\n") + "\n")
        let diff = PolicyDiff(old, new, sites: [], now: noon)
        let gain = try #require(diff.changes.first { $0.kind == .gains && $0.caller == "roles with auditor" })
        #expect(gain.operation == "order.release" && gain.sites == ["plant-17"])
        #expect(gain.example.after.rule == "r137" && !gain.example.before.isPermitted)
    }
}

extension String {
    fileprivate var asNumber: Double { Double(self) ?? .nan }
}
