import Bytes
import JSON
import Testing

@testable import Odoo

/// The recipe against the recorded course of a confirmation, on 17 and on 19.
struct ConfirmProductionTests {
    private let v17 = OdooVersion(major: 17)
    private let v19 = OdooVersion(major: 19)

    private func confirm(_ quantity: String, _ rest: ConfirmProduction.Rest = .backorder) throws -> ConfirmProduction {
        ConfirmProduction(quantity: .exactly(try #require(ExactDecimal(quantity))), rest: rest)
    }

    private func order(_ version: Int, _ fields: JSONObject = [:]) throws -> ProductionOrderRecord {
        try OrderFixture.order(on: version, fields)
    }

    // MARK: the recorded course

    @Test func aPartialConfirmationOn17WritesEveryMoveAsRecorded() throws {
        let plan = try confirm("2").plan(for: try order(17), on: v17)
        #expect(plan.preparation.count == 1)
        try OdooEndpointTests.expectSame(plan.preparation[0], as: 17, "092")
        // What `write` alone leaves: nothing picked, but Odoo says what it should be.
        let moves = try OrderFixture.moves(17, "093")
        #expect(moves.map(\.shouldConsume) == [ExactDecimal(4)])
        let writes = try plan.consumption(of: moves)
        #expect(writes.count == 1)
        try OdooEndpointTests.expectSame(writes[0], as: 17, "094")
        // Written once, it is not written again.
        #expect(
            try plan.consumption(of: [OrderFixture.move(["quantity": 4, "picked": true, "should_consume_qty": 4])])
                == [])
    }

    @Test func aPartialConfirmationOn19LetsOdooSetTheMoves() throws {
        let plan = try confirm("2").plan(for: try order(19, ["move_raw_ids": [180]]), on: v19)
        #expect(plan.preparation.count == 2)
        try OdooEndpointTests.expectSame(plan.preparation[0], as: 19, "092")
        try OdooEndpointTests.expectSame(plan.preparation[1], as: 19, "093")
        #expect(plan.movesRead?.ids == [180])
        #expect(try plan.consumption(of: OrderFixture.moves(19, "094")) == [])
    }

    @Test func theEffectIsTheRecordedCall() throws {
        for (version, order17) in [(17, 31), (19, 31)] {
            let on = OdooVersion(major: version)
            let backorder = try confirm("2").plan(for: try order(version, ["id": JSONValue(order17)]), on: on)
            try OdooEndpointTests.expectSame(backorder.effect, as: version, "102")
            let short = try confirm("3", .closeShort).plan(for: try order(version, ["id": 35]), on: on)
            try OdooEndpointTests.expectSame(short.effect, as: version, "106")
        }
    }

    @Test func theAnswerNamesTheBackorder() throws {
        for version in [17, 19] {
            #expect(ConfirmProduction.answer(try Recording.find(version, "102").result()) == .backorder(id: 32))
            for number in ["104", "106", "087"] {
                #expect(ConfirmProduction.answer(try Recording.find(version, number).result()) == .done)
            }
            #expect(
                ConfirmProduction.answer(try Recording.find(version, "077").result())
                    == .wizard(resModel: "mrp.consumption.warning"))
            #expect(
                ConfirmProduction.answer(try Recording.find(version, "095").result())
                    == .wizard(resModel: "mrp.production.backorder"))
        }
        #expect(ConfirmProduction.answer(nil) == .done)
        #expect(ConfirmProduction.answer(["type": "ir.actions.client", "tag": "do_multi_print"]) == .done)
        #expect(ConfirmProduction.answer(["type": "ir.actions.act_window", "res_model": "mrp.production"]) == .done)
    }

    @Test func theReadAfterwardsProvesTheEffect() throws {
        for version in [17, 19] {
            let on = OdooVersion(major: version)
            let partial = try confirm("2").plan(for: try order(version), on: on).intent
            #expect(partial.rest == .backorder(ExactDecimal(3)))
            // Before, and while a wizard waits (096): nothing happened.
            #expect(partial.verdict(try order(version)) == .notApplied)
            #expect(partial.verdict(try OrderFixture.orders(version, "096")[0]) == .notApplied)
            // Afterwards the order is renamed and cut to what was produced (101).
            let after = try OrderFixture.orders(version, "101")
            #expect(after[0].name == "WH/MO/00028-001")
            #expect(partial.verdict(after[0]) == .applied)
            let backorder = try #require(partial.backorder(of: after[0], among: after))
            #expect(backorder.id == 30)
            #expect(backorder.name == "WH/MO/00028-002")
            let result = ConfirmedProduction(partial, order: after[0], backorder: backorder)
            #expect(result.confirmed == ExactDecimal(2))
            #expect(result.closedShort == nil)
            // Closed short: name and quantity stay (107).
            let short = try confirm("3", .closeShort).plan(for: try order(version, ["id": 35]), on: on).intent
            let closed = try OrderFixture.orders(version, "107")[0]
            #expect(short.verdict(closed) == .applied)
            #expect(ConfirmedProduction(short, order: closed, backorder: nil).closedShort == ExactDecimal(2))
            #expect(partial.backorder(of: closed, among: []) == nil)
            // All of it (088).
            let whole = try ConfirmProduction(quantity: .remaining, rest: .backorder)
                .plan(for: order(version, ["id": 28, "product_qty": 4]), on: on).intent
            #expect(whole.rest == .nothing)
            #expect(whole.verdict(try OrderFixture.orders(version, "088", ["product_qty": 4])[0]) == .applied)
        }
    }

    // MARK: the traps

    @Test func anOrderThatWouldConsumeNothingIsRefused() throws {
        // Recordings 104 and 105: only `qty_producing` was written; done, and nothing consumed, on both versions.
        let idle = try OrderFixture.move(["should_consume_qty": 4])
        let empty = try OrderFixture.move(["should_consume_qty": 4, "picked": true, "quantity": 0])
        let on19 = try confirm("2").plan(for: try order(19), on: v19)
        for move in [idle, empty] {
            #expect(throws: RecipeRefusal.componentsNotConsumed(["LAB Component"])) {
                try on19.consumption(of: [move])
            }
        }
        // A component that needs nothing, or is closed, is no obstacle.
        #expect(
            try on19.consumption(of: [
                OrderFixture.move([:]), OrderFixture.move(["state": "cancel", "should_consume_qty": 4]),
            ]) == [])
    }

    @Test func aComponentCountedByHandKeepsItsFigureOrRefuses() throws {
        let entered = try OrderFixture.move([
            "manual_consumption": true, "picked": true, "quantity": 7, "should_consume_qty": 4,
        ])
        let missing = try OrderFixture.move(["manual_consumption": true, "should_consume_qty": 4])
        for version in [v17, v19] {
            let plan = try confirm("2").plan(for: try order(version.major), on: version)
            #expect(try plan.consumption(of: [entered]) == [])
            #expect(throws: RecipeRefusal.componentsNotConsumed(["LAB Component"])) {
                try plan.consumption(of: [missing])
            }
        }
    }

    @Test func aQuantityThatOdooRoundsIsRefusedBeforeAnythingIsBooked() throws {
        // 0.001 becomes 0.00, and zero means "everything" to `button_mark_done`.
        let plan = try confirm("0.001").plan(for: try order(17), on: v17)
        #expect(
            throws: RecipeRefusal.quantityNotKept(asked: ExactDecimal(mantissa: 1, scale: 3), kept: .zero)
        ) { try plan.checkPrepared(try order(17, ["state": "progress"])) }
        // A serial number allows one piece.
        let serial = try confirm("2").plan(for: try order(19), on: v19)
        #expect(throws: RecipeRefusal.quantityNotKept(asked: ExactDecimal(2), kept: ExactDecimal(1))) {
            try serial.checkPrepared(try order(19, ["qty_producing": 1]))
        }
        #expect(throws: Never.self) {
            try serial.checkPrepared(try order(19, ["qty_producing": OrderFixture.number("2.0"), "state": "progress"]))
        }
    }

    @Test func anOrderThatSomebodyElseTouchedIsLeftAlone() throws {
        let plan = try confirm("2").plan(for: try order(17), on: v17)
        let table: [(JSONObject, RecipeRefusal)] = [
            (["state": "done", "qty_produced": 5], .orderDone), (["state": "cancel"], .orderCancelled),
            (["product_qty": 9, "qty_producing": 2], .orderChanged),
            (["qty_produced": 1, "qty_producing": 2], .orderChanged),
            (["id": 30, "qty_producing": 2], .orderChanged), (["state": "odd"], .orderInUnknownState("odd")),
        ]
        for (fields, refusal) in table {
            #expect(throws: refusal) { try plan.checkPrepared(try order(17, fields)) }
        }
        #expect(throws: RecipeRefusal.orderChanged) { try plan.checkPrepared(nil) }
    }

    @Test func statesGuardTheOrder() throws {
        let table: [(String, RecipeRefusal?)] = [
            ("draft", .orderNotReleased), ("confirmed", nil), ("progress", nil), ("to_close", nil),
            ("done", .orderDone),
            ("cancel", .orderCancelled), ("weird", .orderInUnknownState("weird")),
        ]
        for (state, refusal) in table {
            for version in [v17, v19] {
                let order = try order(version.major, ["state": .string(state)])
                if let refusal {
                    #expect(throws: refusal) { try confirm("1").plan(for: order, on: version) }
                } else {
                    #expect(throws: Never.self) { try confirm("1").plan(for: order, on: version) }
                }
            }
        }
        #expect(throws: RecipeRefusal.unsupportedVersion(OdooVersion(major: 16))) {
            try confirm("1").plan(for: try order(17), on: OdooVersion(major: 16))
        }
    }

    @Test func quantitiesAreGuarded() throws {
        let order = try order(17)
        for quantity in ["0", "-1"] {
            #expect(throws: RecipeRefusal.quantityNotPositive) { try confirm(quantity).plan(for: order, on: v17) }
        }
        #expect(throws: RecipeRefusal.quantityExceedsRemaining(asked: ExactDecimal(6), remaining: ExactDecimal(5))) {
            try confirm("6").plan(for: order, on: v17)
        }
        var more = try confirm("6")
        more.mayExceed = true
        let plan = try more.plan(for: order, on: v17)
        #expect(plan.intent.rest == .nothing)
        #expect(plan.effect.context["mo_ids_to_backorder"] == nil)
        let over = try self.order(17, ["state": "done", "product_qty": 5, "qty_producing": 6, "qty_produced": 6])
        #expect(plan.intent.verdict(over) == .applied)
        let full = try self.order(17, ["qty_produced": 5])
        #expect(throws: RecipeRefusal.nothingRemains) {
            try ConfirmProduction(quantity: .remaining, rest: .backorder).plan(for: full, on: v17)
        }
        #expect(full.remaining == .zero)
        #expect(over.remaining == .zero)
    }

    @Test func whatIsBookedAlreadyCounts() throws {
        let plan = try confirm("1.25").plan(for: try order(17, ["qty_produced": 2]), on: v17)
        #expect(plan.intent.producing == ExactDecimal(mantissa: 325, scale: 2))
        #expect(plan.intent.confirmed == ExactDecimal(mantissa: 125, scale: 2))
        #expect(plan.intent.rest == .backorder(ExactDecimal(mantissa: 175, scale: 2)))
    }

    @Test func byproductsAreSharedOutOn17() throws {
        let order17 = try order(17, ["move_finished_ids": [156, 157]])
        let plan = try confirm("2").plan(for: order17, on: v17)
        #expect(plan.movesRead?.ids == [155, 156, 157])
        let component = try OrderFixture.move(["quantity": 4, "picked": true, "should_consume_qty": 4])
        let product = try OrderFixture.move(["id": 156, "product_id": [63, "LAB Simple"]])
        let byproduct = try OrderFixture.move([
            "id": 157, "product_id": [70, "Chips"], "product_uom_qty": OrderFixture.number("2.5"), "quantity": 0,
        ])
        let writes = try plan.consumption(of: [component, product, byproduct])
        #expect(writes == [.write("stock.move", ids: [157], ["quantity": 1, "picked": true])])
        let odd = try OrderFixture.move([
            "id": 157, "product_id": [70, "Chips"], "product_uom_qty": OrderFixture.number("0.33"),
        ])
        #expect(throws: RecipeRefusal.byproductShareInexact("Chips")) { try plan.consumption(of: [odd]) }
        // 19 does it itself.
        #expect(
            try confirm("2").plan(for: order(19, ["move_finished_ids": [156, 157]]), on: v19).movesRead?.ids == [155])
        #expect(try confirm("2").plan(for: order(17, ["move_raw_ids": []]), on: v17).movesRead == nil)
    }

    @Test func sharesAreExactOrNone() {
        let table: [(String, String, String, String?)] = [
            ("10", "2", "5", "4"), ("2.5", "2", "5", "1"), ("1", "1", "3", nil), ("1", "1", "8", nil),
            ("1", "1", "4", "0.25"),
            ("0.1", "0.1", "0.1", "0.1"), ("3", "1", "1.5", "2"), ("7", "7", "7", "7"), ("1", "1", "0", nil),
            ("9223372036854775807", "9223372036854775807", "1", nil), ("0", "2", "5", "0"),
        ]
        for (whole, part, total, expected) in table {
            guard let a = ExactDecimal(whole), let b = ExactDecimal(part), let c = ExactDecimal(total) else {
                Issue.record("\(whole) \(part) \(total)")
                continue
            }
            #expect(ConfirmProduction.Plan.share(of: a, b, c)?.description == expected, "\(whole) * \(part) / \(total)")
        }
    }

    @Test func aFailureIsUndoneByPuttingTheQuantityBack() throws {
        let plan = try confirm("2").plan(for: try order(19, ["qty_producing": OrderFixture.number("1.5")]), on: v19)
        #expect(
            plan.restore
                == .write(
                    "mrp.production", ids: [29],
                    ["qty_producing": .number(JSONNumber(ExactDecimal(mantissa: 15, scale: 1)))]))
    }
}
