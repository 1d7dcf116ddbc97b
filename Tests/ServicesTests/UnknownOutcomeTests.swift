import Bytes
import JSON
import OdooSandbox
import Testing

@testable import Services

/// Answers that were lost: after the effect, before it, and when nobody can tell.
@Suite struct UnknownOutcomeTests {
    @Test(arguments: [17, 19]) func aLostAnswerOfAnEffectThatHappenedIsReadBack(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.button_mark_done", kind: .closeAfterEffect))
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["backorder"]?["quantity"]?.decimal == ExactDecimal(17))
        #expect(plant.odoo.effects("button_mark_done") == 1)
    }

    @Test(arguments: [17, 19]) func aLostAnswerOfAnEffectThatDidNotHappenIsUnknownUntilItCannotRunAnyMore(
        _ version: Int
    ) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.button_mark_done", kind: .closeBeforeEffect))
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 504)
        #expect(answer.problem == "outcome-unknown")
        #expect(answer.outcome == .unknown)
        #expect(answer.json["operation"]?.string == "/v1/operations/" + (answer.operationID ?? ""))
        try await plant.host.idle()
        // Its time is over, and nothing was booked: settled, and open to the same request.
        let settled = try await plant.operation(answer)
        #expect(settled["state"] == "settled")
        #expect(settled["answer"]?["status"] == 503)
        #expect(plant.bench.audit.ended.count == 1)
        #expect(plant.odoo.effects("button_mark_done") == 0)
        #expect(try await Self.producing(id, plant) == .zero, "it is put back")
        let again = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(again.status == 200)
        #expect(plant.odoo.effects("button_mark_done") == 1)
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    @Test func whileItIsUnknownItIsReplayedAndTheRecordIsHeld() async throws {
        let host = TestHost(skips: false)
        let plant = try Plant(19, host: host)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.button_mark_done", kind: .closeBeforeEffect))
        let answer = try await Self.drive(host, .milliseconds(500)) {
            try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        }
        #expect(answer.status == 504)
        let replayed = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(replayed.status == 504)
        #expect(replayed.field("Idempotent-Replayed") == "true")
        #expect(try await plant.operation(answer)["state"] == "unknown")
        #expect(plant.bench.runner.gate.heldCount == 1)
        // Another confirmation of the order waits for it, in vain.
        let refused = try await Self.drive(host, .seconds(2)) {
            try await plant.confirm(id, #"{"quantity": 4}"#, key: "k2")
        }
        #expect(refused.status == 503)
        #expect(refused.problem == "overloaded")
        #expect(plant.odoo.effects("button_mark_done") == 0)
        for _ in 0..<400 where plant.bench.runner.gate.heldCount > 0 {
            host.advance(.seconds(2))
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(try await plant.operation(answer)["state"] == "settled")
    }

    static func producing(_ order: Int, _ plant: Plant) async throws -> ExactDecimal? {
        let read = try await plant.odoo.call(
            .read("mrp.production", ids: [order], fields: ["qty_producing"]), admission: .standard, deadline: nil)
        return read?[0]?["qty_producing"]?.decimal
    }

    /// Lets time pass until `body` is done.
    static func drive<T: Sendable>(
        _ host: TestHost, _ step: Nanoseconds, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while !Task.isCancelled {
                    host.advance(step)
                    try? await Task.sleep(for: .milliseconds(1))
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw TestHost.StillRunning()
        }
    }

    @Test(arguments: [17, 19]) func somebodyElsesConfirmationIsAConflictForAPerson(_ version: Int) async throws {
        let host = TestHost(skips: false)
        let plant = try Plant(version, host: host)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.button_mark_done", kind: .closeBeforeEffect))
        let answer = try await Self.drive(host, .milliseconds(500)) {
            try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        }
        #expect(answer.status == 504)
        // Somebody closes the order in Odoo with another quantity.
        _ = try await plant.odoo.call(
            .write("mrp.production", ids: [id], ["qty_producing": 20]), admission: .standard, deadline: nil)
        if version == 19 {
            _ = try await plant.odoo.call(
                .button("mrp.production", "set_qty_producing", ids: [id]), admission: .standard, deadline: nil)
        }
        _ = try await plant.odoo.call(
            .button(
                "mrp.production", "button_mark_done", ids: [id],
                context: ["skip_backorder": true, "skip_consumption": true]), admission: .standard, deadline: nil)
        try await Self.drive(host, .seconds(2)) { try await host.idle() }
        #expect(try await plant.operation(answer)["state"] == "unknown")
        #expect(plant.bench.runner.gate.heldCount == 0)
        let again = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(again.status == 504)
        #expect(plant.odoo.effects("button_mark_done") == 1)
    }

    @Test(arguments: [17, 19]) func aCreateWhoseAnswerIsLostIsLoadedAgainAndMadeOnce(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let body = #"{"product_code": "VALVE-20", "quantity": 2, "site": "plant-1", "external_reference": "ONCE"}"#
        for kind in [SandboxFault.Kind.closeAfterEffect, .closeBeforeEffect, .html502] {
            plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: kind))
            let answer = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k-\(kind)")
            // What is not there yet may come late, and would write over what is changed then: it is waited for.
            #expect(answer.status == (kind == .closeAfterEffect ? 201 : 504), "\(kind): \(answer.text)")
            try await plant.host.idle()
            #expect(try await plant.operation(answer)["answer"]?["status"] == 201)
        }
        let list = try await plant.bench.send("GET", "/v1/production-orders?external_reference=ONCE")
        #expect(list.json["items"]?.array?.count == 3)
    }

    @Test(arguments: [17, 19]) func aCreateThatCannotBeFinishedNowIsSettledLater(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let body = #"{"product_code": "VALVE-20", "quantity": 2, "site": "plant-1", "external_reference": "ONCE"}"#
        plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: .closeAfterEffect))
        plant.odoo.sandbox.inject(.init(match: "mrp.production.get_metadata", kind: .html502, times: 12))
        let answer = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k")
        #expect(answer.status == 504)
        try await plant.host.idle()
        let settled = try await plant.operation(answer)
        #expect(settled["state"] == "settled")
        #expect(settled["answer"]?["status"] == 201)
        let again = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k")
        #expect(again.status == 201)
        #expect(again.field("Idempotent-Replayed") == "true")
        #expect(again.field("Location") != nil)
        let list = try await plant.bench.send("GET", "/v1/production-orders?external_reference=ONCE")
        #expect(list.json["items"]?.array?.count == 1)
    }

    @Test(arguments: [17, 19], [SandboxFault.Kind.closeAfterEffect, .closeBeforeEffect])
    func aReleaseWhoseAnswerIsLostIsReadBackOrDoneAgain(_ version: Int, _ kind: SandboxFault.Kind) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "draft")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.action_confirm", kind: kind))
        let answer = try await plant.bench.send("POST", "/v1/production-orders/\(id)/release", key: "k")
        try await plant.host.idle()
        #expect(try await plant.read(id)["state"] == "released")
        #expect(plant.odoo.effects("action_confirm") == 1)
        // Sent again it does nothing: so it is, at once.
        #expect(answer.status == 200)
        #expect(try await plant.operation(answer)["state"] == "applied")
    }

    @Test(arguments: [17, 19]) func whatWasPreparedIsPutBackWhenOdooGoesAwayBeforeTheEffect(_ version: Int) async throws
    {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.write", kind: .closeAfterEffect))
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 503)
        #expect(try await plant.operation(answer)["state"] == "rejected")
        #expect(try await Self.producing(id, plant) == .zero)
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 200)
    }
}
