import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct OrderLifeTests {
    @Test(arguments: bothVersions)
    func aDraftIsConfirmedAndClosedByMarkDone(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try #require(
            try client.call("mrp.production", "create", [["product_id": JSONValue(client.product("VALVE-20"))]])?.int)
        #expect(try client.read("mrp.production", id, "state") == "draft")
        #expect(try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]]) == true)
        #expect(try client.read("mrp.production", id, "state") == "done")
    }

    @Test(arguments: bothVersions)
    func cancelFreesWhatWasReserved(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let seal = try client.product("SEAL-20")
        let before = try client.read("product.product", seal, "free_qty")
        let id = try client.released("VALVE-20", 5)
        #expect(try client.read("product.product", seal, "free_qty") != before)
        #expect(try client.call("mrp.production", "action_cancel", [[JSONValue(id)]]) == true)
        #expect(try client.call("mrp.production", "action_cancel", [[JSONValue(id)]]) == true)
        #expect(try client.read("mrp.production", id, "state") == "cancel")
        #expect(try client.read("product.product", seal, "free_qty") == before)
        // Released again: true, and nothing happens.
        #expect(try client.call("mrp.production", "action_confirm", [[JSONValue(id)]]) == true)
        #expect(try client.read("mrp.production", id, "state") == "cancel")
    }

    @Test(arguments: bothVersions)
    func aDoneOrderTakesWritesButNotCancelNorUnlink(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        try client.call("mrp.production", "write", [[JSONValue(id)], ["product_qty": 9]])
        #expect(try client.read("mrp.production", id, "product_qty")?.decimal == ExactDecimal(9))
        let refusal = try client.error("mrp.production", "action_cancel", [[JSONValue(id)]])
        #expect(refusal == (version.is19 ? "odoo.exceptions.UserError" : nil))
        #expect(try client.error("mrp.production", "unlink", [[JSONValue(id)]]) == "odoo.exceptions.UserError")
        #expect(try client.read("mrp.production", id, "state") == "done")
    }

    @Test(arguments: bothVersions)
    func anOwnNameIsUnique(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let values: JSONValue = ["product_id": JSONValue(try client.product("VALVE-20")), "name": "PLANT/1"]
        try client.call("mrp.production", "create", [values])
        #expect(try client.error("mrp.production", "create", [values]) == "odoo.exceptions.ValidationError")
    }

    @Test(arguments: bothVersions)
    func aBatchWithOneBadOrderChangesNothing(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let good = try client.released("VALVE-20", 5)
        let stock = try client.onHand("VALVE-20", at: "WH/Stock")
        let name = try client.error("mrp.production", "button_mark_done", [[JSONValue(good), 99_999]])
        #expect(name == "odoo.exceptions.MissingError")
        // Fails in the middle: the second has nothing to produce.
        let bad = try client.released("VALVE-20", 5)
        client.odoo.withEngine { $0.set(Model.production, bad, "product_qty", .number(.zero)) }
        let refused = try client.error("mrp.production", "button_mark_done", [[JSONValue(good), JSONValue(bad)]])
        #expect(refused == "odoo.exceptions.UserError")
        #expect(try client.read("mrp.production", good, "state") == "confirmed")
        #expect(try client.read("mrp.production", good, "qty_producing")?.decimal == .zero)
        #expect(try client.onHand("VALVE-20", at: "WH/Stock") == stock)
    }

    @Test(arguments: bothVersions)
    func theBackorderOfABackorderGoesOnCounting(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        var id = try client.released("VALVE-20", 6)
        let name = try #require(try client.read("mrp.production", id, "name")?.string)
        for step in 2...3 {
            try client.call("mrp.production", "write", [[JSONValue(id)], ["qty_producing": 2]])
            try client.consume(id)
            let result = try client.call(
                "mrp.production", "button_mark_done", [[JSONValue(id)]],
                context: ["skip_backorder": true, "mo_ids_to_backorder": [JSONValue(id)], "skip_consumption": true])
            id = try #require(result?["res_id"]?.int)
            #expect(try client.read("mrp.production", id, "name") == .string("\(name)-00\(step)"))
            #expect(try client.read("mrp.production", id, "backorder_sequence") == JSONValue(step))
        }
        #expect(try client.read("mrp.production", id, "product_qty")?.decimal == ExactDecimal(2))
    }

    @Test func fractionsStayExact() throws {
        let client = SandboxClient(.v19)
        let chair = try client.product("CHAIR-01")
        let id = try #require(
            try client.call(
                "mrp.production", "create",
                [
                    [
                        "product_id": JSONValue(chair), "product_qty": 3,
                        "picking_type_id": JSONValue(BaseIDs(.v19).manufacturing2),
                    ]
                ])?
                .int)
        try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        #expect(try client.onHand("LACQUER", at: "WH2/Stock") == ExactDecimal(mantissa: 499_975, scale: 2))
        #expect(try client.onHand("CHAIR-01", at: "WH2/Stock") == ExactDecimal(13))
    }

    @Test(arguments: bothVersions)
    func workOrdersCarryTheQuantityToTheOrder(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("PUMP-100", 4)
        let work = try #require(try client.read("mrp.production", id, "workorder_ids")?.array?.compactMap(\.int))
        #expect(work.count == 2)
        let started = try client.answer("mrp.workorder", "button_start", [[JSONValue(work[0])]])
        #expect(started["result"] == (version.is19 ? nil : true))
        #expect(started["error"] == nil)
        #expect(try client.read("mrp.production", id, "state") == "progress")
        #expect(try client.read("mrp.production", id, "qty_producing")?.decimal == ExactDecimal(4))
        try client.call("mrp.workorder", "button_finish", [[JSONValue(work[0])]])
        #expect(try client.read("mrp.workorder", work[1], "state") == "ready")
        let late = try client.error("mrp.workorder", "button_start", [[JSONValue(work[0])]])
        #expect(late == "odoo.exceptions.UserError")
        try client.call("mrp.workorder", "button_finish", [[JSONValue(work[1])]])
        #expect(try client.read("mrp.production", id, "state") == "to_close")
        try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        #expect(try client.onHand("SCREW-M6", at: "WH/Stock") == ExactDecimal(99_984))
    }

    @Test(arguments: bothVersions)
    func scrapValidatedTwiceIsBookedTwice(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let seal = try client.product("SEAL-20")
        let id = try #require(
            try client.call("stock.scrap", "create", [["product_id": JSONValue(seal), "scrap_qty": 1]])?.int)
        #expect(try client.call("stock.scrap", "action_validate", [[JSONValue(id)]]) == true)
        #expect(try client.call("stock.scrap", "action_validate", [[JSONValue(id)]]) == true)
        #expect(try client.onHand("SEAL-20", at: "WH/Stock") == ExactDecimal(99_998))
        #expect(try client.read("stock.scrap", id, "state") == "done")
        #expect(try client.read("stock.scrap", id, "move_ids")?.array?.count == 2)
    }
}
