import Bytes
import Events
import JSON
import Testing

@testable import Store

func newEvent(
    _ id: String, subject: String = "production-order/26", key: String? = nil, data: JSONValue = ["quantity": 5]
) -> BusinessEvent {
    BusinessEvent(
        id: id, name: "production-order.released", subject: subject, site: "plant-1",
        time: WallInstant(seconds: 1_790_000_000), data: data, key: key, correlationID: "c", causationID: "o",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
}

@Suite struct EventLogTests {
    let directory: TemporaryDirectory
    let time = Monitor(WallInstant(seconds: 1_790_000_100))

    init() throws { directory = try TemporaryDirectory() }

    func open(pageMax: Int? = nil) throws -> Ledger {
        let time = time
        return try Ledger(directory: directory.path, pageMax: pageMax, now: { time.withLock { $0 } })
    }

    @Test func eventsAreReadInTheirOrderAndCountedPerSubject() async throws {
        let ledger = try open()
        try await ledger.append([newEvent("a"), newEvent("b", subject: "lot/1")])
        try await ledger.append([newEvent("c")])
        let events = try await ledger.events(after: 0, limit: 10)
        #expect(events.map(\.event.id) == ["a", "b", "c"])
        #expect(events.map(\.number) == [1, 2, 3])
        #expect(events.map(\.sequence) == [1, 1, 2])
        #expect(events[0].event == newEvent("a"))
        #expect(try await ledger.events(after: 1, limit: 1).map(\.event.id) == ["b"])
        #expect(ledger.bell.head == 3)
    }

    @Test func aHappeningThatIsToldTwiceIsLoggedOnce() async throws {
        let ledger = try open()
        #expect(try await ledger.append([newEvent("a", key: "k"), newEvent("b", key: "k")]).map(\.event.id) == ["a"])
        #expect(try await ledger.append([newEvent("c", key: "k")]).isEmpty)
        #expect(try await ledger.append([newEvent("d", key: "l")]).map(\.sequence) == [2])
        await ledger.close()
        let later = try open()
        #expect(try await later.append([newEvent("e", key: "k")]).isEmpty)
    }

    /// The outbox: the operation's state and its events are one transaction.
    @Test func anEventIsThereIfAndOnlyIfItsOperationAdvanced() async throws {
        let ledger = try open()
        _ = try await ledger.accept(newOperation("o"))
        await #expect(throws: StoreError.forbidden(from: .accepted, to: .settled)) {
            try await ledger.advance("o", to: .settled, events: [newEvent("no")])
        }
        try await ledger.advance("o", to: .applied, events: [newEvent("yes")])
        #expect(try await ledger.events(after: 0, limit: 10).map(\.event.id) == ["yes"])
        // An id that is taken fails the whole transaction: the operation stays as it was.
        _ = try await ledger.accept(newOperation("p"))
        await #expect(throws: StoreError.self) {
            try await ledger.advance("p", to: .applied, events: [newEvent("yes")])
        }
        #expect(try await ledger.operation("p")?.state == .accepted)
        #expect(try await ledger.events(after: 0, limit: 10).count == 1)
    }

    @Test func nothingIsLoggedWhenTheDiskIsFull() async throws {
        let ledger = try open(pageMax: 60)
        _ = try await ledger.accept(newOperation("o"))
        let large = newEvent("big", data: ["text": .string(String(repeating: "x", count: 400_000))])
        await #expect(throws: StoreError.diskFull) { try await ledger.advance("o", to: .applied, events: [large]) }
        #expect(try await ledger.operation("o")?.state == .accepted)
        #expect(try await ledger.events(after: 0, limit: 10).isEmpty)
        try await ledger.advance("o", to: .applied, events: [newEvent("small")])
        #expect(try await ledger.events(after: 0, limit: 10).map(\.sequence) == [1])
    }

    @Test func retentionRemovesTheOldestAndACursorNeverMeansAnotherEvent() async throws {
        let ledger = try open()
        try await ledger.append([newEvent("a"), newEvent("b")])
        time.withLock { $0 = WallInstant(seconds: 1_790_000_200) }
        try await ledger.append([newEvent("c")])
        let cut = WallInstant(seconds: 1_790_000_150)
        #expect(try await ledger.cursor(at: cut) == 2)
        #expect(try await ledger.cursor(at: WallInstant(seconds: 1_790_000_300)) == 3)
        #expect(try await ledger.purgeEvents(recordedBefore: cut, bytesMax: .max, upTo: 1) == 1)
        #expect(try await ledger.oldestEvent() == 2)
        #expect(try await ledger.purgeEvents(recordedBefore: cut, bytesMax: .max) == 1)
        #expect(try await ledger.purgeEvents(recordedBefore: cut, bytesMax: 0) == 1)
        #expect(try await ledger.oldestEvent() == nil)
        await ledger.close()
        let later = try open()
        #expect(later.bell.head == 3)
        #expect(try await later.append([newEvent("d")]).map(\.number) == [4])
        #expect(try await later.events(after: 0, limit: 9).map(\.sequence) == [4])
    }

    @Test func theBellWakesWhoWaitsAndOnlyThen() async throws {
        let ledger = try open()
        let rung = Monitor(0)
        ledger.bell.onEvent(after: 0) { rung.withLock { $0 += 1 } }
        let cancelled = ledger.bell.onEvent(after: 0) { rung.withLock { $0 += 100 } }
        ledger.bell.cancel(cancelled)
        #expect(rung.withLock { $0 } == 0)
        try await ledger.append([newEvent("a")])
        #expect(rung.withLock { $0 } == 1)
        ledger.bell.onEvent(after: 0) { rung.withLock { $0 += 10 } }
        #expect(rung.withLock { $0 } == 11)
        try await ledger.append([newEvent("b")])
        #expect(rung.withLock { $0 } == 11)
    }
}
