import Bytes
import JSON
import Testing

@testable import Odoo

/// What a killed gateway can still tell from the intent it wrote down and a read of the order.
struct ConfirmIntentTests {
    private let v17 = OdooVersion(major: 17)

    private func intent(
        _ quantity: Int, _ rest: ConfirmProduction.Rest, _ fields: JSONObject = [:]
    ) throws -> ConfirmIntent {
        try ConfirmProduction(quantity: .exactly(ExactDecimal(quantity)), rest: rest, mayExceed: true)
            .plan(for: OrderFixture.order(on: 17, fields), on: v17).intent
    }

    private func order(_ fields: JSONObject) throws -> ProductionOrderRecord { try OrderFixture.order(on: 17, fields) }

    @Test func verdictsOfABackorder() throws {
        let intent = try intent(2, .backorder)
        let table: [(JSONObject, RecipeVerdict)] = [
            (["state": "confirmed"], .notApplied),
            (["state": "progress", "qty_producing": 2], .notApplied),
            (["state": "to_close", "qty_producing": 5], .notApplied),
            (["state": "draft"], .notApplied),
            (["state": "done", "product_qty": 2, "qty_produced": 2, "qty_producing": 2, "name": "X-001"], .applied),
            (
                ["state": "done", "product_qty": 5, "qty_produced": 2],
                .conflict("the order was closed without a backorder")
            ),
            (
                ["state": "done", "product_qty": 5, "qty_produced": 5],
                .conflict("the order was closed with 5, not with 2")
            ),
            (["state": "cancel"], .conflict("the order was cancelled")),
            (["state": "progress", "qty_produced": 2], .conflict("2 were booked, 0 before")),
            (["state": "x"], .conflict("the order is in state `x`")),
            (["id": 30], .conflict("the order is gone")),
        ]
        for (fields, verdict) in table { #expect(intent.verdict(try order(fields)) == verdict, "\(fields)") }
        #expect(intent.verdict(nil) == .conflict("the order is gone"))
    }

    @Test func verdictsOfAnOrderClosedShort() throws {
        let intent = try intent(2, .closeShort)
        #expect(intent.verdict(try order(["state": "done", "product_qty": 5, "qty_produced": 2])) == .applied)
        #expect(
            intent.verdict(try order(["state": "done", "product_qty": 2, "qty_produced": 2]))
                == .conflict("the order was closed with a backorder"))
        #expect(intent.verdict(try order([:])) == .notApplied)
    }

    @Test func theIntentSurvivesTheLedger() throws {
        let intents = [
            try intent(2, .backorder), try intent(2, .closeShort), try intent(5, .backorder), try intent(9, .backorder),
            try intent(
                1, .backorder,
                [
                    "product_qty": OrderFixture.number("2.75"), "qty_produced": OrderFixture.number("0.5"),
                    "name": "Ä \"1\"",
                ]),
        ]
        for intent in intents {
            let text = intent.json.text
            #expect(ConfirmIntent(try JSONValue.parse(text)) == intent, "\(text)")
        }
        let good = try #require(intents[0].json.object)
        for key in ["order", "product", "name", "quantity", "produced", "producing"] {
            var bad = good
            bad[key] = nil
            #expect(ConfirmIntent(.object(bad)) == nil)
            bad[key] = true
            #expect(ConfirmIntent(.object(bad)) == nil)
        }
        var both = good
        both["short"] = 1
        #expect(ConfirmIntent(.object(both)) == nil)
        #expect(ConfirmIntent(nil) == nil)
    }

    @Test func theBackorderIsSearchedByTheNewName() throws {
        let intent = try intent(2, .backorder)
        let after = try order(["name": "PLANT-ORDER-407133-001", "backorder_sequence": 1, "state": "done"])
        let call = intent.backorderSearch(of: after, on: v17)
        #expect(
            call.positional[0].value
                == [["product_id", "=", 63], ["name", "ilike", "PLANT-ORDER-407133-"]])
        #expect(ConfirmIntent.base(of: "WH/MO/00028") == "WH/MO/00028")
        #expect(ConfirmIntent.base(of: "WH/MO/00028-002") == "WH/MO/00028")
        #expect(ConfirmIntent.base(of: "A-1234") == "A")
        #expect(ConfirmIntent.base(of: "A-12") == "A-12")
        #expect(ConfirmIntent.base(of: "A-") == "A-")
        #expect(ConfirmIntent.base(of: "") == "")
    }

    @Test func theBackorderIsTheNewestSiblingWithTheRest() throws {
        let intent = try intent(2, .backorder)
        let after = try order(["name": "M-001", "backorder_sequence": 1])
        func sibling(_ id: Int, _ name: String, _ sequence: Int, _ quantity: Int) throws -> ProductionOrderRecord {
            try order([
                "id": JSONValue(id), "name": .string(name), "backorder_sequence": JSONValue(sequence),
                "product_qty": JSONValue(quantity),
            ])
        }
        let split = try sibling(30, "M-002", 2, 3)
        let made = try sibling(44, "M-003", 3, 3)
        let stranger = try sibling(50, "M-X-004", 4, 3)
        let older = try sibling(20, "M-005", 5, 3)
        #expect(intent.backorder(of: after, among: [split, made, stranger, older, after])?.id == 44)
        #expect(intent.backorder(of: after, among: [try sibling(44, "M-002", 2, 1)])?.id == 44)
        #expect(intent.backorder(of: after, among: [after, stranger, older]) == nil)
        #expect(try self.intent(5, .backorder).backorder(of: after, among: [split]) == nil)
    }
}
