import JSON
import Testing

@testable import Odoo

@Suite struct RPCScopeTests {
    private func scope(_ method: String, _ arguments: [JSONValue] = [], _ named: JSONObject = JSONObject()) -> RPCScope
    {
        RPCScope(RPCCall(model: "mrp.production", method: method, arguments: arguments, named: named))
    }

    @Test func readingNamesFieldsAndCriteria() {
        let scope = scope(
            "search_read",
            [
                [
                    "|", ["state", "=", "done"], "&", ["product_id.default_code", "ilike", "A"],
                    ["move_raw_ids", "any", [["quantity", ">", 1]]],
                ]
            ],
            ["fields": ["name", "product_qty"], "order": "date_start desc, priority", "limit": 5])
        #expect(scope.access == .read)
        #expect(scope.fields == ["name", "product_qty"])
        #expect(
            scope.criteria == [
                "state", "product_id", "default_code", "move_raw_ids", "quantity", "date_start", "priority",
            ])
        #expect(scope.values.isEmpty)
    }

    @Test func groupingAndExportingCountAsCriteria() {
        #expect(
            scope("read_group", [[], ["product_qty:sum"], ["date_start:month"]]).criteria == [
                "product_qty", "sum", "date_start", "month",
            ])
        #expect(
            scope("formatted_read_group", [], ["groupby": ["state"], "aggregates": ["qty:sum"]]).criteria == [
                "state", "qty", "sum",
            ])
        #expect(scope("export_data", [[1], ["name", "product_id/.id"]]).criteria == ["name", "product_id", "id"])
    }

    @Test func writingNamesValuesAtAnyDepth() {
        #expect(
            scope("create", [[["name": "a", "move_raw_ids": [[0, 0, ["product_id": 1]]]]]]).values == [
                "name", "move_raw_ids", "product_id",
            ])
        #expect(scope("write", [[1], ["qty_producing": 2]]).values == ["qty_producing"])
        #expect(scope("load", [["id", "product_id/.id"], [["a", "1"]]]).values == ["id", "product_id"])
        #expect(scope("copy", [1, ["name": "b"]]).access == .create)
        #expect(scope("unlink", [[1, 2]]).ids == [1, 2])
    }

    @Test func specificationsAreRead() {
        let scope = scope(
            "web_search_read", [[]],
            ["specification": ["name": [:], "move_raw_ids": ["fields": ["quantity": [:]], "order": "sequence desc"]]])
        #expect(scope.fields == ["name", "move_raw_ids", "quantity"])
        #expect(scope.criteria == ["sequence"])
    }

    @Test func ofAnUnknownMethodEveryNameCounts() {
        let scope = scope("set_things", [[1], ["standard_price": 1], "list_price"])
        #expect(scope.access == .call)
        #expect(scope.ids == [1])
        #expect(scope.touched(of: ["standard_price"]) == "standard_price")
        #expect(scope.touched(of: ["list_price"]) == "list_price")
        #expect(scope.touched(of: ["cost"]) == nil)
    }

    @Test func maskedFieldsMayBeAskedForButNotSearchedOrSet() {
        let masked: Set<String> = ["standard_price"]
        #expect(scope("read", [[1], ["name", "standard_price"]]).touched(of: masked) == nil)
        #expect(scope("search", [[["standard_price", ">", 5]]]).touched(of: masked) == "standard_price")
        #expect(scope("search_read", [[]], ["order": "standard_price"]).touched(of: masked) == "standard_price")
        #expect(scope("write", [[1], ["standard_price": 1]]).touched(of: masked) == "standard_price")
        let answer: JSONValue = [["id": 1, "standard_price": 5, "lines": [["standard_price": 7]]]]
        #expect(answer.hiding(masked) == [["id": 1, "standard_price": false, "lines": [["standard_price": false]]]])
    }

    @Test func argumentsGetTheNamesThatJSON2Wants() {
        func named(_ method: String, _ arguments: [JSONValue], _ named: JSONObject = JSONObject()) -> JSONObject? {
            RPCCall(model: "m", method: method, arguments: arguments, named: named).namedArguments
        }
        #expect(
            named("search_read", [[["a", "=", 1]], ["name"], 0, 5]) == [
                "domain": [["a", "=", 1]], "fields": ["name"], "offset": 0, "limit": 5,
            ])
        #expect(named("read", [7, ["name"]]) == ["ids": [7], "fields": ["name"]])
        #expect(named("create", [["name": "x"]]) == ["vals_list": [["name": "x"]]])
        #expect(named("name_search", ["x"], ["args": []]) == ["name": "x", "domain": []])
        #expect(named("action_confirm", [[7]], ["context": [:]]) == ["ids": [7], "context": [:]])
        #expect(named("action_confirm", []) == [:])
        // A place that nobody named, and a name given twice.
        #expect(named("message_subscribe", [[7], [1, 2]]) == nil)
        #expect(named("read", [[7]], ["ids": [8]]) == nil)
        #expect(named("unlink", [[7], 1]) == nil)
        #expect(RPCCall(model: "m", method: "create", arguments: [["name": "x"]]).createsOne)
        #expect(!RPCCall(model: "m", method: "create", arguments: [[["name": "x"]]]).createsOne)
    }

    @Test func relayedCallsCarryOurCredentialsInEitherProtocol() throws {
        let context = OdooContext(companies: [1])
        let call = RPCCall(
            database: "db", secret: "theirs", model: "mrp.production", method: "write", arguments: [[7], ["a": 1]],
            named: ["context": ["lang": "de_DE"]])
        let old = OdooEndpoint(credentials: .jsonRPC(database: "db", user: 2, secret: "ours"), context: context)
        let body = try JSONValue.parse(try #require(old.request(relaying: call, id: 4)).body)
        #expect(
            body["params"]?["args"] == [
                "db", 2, "ours", "mrp.production", "write", [[7], ["a": 1]],
                ["context": ["lang": "de_DE", "tz": "UTC", "allowed_company_ids": [1]]],
            ])
        let new = OdooEndpoint(credentials: .json2(database: "db", key: "ours"), context: context)
        let request = try #require(new.request(relaying: call, id: 4))
        #expect(request.path == "/json/2/mrp.production/write")
        #expect(
            try JSONValue.parse(request.body) == [
                "ids": [7], "vals": ["a": 1], "context": ["lang": "de_DE", "tz": "UTC", "allowed_company_ids": [1]],
            ])
        // And named arguments find their places in the old one.
        let named = RPCCall(model: "mrp.production", method: "write", named: ["ids": [7], "vals": ["a": 1]])
        let placed = try JSONValue.parse(try #require(old.request(relaying: named, id: 4)).body)
        #expect(placed["params"]?["args"]?[5] == [[7], ["a": 1]])
        let unnamed = RPCCall(model: "mrp.production", method: "message_subscribe", arguments: [[7], [1]])
        #expect(new.request(relaying: unnamed, id: 4) == nil)
    }
}
