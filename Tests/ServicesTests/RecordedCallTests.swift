import Bytes
import Foundation
import JSON
import Limits
import Odoo
import Synchronization
import Testing

@testable import OdooSandbox
@testable import Services

/// Every writing service walks its recipe, on both versions, before an Odoo whose answers are the recorded ones where
/// they name no record, and the sandbox's where they do. What it sends must be what the recordings show to work: the
/// same models, methods, kinds of arguments, no field and no member of the context that is in none of them.
@Suite struct RecordedCallTests {
    /// The recordings that show the calls of a service.
    struct Row: Sendable {
        let operation: String
        let numbers: String
        /// Where the versions' numbers are not the same.
        var on17: String?
        /// Calls that no recording shows, and why they are believed to work.
        var unrecorded: [String: String] = [:]
    }

    static let loads = "its `create` is recorded; that `load` answers as recorded, 705 to 713 show for four models"

    static let rows: [Row] = [
        Row(operation: "production-order.create", numbers: "043 709"),
        Row(operation: "production-order.release", numbers: "046"),
        Row(operation: "production-order.reserve", numbers: "048"),
        Row(
            operation: "production-order.change-quantity", numbers: "723", on17: "721",
            unrecorded: ["change.production.qty.change_prod_qty": "the wizard is recorded, its button by reading"]),
        Row(
            operation: "production-order.confirm", numbers: "092 093 102 108 113 117", on17: "092 094 102 113 117",
            unrecorded: [
                "stock.lot.load": loads
            ]),
        Row(
            operation: "production-order.consume", numbers: "108 110",
            unrecorded: [
                "stock.move.load": loads
            ]),
        Row(
            operation: "production-order.unbuild", numbers: "",
            unrecorded: [
                "mrp.unbuild.load": "no unbuild was recorded: by reading `mrp_unbuild.py`",
                "mrp.unbuild.action_validate": "no unbuild was recorded: by reading `mrp_unbuild.py`",
            ]),
        Row(operation: "production-order.cancel", numbers: "123"),
        Row(operation: "production-order.start", numbers: "053"),
        Row(operation: "production-order.pause", numbers: "057"),
        Row(operation: "production-order.finish", numbers: "068"),
        Row(operation: "work-order.start", numbers: "053"),
        Row(operation: "work-order.pause", numbers: "057"),
        Row(operation: "work-order.finish", numbers: "068"),
        Row(
            operation: "work-order.cancel", numbers: "",
            unrecorded: ["mrp.workorder.action_cancel": "no operation was cancelled: by reading `mrp_workorder.py`"]),
        Row(operation: "scrap.report", numbers: "127 128 707"),
        Row(operation: "labour.report", numbers: "059 712"),
        Row(operation: "downtime.report", numbers: "060 063 712"),
        Row(operation: "downtime.close", numbers: "066"),
        Row(
            operation: "transfer.create", numbers: "137 138 140 151",
            unrecorded: ["stock.picking.load": loads, "stock.move.load": loads]),
        Row(operation: "transfer.validate", numbers: "146 151"),
        Row(operation: "inventory.count", numbers: "038 039"),
        Row(operation: "lot.create", numbers: "113", unrecorded: ["stock.lot.load": loads]),
        Row(operation: "maintenance.request", numbers: "159 705"),
        Row(operation: "maintenance.close", numbers: "161"),
        Row(operation: "quality-alert.raise", numbers: "164 165", unrecorded: ["mail.activity.load": loads]),
        Row(
            operation: "quality-alert.close", numbers: "",
            unrecorded: [
                "mail.activity.action_feedback": "no activity was ended: by reading `mail_activity.py`, 16 to 19"
            ]),
        Row(operation: "inspection.record", numbers: "164"),
        Row(
            operation: "lot.hold", numbers: "137 138 146 151",
            unrecorded: ["stock.picking.load": loads, "stock.move.load": loads]),
        Row(
            operation: "lot.release", numbers: "137 138 146 151",
            unrecorded: ["stock.picking.load": loads, "stock.move.load": loads]),
    ]

    /// Fields that a call of ours writes and no recording of that model does, and why.
    static let unrecordedFields: [String: String] = [
        "mrp.production.picking_type_id": "says the warehouse; as in `stock.picking.create` (137)",
        "stock.move.manual_consumption": "read back in 051 and 109; its effect by reading `_set_qty_producing`",
        "stock.move.move_line_ids": "read back in 120 and 141; its commands are those of `move_ids` in 137",
        "maintenance.request.equipment_id": "a reference like any other in `load`; the records are those of 158",
    ]

    static let reads: Set<String> = [
        "read", "search_read", "search_count", "search", "get_metadata", "fields_get", "read_group",
        "formatted_read_group",
    ]

    static func operation(_ scene: WriteScene) -> String? {
        let path = scene.path(1).split(separator: "?")[0]
        guard case .found(let contract, _, _) = Bench.contracts.route(method: "POST", path: path) else { return nil }
        return contract.operation
    }

    @Test func everyWritingServiceHasARow() {
        let written = Bench.contracts.contracts.filter { $0.kind == .write && $0.recipe == nil }.map(\.operation)
        #expect(Set(Self.rows.map(\.operation)) == Set(written))
        for row in Self.rows { #expect(!row.numbers.isEmpty || !row.unrecorded.isEmpty, "\(row.operation)") }
    }

    /// docs/EXACTLY-ONCE.md has the same table: no row more, none less, the same recordings, and a reason where a call is
    /// in none.
    @Test func thePageNamesTheSameRecordings() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/EXACTLY-ONCE.md"), encoding: .utf8)
        let table = page.split(separator: "\n").filter { $0.hasPrefix("| `") && $0.hasSuffix("|") }.map { line in
            line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }.filter { $0.count == 3 && Bench.contracts.operations.contains($0[0].filter { $0 != "`" }) }
        #expect(table.map { $0[0] } == Self.rows.map { "`\($0.operation)`" })
        for (shown, row) in zip(table, Self.rows) {
            let numbers = row.numbers.isEmpty ? "none" : row.numbers + (row.on17.map { " (17: \($0))" } ?? "")
            #expect(shown[1] == numbers, "\(row.operation)")
            #expect(shown[2].isEmpty == row.unrecorded.isEmpty, "\(row.operation): \(shown[2])")
        }
    }

    @Test(arguments: [17, 19]) func whatEveryServiceSendsIsWhatTheRecordingsShow(_ version: Int) async throws {
        var unused: [String: Set<String>] = [:]
        var seenUnrecorded: Set<String> = []
        for row in Self.rows {
            let numbers = (version == 17 ? row.on17 ?? row.numbers : row.numbers).split(separator: " ").map {
                String($0)
            }
            let recordings = RecordedCall.all.filter { $0.version == version && numbers.contains($0.number) }
            #expect(recordings.count == numbers.count, "\(row.operation): \(recordings.map(\.number))")
            unused[row.operation] = Set(numbers)
            let scenes = WriteScene.all.filter { Self.operation($0) == row.operation }
            #expect(!scenes.isEmpty, "\(row.operation) has no scene")
            for scene in scenes {
                let sent = try await Self.play(scene, on: version, recordings)
                #expect(!sent.isEmpty, "\(scene.name) sent nothing")
                // That of the addon is ours, and in no recording.
                for (shape, result) in sent where shape.model != OdooAddon.model {
                    let note = "\(row.operation), \(scene.name), Odoo \(version): \(shape)"
                    guard let hit = Self.find(shape, recordings) else {
                        #expect(row.unrecorded[shape.key] != nil, "no recording shows \(note)")
                        seenUnrecorded.insert(row.operation + " " + shape.key)
                        // What is created is still recorded, where it is.
                        let creates = recordings.filter { $0.shape.model == shape.model && $0.shape.method == "create" }
                        for creation in creates { unused[row.operation]?.remove(creation.number) }
                        continue
                    }
                    for recording in hit { unused[row.operation]?.remove(recording.number) }
                    let fields = hit.reduce(into: Set<String>()) { $0.formUnion($1.shape.fields) }
                    let new = shape.fields.subtracting(fields).filter {
                        Self.unrecordedFields["\(shape.model).\($0)"] == nil
                    }
                    #expect(new.isEmpty, "no recording writes \(new.sorted()): \(note)")
                    let context = hit.reduce(into: Set<String>()) { $0.formUnion($1.shape.context) }
                    #expect(shape.context.isSubset(of: context), "\(note) against \(context.sorted())")
                    #expect(hit.contains { Self.kind($0.result) == Self.kind(result) }, "\(note): \(result)")
                }
            }
        }
        for (operation, numbers) in unused { #expect(numbers.isEmpty, "\(operation) sends nothing like \(numbers)") }
        for row in Self.rows {
            for key in row.unrecorded.keys where version == 19 {
                #expect(seenUnrecorded.contains(row.operation + " " + key), "\(row.operation) does not send \(key)")
            }
        }
    }

    /// The recordings that show this call; for a `load` also the `create` whose fields it takes.
    private static func find(_ shape: CallShape, _ recordings: [RecordedCall]) -> [RecordedCall]? {
        let exact = recordings.filter { $0.shape.key == shape.key && $0.shape.arguments == shape.arguments }
        guard !exact.isEmpty else { return nil }
        guard shape.method == "load" else { return exact }
        return exact + recordings.filter { $0.shape.model == shape.model && $0.shape.method == "create" }
    }

    private static func kind(_ result: Result<JSONValue?, OdooError>) -> String {
        switch result {
        case .failure(let error): return "\(error.kind)"
        case .success(nil), .success(.null): return "nothing"
        case .success(.bool(let bool)): return "\(bool)"
        case .success(.number): return "an id"
        case .success(.array): return "an id"
        case .success(.string): return "text"
        case .success(.object(let object)): return "\(object.keys.sorted())"
        }
    }

    /// What the service sends that may change something, with what it was answered.
    private static func play(
        _ scene: WriteScene, on version: Int, _ recordings: [RecordedCall]
    ) async throws -> [(CallShape, Result<JSONValue?, OdooError>)] {
        let first = try Plant(version)
        defer { first.bench.remove() }
        let id = try await scene.prepare(first)
        let before = try await scene.figure(first, id)
        await first.bench.close()
        let port = ReplayingPort(first.odoo, recordings)
        let bench = try Bench(odoo: port, host: TestHost(since: first.host), directory: first.bench.directory)
        let answer = try await bench.send("POST", scene.path(id), first.filled(scene.body, id), key: "k")
        #expect(answer.status < 300, "\(scene.name): \(answer.text)")
        let last = Plant(host: bench.host, odoo: first.odoo, bench: bench)
        #expect(try await scene.figure(last, id) == scene.after(before), "\(scene.name)")
        await bench.close()
        return port.sent
    }
}

/// Answers from recordings where they name no record, from the sandbox where they do; both decoded by the code that
/// reads a real Odoo's.
private final class ReplayingPort: OdooPort {
    private let sandbox: SandboxPort
    private let recordings: [RecordedCall]
    private let log = Mutex<[(CallShape, Result<JSONValue?, OdooError>)]>([])

    init(_ sandbox: SandboxPort, _ recordings: [RecordedCall]) {
        self.sandbox = sandbox
        self.recordings = recordings
    }

    var sent: [(CallShape, Result<JSONValue?, OdooError>)] { log.withLock { $0 } }

    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion {
        try await sandbox.version(deadline: deadline)
    }

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        var result: Result<JSONValue?, OdooError>
        do throws(OdooError) {
            result = .success(try await sandbox.call(call, admission: admission, deadline: deadline))
        } catch {
            result = .failure(error)
        }
        guard !RecordedCallTests.reads.contains(call.method) else { return try result.get() }
        // As it goes over JSON-RPC, by position, on both versions.
        let endpoint = OdooEndpoint(
            credentials: .jsonRPC(database: "d", user: 2, secret: ""), context: OdooContext(companies: [1]))
        let request = endpoint.request(for: call, id: 1)
        guard let body = try? JSONValue.parse(request.body), let shape = CallShape(path: request.path, body: body)
        else {
            return try result.get()
        }
        log.withLock { $0.append((shape, result)) }
        let recorded = recordings.first { $0.shape.key == shape.key && $0.shape.arguments == shape.arguments }
        switch recorded?.result {
        case .success(nil), .success(.bool):
            // The very answer of the real one.
            if case .success = result, let recorded { result = recorded.result }
        default: break
        }
        return try result.get()
    }
}
