import Bytes
import Events
import JSON
import Odoo
import Store
import Testing

@testable import Services

/// Each row of the watch's table: what people do in Odoo's own screens is told once, and what a governed service did is
/// told by that service alone.
@Suite struct WatchTableTests {
    struct Screen: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What somebody does, one step after the other; between two of them the watch polls.
        let steps: @Sendable (WatchTests.Watched) async throws -> [OdooCall]
        let told: [String]
        /// Events of other families that follow are left out.
        let families: [String]
    }

    private static let operation: @Sendable (WatchTests.Watched) async throws -> Int = {
        try await $0.plant.operation("TABLE-01")
    }

    private static func reason(_ kind: String, _ watched: WatchTests.Watched) async throws -> JSONValue {
        JSONValue(try await watched.plant.first(ProductivityRecipe.reasonModel, [["loss_type", "=", .string(kind)]]))
    }

    private static func time(
        _ watched: WatchTests.Watched, _ kind: String, center: Int, operation: Int? = nil, from: String,
        to: String? = nil
    ) async throws -> OdooCall {
        var values: JSONObject = [
            "workcenter_id": JSONValue(center), "loss_id": try await reason(kind, watched), "date_start": .string(from),
        ]
        if let operation { values["workorder_id"] = JSONValue(operation) }
        if let to { values["date_end"] = .string(to) }
        return .create(ProductivityRecipe.model, [values])
    }

    private static func stock(_ watched: WatchTests.Watched, _ code: String) async throws -> (product: Int, place: Int)
    {
        let product = try await watched.plant.first("product.product", [["default_code", "=", .string(code)]])
        let quants = try await watched.screen(
            .searchRead(
                "stock.quant",
                domain: [["product_id", "=", JSONValue(product)], ["location_id.usage", "=", "internal"]],
                fields: ["location_id"], limit: 1))
        return (product, try quants?[0]?["location_id"]?[0]?.int.unwrapped() ?? 0)
    }

    static let screens: [Screen] = [
        Screen(
            testDescription: "an operation is started, paused, started and finished",
            steps: { watched in
                let id = try await operation(watched)
                return ["button_start", "button_pending", "button_start", "button_finish"].map {
                    .button("mrp.workorder", $0, ids: [id])
                }
            },
            told: ["work-order.started", "work-order.paused", "work-order.started", "work-order.completed"],
            families: ["work-order.", "labour."]),
        Screen(
            testDescription: "time on an operation is entered",
            steps: { watched in
                let id = try await operation(watched)
                let center = try await watched.screen(.read("mrp.workorder", ids: [id], fields: ["workcenter_id"]))
                return [
                    try await time(
                        watched, "productive", center: try center?[0]?["workcenter_id"]?[0]?.int.unwrapped() ?? 0,
                        operation: id, from: "2026-11-20 06:00:00", to: "2026-11-20 06:45:00")
                ]
            }, told: ["labour.reported"], families: ["work-order.", "labour."]),
        Screen(
            testDescription: "a work center stands still and works again",
            steps: { watched in
                let id = try await watched.plant.center("DRILL-2")
                return [
                    try await time(
                        watched, "availability", center: id, from: watched.plant.host.wall.odoo),
                    .button("mrp.workcenter", "unblock", ids: [id]),
                ]
            }, told: ["work-center.down", "work-center.up"], families: ["work-center."]),
        Screen(
            testDescription: "a downtime that is over is entered",
            steps: { watched in
                [
                    try await time(
                        watched, "availability", center: try await watched.plant.center("DRILL-2"),
                        from: "2026-11-20 06:00:00", to: "2026-11-20 06:45:00")
                ]
            }, told: [], families: ["work-center."]),
        Screen(
            testDescription: "a lot is made, and renamed",
            steps: { watched in
                let product = watched.plant.tracked()
                return [
                    .create("stock.lot", [["name": "L-7", "product_id": JSONValue(product), "company_id": 1]]),
                    .write("stock.lot", ids: [1], ["ref": "X"]),
                ]
            }, told: ["lot.created"], families: ["lot."]),
        Screen(
            testDescription: "scrap is entered and booked",
            steps: { watched in
                let (product, place) = try await stock(watched, "SCREW-M6")
                let made = try await watched.screen(
                    .create(
                        "stock.scrap",
                        [["product_id": JSONValue(product), "scrap_qty": 2, "location_id": JSONValue(place)]]))
                let id = try made?[0]?.int.unwrapped() ?? 0
                return [.button("stock.scrap", "action_validate", ids: [id])]
            }, told: ["scrap.reported"], families: ["scrap.", "inventory."]),
        Screen(
            testDescription: "stock is counted, twice",
            steps: { watched in
                let (product, place) = try await stock(watched, "SCREW-M6")
                let quant = try await watched.screen(
                    InventoryCount.count(product: product, location: place, lot: nil, quantity: ExactDecimal(77)))
                let id = try (quant?.int ?? quant?[0]?.int).unwrapped()
                return [
                    InventoryCount.apply(id),
                    InventoryCount.count(product: product, location: place, lot: nil, quantity: ExactDecimal(78)),
                    InventoryCount.apply(id),
                ]
            }, told: ["inventory.adjusted", "inventory.adjusted"], families: ["inventory.", "stock-transfer."]),
        Screen(
            testDescription: "maintenance is asked for, done, and asked for again",
            steps: { watched in
                let made = try await watched.screen(.create("maintenance.request", [["name": "Belt slips"]]))
                let id = try made?[0]?.int.unwrapped() ?? 0
                return [3, 1, 3].map { .write("maintenance.request", ids: [id], ["stage_id": JSONValue($0)]) }
            }, told: ["maintenance.requested", "maintenance.closed", "maintenance.closed"], families: ["maintenance."]),
    ]

    @Test(arguments: [17, 19], screens.indices)
    func whatSomebodyDoesInAScreenIsToldOnce(_ version: Int, _ index: Int) async throws {
        let screen = Self.screens[index]
        let watched = try WatchTests.Watched(version)
        defer { watched.plant.bench.remove() }
        try await watched.poll()
        for call in try await screen.steps(watched) {
            try await watched.poll()
            try await watched.screen(call)
            try await watched.poll()
        }
        for _ in 0..<3 { try await watched.poll() }
        let events = try await watched.events().filter { event in
            screen.families.contains { event.event.name.hasPrefix($0) }
        }
        #expect(events.map(\.event.name) == screen.told, "\(screen.testDescription)")
        for event in events {
            let schema = try #require(EventTests.catalogue[event.event.name]?[version: 1])
            #expect(schema.violations(event.event.data).isEmpty, "\(event.event.data)")
            #expect(event.event.causationID == nil)
        }
        #expect(watched.watch.takeRefusals().isEmpty)
        await watched.store.close()
    }

    @Test(arguments: [17, 19]) func aTransferValidatedInAScreenIsToldOnce(_ version: Int) async throws {
        let watched = try WatchTests.Watched(version)
        defer { watched.plant.bench.remove() }
        let ends = watched.plant.shelf()
        _ = ends
        let made = try await watched.plant.bench.send(
            "POST", "/v1/transfers",
            watched.plant.filled(
                #"{"from": FROM, "to": TO, "product_code": "SCREW-M6", "quantity": 3, "complete": false}"#, ends),
            key: "planned")
        let id = try made.json["id"]?.int.unwrapped() ?? 0
        try await watched.poll()
        try await watched.screen(TransferRecipe.validate(id, keepsRest: true))
        for _ in 0..<3 { try await watched.poll() }
        let events = try await watched.events().filter { $0.event.name == "stock-transfer.validated" }
        #expect(events.map(\.event.subject) == ["stock-transfer/\(id)"])
        #expect(events.first?.event.site == "plant-1")
        await watched.store.close()
    }

    @Test(arguments: [17, 19], WriteScene.all.indices)
    func whatAServiceDidIsNotToldAgain(_ version: Int, _ index: Int) async throws {
        let scene = WriteScene.all[index]
        let plant = try Plant(version)
        let watched = try WatchTests.Watched(plant)
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        try await watched.poll()
        let before = try await watched.events().count
        let answer = try await scene.send(plant, id, key: "told-once")
        #expect((200..<300).contains(answer.status), "\(scene.name): \(answer.text)")
        let told = try await watched.events().count
        for _ in 0..<3 { try await watched.poll() }
        let events = try await watched.events()
        var seen: Set<[String]> = []
        for event in events.dropFirst(before) {
            let what = [event.event.name, event.event.subject] + OdooWatch.identity(event.event)
            #expect(seen.insert(what).inserted, "\(scene.name): \(event.event.name) is told twice")
        }
        // What follows in Odoo from what the service did may be news; the service's own telling comes first.
        for event in events.dropFirst(before).prefix(told - before) { #expect(event.event.causationID != nil) }
        await watched.store.close()
    }
}
