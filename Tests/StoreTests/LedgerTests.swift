import Bytes
import Foundation
import Testing

@testable import Store

func newOperation(
    _ id: String, key: String? = nil, caller: String = "https://id|mes", body: String = "{\"qty\":1}"
) -> NewOperation {
    NewOperation(
        id: id, idempotencyKey: key ?? "key-" + id, caller: caller, operation: "production-order.confirm",
        bodyDigest: Array(body.utf8.reversed()), body: Array(body.utf8), resource: "mrp.production,17",
        traceID: "4bf92f3577b34da6a3ce929d0e0e4736", acceptedAt: WallInstant(seconds: 1_790_000_000))
}

@Suite struct LedgerTests {
    let directory: TemporaryDirectory
    let ledger: Ledger
    let answer = StoredAnswer(status: 200, contentType: "application/json", body: Array("{\"done\":true}".utf8))

    init() throws {
        directory = try TemporaryDirectory()
        ledger = try Ledger(directory: directory.path, now: { WallInstant(seconds: 1_790_000_100) })
    }

    @Test func aNewOperationIsAcceptedAsItIs() async throws {
        let new = newOperation("a")
        guard case .accepted(let record) = try await ledger.accept(new) else {
            Issue.record("not accepted")
            return
        }
        #expect(record.request == new)
        #expect(record.state == .accepted)
        #expect(try await ledger.operation("a") == record)
        #expect(try await ledger.operation("b") == nil)
    }

    @Test func theSameKeyAgainIsInFlightThenReplayed() async throws {
        _ = try await ledger.accept(newOperation("a", key: "k"))
        guard case .inFlight(let first) = try await ledger.accept(newOperation("b", key: "k")) else {
            Issue.record("not in flight")
            return
        }
        #expect(first.id == "a")
        try await ledger.advance("a", to: .dispatched, step: "{\"call\":\"action_confirm\"}")
        guard case .inFlight = try await ledger.accept(newOperation("c", key: "k")) else {
            Issue.record("not in flight while dispatched")
            return
        }
        try await ledger.advance("a", to: .applied, records: ["mrp.production,17"], answer: answer)
        guard case .replay(let record) = try await ledger.accept(newOperation("d", key: "k")) else {
            Issue.record("not replayed")
            return
        }
        #expect(record.answer == answer)
        #expect(record.id == "a")
        #expect(try await ledger.list().count == 1)
    }

    @Test func anUnknownOutcomeWithAnAnswerIsReplayedAndNeverStartedAgain() async throws {
        _ = try await ledger.accept(newOperation("a", key: "k"))
        try await ledger.advance("a", to: .dispatched)
        let pending = StoredAnswer(status: 504, contentType: "application/problem+json", body: [])
        try await ledger.advance("a", to: .unknown, answer: pending)
        guard case .replay(let record) = try await ledger.accept(newOperation("b", key: "k")) else {
            Issue.record("not replayed")
            return
        }
        #expect(record.state == .unknown)
        #expect(record.answer == pending)
        try await ledger.advance("a", to: .settled, answer: answer)
        #expect(try await ledger.operation("a")?.answer == answer)
    }

    @Test func theSameKeyWithAnotherBodyIsAMismatch() async throws {
        _ = try await ledger.accept(newOperation("a", key: "k"))
        let other = newOperation("b", key: "k", body: "{\"qty\":2}")
        guard case .mismatch(let record) = try await ledger.accept(other) else {
            Issue.record("no mismatch")
            return
        }
        #expect(record.id == "a")
        #expect(try await ledger.operation("b") == nil)
    }

    @Test func keysOfDifferentCallersAndOperationsNeverMeet() async throws {
        var other = newOperation("c", key: "k")
        other.operation = "production-order.release"
        for new in [newOperation("a", key: "k"), newOperation("b", key: "k", caller: "https://id|wms"), other] {
            guard case .accepted = try await ledger.accept(new) else {
                Issue.record("\(new.id) was not accepted")
                return
            }
        }
    }

    @Test func ofManyAtOnceWithOneKeyExactlyOneIsAccepted() async throws {
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for i in 0..<200 {
                group.addTask {
                    if case .accepted = try await ledger.accept(newOperation("id-\(i)", key: "k")) { return true }
                    return false
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(outcomes == 1)
        #expect(ledger.count(of: .accepted) == 1)
    }

    @Test func anIdThatExistsIsRefusedAndItsNeighboursInTheBatchAreNot() async throws {
        _ = try await ledger.accept(newOperation("a"))
        await withTaskGroup { group in
            for i in 0..<50 {
                group.addTask { _ = try? await ledger.accept(newOperation("n-\(i)")) }
                group.addTask {
                    await #expect(throws: StoreError.duplicateID) {
                        try await ledger.accept(newOperation("a", key: "other"))
                    }
                }
            }
        }
        #expect(try await ledger.list().count == 51)
    }

    @Test func everyStepIsInTheJournalWithTimeAndState() async throws {
        _ = try await ledger.accept(newOperation("a"))
        try await ledger.advance("a", to: .dispatched, step: "{\"n\":1}", records: ["mrp.production,17"])
        try await ledger.advance(
            "a", to: .dispatched, step: "{\"n\":2}", records: ["stock.move,5", "mrp.production,17"])
        let record = try await ledger.advance("a", to: .applied, answer: answer)
        #expect(record.records == ["mrp.production,17", "stock.move,5"])
        #expect(record.finishedAt == WallInstant(seconds: 1_790_000_100))
        #expect(try await ledger.operation("a") == record)
        let steps = try await ledger.steps(of: "a")
        #expect(steps.map(\.number) == [1, 2, 3])
        #expect(steps.map(\.state) == [.dispatched, .dispatched, .applied])
        #expect(steps.map(\.text) == ["{\"n\":1}", "{\"n\":2}", "{}"])
        #expect(try await ledger.steps(of: "b").isEmpty)
    }

    @Test func aForbiddenTransitionChangesNothing() async throws {
        _ = try await ledger.accept(newOperation("a"))
        try await ledger.advance("a", to: .rejected, answer: answer)
        await #expect(throws: StoreError.forbidden(from: .rejected, to: .dispatched)) {
            try await ledger.advance("a", to: .dispatched, records: ["x,1"])
        }
        await #expect(throws: StoreError.notFound) { try await ledger.advance("b", to: .dispatched) }
        #expect(try await ledger.operation("a")?.records == [])
        #expect(try await ledger.steps(of: "a").count == 1)
    }

    @Test func whatIsStoredComesBackByteForByte() async throws {
        var new = newOperation("ä\u{0}\"'; DROP TABLE operation; --", key: "\u{0}k", body: "")
        new.body = Array(0...255)
        new.resource = nil
        _ = try await ledger.accept(new)
        #expect(try await ledger.operation(new.id)?.request == new)
        let empty = newOperation("e", body: "")
        _ = try await ledger.accept(empty)
        #expect(try await ledger.operation("e")?.request == empty)
    }

    @Test func listsGoOnAfterTheLastOne() async throws {
        for i in 0..<25 { _ = try await ledger.accept(newOperation("o\(i)")) }
        for i in 0..<25 where i % 3 == 0 { try await ledger.advance("o\(i)", to: .dispatched) }
        for i in 0..<25 where i % 6 == 0 { try await ledger.advance("o\(i)", to: .unknown) }
        var ids: [String] = []
        var after: Int64 = 0
        while true {
            let page = try await ledger.list(limit: 10, after: after)
            guard let last = page.last else { break }
            ids += page.map(\.id)
            after = last.number
        }
        #expect(ids == (0..<25).map { "o\($0)" })
        #expect(try await ledger.list(state: .unknown).map(\.id) == ["o0", "o6", "o12", "o18", "o24"])
        let unfinished = try await ledger.unfinished().map(\.id)
        #expect(unfinished == (0..<25).filter { $0 % 6 != 0 }.map { "o\($0)" })
        #expect(ledger.count(of: .unknown) == 5)
        #expect(ledger.count(of: .dispatched) == 4)
        #expect(ledger.count(of: .accepted) == 16)
    }

    @Test func purgeRemovesOnlyWhatIsOverLongAgo() async throws {
        let states: [OperationState] = [.accepted, .dispatched, .unknown, .applied, .rejected, .settled]
        for state in states {
            let id = state.rawValue
            _ = try await ledger.accept(newOperation(id))
            switch state {
            case .accepted: break
            case .dispatched, .applied, .rejected: try await ledger.advance(id, to: state)
            case .unknown:
                try await ledger.advance(id, to: .dispatched)
                try await ledger.advance(id, to: .unknown)
            case .settled:
                for next in [OperationState.dispatched, .unknown, .settled] { try await ledger.advance(id, to: next) }
            }
        }
        #expect(try await ledger.purge(finishedBefore: WallInstant(seconds: 1_790_000_100)) == 0)
        #expect(try await ledger.purge(finishedBefore: WallInstant(seconds: 1_790_000_101)) == 3)
        #expect(try await ledger.list().map(\.state) == [.accepted, .dispatched, .unknown])
        #expect(ledger.count(of: .settled) == 0)
        #expect(try await ledger.steps(of: "settled").isEmpty)
        guard case .accepted = try await ledger.accept(newOperation("again", key: "key-applied")) else {
            Issue.record("a purged key is free again")
            return
        }
    }

    @Test func afterReopeningEverythingIsThere() async throws {
        _ = try await ledger.accept(newOperation("a"))
        try await ledger.advance("a", to: .dispatched, step: "{\"n\":1}")
        let record = try await ledger.operation("a")
        #expect(throws: StoreError.busy(directory.file("ledger.lock"))) { try Ledger(directory: directory.path) }
        await ledger.close()
        await #expect(throws: StoreError.closed) { try await ledger.operation("a") }
        await #expect(throws: StoreError.closed) { try await ledger.accept(newOperation("b")) }
        let reopened = try Ledger(directory: directory.path)
        #expect(try await reopened.operation("a") == record)
        #expect(reopened.count(of: .dispatched) == 1)
        #expect(try await reopened.steps(of: "a").count == 1)
        await reopened.close()
    }

    @Test func theFilesAreForTheirOwnerOnly() async throws {
        _ = try await ledger.accept(newOperation("a"))
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            #expect(try directory.mode(name) == 0o600, "\(name)")
        }
    }
}
