import Bytes
import Events
import JSON
import Odoo
import Store
import Synchronization

/// Watches records in Odoo, so that what people do in Odoo's own screens becomes events too, once. Which models, and
/// what a change of each means, says `table`.
///
/// Two sources, one way: `poll` reads what has changed since the cursor, `hint` says that one record may have changed.
/// Either way the record is read under its lock, so that no governed service works on it meanwhile, and compared with how
/// it was seen last. A hint is believed in nothing: Odoo 17 and 18 send theirs before the transaction commits, and roll
/// it back afterwards (recordings 521 and 522 of version 17).
///
/// The cursor is a `write_date`, which a transaction takes when it begins and shows when it commits: each reading goes
/// back by `overlap`, the longest that a transaction may last.
///
/// What a governed service has told is not told again: either both tellings have the same key, or the log has the
/// service's telling since the record was looked at last.
package final class OdooWatch: Sendable {
    private let runner: ServiceRunner
    private let world: ServiceWorld
    private let store: WatchStore
    private let state = Mutex(State())

    private struct Hint: Hashable {
        let model: String
        let id: Int
    }

    private struct State {
        /// Records that hints have named, and how often they were looked at since.
        var hints: [Hint: Int] = [:]
        var isLooking = false
        var counts = Counts()
        /// Models that Odoo does not give, and why.
        var refused: [String: String] = [:]
        var news: [(model: String, reason: String)] = []
    }

    package struct Counts: Sendable, Hashable {
        package var polls = 0
        package var hints = 0
        package var events = 0
        package var failures = 0
    }

    /// What is watched: one row for each model.
    static let table: [any WatchedModel] = [
        WatchedOrders(), WatchedWorkOrders(), WatchedTimes(), WatchedTransfers(), WatchedLots(), WatchedScrap(),
        WatchedAdjustments(), WatchedMaintenance(),
    ]

    /// How far a reading goes back. Default 3 minutes: Odoo ends a request after 2 (`limit_time_real`).
    package static let overlap: Nanoseconds = .minutes(3)
    /// Records of one reading; the next goes on at once.
    static let pageMax = 200
    /// Hints that wait at most; the poll finds the rest.
    package static let hintsMax = 1_000
    /// When a record is read after a hint: Odoo may not have committed yet.
    static let hintPauses: [Nanoseconds] = [.milliseconds(500), .seconds(2), .seconds(8)]

    package init(_ runner: ServiceRunner, world: ServiceWorld, store: WatchStore) {
        self.runner = runner
        self.world = world
        self.store = store
    }

    package var counts: Counts { state.withLock { $0.counts } }

    /// Models that Odoo has begun to refuse since the last call: a module that is not installed, a right that is missing.
    package func takeRefusals() -> [(model: String, reason: String)] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news
        }
    }

    // MARK: Polling

    /// Reads what has changed. Throws where Odoo or a store is away: the cursors stay, and the next time goes on there.
    /// A model that Odoo refuses is passed over.
    package func poll() async throws {
        let odoo = try await OdooSession.open(world, admission: .batch, deadline: nil)
        state.withLock { $0.counts.polls += 1 }
        for row in Self.table {
            do {
                try await poll(row, odoo)
                state.withLock { $0.refused[row.model] = nil }
            } catch let stop as ServiceStop where stop.meaning == .refused {
                let reason = stop.cause ?? stop.problem.detail ?? ""
                state.withLock { state in
                    if state.refused.updateValue(reason, forKey: row.model) == nil {
                        state.news.append((row.model, reason))
                    }
                }
            }
        }
    }

    private func poll(_ row: any WatchedModel, _ odoo: OdooSession) async throws {
        let head = runner.ledger.bell.head
        guard let cursor = try await store.cursor(row.model) else { return try await begin(row, odoo, head) }
        let from = Self.earlier(cursor.changed, by: Self.overlap)
        var newest = cursor.changed
        var held: String?
        var after = 0
        while true {
            // By id: a row that changes meanwhile moves none of the others, and comes again the next time.
            let records = try await read(
                row, odoo, [["write_date", ">=", .string(from)], ["id", ">", JSONValue(after)]])
            let known = try await store.seen(row.model, records.map(\.id))
            for record in records {
                let changed = try Self.text(record, "write_date")
                if try known[record.id].map({ try !$0.isSame(as: Self.seen(row, record)) }) ?? true {
                    // One that a service works on is read again the next time.
                    if try await !look(row, record, odoo, cursor) { held = min(held ?? changed, changed) }
                }
                newest = max(newest, changed)
            }
            guard records.count == Self.pageMax, let last = records.last else { break }
            after = last.id
        }
        let next = WatchStore.Cursor(changed: min(newest, held ?? newest), began: cursor.began, log: head)
        if next != cursor { try await store.save(row.model, [], cursor: next) }
    }

    /// The first time: open records as they are, without an event, because nobody knows when they came to be so.
    private func begin(_ row: any WatchedModel, _ odoo: OdooSession, _ head: Int64) async throws {
        let newest = try await odoo.result(
            .searchRead(row.model, domain: row.domain, fields: ["write_date"], limit: 1, order: "write_date desc"))
        let now = newest?[0]?["write_date"]?.string ?? Self.earlier((odoo.wall + -Self.overlap).odoo, by: 0)
        var after = 0
        while let open = row.open {
            let records = try await read(row, odoo, open + [["id", ">", JSONValue(after)]])
            try await store.save(row.model, try records.map { try Self.seen(row, $0) }, cursor: nil)
            guard records.count == Self.pageMax, let last = records.last else { break }
            after = last.id
        }
        try await store.save(row.model, [], cursor: WatchStore.Cursor(changed: now, began: now, log: head))
    }

    private func read(
        _ row: any WatchedModel, _ odoo: OdooSession, _ domain: [JSONValue]
    ) async throws(ServiceStop) -> [OdooRecord] {
        try await odoo.records(
            .searchRead(
                row.model, domain: row.domain + domain, fields: row.fields + ["create_date", "write_date"],
                limit: Self.pageMax, order: "id")
        ) { $0 }
    }

    private static func seen(_ row: any WatchedModel, _ record: OdooRecord) throws(ServiceStop) -> WatchStore.Seen {
        do throws(OdooShapeError) { return try row.seen(record) } catch { throw ServiceStop(error) }
    }

    private static func text(_ record: OdooRecord, _ field: String) throws(ServiceStop) -> String {
        do throws(OdooShapeError) { return try record.text(field) } catch { throw ServiceStop(error) }
    }

    /// Odoo's `YYYY-MM-DD HH:MM:SS`, so long before.
    static func earlier(_ text: String, by duration: Nanoseconds) -> String {
        guard let time = WallInstant(text) else { return text }
        return (time + -duration).odoo
    }

    // MARK: One record

    /// Reads a record under its locks and tells what has become of it.
    /// - Returns: false where a service works on it at the moment.
    private func look(
        _ row: any WatchedModel, _ found: OdooRecord, _ odoo: OdooSession, _ cursor: WatchStore.Cursor
    ) async throws -> Bool {
        let locks: [String]
        do throws(OdooShapeError) { locks = try row.locks(found) } catch { throw ServiceStop(error) }
        guard let ticket = runner.gate.acquireNow(locks, host: world.host) else { return false }
        defer { runner.gate.release(ticket, host: world.host) }
        let head = runner.ledger.bell.head
        guard let record = try await read(row, odoo, [["id", "=", JSONValue(found.id)]]).first else { return true }
        let before = try await store.seen(row.model, [record.id])[record.id]
        let isNew = try before == nil && Self.text(record, "create_date") >= cursor.began
        var seen = try Self.seen(row, record)
        // What was made before anybody watched, and is not known as open, is history.
        if before != nil || isNew, before.map({ !$0.isSame(as: seen) }) ?? true {
            let change = WatchedChange(
                record: record, before: before, time: WallInstant(try Self.text(record, "write_date")) ?? odoo.wall,
                odoo: odoo, sites: runner.sites)
            let told = max(cursor.log, before?.log ?? 0)
            var events: [BusinessEvent] = []
            for var event in try await row.events(change) {
                if event.key == nil, try await isTold(event, after: told) { continue }
                event.id = OperationID.make(odoo.wall)
                events.append(event)
            }
            // Told before it is seen: after a crash in between it is told again, and the log drops the second.
            if !events.isEmpty {
                let new = try await runner.ledger.append(events)
                state.withLock { $0.counts.events += new.count }
            }
        }
        seen.log = head
        try await store.save(row.model, [seen], cursor: nil)
        return true
    }

    /// Whether a service, or a plant system, has told the same since.
    private func isTold(_ event: BusinessEvent, after number: Int64) async throws(StoreError) -> Bool {
        var after = number
        while true {
            let page = try await runner.ledger.events(after: after, limit: Ledger.eventsMax)
            guard let last = page.last else { return false }
            for one in page
            where one.event.causationID != nil && one.event.name == event.name
                && Self.identity(one.event) == Self.identity(event)
            { return true }
            after = last.number
        }
    }

    /// What tells events of one name apart: whom they are about, whatever its name is by then.
    static func identity(_ event: BusinessEvent) -> [String] {
        ["work_order", "scrap", "request", "work_center", "product", "location", "lot"].map { member in
            event.data[member]?["id"]?.int.map(String.init) ?? ""
        }
    }

    // MARK: Hints

    /// Somebody says that this record has changed. False where too many such wait already.
    @discardableResult
    package func hint(_ model: String, _ id: Int) -> Bool {
        let (isTaken, mustLook) = state.withLock { state -> (Bool, Bool) in
            state.counts.hints += 1
            let hint = Hint(model: model, id: id)
            guard state.hints[hint] != nil || state.hints.count < Self.hintsMax else { return (false, false) }
            state.hints[hint] = 0
            defer { state.isLooking = true }
            return (true, !state.isLooking)
        }
        if mustLook { world.host.spawn { await self.lookAtHints() } }
        return isTaken
    }

    private func lookAtHints() async {
        while true {
            let round = state.withLock { $0.hints.values.min() ?? 0 }
            await world.host.sleep(Self.hintPauses[min(round, Self.hintPauses.count - 1)])
            let hints = state.withLock { $0.hints.keys.sorted { ($0.model, $0.id) < ($1.model, $1.id) } }
            do {
                let odoo = try await OdooSession.open(world, admission: .batch, deadline: nil)
                for hint in hints { try await look(hint, odoo) }
            } catch {
                state.withLock { $0.counts.failures += 1 }
            }
            let isOver = state.withLock { state -> Bool in
                for hint in hints {
                    let times = (state.hints[hint] ?? 0) + 1
                    // What is not there by then, the poll finds.
                    state.hints[hint] = times < Self.hintPauses.count ? times : nil
                }
                if state.hints.isEmpty { state.isLooking = false }
                return state.hints.isEmpty
            }
            if isOver { return }
        }
    }

    private func look(_ hint: Hint, _ odoo: OdooSession) async throws {
        guard let row = Self.table.first(where: { $0.model == hint.model }),
            let cursor = try await store.cursor(row.model),
            let record = try await read(row, odoo, [["id", "=", JSONValue(hint.id)]]).first
        else { return }
        _ = try await look(row, record, odoo, cursor)
    }

    package func failed() { state.withLock { $0.counts.failures += 1 } }

    /// The record that one of Odoo's webhooks is about; nil for what is none, or about something that is not watched. The
    /// body is `{"_model": …, "_id": …}` with whatever fields the rule adds, and nothing of it is believed.
    package static func record(inHook body: [UInt8]) -> (model: String, id: Int)? {
        guard let json = try? JSONValue.parse(body), let model = json["_model"]?.string,
            table.contains(where: { $0.model == model }), let id = json["_id"]?.int
        else { return nil }
        return (model, id)
    }
}
