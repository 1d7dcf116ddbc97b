import JSON
import Testing

@testable import Services

/// The work on an order as a whole.
@Suite struct OrderWorkTests {
    private func act(_ plant: Plant, _ order: Int, _ action: String, key: String) async throws -> ServiceAnswer {
        try await plant.bench.send("POST", "/v1/production-orders/\(order)/\(action)", key: key)
    }

    private func operations(_ plant: Plant, _ order: Int) async throws -> [(id: Int, state: String, timed: Bool)] {
        var found: [(Int, String, Bool)] = []
        for item in try await plant.bench.send("GET", "/v1/work-orders?production_order=\(order)").json["items"]?.array
            ?? []
        {
            let id = try #require(item["id"]?.int)
            let open = try await plant.count(
                "mrp.workcenter.productivity", [["workorder_id", "=", .init(id)], ["date_end", "=", false]])
            found.append((id, item["state"]?.string ?? "", !open.isZero))
        }
        return found.sorted { $0.0 < $1.0 }
    }

    @Test(arguments: [17, 19]) func anOrderIsStartedPausedAndFinishedWhole(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let started = try await act(plant, order, "start", key: "1")
        #expect(started.status == 200 && started.json["state"] == "in_progress", "\(started.text)")
        #expect(try await operations(plant, order).map(\.timed) == [true, false])
        let again = try await act(plant, order, "start", key: "2")
        #expect(again.status == 200)
        #expect(try await operations(plant, order).map(\.timed) == [true, false])
        let paused = try await act(plant, order, "pause", key: "3")
        #expect(paused.status == 200 && paused.json["state"] == "in_progress", "\(paused.text)")
        #expect(try await operations(plant, order).map(\.timed) == [false, false])
        // What was begun goes on; nothing else begins.
        #expect(try await act(plant, order, "start", key: "4").status == 200)
        #expect(try await operations(plant, order).map(\.timed) == [true, false])
        let finished = try await act(plant, order, "finish", key: "5")
        #expect(finished.status == 200 && finished.json["state"] == "to_close", "\(finished.text)")
        #expect(try await operations(plant, order).map(\.state) == ["done", "done"])
        #expect(try await act(plant, order, "finish", key: "6").status == 200)
        #expect(try await act(plant, order, "pause", key: "7").status == 200)
        let late = try await act(plant, order, "start", key: "8")
        #expect(late.status == 409 && late.json["reason"] == "operations-closed", "\(late.text)")
        #expect(try await plant.confirm(order, #"{"final": true}"#, key: "9").status == 200)
        #expect(try await plant.read(order)["state"] == "done")
    }

    @Test(arguments: ["start", "pause", "finish"]) func anOrderWithoutOperationsIsRefused(_ action: String) async throws
    {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let answer = try await act(plant, try await plant.order("VALVE-20", "released"), action, key: "1")
        #expect(answer.status == 409 && answer.json["reason"] == "no-operations", "\(answer.text)")
    }

    @Test(arguments: ["start", "pause", "finish"]) func whatIsNotReleasedOrIsCancelledIsRefused(
        _ action: String
    ) async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let made = try await plant.bench.send(
            "POST", "/v1/production-orders",
            #"{"product_code": "PUMP-100", "quantity": 2, "site": "plant-1", "external_reference": "W"}"#, key: "made")
        let order = try #require(made.json["id"]?.int)
        let early = try await act(plant, order, action, key: "1")
        #expect(early.status == 409 && early.json["reason"] == "order-not-released", "\(early.text)")
        #expect(try await act(plant, order, "cancel", key: "2").status == 200)
        let late = try await act(plant, order, action, key: "3")
        #expect(late.status == 409 && late.json["reason"] == "order-cancelled", "\(late.text)")
    }

    @Test func aBlockedWorkCenterIsSaidBeforeOdooSaysIt() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let first = try #require(try await operations(plant, order).first)
        let center = try #require(
            try await plant.bench.send("GET", "/v1/work-orders/\(first.id)").json["work_center"]?["id"]?.int)
        let down = try await plant.bench.send(
            "POST", "/v1/work-centers/\(center)/downtime", #"{"reason": "Equipment Failure"}"#, key: "down")
        #expect(down.status < 300, "\(down.text)")
        let answer = try await act(plant, order, "start", key: "1")
        #expect(answer.status == 409 && answer.json["reason"] == "work-center-blocked", "\(answer.text)")
        #expect(try await operations(plant, order).map(\.timed) == [false, false])
    }

    /// Half of it was done when the gateway died: the rest is done, and nothing twice.
    @Test(arguments: [17, 19]) func aPauseThatWasCutInTheMiddleIsCarriedThrough(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        for operation in try await operations(plant, order) {
            let path = "/v1/work-orders/\(operation.id)/start"
            #expect(try await plant.bench.send("POST", path, key: "s\(operation.id)").status == 200)
        }
        plant.odoo.sandbox.inject(.init(match: "mrp.workorder.button_pending", kind: .closeAfterEffect, times: 2))
        let answer = try await act(plant, order, "pause", key: "1")
        #expect(answer.status == 200 || answer.problem == "outcome-unknown", "\(answer.text)")
        try await plant.host.idle()
        #expect(try await operations(plant, order).map(\.timed) == [false, false])
        let ended = try await plant.count(
            "mrp.workcenter.productivity",
            [["workorder_id.production_id", "=", .init(order)], ["date_end", "!=", false]])
        #expect("\(ended)" == "2")
    }
}
