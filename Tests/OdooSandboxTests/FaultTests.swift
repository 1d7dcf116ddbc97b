import Bytes
import JSON
import Testing

@testable import OdooSandbox

@Suite struct FaultTests {
    private func post(_ client: SandboxClient, _ path: String, _ body: JSONValue? = nil) -> SandboxAnswer {
        client.send("POST", path, body)
    }

    @Test func beforeAndAfterTheEffectLookAlikeToTheCaller() throws {
        let client = SandboxClient(.v19)
        let id = try client.released("VALVE-20", 5)
        let envelope = markDone(client, id)
        #expect(
            post(
                client, "/sandbox/faults",
                ["match": "mrp.production.button_mark_done", "kind": "close_before_effect", "delay_ms": 30]
            ).status == 200)
        let first = post(client, "/jsonrpc", envelope)
        #expect(first.fault == .closeWithoutAnswer)
        #expect(first.delay == .milliseconds(30))
        #expect(try client.read("mrp.production", id, "state") == "confirmed")
        client.odoo.inject(SandboxFault(match: "mrp.production.button_mark_done", kind: .closeAfterEffect))
        #expect(post(client, "/jsonrpc", envelope).fault == .closeWithoutAnswer)
        #expect(try client.read("mrp.production", id, "state") == "done")
        #expect(post(client, "/jsonrpc", envelope).fault == nil)
        #expect(client.odoo.effects(of: "mrp.production.button_mark_done") == 2)
    }

    @Test(arguments: [
        ("http500", 500, "text/html"), ("html502", 502, "text/html"),
        ("serialization_failure", 200, "application/json"),
        ("delay", 200, "application/json"),
    ])
    func otherFaults(kind: String, status: Int, type: String) throws {
        let client = SandboxClient(.v17)
        let id = try client.released("VALVE-20", 5)
        #expect(
            post(client, "/sandbox/faults", [["match": "mrp.production.*", "kind": .string(kind), "delay_ms": 5]])
                .status == 200)
        let answer = post(client, "/jsonrpc", markDone(client, id))
        #expect(answer.status == status)
        #expect(answer.delay == .milliseconds(5))
        #expect(answer.fields.first { $0.name == "Content-Type" }?.value.hasPrefix(type) == true)
        #expect(try client.read("mrp.production", id, "state") == (kind == "delay" ? "done" : "confirmed"))
        if kind == "serialization_failure" {
            let name = try JSONValue.parse(answer.body)["error"]?["data"]?["name"]
            #expect(name == "psycopg2.errors.SerializationFailure")
        }
    }

    @Test(arguments: bothVersions)
    func aLateEffectIsHeldBeforeTheCall(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        client.odoo.inject(
            SandboxFault(
                match: "mrp.production.button_mark_done", kind: .delayBeforeEffect, delay: .milliseconds(40)))
        let other = SandboxRequest(method: "GET", path: "/web/health")
        #expect(client.odoo.hold(other) == 0)
        let request = SandboxRequest(
            method: "POST", path: "/jsonrpc", fields: [("Content-Type", "application/json")],
            body: markDone(client, id).bytes)
        #expect(client.odoo.hold(request) == .milliseconds(40))
        #expect(try client.read("mrp.production", id, "state") == "confirmed")
        #expect(client.odoo.answer(request, now: client.now).delay == 0)
        #expect(try client.read("mrp.production", id, "state") == "done")
        #expect(client.odoo.hold(request) == 0)
        client.odoo.inject(SandboxFault(match: "mrp.production.*", kind: .delayBeforeEffect, delay: 5))
        let json2 = SandboxRequest(method: "POST", path: "/json/2/mrp.production/read")
        #expect(client.odoo.hold(json2) == 5)
    }

    @Test func everyThirdCallIsStruckAsOftenAsAsked() {
        var queue = FaultQueue()
        queue.add(SandboxFault(match: "a.b", kind: .http500, times: 2, every: 3))
        let struck = (1...12).map { _ in queue.take("a.b") != nil }
        #expect(struck.enumerated().filter(\.element).map { $0.offset + 1 } == [3, 6])
        #expect(queue.waiting.isEmpty)
        queue.add(SandboxFault(match: "*", kind: .http500, times: 0))
        #expect((1...5).allSatisfy { _ in queue.take("x") != nil })
    }

    @Test(arguments: [
        "{}", #"{"match":"a"}"#, #"{"match":"a","kind":"nope"}"#, #"{"match":"a","kind":"delay","delay_ms":-1}"#,
        #"{"match":"a","kind":"delay","every":0}"#, "[1]", "x",
    ])
    func badFaultsAreRefused(text: String) {
        let client = SandboxClient(.v17)
        let answer = client.odoo.answer(
            SandboxRequest(method: "POST", path: "/sandbox/faults", body: Array(text.utf8)), now: client.now)
        #expect(answer.status == 400)
    }

    @Test(arguments: bothVersions)
    func theStateCountsAndResetForgets(version: SandboxVersion) throws {
        let client = SandboxClient(version)
        let id = try client.released("VALVE-20", 5)
        try client.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        let state = try JSONValue.parse(client.send("GET", "/sandbox/state").body)
        let order = try #require(state["orders"]?.array?.first { $0["id"]?.int == id })
        #expect(order["qty_produced"]?.decimal == ExactDecimal(5))
        #expect(order["state"] == "done")
        #expect(state["calls"]?["mrp.production.button_mark_done"] == 1)
        #expect(state["effects"]?["mrp.production.create"] == 1)
        #expect(state["moves"]?.array?.isEmpty == false)
        #expect(state["quants"]?.array?.isEmpty == false)
        #expect(post(client, "/sandbox/reset").status == 200)
        let fresh = try JSONValue.parse(client.send("GET", "/sandbox/state").body)
        #expect(fresh["orders"]?.array?.contains { $0["id"]?.int == id } == false)
        #expect(fresh["calls"] == [:])
    }

    @Test func latenciesAreThoseConfigured() throws {
        var configuration = SandboxConfiguration(version: .v19)
        configuration.latencies = .measured(.v19)
        let odoo = SandboxOdoo(configuration: configuration)
        let health = odoo.answer(SandboxRequest(method: "GET", path: "/web/health"), now: WallInstant(seconds: 0))
        #expect(health.delay == .milliseconds(6))
        let answer = odoo.answer(
            SandboxRequest(
                method: "POST", path: "/json/2/mrp.production/button_mark_done",
                fields: [("Content-Type", "application/json"), ("Authorization", "bearer sandbox-key")],
                body: Array(#"{"ids":[1]}"#.utf8)), now: WallInstant(seconds: 0))
        #expect(answer.delay == .milliseconds(163))
    }

    private func markDone(_ client: SandboxClient, _ id: Int) -> JSONValue {
        [
            "jsonrpc": "2.0", "id": 1, "method": "call",
            "params": [
                "service": "object", "method": "execute_kw",
                "args": [
                    .string(client.odoo.configuration.database), JSONValue(client.mes), "mes-pw", "mrp.production",
                    "button_mark_done", [[JSONValue(id)]], [:],
                ],
            ],
        ]
    }
}
