import Bytes
import Foundation
import Glibc
import Testing

@testable import Store

@Suite struct LedgerFaultTests {
    @Test func aFullDiskRefusesWritesKeepsWhatWasAcknowledgedAndServesReads() async throws {
        let directory = try TemporaryDirectory()
        let ledger = try Ledger(directory: directory.path, pageMax: 60)
        let body = String(repeating: "x", count: 2_000)
        var acknowledged: [String] = []
        var refusal: StoreError?
        for i in 0..<200 {
            do throws(StoreError) {
                _ = try await ledger.accept(newOperation("o\(i)", body: body))
                acknowledged.append("o\(i)")
            } catch {
                refusal = error
                break
            }
        }
        #expect(refusal == .diskFull)
        #expect(acknowledged.count > 10)
        #expect(try await ledger.list(limit: 1_000).map(\.id) == acknowledged)
        #expect(ledger.count(of: .accepted) == acknowledged.count)
        await #expect(throws: StoreError.diskFull) {
            try await ledger.accept(newOperation("more", body: body))
        }
        // Room again: the ledger goes on without being opened anew.
        try await ledger.onWriter { database throws(StoreError) in
            try database.execute("PRAGMA max_page_count = 10000")
        }
        guard case .accepted = try await ledger.accept(newOperation("more", body: body)) else {
            Issue.record("not accepted after there was room")
            return
        }
        await ledger.close()
        let reopened = try Ledger(directory: directory.path)
        #expect(try await reopened.list(limit: 1_000).map(\.id) == acknowledged + ["more"])
        await reopened.close()
    }

    @Test func afterAFailureInABatchEveryAcknowledgedOperationIsThereAndNoOther() async throws {
        let directory = try TemporaryDirectory()
        let ledger = try Ledger(directory: directory.path, pageMax: 80)
        let body = String(repeating: "x", count: 1_500)
        let acknowledged = await withTaskGroup(of: String?.self) { group in
            for i in 0..<300 {
                group.addTask {
                    let result = try? await ledger.accept(newOperation("o\(i)", body: body))
                    return result == nil ? nil : "o\(i)"
                }
            }
            return await group.reduce(into: Set<String>()) { if let id = $1 { $0.insert(id) } }
        }
        let stored = Set(try await ledger.list(limit: 1_000).map(\.id))
        #expect(stored == acknowledged)
        #expect(stored.count < 300)
        await ledger.close()
    }

    /// At any moment the files are what `kill -9` would leave: copied between two statements of the writer, with a
    /// transaction open, and opened elsewhere.
    @Test func aCopyMadeAtAnyMomentHoldsEveryAcknowledgedChange() async throws {
        let directory = try TemporaryDirectory()
        let ledger = try Ledger(directory: directory.path)
        let acknowledged = Monitor<[String: OperationState]>([:])
        let writing = Task {
            await withTaskGroup { group in
                for task in 0..<16 {
                    group.addTask {
                        for i in 0..<60 {
                            let id = "t\(task)-\(i)"
                            guard (try? await ledger.accept(newOperation(id))) != nil else { return }
                            acknowledged.withLock { $0[id] = .accepted }
                            for state in [OperationState.dispatched, i % 2 == 0 ? .applied : .unknown] {
                                guard (try? await ledger.advance(id, to: state)) != nil else { return }
                                acknowledged.withLock { $0[id] = state }
                            }
                        }
                    }
                }
            }
        }
        for _ in 0..<12 {
            try await Task.sleep(for: .milliseconds(5))
            let copy = try TemporaryDirectory()
            let expected = try await ledger.onWriter { _ throws(StoreError) in
                let expected = acknowledged.withLock { $0 }
                for name in ["ledger.sqlite3", "ledger.sqlite3-wal"] {
                    try? FileManager.default.copyItem(atPath: directory.file(name), toPath: copy.file(name))
                }
                return expected
            }
            let reopened = try Ledger(directory: copy.path)
            for (id, state) in expected {
                let found = try await reopened.operation(id)?.state
                // What was committed and not yet acknowledged may be further.
                #expect(
                    found == state || found.map { state.mayBecome($0) } ?? false || found?.isFinal ?? false, "\(id)")
            }
            await reopened.close()
        }
        await writing.value
        await ledger.close()
    }

    /// The real thing: a process that is killed while it writes, and has told what was acknowledged to a file.
    @Test func afterKillNineEveryAcknowledgedOperationIsThere() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let ledger = try Ledger(directory: path)
            let told = Glibc.open(path + "/told", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            await withTaskGroup { group in
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(120))
                    kill(getpid(), SIGKILL)
                }
                for task in 0..<8 {
                    group.addTask {
                        for i in 0..<100_000 {
                            let id = "t\(task)-\(i)"
                            guard (try? await ledger.accept(newOperation(id))) != nil else { return }
                            let line = "\(id) "
                            _ = write(told, line, line.utf8.count)
                        }
                    }
                }
            }
        }
        let told = String(decoding: FileManager.default.contents(atPath: path + "/told") ?? Data(), as: UTF8.self)
        let ids = told.split(separator: " ").map(String.init)
        #expect(ids.count > 10)
        let ledger = try Ledger(directory: path)
        for id in ids { #expect(try await ledger.operation(id)?.state == .accepted) }
        #expect(ledger.count(of: .accepted) >= ids.count)
        await ledger.close()
    }

    @Test func aFileThatIsNoDatabaseIsCorruptAndALaterOneIsNotTouched() async throws {
        let directory = try TemporaryDirectory()
        try Data(repeating: 65, count: 8_192).write(to: URL(fileURLWithPath: directory.file("ledger.sqlite3")))
        #expect(throws: StoreError.corrupt("file is not a database")) { try Ledger(directory: directory.path) }

        let later = try TemporaryDirectory()
        let ledger = try Ledger(directory: later.path)
        try await ledger.onWriter { database throws(StoreError) in try database.execute("PRAGMA user_version = 99") }
        await ledger.close()
        #expect(throws: StoreError.newerVersion(found: 99, known: LedgerSchema.version)) {
            try Ledger(directory: later.path)
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsAnErrorNotACrash() {
        #expect(throws: StoreError.self) { try Ledger(directory: "/proc/nothing/here") }
    }

    @Test func throughputIsPrinted() async throws {
        let directory = try TemporaryDirectory()
        let ledger = try Ledger(directory: directory.path)
        let start = SystemClock.monotonic()
        await withTaskGroup { group in
            for task in 0..<64 {
                group.addTask { for i in 0..<40 { _ = try? await ledger.accept(newOperation("t\(task)-\(i)")) } }
            }
        }
        let seconds = Double(SystemClock.monotonic() - start) / 1e9
        #expect(ledger.count(of: .accepted) == 64 * 40)
        print("ledger: \(Int(64 * 40 / seconds)) accepts a second from 64 tasks")
        await ledger.close()
    }
}
