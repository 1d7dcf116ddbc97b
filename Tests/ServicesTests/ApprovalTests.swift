import Bytes
import Contracts
import Foundation
import JSON
import Policy
import Store
import Testing

@testable import Services

/// A write that a rule allows only with a second person's consent.
@Suite struct ApprovalTests {
    static let rule = Obligations.SecondPerson(roles: ["supervisor"])

    /// Calls as `anna`, under a rule that asks for a supervisor's consent.
    static func asking(_ call: inout ServiceCall, persons: [Obligations.SecondPerson] = [rule]) {
        call.mayNeedApproval = true
        call.roles = ["operator"]
        call.authorize = { _ in
            var obligations = Obligations()
            obligations.secondPerson = persons
            return Decision(effect: .allow, rule: "large", obligations: obligations)
        }
    }

    func confirm(_ plant: Plant, _ order: Int, key: String, quantity: Int = 1) async throws -> ServiceAnswer {
        try await plant.bench.send(
            "POST", "/v1/production-orders/\(order)/confirm", "{\"quantity\": \(quantity)}", key: key,
            caller: "https://id|anna"
        ) { Self.asking(&$0) }
    }

    func say(
        _ plant: Plant, _ verb: String, _ address: String, caller: String = "https://id|ben",
        roles: [String] = ["supervisor"]
    ) async throws -> ServiceAnswer {
        try await plant.bench.send("POST", "\(address)/\(verb)", caller: caller) { $0.roles = roles }
    }

    @Test func aSecondPersonApprovesAndTheFirstRepeats() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let asked = try await confirm(plant, order, key: "k1")
        #expect(asked.status == 403 && asked.json["type"]?.string?.hasSuffix("approval-required") == true)
        let address = try #require(asked.json["approval"]?.string)
        // Asking again asks for the same.
        #expect(try await confirm(plant, order, key: "k1").json["approval"]?.string == address)
        let seen = try await plant.bench.send("GET", address)
        #expect(seen.json["state"] == "pending" && seen.json["requested_by"] == "anna")
        #expect(seen.json["request"]?["body"]?["quantity"] == 1)
        let listed = try await plant.bench.send("GET", "/v1/approvals")
        #expect(listed.json["items"]?.array?.count == 1)

        let said = try await say(plant, "approve", address)
        #expect(said.status == 200 && said.json["state"] == "approved")
        #expect(try await say(plant, "approve", address).status == 200, "twice is once")
        let done = try await confirm(plant, order, key: "k1")
        #expect(done.status == 200, "\(done.json)")
        #expect(plant.bench.audit.intents.last?.approval == said.json["id"]?.string)
        // The consent was to this request: another key, or another quantity, needs its own.
        #expect(try await confirm(plant, order, key: "k2").status == 403)
    }

    @Test func consentIsNotGivenByTheOneWhoAsksNorByTheWrongRole() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let address = try #require(try await confirm(plant, order, key: "k").json["approval"]?.string)
        let own = try await say(plant, "approve", address, caller: "https://id|anna")
        #expect(own.status == 403)
        // The same person by another issuer is the same person.
        #expect(try await say(plant, "approve", address, caller: "https://other|anna").status == 403)
        let wrong = try await say(plant, "approve", address, roles: ["operator"])
        #expect(wrong.status == 403 && wrong.json["detail"]?.string?.contains("supervisor") == true)
        #expect(try await confirm(plant, order, key: "k").status == 403)
    }

    @Test func whatIsRejectedStaysSoForItsKey() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let address = try #require(try await confirm(plant, order, key: "k").json["approval"]?.string)
        #expect(try await say(plant, "reject", address).json["state"] == "rejected")
        let late = try await say(plant, "approve", address)
        #expect(late.status == 409)
        let refused = try await confirm(plant, order, key: "k")
        #expect(refused.status == 403 && refused.json["approval"] == nil)
        #expect(try await confirm(plant, order, key: "new").json["approval"] != nil)
    }

    @Test func anApprovalEndsWithItsTime() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let address = try #require(try await confirm(plant, order, key: "k").json["approval"]?.string)
        _ = try await say(plant, "approve", address)
        await plant.host.sleep(.minutes(16))
        let again = try await confirm(plant, order, key: "k")
        #expect(again.status == 403)
        #expect(again.json["approval"]?.string != address, "another one is asked for")
        #expect(try await say(plant, "approve", address).status == 404)
    }

    @Test func consentsSurviveARestart() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("millgate-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let time = WallInstant(seconds: 1_795_000_000)
        let new = ApprovalRecord(
            id: "01JDEXAMPLE00000000000002", caller: "i|anna", operation: "o.p", idempotencyKey: "k", digest: [1, 2],
            request: Array("{}".utf8), site: "plant-1", needs: [["a", "b"], []], requestedAt: time,
            expiresAt: time + .minutes(15))
        let first = try Ledger(directory: directory)
        #expect(try await first.askApproval(new) == new)
        let vote = ApprovalRecord.Vote(by: "i|ben", roles: ["a"], time: time, approves: true)
        #expect(try await first.vote(vote, on: new.id)?.state == .approved)
        await first.close()
        let second = try Ledger(directory: directory)
        let found = try #require(try await second.approval(caller: "i|anna", operation: "o.p", key: "k"))
        #expect(found.state == .approved && found.votes == [vote] && found.needs == new.needs)
        try await second.purgeApprovals(expiredBefore: time + .minutes(20))
        #expect(try await second.approval(new.id) == nil)
        await second.close()
    }

    @Test func answersAreMaskedAlsoWhenTheyAreRepeated() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        func send() async throws -> ServiceAnswer {
            var call = try plant.bench.call(
                "POST", "/v1/production-orders/\(order)/confirm", "{\"quantity\": 1}", key: "k")
            call.authorize = { _ in
                var obligations = Obligations()
                obligations.mask = ["product", "external_reference"]
                return Decision(effect: .allow, rule: "r", obligations: obligations)
            }
            return await plant.bench.runner.answer(call)
        }
        let first = try await send()
        #expect(first.status == 200 && first.json["order"]?["product"] == .null)
        #expect(first.json["order"]?["name"]?.string != nil)
        let second = try await send()
        #expect(second.outcome == .replayed && second.body == first.body)
        let operation = try #require(first.operationID)
        let read = try await plant.bench.send("GET", "/v1/operations/\(operation)")
        #expect(read.json["answer"]?["body"]?["order"]?["product"] == .null)
    }
}
