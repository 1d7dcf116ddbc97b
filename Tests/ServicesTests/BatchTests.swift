import Bytes
import Contracts
import Foundation
import JSON
import OdooSandbox
import Store
import Testing

@testable import Services

/// Batches against the sandbox: the order of the lines, their results, and what becomes of them while Odoo is away.
@Suite struct BatchTests {
    @Test(arguments: [1, 2, 3, 7, 100])
    func aStreamIsCutIntoLinesWhereverItsPiecesEnd(_ size: Int) {
        let text = Array("one\r\n\n{}\nlast".utf8)
        var reader = LineReader(position: 5)
        var lines: [String] = []
        var ends: [Int] = []
        for start in stride(from: 0, to: text.count, by: size) {
            reader.feed(Array(text[start..<min(start + size, text.count)]))
            while let line = reader.next() {
                lines.append(String(decoding: line.bytes ?? [], as: UTF8.self))
                ends.append(line.next)
            }
        }
        let last = reader.rest()
        #expect(lines == ["one", "", "{}"])
        #expect(ends == [10, 11, 14])
        #expect(last?.bytes == Array("last".utf8) && last?.next == 18)
        #expect(reader.rest() == nil)
    }

    @Test func aLineThatIsTooLongIsPassedOverInBoundedMemory() {
        var reader = LineReader(position: 0)
        for _ in 0..<100 {
            reader.feed([UInt8](repeating: 120, count: 10_000))
            #expect(reader.next() == nil)
        }
        reader.feed(Array("x\nnext\n".utf8))
        let long = reader.next()
        #expect(long != nil && long?.bytes == nil)
        #expect(long?.next == 1_000_002)
        #expect(reader.next()?.bytes == Array("next".utf8))
    }

    @Test(arguments: [
        ("{", "invalid-input"), ("[]", "is an object"),
        (#"{"operation":"x.y","idempotency_key":"k","input":{}}"#, "names no write"),
        (#"{"operation":"product.read","idempotency_key":"k","input":{}}"#, "names no write"),
        (#"{"operation":"production-order.release","idempotency_key":"k","input":{}}"#, "/input/id: is required"),
        (#"{"operation":"production-order.release","idempotency_key":"","input":{"id":1}}"#, "/idempotency_key"),
        (#"{"operation":"production-order.release","idempotency_key":"a\"b","input":{"id":1}}"#, "/idempotency_key"),
        (#"{"operation":"production-order.release","idempotency_key":"k","input":3}"#, "/input: must be"),
        (#"{"operation":"production-order.release","idempotency_key":"k","input":{"id":1},"more":1}"#, "/more"),
        (
            #"{"operation":"production-order.release","endpoint":"no","idempotency_key":"k","input":{"id":1}}"#,
            "'release'"
        ),
    ])
    func whatIsWrongWithALineIsSaid(_ line: String, _ expected: String) {
        do throws(Problem) {
            _ = try BatchLine(Array(line.utf8), Bench.contracts)
            Issue.record("accepted: \(line)")
        } catch {
            #expect(error.json.text.contains(expected), "\(error.json.text)")
        }
    }

    @Test func parametersOfThePathAndMembersOfTheBodyNeverHaveTheSameName() {
        for contract in Bench.contracts.contracts where contract.kind == .write {
            for endpoint in contract.endpoints {
                let both = Set(endpoint.pathParameters.map(\.name)).intersection(
                    endpoint.body?.members.map(\.name) ?? [])
                #expect(both.isEmpty, "\(contract.operation): \(both)")
            }
        }
    }

    /// A plant with batches whose lines are everybody's.
    private func scene(
        _ version: Int, _ body: (Plant, BatchStore, BatchRunner) async throws -> Void
    ) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let store = try BatchStore(directory: plant.bench.directory + "/batches")
        let bench = plant.bench
        let desk = BatchDesk(
            contracts: { Bench.contracts },
            call: { record, line, number, world in
                var call = ServiceCall(
                    contract: line.contract, endpoint: line.endpoint, captures: line.captures, body: line.body,
                    contentType: Endpoint.json, caller: record.caller, authorize: { Bench.decide($0, nil) },
                    idempotencyKey: line.idempotencyKey, requestID: "\(record.id)-\(number)", traceID: "t",
                    world: world, audit: bench.audit)
                call.admission = .batch
                return .success(call)
            }, finished: { _, _, _, _, _ in }, isStopping: { false })
        let runner = BatchRunner(store: store, runner: bench.runner, desk: desk)
        bench.runner.batches = runner
        try await body(plant, store, runner)
        await store.close()
    }

    private func bring(_ lines: [String], _ store: BatchStore, id: String = "BATCH-0001") async throws -> BatchRecord {
        let text = Array(lines.joined(separator: "\n").utf8)
        let record = BatchRecord(
            id: id, caller: "https://id|mes", idempotencyKey: id, createdAt: WallInstant(seconds: TestHost.epoch),
            context: .null)
        _ = try await store.open(record, offset: nil)
        try await store.write(id, at: 0, text)
        defer { store.release(id) }
        return try await store.received(id, total: text.count, now: record.createdAt).record
    }

    private func completed(_ id: String, _ store: BatchStore) async throws -> [JSONValue] {
        while store.record(id)?.state != .completed { await Task.yield() }
        let page = try await store.results(id, after: 0, limit: 10_000, bytesMax: 1 << 24)
        return try page.bytes.split(separator: 10).map { try JSONValue.parse(Array($0)) }
    }

    @Test(arguments: [17, 19]) func linesAreCarriedOutInTheirOrderEachWithItsResult(_ version: Int) async throws {
        try await scene(version) { plant, store, runner in
            let order = try await plant.order("PUMP-100", "draft")
            let release = #"{"operation":"production-order.release","idempotency_key":"1","input":{"id":\#(order)}}"#
            let confirm =
                #"{"operation":"production-order.confirm","idempotency_key":"2","input":{"id":\#(order),"quantity":2}}"#
            let batch = try await bring(
                [confirm.replacing("\"2\"", with: "\"0\""), release, confirm, confirm, "  "], store)
            #expect(batch.lines == 5)
            runner.submit(batch.id, plant.bench.world)
            let results = try await completed(batch.id, store)
            #expect(results.map { $0["outcome"] } == ["refused", "applied", "applied", "applied"])
            #expect(results.map { $0["line"]?.int } == [1, 2, 3, 4])
            #expect(results[2]["operation_id"] == results[3]["operation_id"])
            #expect(results[2]["answer"]?["order"]?["quantity_produced"]?.int == 2)
            for result in results {
                let violations = Bench.contracts["batch.read"]?[endpoint: "results"]?.output.validate(result) ?? []
                #expect(violations.isEmpty, "\(violations)")
            }
            let one = try await plant.bench.send("GET", "/v1/batches/\(batch.id)")
            #expect(one.json["state"] == "completed" && one.json["applied"]?.int == 3, "\(one.text)")
            let page = try await plant.bench.send("GET", "/v1/batches/\(batch.id)/results?after=3") { _ in }
            #expect(page.contentType == "application/x-ndjson")
            #expect(page.json["line"]?.int == 4)
            let other = try await plant.bench.send("GET", "/v1/batches/\(batch.id)", caller: "https://id|x", sites: [])
            #expect(other.status == 404)
        }
    }

    @Test func whileOdooIsAwayALineWaitsAndTheOthersBehindIt() async throws {
        try await scene(19) { plant, store, runner in
            let lines = (1...3).map {
                #"{"operation":"production-order.create","idempotency_key":"\#($0)","input":{"product_code":"PUMP-100","quantity":\#($0),"site":"plant-1"}}"#
            }
            plant.odoo.goAway()
            let batch = try await bring(lines, store)
            runner.submit(batch.id, plant.bench.world)
            while plant.host.sleeps.count < 3 { await Task.yield() }
            #expect(store.record(batch.id)?.lastLine == 0)
            plant.odoo.goAway(false)
            let results = try await completed(batch.id, store)
            #expect(results.map { $0["answer"]?["quantity"]?.int } == [1, 2, 3])
        }
    }

    @Test func aLineWhoseAnswerIsLostIsFoundOutAndDoneOnce() async throws {
        try await scene(19) { plant, store, runner in
            plant.odoo.sandbox.inject(SandboxFault(match: "stock.scrap.action_validate", kind: .closeAfterEffect))
            let before = try await plant.stock("SCREW-M6", "plant-1")
            let line =
                #"{"operation":"scrap.report","idempotency_key":"s","input":{"product_code":"SCREW-M6","quantity":4,"site":"plant-1"}}"#
            let batch = try await bring([line], store)
            runner.submit(batch.id, plant.bench.world)
            let results = try await completed(batch.id, store)
            #expect(results[0]["outcome"] == "applied", "\(results)")
            #expect(try await plant.stock("SCREW-M6", "plant-1") == before - ExactDecimal(4))
        }
    }
}
