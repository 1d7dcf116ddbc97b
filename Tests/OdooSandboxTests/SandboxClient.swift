import Bytes
import JSON
import Testing

@testable import OdooSandbox

/// Speaks to a sandbox as a client would, without sockets.
struct SandboxClient {
    let odoo: SandboxOdoo
    var now = WallInstant(seconds: 1_795_410_000)

    init(_ version: SandboxVersion, seed: SandboxSeed = .demo) {
        odoo = SandboxOdoo(configuration: SandboxConfiguration(version: version, seed: seed))
    }

    init(odoo: SandboxOdoo) { self.odoo = odoo }

    var version: SandboxVersion { odoo.configuration.version }
    var mes: Int { version.is19 ? 7 : 8 }

    func send(_ method: String, _ path: String, _ body: JSONValue? = nil, fields: [(name: String, value: String)] = [])
        -> SandboxAnswer
    {
        odoo.answer(
            SandboxRequest(
                method: method, path: path, fields: [("Content-Type", "application/json")] + fields,
                body: body?.bytes ?? []), now: now)
    }

    func rpc(_ service: String, _ method: String, _ arguments: JSONValue) throws -> JSONValue {
        let envelope: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": "call",
            "params": ["service": .string(service), "method": .string(method), "args": arguments],
        ]
        return try JSONValue.parse(send("POST", "/jsonrpc", envelope).body)
    }

    /// The whole answer of `execute_kw` as `mes`.
    func answer(
        _ model: String, _ method: String, _ arguments: JSONValue = [], _ named: JSONObject = [:],
        context: JSONObject? = nil, user: Int? = nil, password: String = "mes-pw"
    ) throws -> JSONValue {
        var named = named
        if let context { named["context"] = .object(context) }
        return try rpc(
            "object", "execute_kw",
            [
                .string(odoo.configuration.database), JSONValue(user ?? mes), .string(password), .string(model),
                .string(method), arguments, .object(named),
            ])
    }

    /// The result; fails the test when there is an error.
    @discardableResult
    func call(
        _ model: String, _ method: String, _ arguments: JSONValue = [], _ named: JSONObject = [:],
        context: JSONObject? = nil, as user: String? = nil
    ) throws -> JSONValue? {
        let answer = try answer(
            model, method, arguments, named, context: context, user: user == "admin" ? 2 : nil,
            password: user == "admin" ? "admin" : "mes-pw")
        #expect(answer["error"] == nil, "\(model).\(method): \(answer["error"]?["data"]?["message"]?.text ?? "")")
        return answer["result"]
    }

    /// `data.name` of the error.
    func error(
        _ model: String, _ method: String, _ arguments: JSONValue = [], _ named: JSONObject = [:],
        context: JSONObject? = nil, user: Int? = nil, password: String = "mes-pw"
    ) throws -> String? {
        try answer(model, method, arguments, named, context: context, user: user, password: password)["error"]?[
            "data"]?["name"]?.string
    }

    func json2(
        _ model: String, _ method: String, _ body: JSONValue, key: String = "sandbox-key"
    ) throws -> (status: Int, body: JSONValue) {
        let answer = send(
            "POST", "/json/2/\(model)/\(method)", body, fields: [("Authorization", "bearer " + key)])
        return (answer.status, try JSONValue.parse(answer.body))
    }

    func read(_ model: String, _ id: Int, _ field: String) throws -> JSONValue? {
        try call(model, "read", [[JSONValue(id)], [.string(field)]])?[0]?[field]
    }

    func product(_ code: String) throws -> Int {
        try #require(call("product.product", "search", [[["default_code", "=", .string(code)]]])?[0]?.int)
    }

    /// What lies in a place of that name.
    func onHand(_ code: String, at location: String) throws -> ExactDecimal {
        let quants = try call(
            "stock.quant", "search_read",
            [
                [
                    ["product_id.default_code", "=", .string(code)],
                    ["location_id.complete_name", "=", .string(location)],
                ]
            ],
            ["fields": ["quantity"]])
        return (quants?.array ?? []).reduce(.zero) { $0.adding($1["quantity"]?.decimal ?? .zero) }
    }

    /// A released order of a product with a bill of materials.
    func released(_ code: String, _ quantity: JSONValue) throws -> Int {
        let id = try #require(
            call("mrp.production", "create", [["product_id": JSONValue(product(code)), "product_qty": quantity]])?.int)
        try call("mrp.production", "action_confirm", [[JSONValue(id)]])
        return id
    }
}

let bothVersions = SandboxVersion.allCases
