import Bytes
import JSON
import Testing

@testable import Gateway
@testable import Policy

/// Who may send dead letters again, and who must agree, says the policy.
@Suite struct RedriveApprovalTests {
    static let roles = """
        roles:
          desk: { description: d, any: [ { subject: anna, issuer: "urn:millgate:admin" }, { subject: bert, issuer: "urn:millgate:admin" } ] }
          lead: { description: d, any: [ { subject: lena, issuer: "urn:millgate:admin" } ] }
          any-admin: { description: d, any: [ { claim: interface, equals: admin, issuer: "urn:millgate:admin" } ] }
        """
    static let rules = """
        rules:
          - { id: few, description: d, effect: allow, roles: [desk], operations: [webhook.redrive], sites: "*" }
          - id: many
            description: d
            effect: allow
            roles: [desk]
            operations: [webhook.redrive]
            sites: "*"
            condition: input.letters > 2
            obligations: { second_person: { roles: [lead], valid_for: 10m } }
          - id: not-the-bank
            description: d
            effect: forbid
            roles: [any-admin]
            operations: [webhook.redrive]
            sites: "*"
            condition: input.subscriber == 'bank' && input.all
        """

    static func person(_ name: String) throws -> RedrivePerson {
        let policy = try PolicySet.load(
            files: [("roles.yaml", roles), ("access/webhooks.yaml", rules)], catalog: OperationCatalog([.redrive]),
            digest: { "\($0.count)" })
        return RedrivePerson(name, policy: policy)
    }

    static func held(_ needs: [Obligations.SecondPerson], now: WallInstant) -> PendingRedrive {
        PendingRedrive(subscriber: "partner", messages: [], isAll: false, by: "anna", needs: needs, now: now)
    }

    static let cases: [(who: String, subscriber: String, letters: Int, all: Bool, permitted: Bool, needs: Int)] = [
        ("anna", "partner", 2, false, true, 0), ("anna", "partner", 3, false, true, 1),
        ("anna", "partner", 2, true, true, 0), ("anna", "bank", 1, true, false, 0), ("anna", "bank", 1, false, true, 0),
        ("lena", "partner", 1, false, false, 0), ("nobody", "partner", 1, false, false, 0),
    ]

    @Test(arguments: cases.indices) func thePolicySaysWhoMayAndWhoMustAgree(_ index: Int) throws {
        let (who, subscriber, letters, all, permitted, needs) = Self.cases[index]
        let decision = try Self.person(who).decision(subscriber: subscriber, letters: letters, isAll: all)
        #expect(decision.isPermitted == permitted, "\(decision.reason)")
        #expect(decision.obligations.secondPerson.count == needs)
    }

    @Test func oneOfTheRuleMustAgreeAndNeverWhoAsked() throws {
        let now = WallInstant(seconds: 1_795_500_000)
        var waiting = PendingRedrives()
        let needs = try Self.person("anna").decision(subscriber: "partner", letters: 3, isAll: false).obligations
        let id = waiting.hold(Self.held(needs.secondPerson, now: now), now: now)
        #expect(waiting.approve(id, of: "partner", by: try Self.person("anna"), now: now) == nil, "who asked")
        #expect(waiting.approve(id, of: "partner", by: try Self.person("bert"), now: now) == nil, "has not the role")
        #expect(waiting.approve(id, of: "other", by: try Self.person("lena"), now: now) == nil, "another's letters")
        #expect(waiting.approve("x", of: "partner", by: try Self.person("lena"), now: now) == nil)
        let late = now + .minutes(10)
        #expect(waiting.approve(id, of: "partner", by: try Self.person("lena"), now: late) == nil, "it has expired")
        let done = waiting.approve(id, of: "partner", by: try Self.person("lena"), now: now + .minutes(9))
        #expect(done?.needs.isEmpty == true && done?.people == ["anna", "lena"])
        #expect(
            waiting.approve(id, of: "partner", by: try Self.person("lena"), now: now) == nil, "it is carried out once")
    }

    @Test func eachConsentThatIsMissingComesFromSomebodyElse() throws {
        let now = WallInstant(seconds: 1_795_500_000)
        var waiting = PendingRedrives()
        let needs = [Obligations.SecondPerson(roles: ["lead"]), Obligations.SecondPerson()]
        let id = waiting.hold(Self.held(needs, now: now), now: now)
        let first = waiting.approve(id, of: "partner", by: try Self.person("lena"), now: now)
        #expect(first?.needs.count == 1)
        #expect(waiting.approve(id, of: "partner", by: try Self.person("lena"), now: now) == nil, "twice the same")
        // Where the rule names no role, whoever may send them again.
        #expect(waiting.approve(id, of: "partner", by: try Self.person("nobody"), now: now) == nil)
        #expect(waiting.approve(id, of: "partner", by: try Self.person("bert"), now: now)?.needs.isEmpty == true)
    }

    @Test func onlySoManyWait() {
        let now = WallInstant(seconds: 1_795_500_000)
        var waiting = PendingRedrives()
        let ids = (0...PendingRedrives.countMax).map { i in
            waiting.hold(
                Self.held([Obligations.SecondPerson(validFor: .minutes(Int64(i + 1)))], now: now), now: now)
        }
        #expect(waiting.count == PendingRedrives.countMax && Set(ids).count == ids.count)
    }
}
