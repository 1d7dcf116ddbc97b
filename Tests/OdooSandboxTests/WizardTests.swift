import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct WizardTests {
    @Test(arguments: bothVersions)
    func producingLessAsksAndNothingIsBookedUntilTheAnswer(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "write", [[JSONValue(id)], ["qty_producing": 2]])
        try client.consume(id)
        let question = try #require(try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]]))
        #expect(question["res_model"] == "mrp.production.backorder")
        #expect((question["group_ids"] != nil) == version.is19)
        #expect((question["groups_id"] != nil) == !version.is19)
        #expect(try client.read("mrp.production", id, "state") == "progress")
        #expect(try client.onHand("VALVE-20", at: "WH/Stock") == ExactDecimal(10))

        let context = question["context"]?.object
        let wizard = try #require(try client.call("mrp.production.backorder", "create", [[:]], context: context))
        let result = try client.call("mrp.production.backorder", "action_backorder", [[wizard]], context: context)
        #expect(result?["res_model"] == "mrp.production")
        #expect(result?["context"]?["skip_backorder"] == false)
        #expect(try client.read("mrp.production", id, "state") == "done")
        #expect(try client.onHand("VALVE-20", at: "WH/Stock") == ExactDecimal(12))
    }

    @Test(arguments: bothVersions)
    func theBackorderWizardCanCloseShort(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "write", [[JSONValue(id)], ["qty_producing": 2]])
        try client.consume(id)
        let context = try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])?["context"]?.object
        let wizard = try #require(try client.call("mrp.production.backorder", "create", [[:]], context: context))
        let result = try client.call("mrp.production.backorder", "action_close_mo", [[wizard]], context: context)
        #expect(result == true)
        #expect(try client.read("mrp.production", id, "product_qty")?.decimal == ExactDecimal(5))
        #expect(try client.read("mrp.production", id, "qty_produced")?.decimal == ExactDecimal(2))
    }

    @Test(arguments: bothVersions)
    func consumingMoreThanTheBillSaysAsksAlsoTheSecondTime(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "write", [[JSONValue(id)], ["qty_producing": 5]])
        try client.consume(id)
        let move = try #require(try client.read("mrp.production", id, "move_raw_ids")?[1])
        try client.call("stock.move", "write", [[move], ["quantity": 12, "picked": true]])
        let question = try #require(try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]]))
        #expect(question["res_model"] == "mrp.consumption.warning")
        let line = question["context"]?["default_mrp_consumption_warning_line_ids"]?[0]?[2]
        #expect(line?["product_consumed_qty_uom"]?.decimal == ExactDecimal(12))
        #expect(line?["product_expected_qty_uom"]?.decimal == ExactDecimal(10))

        let context = question["context"]?.object
        let wizard = try #require(try client.call("mrp.consumption.warning", "create", [[:]], context: context))
        #expect(try client.call("mrp.consumption.warning", "action_confirm", [[wizard]], context: context) == true)
        #expect(try client.read("mrp.production", id, "state") == "done")
        #expect(try client.onHand("SEAL-20", at: "WH/Stock") == ExactDecimal(99_988))
        let again = try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        #expect(again?["res_model"] == "mrp.consumption.warning")
        #expect(try client.onHand("SEAL-20", at: "WH/Stock") == ExactDecimal(99_988))
    }

    @Test(arguments: bothVersions)
    func changingTheQuantityOfAReleasedOrderChangesItsDemand(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        let wizard = try #require(
            try client.call("change.production.qty", "create", [["mo_id": JSONValue(id), "product_qty": 8]]))
        try client.call("change.production.qty", "change_prod_qty", [[wizard]])
        let moves = try client.call(
            "stock.move", "search_read", [[["raw_material_production_id", "=", JSONValue(id)]]],
            ["fields": ["product_uom_qty", "quantity"], "order": "id"])
        #expect(moves?.array?.map { $0["product_uom_qty"]?.decimal } == [ExactDecimal(8), ExactDecimal(16)])
        #expect(moves?.array?.map { $0["quantity"]?.decimal } == [ExactDecimal(8), ExactDecimal(16)])
    }
}
