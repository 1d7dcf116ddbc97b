import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct ProtocolTests {
    @Test(arguments: bothVersions)
    func tracebacksAreThereToBeStripped(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let answer = try client.answer("mrp.production", "write", [[1], ["nope": 1]])
        let debug = try #require(answer["error"]?["data"]?["debug"]?.string)
        #expect(debug.contains("Traceback (most recent call last)"))
        #expect(debug.contains("/opt/odoo/"))
        #expect(answer["error"]?["code"] == (version.is19 ? 0 : 200))
    }

    @Test(arguments: bothVersions)
    func onlyRightSecretsOpenTheDoor(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let database = JSONValue.string(client.odoo.configuration.database)
        func uid(_ login: String, _ secret: String) throws -> JSONValue? {
            try client.rpc("common", "authenticate", [database, .string(login), .string(secret), [:]])["result"]
        }
        #expect(try uid("mes", "mes-pw") == JSONValue(client.mes))
        #expect(try uid("mes", "sandbox-key") == JSONValue(client.mes))
        #expect(try uid("mes", "") == false)
        #expect(try uid("mes", "admin") == false)
        #expect(try uid("ghost", "mes-pw") == false)
        let denied = try client.error("product.product", "search_count", [[]], password: "sandbox-key-limited")
        #expect(denied == "odoo.exceptions.AccessDenied")
    }

    @Test(arguments: bothVersions)
    func aBatchAndBrokenJSONAreBadRequests(version: SandboxVersion) {
        let client = SandboxClient(version)
        #expect(client.send("POST", "/jsonrpc", [[:]]).status == 400)
        let broken = client.odoo.answer(
            SandboxRequest(
                method: "POST", path: "/jsonrpc", fields: [("content-type", "application/json")], body: Array("{".utf8)),
            now: client.now)
        #expect(broken.status == 400)
        #expect(String(decoding: broken.body, as: UTF8.self) == "Invalid JSON data")
        #expect(client.send("GET", "/jsonrpc").status == (version.is19 ? 415 : 400))
    }

    @Test func json2IsOnlyOn19() throws {
        let answer = SandboxClient(.v17).send("POST", "/json/2/mrp.production/search", ["domain": []])
        #expect(answer.status == 404)
        #expect(answer.fields.contains { $0.name == "Content-Type" && $0.value.hasPrefix("text/html") })
    }

    /// Model, method, body, status, `name`.
    static let refusals: [(String, String, JSONValue, Int, String)] = [
        ("no.such.model", "search", ["domain": []], 404, "werkzeug.exceptions.NotFound"),
        ("mrp.production", "no_such", [:], 404, "werkzeug.exceptions.NotFound"),
        ("mrp.production", "_compute_state", [:], 403, "odoo.exceptions.AccessError"),
        ("mrp.production", "sudo", ["ids": [1]], 403, "odoo.exceptions.AccessError"),
        ("mrp.production", "write", ["ids": [1]], 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("mrp.production", "search", ["ids": [1], "domain": []], 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("mrp.production", "write", ["ids": [99_999], "vals": ["origin": "x"]], 404, "odoo.exceptions.MissingError"),
        ("mrp.production", "write", ["ids": [1], "vals": ["nope": 1]], 500, "builtins.ValueError"),
        ("mrp.production", "create", ["vals_list": [["product_qty": 1]]], 422, "odoo.exceptions.ValidationError"),
        ("mrp.bom", "unlink", ["ids": [1]], 403, "odoo.exceptions.AccessError"),
        ("mrp.production", "search", ["domain": [["state", "~", 1]]], 500, "builtins.ValueError"),
        ("mrp.production", "search", ["domain": [["nope", "=", 1]]], 500, "builtins.ValueError"),
        ("mrp.production", "search", ["domain": [], "order": "nope"], 500, "builtins.ValueError"),
    ]

    @Test(arguments: refusals)
    func json2RefusesWithTheRecordedStatus(
        model: String, method: String, body: JSONValue, status: Int, name: String
    ) throws {
        let answer = try SandboxClient(.v19).json2(model, method, body)
        #expect(answer.status == status)
        #expect(answer.body["name"]?.string == name)
        #expect(answer.body["debug"]?.string?.contains("Traceback") == true)
    }

    @Test func aBadKeyIs401WithAChallenge() {
        let client = SandboxClient(.v19)
        let answer = client.send(
            "POST", "/json/2/mrp.production/search_count", ["domain": []], fields: [("Authorization", "Bearer wrong")])
        #expect(answer.status == 401)
        #expect(answer.fields.contains { $0.name == "WWW-Authenticate" })
    }

    @Test func createAnswersAListOnJSON2() throws {
        let client = SandboxClient(.v19)
        let valve = JSONValue(try client.product("VALVE-20"))
        #expect(
            try client.json2("mrp.production", "create", ["vals_list": ["product_id": valve]]).body.array?.count == 1)
        #expect(
            try client.json2("mrp.production", "create", ["vals_list": [["product_id": valve], ["product_id": valve]]])
                .body.array?.count == 2)
    }

    @Test(arguments: bothVersions)
    func theLimitedUserSeesNoOrders(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let name = try client.error(
            "mrp.production", "search_read", [[]], user: client.mes + 1, password: "limited-pw")
        #expect(name == "odoo.exceptions.AccessError")
    }

    /// What was not asked of the right method, in every way a stranger may get it wrong, never breaks the sandbox.
    @Test(arguments: bothVersions)
    func strangeArgumentsAreAnsweredWithErrors(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let strange: [JSONValue] = [
            .null, true, 1, "x", [], [[]], [.null], ["x"], [[1], 2], [[1], [[0, 0]]], [[[]]], [[1, "a"]], [["|"]],
            [[["id", "in", 3]]], [["&", ["id", "=", 1]]], [[1], ["move_raw_ids": [[9, 1]]]],
            [[1], ["product_qty": ["a"]]], [[1], ["product_qty": 1e300]], [[1], ["date_start": 5]],
            [[1], ["product_id": "x"]], [[["name", "ilike", 3]]], [[1], ["name"], 1, 2, 3, 4], [["id"], [["a.b"], 3]],
        ]
        for method in [
            "search", "search_read", "read", "write", "create", "load", "unlink", "copy", "fields_get", "read_group",
            "formatted_read_group", "name_search", "button_mark_done", "action_confirm", "message_post", "exists",
        ] {
            for arguments in strange {
                let answer = try client.answer("mrp.production", method, arguments)
                #expect(answer["jsonrpc"] == "2.0")
            }
        }
    }
}

extension JSONValue: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = JSONNumber("\(value)").map { .number($0) } ?? .null }
}
