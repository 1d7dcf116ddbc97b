import JSON
import Testing

@testable import Odoo

struct OdooEndpointTests {
    static let context = OdooContext(companies: [1])
    static let rpc = OdooEndpoint(
        credentials: .jsonRPC(database: "o17", user: 8, secret: "SECRET-1"), context: context)
    static let json2 = OdooEndpoint(credentials: .json2(database: "o19", key: "SECRET-2"), context: context)

    /// A JSON-RPC body without what differs from caller to caller: id, credentials, and the three members of the
    /// context that we always send.
    static func bare(_ body: JSONValue) -> JSONValue {
        guard let arguments = body["params"]?["args"]?.array, arguments.count >= 6 else { return body }
        return [
            body["params"]?["service"] ?? nil, body["params"]?["method"] ?? nil, arguments[3], arguments[4],
            arguments[5], .object(bareContext(arguments.count > 6 ? arguments[6].object : nil)),
        ]
    }

    static func bareContext(_ members: JSONObject?) -> JSONObject {
        var members = members ?? JSONObject()
        var context = members["context"]?.object ?? JSONObject()
        for key in ["lang", "tz", "allowed_company_ids"] { context[key] = nil }
        members["context"] = context.isEmpty ? nil : .object(context)
        return members
    }

    static func sent(_ call: OdooCall, _ endpoint: OdooEndpoint) throws -> JSONValue {
        try JSONValue.parse(endpoint.request(for: call, id: 7).body)
    }

    /// Our request for `call` is the recorded one.
    static func expectSame(_ call: OdooCall, as version: Int, _ number: String) throws {
        let recording = try Recording.find(version, number)
        let recorded = try #require(recording.requestBody)
        if recording.isJSON2 {
            #expect(json2.request(for: call, id: 7).path == recording.path)
            let ours = bareContext(try sent(call, json2).object)
            #expect(ours == bareContext(recorded.object), "\(version)/\(number)")
        } else {
            #expect(bare(try sent(call, rpc)) == bare(recorded), "\(version)/\(number)")
        }
    }

    @Test func callsAreEncodedAsRecorded() throws {
        let fields = ["name", "state", "product_id", "date_start", "workorder_ids"]
        try Self.expectSame(.read("mrp.production", ids: [26], fields: fields), as: 19, "303")
        try Self.expectSame(
            .searchRead("product.product", domain: [["default_code", "=", "NOPE"]], fields: ["id"]), as: 19, "302")
        try Self.expectSame(
            .searchRead(
                "product.product", domain: [["default_code", "=", "LABC-407133"]],
                fields: ["default_code", "display_name", "uom_id", "barcode", "qty_available", "write_date"], limit: 1),
            as: 19, "301")
        for version in [17, 19] {
            try Self.expectSame(
                .searchRead("product.product", domain: [["default_code", "=", "NO-SUCH-CODE"]], fields: ["id"]),
                as: version, "016")
            try Self.expectSame(.button("mrp.production", "action_confirm", ids: [26]), as: version, "046")
            try Self.expectSame(.write("mrp.production", ids: [29], ["qty_producing": 2]), as: version, "092")
            try Self.expectSame(.read("mrp.production", ids: [99_999_999], fields: ["name"]), as: version, "169")
        }
        try Self.expectSame(.searchCount("mrp.production", domain: []), as: 19, "304")
        try Self.expectSame(.button("mrp.production", "set_qty_producing", ids: [45]), as: 19, "313")
        try Self.expectSame(.write("mrp.production", ids: [45], ["qty_producing": 2]), as: 19, "312")
        try Self.expectSame(
            .create("mrp.production", [["product_id": 79, "product_qty": 5, "bom_id": 14, "origin": "J2"]]),
            as: 19, "308")
        try Self.expectSame(
            .load("maintenance.request", fields: ["id", "name"], rows: [["mes.j2_407762", "x"]]), as: 19, "720")
        // 17 takes the list form of `create` too.
        let batch = try #require(try Recording.find(17, "035").requestBody?["params"]?["args"]?[5]?[0]?.array)
        try Self.expectSame(.create("product.product", batch.compactMap(\.object)), as: 17, "035")
    }

    @Test func theCommonServiceIsEncodedAsRecorded() throws {
        for version in [17, 19] {
            let recorded = try Recording.find(version, "001")
            let ours = OdooJSONRPC.version(id: try #require(recorded.requestID))
            #expect(try JSONValue.parse(ours.body) == recorded.requestBody)
            let login = try Recording.find(version, "002")
            let authenticate = OdooJSONRPC.authenticate(
                database: "o\(version)", login: "admin", secret: "admin", id: try #require(login.requestID))
            #expect(try JSONValue.parse(authenticate.body) == login.requestBody)
            #expect(authenticate.path == "/jsonrpc")
            #expect(authenticate.method == "POST")
        }
    }

    @Test func theContextAlwaysSaysLanguageZoneAndCompanies() throws {
        let call = OdooCall.read("x.y", ids: [1], fields: ["name"], context: ["location": 5, "lang": "de_DE"])
        let expected: JSONValue = ["lang": "de_DE", "tz": "UTC", "allowed_company_ids": [1], "location": 5]
        #expect(try Self.sent(call, Self.json2)["context"] == expected)
        #expect(try Self.sent(call, Self.rpc)["params"]?["args"]?[6]?["context"] == expected)
        let none = OdooEndpoint(
            credentials: Self.rpc.credentials,
            context: OdooContext(language: "fr_FR", timeZone: "Europe/Paris", companies: []))
        #expect(
            try Self.sent(.button("x.y", "z", ids: [1]), none)["params"]?["args"]?[6]?["context"]
                == ["lang": "fr_FR", "tz": "Europe/Paris"])
    }

    @Test func datesOfALoadAreInUTCWhateverTheContext() throws {
        let paris = OdooEndpoint(
            credentials: Self.json2.credentials, context: OdooContext(timeZone: "Europe/Paris", companies: [1]))
        #expect(try Self.sent(.load("x.y", fields: ["id"], rows: []), paris)["context"]?["tz"] == "UTC")
    }

    @Test func json2CarriesTheKeyAndTheDatabaseInFields() {
        let request = Self.json2.request(for: .button("mrp.production", "action_confirm", ids: [1]), id: 1)
        let fields = Dictionary(uniqueKeysWithValues: request.fields.map { ($0.name, $0.value) })
        #expect(fields["Authorization"] == "bearer SECRET-2")
        #expect(fields["X-Odoo-Database"] == "o19")
        #expect(fields["Content-Type"] == "application/json")
        let only = OdooEndpoint(credentials: .json2(database: nil, key: "k"), context: Self.context)
        #expect(
            !only.request(for: .searchCount("a.b", domain: []), id: 1).fields.contains { $0.name == "X-Odoo-Database" })
    }

    @Test func aModelNameCannotLeaveItsPath() {
        let table = [
            ("mrp.production", "/json/2/mrp.production/m"), ("../../web", "/json/2/%2E%2E%2F%2E%2E%2Fweb/m"),
            ("a/b?c#d", "/json/2/a%2Fb%3Fc%23d/m"), ("a b\r\nX: y", "/json/2/a%20b%0D%0AX%3A%20y/m"),
            ("a..b", "/json/2/a.%2Eb/m"), ("", "/json/2//m"),
        ]
        for (model, path) in table {
            #expect(Self.json2.request(for: OdooCall(model: model, method: "m"), id: 1).path == path)
        }
    }

    @Test func noDescriptionShowsASecret() {
        let call = OdooCall.write("res.users", ids: [2], ["password": "SECRET-3"])
        for endpoint in [Self.rpc, Self.json2] {
            let request = endpoint.request(for: call, id: 1)
            let texts = [
                "\(endpoint)", "\(endpoint.credentials)", "\(request)", "\(call)", String(reflecting: request),
                String(reflecting: endpoint), String(reflecting: endpoint.credentials),
            ]
            for text in texts { #expect(!text.contains("SECRET"), "\(text)") }
            var dumped = ""
            dump(request, to: &dumped)
            dump(endpoint, to: &dumped)
            #expect(!dumped.contains("SECRET"))
            #expect(dumped.utf8.count < 2_000)
        }
    }

    @Test func answersGoThroughTheProtocolOfTheEndpoint() throws {
        func answer(_ body: String) -> OdooResponse {
            OdooResponse(status: 200, contentType: "application/json", body: Array(body.utf8))
        }
        #expect(try Self.json2.result(of: answer("[45]"), id: 1).get() == [45])
        #expect(try Self.rpc.result(of: answer(#"{"jsonrpc":"2.0","id":1,"result":[45]}"#), id: 1).get() == [45])
        #expect(throws: OdooError.self) { try Self.rpc.result(of: answer("[45]"), id: 1).get() }
        var small = Self.json2
        small.limits.bytesMax = 3
        #expect(throws: OdooError.self) { try small.result(of: answer("[45]"), id: 1).get() }
    }
}
