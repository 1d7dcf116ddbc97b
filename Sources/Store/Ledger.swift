import Bytes
import Events

/// Every governed write, from its acceptance to its end, so that nothing is done twice and nothing accepted is forgotten.
///
/// An idempotency key is bound to caller, operation and body by a unique index; who comes second finds the first. Writes
/// go through one thread that commits up to 64 at a time with a synced commit; reads go through another. No call blocks
/// the caller's thread.
package final class Ledger: Sendable {
    /// How long finished operations, and with them their keys, are kept by default: 7 days. Published as the expiry of
    /// idempotency keys. (draft-ietf-httpapi-idempotency-key-header-07 §2.3)
    package static let retentionDefault: Nanoseconds = .hours(7 * 24)
    /// Most operations that one `list` gives.
    package static let listMax = 1_000
    /// Operations that one transaction of `purge` removes: the writer must not be held long.
    private static let purgeBatch = 500

    let writer: DatabaseThread
    let reader: DatabaseThread
    private let counts: Monitor<[Int]>
    let now: @Sendable () -> WallInstant
    /// Rings when the log has new events.
    package let bell: EventBell

    /// Opens the ledger in a directory, which is made where it is missing, and brings its file to this version.
    ///
    /// Throws `.busy` when another process has it: two gateways that resumed the same operations would do them twice.
    ///
    /// - Parameter pageMax: most pages (of 4 KiB) that the database may have; nil for what the disk holds.
    package convenience init(directory: String, pageMax: Int? = nil) throws(StoreError) {
        try self.init(directory: directory, pageMax: pageMax, now: SystemClock.wall)
    }

    init(
        directory: String, pageMax: Int? = nil, now: @escaping @Sendable () -> WallInstant
    ) throws(StoreError) {
        try Files.makeDirectory(directory)
        let lock = try DirectoryLock(directory + "/ledger.lock")
        let path = directory + "/ledger.sqlite3"
        try Files.createPrivate(path)
        let loaded = Monitor<[Int]>([])
        let last = Monitor<Int64>(0)
        writer = try DatabaseThread("ledger-write", commits: true, lock: lock) { () throws(StoreError) in
            let database = try Database(path: path, mode: .readWrite)
            if let pageMax { try database.execute("PRAGMA max_page_count = \(pageMax)") }
            try LedgerSchema.migrate(database)
            let found = try database.operationCounts()
            loaded.withLock { $0 = found }
            let head = try database.lastEventNumber()
            last.withLock { $0 = head }
            return database
        }
        reader = try DatabaseThread("ledger-read", commits: false) { () throws(StoreError) in
            try Database(path: path, mode: .readOnly)
        }
        counts = loaded
        bell = EventBell(head: last.withLock { $0 })
        self.now = now
    }

    // MARK: - Writing

    /// Stores a new operation, or says what is known of the earlier one with the same caller, operation and key.
    ///
    /// When this returns `.accepted`, the operation survives a crash; nothing was sent yet.
    package func accept(_ new: NewOperation) async throws(StoreError) -> Acceptance {
        let result = try await writer.perform { database throws(StoreError) in try database.accept(new) }
        if case .accepted = result { counts.withLock { $0[OperationState.accepted.index] += 1 } }
        return result
    }

    /// Brings an operation to a state and writes a line into its journal, in one transaction.
    ///
    /// - Parameters:
    ///   - next: the same state again adds a step only.
    ///   - step: JSON of what is about to be sent or was learned.
    ///   - records: Odoo records that are known now, in addition to those stored.
    ///   - answer: what a repeated request is to get; stays as it was where nil.
    ///   - events: what became true with it: written to the event log in the same transaction, or not at all.
    /// - Returns: the operation as it is now.
    @discardableResult
    package func advance(
        _ id: String, to next: OperationState, step: String? = nil, records: [String] = [],
        answer: StoredAnswer? = nil, events: [BusinessEvent] = []
    ) async throws(StoreError) -> OperationRecord {
        let time = now()
        let (from, record, head) = try await writer.perform { database throws(StoreError) in
            let (from, record) = try database.advance(
                id, to: next, step: step, records: records, answer: answer, now: time)
            var head: Int64 = 0
            for event in events {
                if let recorded = try database.append(event, now: time) { head = recorded.number }
            }
            return (from, record, head)
        }
        if head > 0 { bell.ring(head) }
        counts.withLock {
            $0[from.index] -= 1
            $0[next.index] += 1
        }
        return record
    }

    /// Removes operations whose state is final since before `time`, and gives their number. What is accepted, dispatched
    /// or unknown stays, however old.
    @discardableResult
    package func purge(finishedBefore time: WallInstant) async throws(StoreError) -> Int {
        var total = 0
        while true {
            let states = try await writer.perform { database throws(StoreError) in
                try database.purge(finishedBefore: time, limit: Self.purgeBatch)
            }
            counts.withLock { for state in states { $0[state.index] -= 1 } }
            total += states.count
            if states.count < Self.purgeBatch { return total }
        }
    }

    // MARK: - Reading

    package func operation(_ id: String) async throws(StoreError) -> OperationRecord? {
        try await reader.perform { database throws(StoreError) in try database.operation(id: id) }
    }

    /// The journal of an operation, oldest step first; empty for an unknown id.
    package func steps(of id: String) async throws(StoreError) -> [OperationStep] {
        try await reader.perform { database throws(StoreError) in try database.steps(of: id) }
    }

    /// Operations in the order of acceptance.
    ///
    /// - Parameters:
    ///   - state: only those in this state; all where nil.
    ///   - limit: most to give, at most `listMax`.
    ///   - after: `number` of the last one of the page before; 0 for the first page.
    package func list(
        state: OperationState? = nil, limit: Int = 100, after: Int64 = 0
    ) async throws(StoreError) -> [OperationRecord] {
        let limit = min(max(limit, 0), Self.listMax)
        return try await reader.perform { database throws(StoreError) in
            if let state { return try database.operations(in: state, after: after, limit: limit) }
            return try database.operations(after: after, limit: limit)
        }
    }

    /// All that is accepted or dispatched, oldest first: what to take up again after a start.
    package func unfinished() async throws(StoreError) -> [OperationRecord] {
        var result: [OperationRecord] = []
        for state in [OperationState.accepted, .dispatched] {
            var after: Int64 = 0
            while true {
                let page = try await list(state: state, limit: Self.listMax, after: after)
                result += page
                guard page.count == Self.listMax, let last = page.last else { break }
                after = last.number
            }
        }
        return result.sorted { $0.number < $1.number }
    }

    /// All that is unknown, oldest first, without its requests and answers.
    package func unknowns() async throws(StoreError) -> [UnknownOperation] {
        try await reader.perform { database throws(StoreError) in try database.unknowns() }
    }

    /// How many operations are in a state, without asking the disk. For metrics.
    package func count(of state: OperationState) -> Int {
        counts.withLock { $0[state.index] }
    }

    /// Finishes what waits and closes the files. Later calls throw `.closed`.
    package func close() async {
        await reader.close()
        await writer.close()
    }

    // MARK: - For what else is kept here, and for tests

    /// Runs `body` on the reader's thread.
    func onReader<R: Sendable>(
        _ body: @escaping @Sendable (Database) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        try await reader.perform(body)
    }

    /// Runs `body` on the writer's thread, inside a transaction: between it and the next one nothing changes on disk.
    func onWriter<R: Sendable>(
        _ body: @escaping @Sendable (Database) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        try await writer.perform(body)
    }
}
