import Bytes
import JSON
import OdooSandbox
import Testing

@testable import Services

/// What becomes of a write that the gateway cannot settle by itself.
@Suite struct SettlingTests {
    /// Odoo takes the order and never lets anybody see it again.
    private func stuck() async throws -> (plant: Plant, answer: ServiceAnswer) {
        let plant = try Plant(19)
        plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: .closeAfterEffect))
        plant.odoo.sandbox.inject(.init(match: "mrp.production.search_read", kind: .closeBeforeEffect, times: 0))
        let answer = try await plant.bench.send("POST", "/v1/production-orders", Self.body, key: "k")
        try await plant.host.idle()
        return (plant, answer)
    }

    private static let body = #"{"product_code": "VALVE-20", "quantity": 3, "site": "plant-1"}"#

    @Test func afterTheSettleLimitAPersonMustLook() async throws {
        let (plant, answer) = try await stuck()
        defer { plant.bench.remove() }
        let began = TestHost().wall
        #expect(plant.host.wall - began >= plant.bench.runner.configuration.settleTimeMax)
        #expect(plant.bench.runner.gate.heldCount == 0)
        let list = try await plant.bench.runner.operations(in: .unknown, after: 0, limit: 10, now: plant.host.wall)
        let entry = try #require(list["operations"]?[0])
        #expect(entry["id"]?.string == answer.operationID)
        #expect(entry["is_examined"] == false)
        #expect(entry["why"]?.string?.hasPrefix("needs attention: not known after 60 minutes") == true, "\(entry.text)")
        let told = try await EventTests.log(plant.bench).filter { $0.event.name == "operation.needs-attention" }
        #expect(told.map { $0.event.data["can_settle"] } == [true, false])
    }

    @Test(arguments: [true, false]) func whatAPersonSaysIsTheAnswerFromThenOn(_ applied: Bool) async throws {
        let (plant, answer) = try await stuck()
        defer { plant.bench.remove() }
        let runner = plant.bench.runner
        let id = try #require(answer.operationID)
        func settle(_ id: String) async throws -> ServiceRunner.Settling {
            try await runner.settle(id, applied: applied, by: "anna", because: "seen in Odoo", now: plant.host.wall)
        }
        guard case .notFound = try await settle("nothing") else { return #expect(Bool(false)) }
        guard case .settled = try await settle(id) else { return #expect(Bool(false)) }
        guard case .notOpen(.settled) = try await settle(id) else { return #expect(Bool(false)) }
        let again = try await plant.bench.send("POST", "/v1/production-orders", Self.body, key: "k")
        #expect(again.status == 409 && again.json["applied"] == .bool(applied), "\(again.text)")
        let shown = try #require(try await runner.operation(id, now: plant.host.wall))
        #expect(shown["steps"]?.array?.last?["text"]?.string?.contains("anna says") == true)
        let settled = try await EventTests.log(plant.bench).filter { $0.event.name == "operation.settled" }
        #expect(settled.map { $0.event.data["applied"] } == [.bool(applied)])
        #expect(plant.odoo.sandbox.effects(of: "mrp.production.load") == 1)
    }
}
