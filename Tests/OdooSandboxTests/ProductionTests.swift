import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct ProductionTests {
    @Test(arguments: bothVersions)
    func aWholeConfirmationConsumesTheComponentsAndBooksTheProduct(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        #expect(try client.read("mrp.production", id, "reservation_state") == "assigned")
        let balls = try client.onHand("BALL-20", at: "WH/Stock")
        let seals = try client.onHand("SEAL-20", at: "WH/Stock")
        let valves = try client.onHand("VALVE-20", at: "WH/Stock")
        #expect(try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]]) == true)
        #expect(try client.read("mrp.production", id, "state") == "done")
        #expect(try client.read("mrp.production", id, "qty_produced")?.decimal == ExactDecimal(5))
        #expect(try client.onHand("BALL-20", at: "WH/Stock") == balls.subtracting(ExactDecimal(5)))
        #expect(try client.onHand("SEAL-20", at: "WH/Stock") == seals.subtracting(ExactDecimal(10)))
        #expect(try client.onHand("VALVE-20", at: "WH/Stock") == valves.adding(ExactDecimal(5)))
    }

    @Test(arguments: bothVersions)
    func aSecondConfirmationSaysTrueAndBooksNothing(version: SandboxVersion) throws {
        var client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        let finished = try client.read("mrp.production", id, "date_finished")
        let stock = try client.onHand("VALVE-20", at: "WH/Stock")
        client.now = client.now + .minutes(5)
        #expect(try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]]) == true)
        #expect(try client.onHand("VALVE-20", at: "WH/Stock") == stock)
        #expect(try client.read("mrp.production", id, "date_finished") != finished)
    }

    @Test(arguments: bothVersions)
    func aPartialConfirmationWithBackorderRenamesTheOrderAndMakesASecond(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        let name = try #require(try client.read("mrp.production", id, "name")?.string)
        try client.call("mrp.production", "write", [[JSONValue(id)], ["qty_producing": 2]])
        try client.consume(id)
        let result = try client.call(
            "mrp.production", "button_mark_done", [[JSONValue(id)]],
            context: ["skip_backorder": true, "mo_ids_to_backorder": [JSONValue(id)], "skip_consumption": true])
        let backorder = try #require(result?["res_id"]?.int)
        #expect(result?["res_model"] == "mrp.production")
        #expect(try client.read("mrp.production", id, "name") == .string(name + "-001"))
        #expect(try client.read("mrp.production", id, "product_qty")?.decimal == ExactDecimal(2))
        #expect(try client.read("mrp.production", backorder, "name") == .string(name + "-002"))
        #expect(try client.read("mrp.production", backorder, "product_qty")?.decimal == ExactDecimal(3))
        #expect(try client.read("mrp.production", backorder, "state") == "confirmed")
        #expect(try client.read("mrp.production", backorder, "reservation_state") == "assigned")
        try client.call("mrp.production", "button_mark_done", [[JSONValue(backorder)]])
        #expect(try client.onHand("VALVE-20", at: "WH/Stock") == ExactDecimal(15))
        #expect(try client.onHand("SEAL-20", at: "WH/Stock") == ExactDecimal(99_990))
    }

    /// The trap the gateway exists for.
    @Test(arguments: bothVersions)
    func writingOnlyTheProducedQuantityConsumesNothing(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "write", [[JSONValue(id)], ["qty_producing": 2]])
        try client.call(
            "mrp.production", "button_mark_done", [[JSONValue(id)]],
            context: [
                "skip_backorder": true, "mo_ids_to_backorder": [JSONValue(id)], "skip_consumption": true,
                "skip_redirection": true,
            ])
        #expect(try client.read("mrp.production", id, "state") == "done")
        #expect(try client.onHand("SEAL-20", at: "WH/Stock") == ExactDecimal(100_000))
        let moves = try client.call(
            "stock.move", "search_read", [[["raw_material_production_id", "=", JSONValue(id)]]],
            ["fields": ["state", "quantity"]])
        #expect(moves?.array?.isEmpty == false)
        for move in moves?.array ?? [] {
            #expect(move["state"] == "cancel")
            #expect(move["quantity"]?.decimal == .zero)
        }
    }
}

extension SandboxClient {
    /// The components as each version sets them: 19 by a method, 17 by writes.
    func consume(_ id: Int) throws {
        if version.is19 {
            try call("mrp.production", "set_qty_producing", [[JSONValue(id)]])
            return
        }
        let moves = try call(
            "stock.move", "search_read", [[["raw_material_production_id", "=", JSONValue(id)]]],
            ["fields": ["should_consume_qty"]])
        for move in moves?.array ?? [] {
            try call(
                "stock.move", "write",
                [[move["id"] ?? 0], ["quantity": move["should_consume_qty"] ?? 0, "picked": true]])
        }
    }
}
