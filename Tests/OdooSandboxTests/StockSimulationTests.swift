import Bytes
import JSON
import Testing

@testable import OdooSandbox

/// Random calls, good and bad, in any order: what must hold afterwards always holds.
@Suite struct StockSimulationTests {
    struct Dice {
        var state: UInt64
        mutating func roll(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(n))
        }
    }

    @Test(arguments: bothVersions, 1...6)
    func nothingIsLostOrMadeAndReservationsAddUp(version: SandboxVersion, seed: Int) throws {
        let client = SandboxClient(version)
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let before = Self.totals(client)
        for _ in 0..<120 { try Self.step(client, &dice) }
        #expect(Self.totals(client) == before, "seed \(seed)")
        client.odoo.withEngine { engine in
            let closed = engine.database.ids(Model.production).filter { engine.state(Model.production, $0) == "done" }
            #expect(closed.count > 3, "seed \(seed) played nothing")
            for quant in engine.database.ids(Model.quant) {
                let product = engine.link(Model.quant, quant, "product_id") ?? 0
                let location = engine.link(Model.quant, quant, "location_id")
                var held = ExactDecimal.zero
                for line in engine.database.referrers(Model.moveLine, "product_id", to: product)
                where engine.link(Model.moveLine, line, "location_id") == location {
                    held = held.adding(engine.stored(Model.moveLine, line, "_reserved").number)
                }
                #expect(engine.number(Model.quant, quant, "reserved_quantity") == held, "seed \(seed), quant \(quant)")
            }
            for order in engine.database.ids(Model.production) where engine.state(Model.production, order) != "done" {
                #expect(engine.produced(order) == .zero)
            }
            for move in engine.database.ids(Model.move) {
                #expect(
                    engine.number(Model.move, move, "quantity") == engine.filled(move), "seed \(seed), move \(move)")
            }
        }
    }

    /// What there is of each product, over all places, virtual ones too: bookings only carry it about.
    static func totals(_ client: SandboxClient) -> [Int: ExactDecimal] {
        var totals: [Int: ExactDecimal] = [:]
        client.odoo.withEngine { engine in
            for quant in engine.database.ids(Model.quant) {
                let product = engine.link(Model.quant, quant, "product_id") ?? 0
                totals[product] = (totals[product] ?? .zero).adding(engine.number(Model.quant, quant, "quantity"))
            }
        }
        return totals
    }

    static func step(_ client: SandboxClient, _ dice: inout Dice) throws {
        var orders: [Int] = []
        client.odoo.withEngine { orders = $0.database.ids(Model.production) }
        let id = JSONValue(orders[dice.roll(orders.count)])
        let quantity = JSONValue(ExactDecimal(mantissa: Int64(dice.roll(900)), scale: 2))
        let flags: JSONObject = [
            "skip_backorder": .bool(dice.roll(4) > 0), "skip_consumption": .bool(dice.roll(4) > 0),
            "skip_redirection": .bool(dice.roll(2) > 0),
            "mo_ids_to_backorder": dice.roll(2) > 0 ? [id] : [],
        ]
        // Refusals are as welcome as success.
        switch dice.roll(9) {
        case 0:
            let code = ["PUMP-100", "VALVE-20", "TABLE-01", "CHAIR-01"][dice.roll(4)]
            _ = try client.answer(
                "mrp.production", "create", [["product_id": JSONValue(client.product(code)), "product_qty": quantity]])
        case 1, 2: _ = try client.answer("mrp.production", "action_confirm", [[id]])
        case 3: _ = try client.answer("mrp.production", "write", [[id], ["qty_producing": quantity]])
        case 4: _ = try client.answer("mrp.production", "set_qty_producing", [[id]])
        case 5, 6: _ = try client.answer("mrp.production", "button_mark_done", [[id]], context: flags)
        case 7: _ = try client.answer("mrp.production", dice.roll(3) == 0 ? "action_cancel" : "action_assign", [[id]])
        default:
            let moves = try client.answer("mrp.production", "read", [[id], ["move_raw_ids"]])
            let ids = moves["result"]?[0]?["move_raw_ids"]?.array ?? []
            guard !ids.isEmpty else { return }
            _ = try client.answer(
                "stock.move", "write", [[ids[dice.roll(ids.count)]], ["quantity": quantity, "picked": true]])
        }
    }
}
