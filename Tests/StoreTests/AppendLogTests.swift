import Audit
import Bytes
import Foundation
import Testing

@testable import Store

@Suite struct AppendLogTests {
    let bench: LogBench

    init() throws { bench = try LogBench() }

    @Test func aLineThatWasWaitedForIsOnDiskNumberedAndChained() async throws {
        let log = try bench.open()
        var entry = AuditEntry(time: WallInstant(seconds: 1_790_000_000), kind: .intent, requestID: "r1")
        entry.records = ["mrp.production,17"]
        try await log.appendDurably(entry)
        let text = try bench.text()
        #expect(text.contains("\"kind\":\"intent\",\"request\":\"r1\",\"records\":[\"mrp.production,17\"],\"seq\":3,"))
        let report = try bench.verify()
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.lines == 3)
        #expect(log.status.sequence == 3)
        #expect(log.status.failure == nil)
        for name in try FileManager.default.contentsOfDirectory(atPath: bench.directory.path) {
            #expect(try bench.directory.mode(name) == 0o600, "\(name)")
        }
        await log.close()
    }

    @Test func plainLinesAreWrittenSoonWithoutAnybodyWaiting() async throws {
        let log = try bench.open()
        let buffer = IOBuffer(capacity: 64)
        for i in 0..<10 {
            buffer.clear()
            buffer.append(copying: line("p\(i)").span)
            #expect(log.submit(buffer))
        }
        #expect(try await eventually { try bench.names().count == 10 })
        #expect(try bench.names() == (0..<10).map { "p\($0)" })
        #expect(log.submit([UInt8]()))
        await log.close()
        #expect(!log.submit(line("late")))
        await #expect(throws: StoreError.closed) { try await log.flush() }
    }

    @Test func linesOfManyThreadsAreThereOnceAndInTheirOrder() async throws {
        var bench = self.bench
        bench.configuration.segmentBytesMax = 20_000
        let log = try bench.open()
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for i in 0..<200 {
                        if i % 10 == 9 {
                            try? await log.appendDurably(line("\(task)-\(i)"))
                        } else {
                            _ = log.submit(line("\(task)-\(i)"))
                        }
                    }
                }
            }
        }
        try await log.flush()
        let report = try bench.verify()
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.segments > 3)
        let names = try bench.names()
        #expect(names.count == 1_600)
        for task in 0..<8 {
            let mine = names.filter { $0.hasPrefix("\(task)-") }
            #expect(mine == (0..<200).map { "\(task)-\($0)" })
        }
        await log.close()
    }

    @Test func aSegmentIsSealedWhenItIsOld() async throws {
        var bench = self.bench
        let clock = Monitor(WallInstant(seconds: 1_790_000_000))
        bench.configuration.now = { clock.withLock { $0 } }
        bench.configuration.segmentAgeMax = .hours(1)
        let log = try bench.open()
        try await log.appendDurably(line("a"))
        clock.withLock { $0 = $0 + .minutes(61) }
        try await log.appendDurably(line("b"))
        #expect(try bench.segments == [1, 2])
        #expect(try bench.verify().isIntact)
        await log.close()
        clock.withLock { $0 = $0 + .minutes(61) }
        let again = try bench.open()
        #expect(try bench.segments == [1, 2, 3])
        await again.close()
    }

    @Test func theChainGoesOnAfterReopening() async throws {
        var bench = self.bench
        bench.configuration.segmentBytesMax = 2_000
        for round in 0..<6 {
            let log = try bench.open()
            for i in 0..<5 { try await log.appendDurably(line("\(round)-\(i)")) }
            await log.close()
        }
        let report = try bench.verify()
        #expect(report.isIntact, "\(report.findings)")
        #expect(try bench.names().count == 30)
        #expect(report.segments > 2)
    }

    @Test func aNewKeyBeginsANewSegment() async throws {
        let log = try bench.open()
        try await log.appendDurably(line("a"))
        await log.close()
        var renewed = bench
        renewed.configuration.key = LogBench.key(2)
        #expect(throws: StoreError.self) { try renewed.open() }
        renewed.configuration.formerKeys = [LogBench.key(1)]
        let again = try renewed.open()
        try await again.appendDurably(line("b"))
        await again.close()
        #expect(try renewed.segments == [1, 2])
        let report = try renewed.verify()
        #expect(report.isIntact, "\(report.findings)")
        #expect(try !bench.verify().isIntact)
    }

    @Test func onlyOneMayWrite() async throws {
        let log = try bench.open()
        #expect(throws: StoreError.busy(bench.directory.file("audit.lock"))) { try bench.open() }
        await log.close()
        await (try bench.open()).close()
    }

    @Test func aLogThatIsBeingWrittenVerifies() async throws {
        var bench = self.bench
        bench.configuration.segmentBytesMax = 10_000
        let log = try bench.open()
        let writing = Task { for i in 0..<400 { try await log.appendDurably(line("n\(i)")) } }
        for _ in 0..<10 {
            let report = try bench.verify()
            #expect(report.isIntact, "\(report.findings)")
        }
        try await writing.value
        await log.close()
    }

    @Test func linesThatAreNoObjectsAreDroppedAndCounted() async throws {
        let log = try bench.open()
        try await log.appendDurably(Array("{}\nnonsense\n\n{\"n\":\"good\"}\n{\"n\":\"cut\"}".utf8))
        #expect(try bench.names() == ["good"])
        #expect(log.status.linesMalformed == 4)
        #expect(try bench.verify().isIntact)
        await log.close()
    }

    @Test func throughputIsPrinted() async throws {
        let log = try bench.open()
        let entry = Array(
            "{\"time\":\"2026-11-24T03:00:00.000Z\",\"detail\":\"\(String(repeating: "x", count: 400))\"}\n".utf8)
        var start = SystemClock.monotonic()
        for _ in 0..<50_000 {
            while !log.submit(entry) { try await Task.sleep(for: .milliseconds(1)) }
        }
        try await log.flush()
        var seconds = Double(SystemClock.monotonic() - start) / 1e9
        print("audit log: \(Int(50_000 / seconds)) plain lines of 450 bytes a second")
        start = SystemClock.monotonic()
        await withTaskGroup { group in
            for _ in 0..<64 { group.addTask { for _ in 0..<40 { try? await log.appendDurably(entry) } } }
        }
        seconds = Double(SystemClock.monotonic() - start) / 1e9
        print("audit log: \(Int(64 * 40 / seconds)) waited-for lines a second from 64 tasks")
        #expect(log.status.sequence == 50_000 + 64 * 40 + 2)
        await log.close()
    }
}
