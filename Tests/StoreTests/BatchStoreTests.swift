import Bytes
import Foundation
import JSON
import Testing

@testable import Store

/// Batches on the disk: what came is kept, compared and found again after a crash.
@Suite struct BatchStoreTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
        "batches-" + UUID().uuidString
    )
    .path
    private let now = WallInstant(seconds: 1_795_500_000)

    private func record(_ id: String = "B1", key: String = "k") -> BatchRecord {
        BatchRecord(id: id, caller: "iss|mes", idempotencyKey: key, createdAt: now, context: ["a": 1])
    }

    private func scene(
        _ change: (inout BatchLimits) -> Void = { _ in }, _ body: (BatchStore) async throws -> Void
    ) async throws {
        var limits = BatchLimits()
        change(&limits)
        let store = try BatchStore(directory: directory, limits: limits)
        try await body(store)
        await store.close()
    }

    private func refusal(_ body: () async throws -> Void) async -> BatchRefusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? BatchRefusal
        }
    }

    @Test func whatCameIsThereAfterARestart() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await scene { store in
            let opened = try await store.open(record(), offset: nil)
            #expect(opened.position == 0)
            try await store.write("B1", at: 0, Array("one\ntw".utf8))
        }
        try await scene { store in
            #expect(store.record("B1")?.receivedBytes == 6)
            #expect(await refusal { _ = try await store.open(record("B2"), offset: 3) } == .offset(received: 6))
            let again = try await store.open(record("B2"), offset: 6)
            #expect(again.record.id == "B1" && again.position == 6)
            #expect(await refusal { _ = try await store.open(record("B3"), offset: nil) } == .busy)
            try await store.write("B1", at: 6, Array("o\nthree".utf8))
            let done = try await store.received("B1", total: 13, now: now)
            #expect(done.record.lines == 3 && !done.isRepetition)
            store.release("B1")
        }
        try await scene { store in
            #expect(store.unfinished().map(\.id) == ["B1"])
            #expect(store.record("B1")?.context == ["a": 1])
            // Sent again from the beginning it is compared.
            _ = try await store.open(record("B4"), offset: nil)
            try await store.write("B1", at: 0, Array("one\n".utf8))
            try await store.write("B1", at: 4, Array("two\nthree".utf8))
            #expect(try await store.received("B1", total: 13, now: now).isRepetition)
            #expect(await refusal { try await store.write("B1", at: 0, Array("onE".utf8)) } == .differs)
            #expect(await refusal { try await store.write("B1", at: 13, Array("more".utf8)) } == .differs)
            #expect(await refusal { _ = try await store.received("B1", total: 4, now: now) } == .differs)
        }
    }

    @Test func aResultThatWasCutOffIsDoneAgainAndNoOther() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func line(_ number: Int, _ outcome: String) -> [UInt8] {
            Array((BatchResults.head(number, outcome) + ",\"answer\":{}}\n").utf8)
        }
        try await scene { store in
            _ = try await store.open(record(), offset: nil)
            try await store.write("B1", at: 0, Array("a\nbb\nccc\n".utf8))
            _ = try await store.received("B1", total: 9, now: now)
            try await store.append("B1", number: 1, outcome: "applied", line(1, "applied"), next: 2, now: now)
            try await store.append("B1", number: 2, outcome: "refused", line(2, "refused"), next: 5, now: now)
        }
        let file = directory + "/B1/results.ndjson"
        let torn = try #require(FileHandle(forWritingAtPath: file))
        try torn.seekToEnd()
        try torn.write(contentsOf: Data(#"{"line":3,"outco"#.utf8))
        try torn.close()
        try await scene { store in
            let found = try #require(store.record("B1"))
            #expect(found.lastLine == 2 && found.inputOffset == 5)
            #expect(found.outcomes == ["applied": 1, "refused": 1])
            try await store.append("B1", number: 3, outcome: "applied", line(3, "applied"), next: 9, now: now)
            try await store.complete("B1", now: now)
            let page = try await store.results("B1", after: 1, limit: 1, bytesMax: 1_000)
            #expect(page.bytes == line(2, "refused") && page.last == 2 && page.hasMore)
            let rest = try await store.results("B1", after: 2, limit: 10, bytesMax: 1_000)
            #expect(rest.bytes == line(3, "applied") && !rest.hasMore)
            #expect(try await store.results("B1", after: 3, limit: 10, bytesMax: 1_000).bytes.isEmpty)
        }
        try await scene { store in
            #expect(store.record("B1")?.state == .completed)
            #expect(store.unfinished().isEmpty)
            try await store.purge(completedBefore: now + .seconds(1), leftBefore: now)
            #expect(store.record("B1") == nil)
            #expect(store.counts.bytes == 0)
        }
    }

    @Test func pagesOfManyResultsFollowEachOther() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await scene { store in
            _ = try await store.open(record(), offset: nil)
            try await store.write("B1", at: 0, [UInt8](repeating: 10, count: 1_000))
            _ = try await store.received("B1", total: 1_000, now: now)
            for number in stride(from: 2, through: 1_000, by: 2) {
                let line = Array((BatchResults.head(number, "applied") + "}\n").utf8)
                try await store.append("B1", number: number, outcome: "applied", line, next: number, now: now)
            }
            var seen = 0
            var last = 0
            while true {
                let page = try await store.results("B1", after: last, limit: 77, bytesMax: 1 << 20)
                seen += page.count
                #expect(page.last > last || !page.hasMore)
                last = page.last
                if !page.hasMore { break }
            }
            #expect(seen == 500 && last == 1_000)
        }
    }

    @Test func theLimitsHold() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await scene({
            $0.bytesMax = 10
            $0.openPerCallerMax = 2
            $0.diskBytesMax = 12
        }) { store in
            _ = try await store.open(record(), offset: nil)
            #expect(await refusal { try await store.write("B1", at: 0, Array("12345678901".utf8)) } == .tooLarge)
            try await store.write("B1", at: 0, Array("1234567890".utf8))
            _ = try await store.open(record("B2", key: "k2"), offset: nil)
            #expect(await refusal { _ = try await store.open(record("B3", key: "k3"), offset: nil) } == .tooMany)
            #expect(await refusal { try await store.write("B2", at: 0, Array("123".utf8)) } == .full)
            await store.discard("B1")
            try await store.write("B2", at: 0, Array("123".utf8))
            #expect(store.counts.bytes == 3)
        }
    }
}
