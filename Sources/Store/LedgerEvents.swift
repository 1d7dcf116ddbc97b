import Bytes
import Events

/// The event log: durable, in one order, and in the same file as the ledger, so that an operation and what it tells are
/// one transaction (transactional outbox).
extension Ledger {
    /// Most events that one reading gives.
    package static let eventsMax = 1_000
    /// How long the keys are kept that make a second telling of the same event known: 400 days.
    package static let eventKeyRetention: Nanoseconds = .hours(400 * 24)
    /// What an event takes besides its data, about, in bytes.
    static let eventOverhead = 512
    private static let eventPurgeBatch = 500

    /// Appends events in one transaction. When this returns they survive a crash.
    /// - Returns: those that are new; an event whose key was told before is dropped.
    @discardableResult
    package func append(_ events: [BusinessEvent]) async throws(StoreError) -> [RecordedEvent] {
        let time = now()
        let recorded = try await writer.perform { database throws(StoreError) in
            var recorded: [RecordedEvent] = []
            for event in events {
                if let one = try database.append(event, now: time) { recorded.append(one) }
            }
            return recorded
        }
        if let last = recorded.last { bell.ring(last.number) }
        return recorded
    }

    /// Events in the order of the log, from behind `number`, at most `limit`.
    package func events(after number: Int64, limit: Int) async throws(StoreError) -> [RecordedEvent] {
        let limit = min(max(limit, 1), Self.eventsMax)
        return try await reader.perform { database throws(StoreError) in
            try database.events(after: number, limit: limit)
        }
    }

    /// Nil when it is gone.
    package func event(number: Int64) async throws(StoreError) -> RecordedEvent? {
        try await reader.perform { database throws(StoreError) in try database.event(number: number) }
    }

    /// The cursor behind which the first event stands that was recorded at the time or later; the log's end when there
    /// is none.
    package func cursor(at time: WallInstant) async throws(StoreError) -> Int64 {
        let head = bell.head
        return try await reader.perform { database throws(StoreError) in try database.eventNumber(before: time) }
            ?? head
    }

    /// The number of the oldest event that is left; nil when there is none.
    package func oldestEvent() async throws(StoreError) -> Int64? {
        try await reader.perform { database throws(StoreError) in try database.oldestEventNumber() }
    }

    /// Removes events that are older than the time, and the oldest ones beyond the size.
    ///
    /// - Parameter number: the last one that nobody waits for any more: later ones stay, however old.
    /// - Returns: how many.
    @discardableResult
    package func purgeEvents(
        recordedBefore time: WallInstant, bytesMax: Int64, upTo number: Int64 = .max
    ) async throws(StoreError) -> Int {
        let oldestKey = now() + -Self.eventKeyRetention
        var total = 0
        while true {
            let removed = try await writer.perform { database throws(StoreError) in
                try database.purgeEventKeys(recordedBefore: oldestKey, limit: Self.eventPurgeBatch)
                return try database.purgeEvents(
                    recordedBefore: time, bytesMax: bytesMax, upTo: number, limit: Self.eventPurgeBatch)
            }
            total += removed
            if removed < Self.eventPurgeBatch { return total }
        }
    }
}
