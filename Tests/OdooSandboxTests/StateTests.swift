import Bytes
import Foundation
import JSON
import Testing

@testable import OdooSandbox

/// What outlives the sandbox's process, and how calls get into each other's way.
@Suite struct StateTests {
    /// A file of its own, and a sandbox on it as often as it is opened.
    private struct Kept {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("sandbox-\(UUID().uuidString)").path

        func open(_ version: SandboxVersion) throws -> SandboxClient {
            try SandboxClient(
                odoo: SandboxOdoo(configuration: SandboxConfiguration(version: version), file: SandboxFile(path: path)))
        }

        func remove() { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test(arguments: bothVersions) func whatWasCommittedIsThereAfterAnotherStart(version: SandboxVersion) throws {
        let kept = Kept()
        defer { kept.remove() }
        let first = try kept.open(version)
        let id = try first.released("VALVE-20", 5)
        try first.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        let center = try first.call("mrp.workcenter", "create", [["name": "GONE"]], as: "admin")?.int ?? 0
        try first.call("mrp.workcenter", "unlink", [[JSONValue(center)]], as: "admin")
        #expect(try first.answer("mrp.production", "action_confirm", [[999_999]])["error"] != nil)
        let second = try kept.open(version)
        for part in ["orders", "moves", "quants"] { #expect(second.odoo.state[part] == first.odoo.state[part]) }
        #expect(try second.call("mrp.workcenter", "search_count", [[["name", "=", "GONE"]]])?.int == 0)
        // The next order has a name of its own.
        let next = try second.released("VALVE-20", 1)
        #expect(next > id)
        #expect(try second.read("mrp.production", next, "name") != second.read("mrp.production", id, "name"))
        let third = try kept.open(version)
        #expect(third.odoo.state["orders"] == second.odoo.state["orders"])
        #expect(third.odoo.state["quants"] == second.odoo.state["quants"])
    }

    @Test func aLineThatWasCutIsNoTransactionAndAnotherFileIsNoState() throws {
        let kept = Kept()
        defer { kept.remove() }
        let first = try kept.open(.v19)
        let id = try first.released("VALVE-20", 5)
        let orders = first.odoo.state["orders"]
        try first.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        let whole = try Data(contentsOf: URL(fileURLWithPath: kept.path))
        try whole.dropLast(3).write(to: URL(fileURLWithPath: kept.path))
        let second = try kept.open(.v19)
        #expect(second.odoo.state["orders"] == orders)
        try second.call("mrp.production", "button_mark_done", [[JSONValue(id)]])
        #expect(try kept.open(.v19).read("mrp.production", id, "state") == "done")
        try Data("another file\n".utf8).write(to: URL(fileURLWithPath: kept.path))
        #expect(throws: SandboxStateError.self) { try kept.open(.v19) }
    }

    @Test func whoComesSecondToARecordIsLate() throws {
        var configuration = SandboxConfiguration(version: .v19)
        configuration.workersMax = 4
        configuration.latencies = .measured(.v19)
        let client = SandboxClient(odoo: SandboxOdoo(configuration: configuration))
        func time(_ method: String, _ id: Int) -> Nanoseconds {
            client.send(
                "POST", "/json/2/mrp.production/\(method)", ["ids": [JSONValue(id)]],
                fields: [("Authorization", "Bearer sandbox-key")]
            ).delay
        }
        let alone = configuration.latencies.markDone
        // Orders of the seed: both valves take the same balls and seals.
        let orders = client.odoo.state["orders"]?.array?.filter { $0["product_id"]?.int == 9 } ?? []
        let ids = orders.compactMap { $0["id"]?.int }
        #expect(ids.count >= 2)
        #expect(time("button_mark_done", ids[0]) == alone)
        #expect(time("button_mark_done", ids[1]) >= alone * 2 + SandboxContention.pauseMin)
        #expect(client.odoo.state["contended"]?["stock.quant"]?.int == 1)
    }

    @Test func workersTakeSoManyCallsAtOnceInTheOrderInWhichTheyCame() {
        let workers = SandboxWorkers(2)
        var begun: [Int] = []
        for i in 0..<5 { workers.enter { begun.append(i) } }
        #expect(begun == [0, 1])
        workers.leave()
        #expect(begun == [0, 1, 2])
        for _ in 0..<4 { workers.leave() }
        workers.enter { begun.append(5) }
        #expect(begun == [0, 1, 2, 3, 4, 5])
    }
}
