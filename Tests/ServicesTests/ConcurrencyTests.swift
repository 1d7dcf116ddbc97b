import Bytes
import JSON
import Testing

@testable import Services

@Suite struct ConcurrencyTests {
    @Test(arguments: [17, 19]) func twoConfirmationsOfOneOrderGoOneAfterTheOther(_ version: Int) async throws {
        let plant = try Plant(version, host: TestHost(skips: false))
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        async let one = plant.confirm(id, #"{"quantity": 3}"#, key: "a")
        async let two = plant.confirm(id, #"{"quantity": 4}"#, key: "b")
        let answers = try await [one, two].sorted { $0.status < $1.status }
        // The first closes the order; the second finds it done.
        #expect(answers.map(\.status) == [200, 409])
        #expect(plant.odoo.effects("button_mark_done") == 1)
        #expect(plant.odoo.mostAtOnce == 1)
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    @Test func confirmationsOfTwoOrdersDoNotWaitForEachOther() async throws {
        let plant = try Plant(19, host: TestHost(skips: false))
        defer { plant.bench.remove() }
        let pump = try await plant.order("PUMP-100", "released")
        let valve = try await plant.order("VALVE-20", "released")
        let held = plant.bench.runner.gate.acquireNow(["mrp.production,\(pump)"], host: plant.host)
        #expect(try await plant.confirm(valve, #"{"final": true}"#, key: "a").status == 200)
        #expect(plant.bench.runner.gate.acquireNow(["mrp.production,\(pump)"], host: plant.host) == nil)
        async let waiting = plant.confirm(pump, #"{"final": true}"#, key: "b")
        try await Task.sleep(for: .milliseconds(5))
        if let held { plant.bench.runner.gate.release(held, host: plant.host) }
        #expect(try await waiting.status == 200)
    }

    @Test func whoWaitsTooLongForARecordIsToldToComeAgain() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let pump = try await plant.order("PUMP-100", "released")
        let held = plant.bench.runner.gate.acquireNow(["mrp.production,\(pump)"], host: plant.host)
        let answer = try await plant.confirm(pump, #"{"final": true}"#, key: "b")
        #expect(answer.status == 503)
        #expect(answer.problem == "overloaded")
        if let held { plant.bench.runner.gate.release(held, host: plant.host) }
        #expect(try await plant.confirm(pump, #"{"final": true}"#, key: "b").status == 200)
    }

    // MARK: Prefer: respond-async

    @Test(arguments: [17, 19]) func anAsynchronousWriteIsAcceptedAndFoundDone(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let accepted = try await plant.bench.send(
            "POST", "/v1/production-orders/\(id)/confirm", #"{"quantity": 3}"#, key: "k"
        ) { $0.prefersAsync = true }
        #expect(accepted.status == 202)
        #expect(accepted.outcome == .accepted)
        #expect(accepted.field("Location") == "/v1/operations/" + (accepted.operationID ?? ""))
        #expect(accepted.field("Preference-Applied") == "respond-async")
        try await plant.host.idle()
        let operation = try await plant.operation(accepted)
        #expect(operation["state"] == "applied")
        #expect(operation["answer"]?["body"]?["quantity_confirmed"]?.decimal == ExactDecimal(3))
        #expect(plant.bench.audit.ended.map(\.outcome) == [.applied])
        let replayed = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(replayed.status == 200)
        #expect(replayed.outcome == .replayed)
        #expect(plant.odoo.effects("button_mark_done") == 1)
    }

    @Test func anAsynchronousWriteMayWaitForItsOutcome() async throws {
        let plant = try Plant(19, host: TestHost(skips: false))
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let answer = try await plant.bench.send(
            "POST", "/v1/production-orders/\(id)/confirm", #"{"quantity": 3}"#, key: "k"
        ) {
            $0.prefersAsync = true
            $0.waitMax = .seconds(5)
        }
        #expect(answer.status == 200)
        plant.host.advance(.seconds(5))
    }

    @Test func anAsynchronousWriteIsTriedUntilOdooIsBack() async throws {
        let host = TestHost(skips: false)
        let plant = try Plant(19, host: host)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.goAway()
        let accepted = try await plant.bench.send(
            "POST", "/v1/production-orders/\(id)/confirm", #"{"quantity": 3}"#, key: "k"
        ) { $0.prefersAsync = true }
        #expect(accepted.status == 202)
        for _ in 0..<20 {
            host.advance(.seconds(1))
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(try await plant.operation(accepted)["state"] == "accepted")
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 409)
        plant.odoo.goAway(false)
        for _ in 0..<200 where try await plant.operation(accepted)["state"] != "applied" {
            host.advance(.seconds(10))
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(try await plant.operation(accepted)["state"] == "applied")
        try await host.idle()
    }

    @Test func anAsynchronousWriteGivesUpWhenItsTimeIsOver() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.goAway()
        let accepted = try await plant.bench.send(
            "POST", "/v1/production-orders/\(id)/confirm", #"{"quantity": 3}"#, key: "k"
        ) { $0.prefersAsync = true }
        try await plant.host.idle()
        #expect(try await plant.operation(accepted)["state"] == "rejected")
        plant.odoo.goAway(false)
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 200)
    }

    @Test func theOrderOfAnAsynchronousWriteIsAuthorisedWhenItCanBeRead() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let accepted = try await plant.bench.send(
            "POST", "/v1/production-orders/\(id)/confirm", #"{"quantity": 3}"#, key: "k", sites: ["plant-2"]
        ) { $0.prefersAsync = true }
        #expect(accepted.status == 202)
        try await plant.host.idle()
        let operation = try await plant.operation(accepted)
        #expect(operation["state"] == "rejected")
        #expect(operation["answer"]?["status"] == 403)
        #expect(plant.odoo.effects("button_mark_done") == 0)
    }
}
