import Bytes
import JSON
import Testing

@testable import OdooSandbox
@testable import Services

/// Lots and serial numbers of what is made and of what goes in, and by-products.
@Suite struct LotTests {
    @Test(arguments: [17, 19]) func theLotThatWasMadeAndTheLotsThatWentInAreBooked(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = plant.paint()
        let scene = try #require(WriteScene.lots.first)
        let answer = try await scene.send(plant, order, key: "k")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(plant.lying(lot: "P-1") == ExactDecimal(3))
        #expect(plant.lying(lot: "A") == ExactDecimal(5))
        #expect(plant.lying(lot: "B") == ExactDecimal(2))
        #expect(try await plant.lying("WATER", plant.stockPlace) == ExactDecimal(94))
        #expect(try await plant.lying("SLUDGE", plant.stockPlace) == ExactDecimal(7))
        let events = try await EventTests.log(plant.bench)
        let consumed = events.filter { $0.event.name == "material.consumed" }.map(\.event.data)
        #expect(consumed.count == 2)
        let pigment = try #require(consumed.first { $0["lot"] != .null })
        #expect(pigment["lot"]?["name"] == "B" && pigment["quantity"]?.decimal == ExactDecimal(3))
        let made = try #require(events.first { $0.event.name == "finished-goods.reported" })
        #expect(made.event.data["lots"]?.array?.count == 1)

        // The rest, into the same lot, with what is reserved: nothing is asked for.
        let rest = try answer.json["backorder"]?["id"]?.int.unwrapped() ?? 0
        let second = try await plant.confirm(rest, #"{"final": true, "lot": "P-1"}"#, key: "rest")
        #expect(second.status == 200, "\(second.text)")
        #expect(plant.lying(lot: "P-1") == ExactDecimal(4))
        #expect(plant.lying(lot: "A") == ExactDecimal(4))
        #expect(try await plant.lying("SLUDGE", plant.stockPlace) == ExactDecimal(9))
    }

    @Test(arguments: [17, 19]) func whatWasConsumedByLotStandsWhenTheOrderIsConfirmed(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = plant.paint()
        #expect(try await WriteScene.lots[1].send(plant, order, key: "c").status == 200)
        let answer = try await plant.confirm(order, #"{"final": true, "lot": "P-2"}"#, key: "k")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(plant.lying(lot: "A") == ExactDecimal(4))
        #expect(plant.lying(lot: "B") == ExactDecimal(2))
        #expect(plant.lying(lot: "P-2") == ExactDecimal(4))
    }

    @Test(arguments: [17, 19]) func aSerialNumberIsOnePieceAndIsProducedOnce(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = plant.paint(tracking: "serial")
        let two = try await plant.confirm(order, #"{"quantity": 2, "lot": "S-1"}"#, key: "two")
        #expect(two.status == 400, "\(two.text)")
        let one = try await plant.confirm(order, #"{"quantity": 1, "lot": "S-1"}"#, key: "one")
        #expect(one.status == 200, "\(one.text)")
        let rest = try one.json["backorder"]?["id"]?.int.unwrapped() ?? 0
        let again = try await plant.confirm(rest, #"{"quantity": 1, "lot": "S-1"}"#, key: "again")
        #expect(again.problem == "odoo-refused", "\(again.text)")
        #expect(plant.lying(lot: "S-1") == ExactDecimal(1))
        let state = try await plant.read(rest)["state"]?.string ?? ""
        #expect(["released", "in_progress", "to_close"].contains(state))
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let body: String
        let tracking: String
        let status: Int
        var testDescription: String { body }
    }

    static let refused = [
        Refused(body: #"{"quantity": 1, "lot": "L"}"#, tracking: "none", status: 400),
        // Odoo says that it wants one.
        Refused(body: #"{"quantity": 1}"#, tracking: "lot", status: 409),
        Refused(
            body: #"{"quantity": 1, "by_products": [{"product": PRODUCT(WATER), "quantity": 1}]}"#, tracking: "none",
            status: 400),
        Refused(
            body:
                #"{"quantity": 1, "components": [{"product": PRODUCT(SLUDGE), "lots": [{"lot": "A", "quantity": 1}]}]}"#,
            tracking: "none", status: 400),
        Refused(
            body:
                #"{"quantity": 1, "components": [{"product": PRODUCT(WATER), "lots": [{"lot": "A", "quantity": 1}]}]}"#,
            tracking: "none", status: 400),
        Refused(
            body:
                #"{"quantity": 1, "components": [{"product": PRODUCT(PIGMENT), "lots": [{"lot": "C", "quantity": 1}]}]}"#,
            tracking: "none", status: 400),
        Refused(
            body:
                #"{"quantity": 1, "components": [{"product": PRODUCT(PIGMENT), "lots": [{"lot": "A", "quantity": 6}]}]}"#,
            tracking: "none", status: 409),
    ]

    @Test(arguments: [17, 19], refused) func whatDoesNotFitTheOrderBooksNothing(
        _ version: Int, _ it: Refused
    ) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = plant.paint(tracking: it.tracking)
        let answer = try await plant.confirm(order, plant.filled(it.body, order), key: "k")
        #expect(answer.status == it.status || answer.problem == "odoo-refused", "\(answer.status) \(answer.text)")
        #expect(try await plant.lying("PAINT", plant.stockPlace) == .zero)
        #expect(try await plant.lying("WATER", plant.stockPlace) == ExactDecimal(100))
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    @Test(arguments: [17, 19]) func moreThanWasMadeIsNotTakenApart(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = try await WriteScene.lots[2].prepare(plant)
        let seals = try await plant.stock("SEAL-20", "plant-1")
        func unbuild(_ quantity: Int, _ key: String) async throws -> ServiceAnswer {
            try await plant.bench.send(
                "POST", "/v1/production-orders/\(order)/unbuild", #"{"quantity": \#(quantity)}"#, key: key)
        }
        #expect(try await unbuild(3, "a").status == 201)
        let refused = try await unbuild(3, "b")
        #expect(refused.status == 409 && refused.json["reason"] == "more-than-was-made", "\(refused.text)")
        #expect(try await unbuild(2, "c").status == 201)
        #expect(try await plant.stock("SEAL-20", "plant-1") == seals + ExactDecimal(10))
    }

    /// The answer to the creation is lost; a person works on the order before the gateway gets to look.
    @Test(arguments: [17, 19]) func whatAPersonChangedIsNotWrittenOver(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: .closeAfterEffect))
        plant.odoo.sandbox.inject(.init(match: "mrp.production.search_read", kind: .closeBeforeEffect, times: 0))
        let answer = try await plant.bench.send(
            "POST", "/v1/production-orders", #"{"product_code": "VALVE-20", "quantity": 3, "site": "plant-1"}"#,
            key: "k")
        #expect(answer.problem == "outcome-unknown", "\(answer.text)")
        var made = 0
        plant.odoo.sandbox.withEngine { engine in
            made = engine.database.ids(Model.production).last ?? 0
            engine.set(Model.production, made, ["product_qty": .number(ExactDecimal(9))])
        }
        _ = plant.odoo.sandbox.answer(
            SandboxRequest(method: "DELETE", path: "/sandbox/faults"), now: plant.host.wall)
        try await plant.host.idle()
        let settled = try await plant.operation(answer)
        #expect(settled["state"] == "settled")
        #expect(settled["answer"]?["body"]?["id"]?.int == made)
        #expect(try await plant.read(made)["quantity"]?.decimal == ExactDecimal(9))
        #expect(plant.odoo.sandbox.effects(of: "mrp.production.load") == 1)
    }
}
