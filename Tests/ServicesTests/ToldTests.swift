import Events
import Testing

@testable import Services

/// Every write tells what it did, and each event of the contracts is told by somebody.
@Suite struct ToldTests {
    static let expected: [String: [String]] = [
        "create an order": ["production-order.created"],
        "release an order": ["production-order.released"],
        "change an order's quantity": ["production-order.changed"],
        "confirm a part": [
            "production-order.started", "production.confirmed", "material.consumed", "material.consumed",
            "finished-goods.reported", "production-order.completed", "production-order.created",
            "production-order.released",
        ],
        "cancel an order": ["production-order.cancelled"],
        "start an operation": ["work-order.started"],
        "pause an operation": ["work-order.paused"],
        "finish an operation": ["work-order.completed"],
        "cancel an operation": ["work-order.cancelled"],
        "start an order": ["production-order.started", "work-order.started"],
        "pause an order": ["work-order.paused", "work-order.paused"],
        "finish an order": ["work-order.completed", "work-order.completed"],
        "report scrap": ["scrap.reported"],
        "report labour": ["labour.reported"],
        "report an open downtime": ["work-center.down"],
        "close a downtime": ["work-center.up"],
        // Told when it is booked, with the order.
        "consume a component": [],
        "consume in addition": [],
        "consume by lot": [],
        "reserve components": [],
        "move goods": ["stock-transfer.validated"],
        "validate a part of a transfer": ["stock-transfer.validated"],
        "count stock": ["inventory.adjusted"],
        "create a lot": ["lot.created"],
        "confirm a lot made of lots": [
            "production-order.started", "production.confirmed", "material.consumed", "material.consumed",
            "finished-goods.reported", "production-order.completed", "production-order.created",
            "production-order.released",
        ],
        "take a product apart": ["production.unbuilt"],
        "request maintenance": ["maintenance.requested"],
        "close a maintenance request": ["maintenance.closed"],
        "raise a quality alert": ["quality-alert.raised"],
        "close a quality alert": ["quality-alert.closed"],
        "record an inspection": [],
        "put a lot on hold": ["lot.held"],
        "release a lot": ["lot.released"],
    ]

    @Test(arguments: EveryWriteTests.scenes) func aWriteTellsWhatItDidOnce(
        _ on: EveryWriteTests.On, _ scene: WriteScene
    ) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let answer = try await scene.send(plant, id, key: "k")
        _ = try await scene.send(plant, id, key: "k")
        let told = try await EventTests.log(plant.bench).filter { $0.event.causationID == answer.operationID }
        // Starting an operation may start its order.
        let names = told.map(\.event.name).filter { scene.name != "start an operation" || !$0.hasPrefix("production-") }
        #expect(names == Self.expected[scene.name], "\(answer.text)")
    }

    @Test func eachEventOfAContractIsToldBySomeScene() {
        let told = Set(Self.expected.values.joined())
        for contract in Bench.contracts.contracts where contract.kind == .write {
            let silent = contract.events.filter { !told.contains($0) }
            #expect(silent.isEmpty || contract.operation.hasPrefix("work-order"), "\(contract.operation): \(silent)")
        }
    }
}
