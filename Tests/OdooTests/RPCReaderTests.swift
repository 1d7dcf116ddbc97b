import JSON
import Testing

@testable import Odoo

@Suite struct RPCReaderTests {
    private func read(_ path: String, _ body: JSONValue) throws(RPCRefusal) -> RPCMessage {
        guard let wire = RPCWire(path: path) else { throw .unreadable("no wire") }
        return try RPCReader.read(wire, path: path, body: body.bytes)
    }

    private func call(_ message: RPCMessage) -> RPCCall? {
        if case .call(let call) = message.request { call } else { nil }
    }

    @Test func pathsNameTheInterface() {
        #expect(RPCWire(path: "/jsonrpc") == .jsonRPC)
        #expect(RPCWire(path: "/xmlrpc/2/object") == .xmlRPC(hasNumericFaults: true))
        #expect(RPCWire(path: "/xmlrpc/common") == .xmlRPC(hasNumericFaults: false))
        #expect(RPCWire(path: "/web/dataset/call_kw/mrp.production/read") == .callKW)
        #expect(RPCWire(path: "/web/dataset/call_button") == .callKW)
        #expect(RPCWire(path: "/json/2/mrp.production/read") == .json2)
        for path in [
            "/", "/json/1/a/b", "/json/2/a", "/web/dataset/resequence", "/jsonrpc/x", "/xmlrpc/2/object/x", "/web",
        ] {
            #expect(RPCWire(path: path) == nil, "\(path)")
        }
    }

    @Test func allInterfacesSayTheSameCall() throws {
        let positional: JSONValue = [
            "jsonrpc": "2.0", "id": 3,
            "params": [
                "service": "object", "method": "execute_kw",
                "args": [
                    "db", 2, "secret", "res.partner", "write", [[7], ["name": "x"]], ["context": ["lang": "de_DE"]],
                ],
            ],
        ]
        let web: JSONValue = [
            "id": 3,
            "params": [
                "model": "res.partner", "method": "write", "args": [[7], ["name": "x"]],
                "kwargs": ["context": ["lang": "de_DE"]],
            ],
        ]
        let bare: JSONValue = ["ids": [7], "vals": ["name": "x"], "context": ["lang": "de_DE"]]
        let expected: JSONObject = ["ids": [7], "vals": ["name": "x"], "context": ["lang": "de_DE"]]
        for (path, body) in [
            ("/jsonrpc", positional), ("/web/dataset/call_kw", web), ("/json/2/res.partner/write", bare),
        ] {
            let call = try #require(call(try read(path, body)))
            #expect(call.model == "res.partner" && call.method == "write")
            #expect(call.namedArguments == expected, "\(path)")
            #expect(RPCScope(call).access == .write)
            #expect(RPCScope(call).ids == [7])
            #expect(RPCScope(call).values == ["name"])
        }
    }

    @Test func executeTakesArgumentsInARow() throws {
        let message = try read(
            "/jsonrpc",
            [
                "params": [
                    "service": "object", "method": "execute",
                    "args": ["db", 2, "s", "res.partner", "read", [7], ["name"]],
                ]
            ])
        #expect(call(message)?.namedArguments == ["ids": [7], "fields": ["name"]])
    }

    static let refused: [(String, JSONValue, String)] = [
        ("/jsonrpc", [], "one JSON object"), ("/jsonrpc", ["id": [1], "params": [:]], "'id' must be"),
        ("/jsonrpc", ["id": 1], "'params' must be an object"),
        ("/jsonrpc", ["params": ["service": "object"]], "needs 'service'"),
        (
            "/jsonrpc",
            ["params": ["service": "object", "method": "execute_kw", "args": ["db", 2, "s", "res.partner"]]],
            "takes database"
        ),
        (
            "/jsonrpc",
            [
                "params": [
                    "service": "object", "method": "execute_kw", "args": ["db", 2, "s", "res.partner", "read", [:]],
                ]
            ], "must be a list"
        ),
        (
            "/jsonrpc",
            [
                "params": [
                    "service": "object", "method": "execute_kw", "args": ["db", 2, "s", "res.partner", "read", [], []],
                ]
            ], "must be an object"
        ),
        (
            "/jsonrpc",
            ["params": ["service": "object", "method": "execute_kw", "args": ["db", 2, "s", "res partner", "read"]]],
            "the model is no name"
        ),
        (
            "/jsonrpc",
            ["params": ["service": "object", "method": "execute_kw", "args": ["db", 2, "s", "res.partner", "../x"]]],
            "the method is no name"
        ),
        (
            "/jsonrpc", ["params": ["service": "common", "method": "authenticate", "args": ["db"]]],
            "takes database, login and password"
        ),
        ("/web/dataset/call_kw", ["params": ["model": "a"]], "needs 'model'"),
        ("/json/2/res..partner/read", [:], "the model is no name"),
    ]

    @Test(arguments: refused)
    func whatIsNoCallIsUnreadable(_ path: String, _ body: JSONValue, _ reason: String) {
        guard case .unreadable(let why)? = #expect(throws: RPCRefusal.self, performing: { _ = try read(path, body) })
        else {
            Issue.record("\(body.text) is not unreadable")
            return
        }
        #expect(why.contains(reason), "\(why)")
    }

    @Test func databasesAndPrivateMethodsAreNotOffered() {
        let bodies: [JSONValue] = [
            ["id": 9, "params": ["service": "db", "method": "list", "args": []]],
            ["id": 9, "params": ["service": "object", "method": "exec_workflow", "args": []]],
            ["id": 9, "params": ["service": "report", "method": "render_report", "args": []]],
            [
                "id": 9,
                "params": [
                    "service": "object", "method": "execute_kw",
                    "args": ["db", 2, "s", "mrp.production", "_write", []],
                ],
            ],
        ]
        for body in bodies {
            guard
                case .notOffered(let id, _)? = #expect(
                    throws: RPCRefusal.self, performing: { _ = try read("/jsonrpc", body) })
            else {
                Issue.record("\(body.text) is offered")
                continue
            }
            #expect(id == 9)
        }
    }

    @Test func invalidUTF8IsRefusedThoughOdooTakesIt() {
        #expect(throws: RPCRefusal.self) {
            _ = try RPCReader.read(.jsonRPC, path: "/jsonrpc", body: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D])
        }
    }

    @Test func everyRecordedCallIsReadOrRefusedForAReason() throws {
        var calls = 0
        var refused: [String: Int] = [:]
        for recording in Recording.all {
            guard let path = recording.path, let wire = RPCWire(path: path),
                recording.json["request"]?["method"]?.string == "POST",
                let body = recording.json["request"]?["body"]?.string
            else { continue }
            do throws(RPCRefusal) {
                let message = try RPCReader.read(wire, path: path, body: Array(body.utf8))
                calls += 1
                if case .call(let call) = message.request { _ = RPCScope(call).json(of: call) }
            } catch {
                switch error {
                case .unreadable(let why): refused[String(why.prefix(28)), default: 0] += 1
                case .notOffered(_, let why): refused[String(why.prefix(28)), default: 0] += 1
                }
            }
        }
        #expect(calls > 450)
        // Malformed on purpose by the recorder: no JSON, batches, missing arguments, private and unknown methods.
        #expect(refused.values.reduce(0, +) < 30, "\(refused)")
    }
}
