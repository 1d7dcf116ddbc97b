import Audit
import Bytes
import Foundation
import Glibc
import Testing

@testable import Store

/// A disk with so many bytes left, or none at all any more.
private final class SmallDisk: Sendable {
    let left: Monitor<Int>
    let syncFails = Monitor(false)
    init(left: Int) { self.left = Monitor(left) }

    var operations: Disk {
        Disk(
            write: { [self] descriptor, bytes, offset in
                let allowed = left.withLock { left -> Int in
                    let n = min(left, bytes.count)
                    left -= n
                    return n
                }
                if allowed == 0 { return -Int(ENOSPC) }
                return Disk.real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<allowed]), offset)
            },
            sync: { [self] descriptor in
                syncFails.withLock { $0 } ? EIO : Disk.real.sync(descriptor)
            })
    }
}

@Suite struct LogFaultTests {
    let bench: LogBench

    init() throws { bench = try LogBench() }

    @Test func aFullDiskFailsWhoWaitsKeepsWhatDoesNotAndRecovers() async throws {
        var bench = self.bench
        let disk = SmallDisk(left: 1 << 20)
        bench.configuration.disk = disk.operations
        let log = try bench.open()
        try await log.appendDurably(line("before"))
        disk.left.withLock { $0 = 50 }
        await #expect(throws: StoreError.diskFull) { try await log.appendDurably(line("refused")) }
        #expect(log.status.failure == .diskFull)
        await #expect(throws: StoreError.diskFull) { try await log.appendDurably(line("refused too")) }
        for i in 0..<5 { #expect(log.submit(line("kept \(i)"))) }
        #expect(try bench.names() == ["before"])
        disk.left.withLock { $0 = 1 << 20 }
        #expect(try await eventually { log.status.failure == nil })
        try await log.appendDurably(line("after"))
        #expect(try bench.names() == ["before"] + (0..<5).map { "kept \($0)" } + ["after"])
        let report = try bench.verify()
        #expect(report.isIntact, "\(report.findings)")
        #expect(try bench.text().contains("writing failed"))
        #expect(log.status.failures > 0)
        await log.close()
    }

    @Test func aFailedSyncIsAFailedWrite() async throws {
        var bench = self.bench
        let disk = SmallDisk(left: .max)
        bench.configuration.disk = disk.operations
        let log = try bench.open()
        disk.syncFails.withLock { $0 = true }
        #expect(log.submit(line("plain")))
        await #expect(throws: StoreError.self) { try await log.appendDurably(line("refused")) }
        guard case .io(let number, _)? = log.status.failure else {
            Issue.record("\(String(describing: log.status.failure))")
            return
        }
        #expect(number == EIO)
        disk.syncFails.withLock { $0 = false }
        #expect(try await eventually { log.status.failure == nil })
        try await log.flush()
        #expect(try bench.names() == ["plain"])
        #expect(try bench.verify().isIntact)
        await log.close()
    }

    @Test func aDiskThatTakesAFewBytesAtATimeIsNoFault() async throws {
        var bench = self.bench
        bench.configuration.disk = Disk(
            write: { descriptor, bytes, offset in
                let some = UnsafeRawBufferPointer(rebasing: bytes[..<min(7, bytes.count)])
                return Disk.real.write(descriptor, some, offset)
            }, sync: Disk.real.sync)
        let log = try bench.open()
        for i in 0..<20 { try await log.appendDurably(line("n\(i)")) }
        #expect(try bench.verify().isIntact)
        #expect(try bench.names().count == 20)
        await log.close()
    }

    @Test func theBacklogIsBounded() async throws {
        var bench = self.bench
        let gate = Monitor(false)
        bench.configuration.backlogBytesMax = 10_000
        bench.configuration.disk = Disk(
            write: { descriptor, bytes, offset in
                gate.sleep { closed in closed ? .wait(until: nil) : .done(()) }
                return Disk.real.write(descriptor, bytes, offset)
            }, sync: Disk.real.sync)
        let log = try bench.open()
        gate.withLock { $0 = true }
        var taken = 0
        for i in 0..<5_000 where log.submit(line("line number \(i)")) { taken += 1 }
        #expect(taken > 100)
        #expect(taken < 1_000)
        #expect(log.status.backlogBytes <= 10_000)
        #expect(log.status.linesRefused == 5_000 - taken)
        await #expect(throws: StoreError.overloaded) {
            try await log.appendDurably(line(String(repeating: "x", count: 9_990)))
        }
        gate.withLock { $0 = false }
        gate.wake()
        try await log.flush()
        #expect(try bench.names().count == taken)
        await log.close()
    }

    @Test func linesThatACrashLeftUnfinishedAreCutOffAndNoted() async throws {
        let log = try bench.open()
        for i in 0..<5 { try await log.appendDurably(line("n\(i)")) }
        await log.close()
        let whole = try bench.read("audit-00000001.jsonl")
        let rests = [
            Array("{\"n\":\"half".utf8), [UInt8](repeating: 0, count: 4_096), line("whole, but never chained"),
            line("one") + Array("{".utf8),
        ]
        for rest in rests {
            try bench.write(whole + rest, to: "audit-00000001.jsonl")
            let head = try bench.read("audit.head")
            let again = try bench.open()
            await again.close()
            let report = try bench.verify()
            #expect(report.isIntact, "\(report.findings)")
            #expect(try bench.text().contains("\(rest.count) bytes of an unfinished write were removed"))
            #expect(try bench.names() == (0..<5).map { "n\($0)" })
            try bench.write(head, to: "audit.head")
        }
    }

    @Test func whatNoCrashCanLeaveIsNotOpened() async throws {
        var bench = self.bench
        bench.configuration.segmentBytesMax = 1_500
        let log = try bench.open()
        for i in 0..<12 { try await log.appendDurably(line("n\(i)")) }
        await log.close()
        let last = AuditSegment.fileName(try #require(try bench.segments.last))
        let (whole, head) = (try bench.read(last), try bench.read("audit.head"))

        func refuses(_ what: String) {
            #expect(what.isEmpty == false)
            do throws(StoreError) {
                _ = try bench.open()
                Issue.record("opened: \(what)")
            } catch {
                guard case .corrupt(let why) = error else {
                    Issue.record("\(what): \(error)")
                    return
                }
                #expect(why.contains("audit verify"))
            }
        }
        try bench.write(Array(whole.dropLast(30)), to: last)
        refuses("cut within the last line")
        try bench.write([], to: last)
        refuses("emptied")
        var changed = whole
        changed[changed.count / 2] ^= 1
        try bench.write(changed, to: last)
        refuses("changed")
        try bench.write(whole, to: last)
        try bench.write(Array(head.reversed()), to: "audit.head")
        refuses("head damaged")
        try FileManager.default.removeItem(atPath: bench.directory.file("audit.head"))
        refuses("head gone")
        try bench.write(head, to: "audit.head")
        for number in try bench.segments {
            try FileManager.default.moveItem(
                atPath: bench.directory.file(AuditSegment.fileName(number)),
                toPath: bench.directory.file("away-\(number)"))
        }
        refuses("segments gone")
        for (number, _) in try FileManager.default.contentsOfDirectory(atPath: bench.directory.path)
            .filter({ $0.hasPrefix("away-") }).map({ (Int($0.dropFirst(5)) ?? 0, $0) })
        {
            try FileManager.default.moveItem(
                atPath: bench.directory.file("away-\(number)"),
                toPath: bench.directory.file(AuditSegment.fileName(number)))
        }
        // And as it was, it opens.
        await (try bench.open()).close()
        #expect(try bench.verify().isIntact)
    }

    /// A disk that stops for good after so many bytes is what a crash leaves; every place is tried, rotations included.
    @Test func afterACrashAtAnyByteTheLogOpensAndHoldsWhatWasAcknowledged() async throws {
        for bytes in stride(from: 0, through: 9_000, by: 61) {
            var bench = try LogBench()
            bench.configuration.segmentBytesMax = 900
            bench.configuration.retryInterval = .seconds(60)
            var broken = bench
            broken.configuration.disk = SmallDisk(left: bytes).operations
            var acknowledged: [String] = []
            if let log = try? broken.open() {
                for i in 0..<10 where (try? await log.appendDurably(line("n\(i)"))) != nil {
                    acknowledged.append("n\(i)")
                }
                await log.close()
            }
            let again = try bench.open()
            try await again.appendDurably(line("again"))
            await again.close()
            let report = try bench.verify()
            #expect(report.isIntact, "after \(bytes) bytes: \(report.findings)")
            let names = try bench.names()
            #expect(Array(names.prefix(acknowledged.count)) == acknowledged, "after \(bytes) bytes")
            #expect(names.last == "again")
        }
    }

    /// The real thing: a process that is killed while it writes, and has told what was acknowledged to a file.
    @Test func afterKillNineEveryAcknowledgedLineIsThere() async throws {
        let path = bench.directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            var configuration = AppendLog.Configuration(directory: path, key: LogBench.key(1))
            configuration.segmentBytesMax = 50_000
            let log = try AppendLog(configuration)
            let told = Glibc.open(path + "/told", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            await withTaskGroup { group in
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(120))
                    kill(getpid(), SIGKILL)
                }
                for task in 0..<8 {
                    group.addTask {
                        for i in 0..<1_000_000 {
                            _ = log.submit(line("plain"))
                            guard (try? await log.appendDurably(line("\(task)-\(i)"))) != nil else { return }
                            let name = "\(task)-\(i) "
                            _ = write(told, name, name.utf8.count)
                        }
                    }
                }
            }
        }
        let told = String(decoding: try bench.read("told"), as: UTF8.self).split(separator: " ").map(String.init)
        #expect(told.count > 10)
        let before = try bench.verify()
        #expect(before.isIntact, "\(before.findings)")
        await (try bench.open()).close()
        let after = try bench.verify()
        #expect(after.isIntact, "\(after.findings)")
        let names = Set(try bench.names())
        #expect(told.allSatisfy(names.contains))
    }
}
