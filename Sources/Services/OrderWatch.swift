import Bytes
import Events
import JSON
import Odoo
import Store
import Synchronization

/// Watches production orders in Odoo, so that what people do in Odoo's own screens becomes events too, once.
///
/// Two sources, one way: `poll` reads what has changed since the cursor, `hint` says that one order may have changed.
/// Either way the order is read under its lock, so that no governed service works on it meanwhile, and compared with how
/// it was seen last. A hint is believed in nothing: Odoo 17 and 18 send theirs before the transaction commits, and roll
/// it back afterwards (recordings 521 and 522 of version 17).
///
/// The cursor is a `write_date`, which a transaction takes when it begins and shows when it commits: each reading goes
/// back by `overlap`, the longest that a transaction may last.
package final class OrderWatch: Sendable {
    private let runner: ServiceRunner
    private let world: ServiceWorld
    private let store: WatchStore
    private let state = Mutex(State())

    private struct State {
        /// Orders that hints have named, and how often they were looked at since.
        var hints: [Int: Int] = [:]
        var isLooking = false
        var counts = Counts()
    }

    package struct Counts: Sendable, Hashable {
        package var polls = 0
        package var hints = 0
        package var events = 0
        package var failures = 0
    }

    private static let model = ProductionOrderRecord.model
    /// How far a reading goes back. Default 3 minutes: Odoo ends a request after 2 (`limit_time_real`).
    package static let overlap: Nanoseconds = .minutes(3)
    /// Orders of one reading; the next goes on at once.
    static let pageMax = 200
    /// Hints that wait at most; the poll finds the rest.
    package static let hintsMax = 1_000
    /// When an order is read after a hint: Odoo may not have committed yet.
    static let hintPauses: [Nanoseconds] = [.milliseconds(500), .seconds(2), .seconds(8)]

    package init(_ runner: ServiceRunner, world: ServiceWorld, store: WatchStore) {
        self.runner = runner
        self.world = world
        self.store = store
    }

    package var counts: Counts { state.withLock { $0.counts } }

    // MARK: Polling

    /// Reads what has changed. Throws where Odoo or a store is away: the cursor stays, and the next time goes on there.
    package func poll() async throws {
        let odoo = try await OdooSession.open(world, admission: .batch, deadline: nil)
        state.withLock { $0.counts.polls += 1 }
        guard let cursor = try await store.cursor(Self.model) else { return try await begin(odoo) }
        let from = Self.earlier(cursor.changed, by: Self.overlap)
        var newest = cursor.changed
        var held: String?
        var after = 0
        while true {
            // By id: a row that changes meanwhile moves none of the others, and comes again the next time.
            let rows = try await rows(odoo, [["write_date", ">=", .string(from)], ["id", ">", JSONValue(after)]])
            let seen = try await store.seen(Self.model, rows.map(\.id))
            for row in rows {
                if seen[row.id] != row.seen {
                    // One that a service works on is read again the next time.
                    if try await !look(row.id, odoo, cursor) { held = min(held ?? row.changed, row.changed) }
                }
                newest = max(newest, row.changed)
            }
            guard rows.count == Self.pageMax, let last = rows.last else { break }
            after = last.id
        }
        let next = WatchStore.Cursor(changed: min(newest, held ?? newest), began: cursor.began)
        if next != cursor { try await store.save(Self.model, [], cursor: next) }
    }

    /// The first time: open orders as they are, without an event, because nobody knows when they came to be so.
    private func begin(_ odoo: OdooSession) async throws {
        let newest = try await odoo.result(
            .searchRead(Self.model, domain: [], fields: ["write_date"], limit: 1, order: "write_date desc"))
        let now = newest?[0]?["write_date"]?.string ?? Self.earlier((odoo.wall + -Self.overlap).odoo, by: 0)
        var after = 0
        while true {
            let open: JSONValue = ["draft", "confirmed", "progress", "to_close"]
            let rows = try await rows(
                odoo, [["state", "in", open], ["id", ">", JSONValue(after)]])
            try await store.save(Self.model, rows.map(\.seen), cursor: nil)
            guard rows.count == Self.pageMax, let last = rows.last else { break }
            after = last.id
        }
        try await store.save(Self.model, [], cursor: WatchStore.Cursor(changed: now, began: now))
    }

    private struct Row {
        let id: Int
        let seen: WatchStore.Seen
        let changed: String
    }

    private func rows(_ odoo: OdooSession, _ domain: [JSONValue]) async throws -> [Row] {
        let call = OdooCall.searchRead(
            Self.model, domain: domain, fields: ["state", "qty_produced", "write_date"], limit: Self.pageMax,
            order: "id")
        return try await odoo.records(call) { (record) throws(OdooShapeError) in
            let produced = try record.quantity("qty_produced")
            return Row(
                id: record.id,
                seen: WatchStore.Seen(id: record.id, state: try record.text("state"), produced: "\(produced)"),
                changed: try record.text("write_date"))
        }
    }

    /// Odoo's `YYYY-MM-DD HH:MM:SS`, so long before.
    static func earlier(_ text: String, by duration: Nanoseconds) -> String {
        guard let time = WallInstant(text) else { return text }
        return (time + -duration).odoo
    }

    // MARK: One order

    /// Reads an order under its lock and tells what has become of it.
    /// - Returns: false where a service works on it at the moment.
    private func look(_ id: Int, _ odoo: OdooSession, _ cursor: WatchStore.Cursor) async throws -> Bool {
        guard let ticket = runner.gate.acquireNow(["\(Self.model),\(id)"], host: world.host) else { return false }
        defer { runner.gate.release(ticket, host: world.host) }
        guard let order = try await odoo.order(id) else { return true }
        let before = try await store.seen(Self.model, [id])[id]
        var isNew = false
        if before == nil {
            let made = try await odoo.result(.read(Self.model, ids: [id], fields: ["create_date"]))
            isNew = made?[0]?["create_date"]?.string.map { $0 >= cursor.began } ?? false
        }
        let changes = OrderChanges(
            before: before, isNew: isNew, order: order, site: try await runner.sites.site(of: order, odoo),
            time: order.changed ?? odoo.wall)
        let events = changes.events.map { event in
            var event = event
            event.id = OperationID.make(odoo.wall)
            return event
        }
        // Told before it is seen: after a crash in between it is told again, and the log drops the second.
        if !events.isEmpty {
            let told = try await runner.ledger.append(events)
            state.withLock { $0.counts.events += told.count }
        }
        try await store.save(Self.model, [changes.seen], cursor: nil)
        return true
    }

    // MARK: Hints

    /// Somebody says that this order has changed. False where too many such wait already.
    @discardableResult
    package func hint(_ id: Int) -> Bool {
        let (isTaken, mustLook) = state.withLock { state -> (Bool, Bool) in
            state.counts.hints += 1
            guard state.hints[id] != nil || state.hints.count < Self.hintsMax else { return (false, false) }
            state.hints[id] = 0
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
            let ids = state.withLock { $0.hints.keys.sorted() }
            do {
                let odoo = try await OdooSession.open(world, admission: .batch, deadline: nil)
                if let cursor = try await store.cursor(Self.model) {
                    for id in ids { _ = try await look(id, odoo, cursor) }
                }
            } catch {
                state.withLock { $0.counts.failures += 1 }
            }
            let isOver = state.withLock { state -> Bool in
                for id in ids {
                    let times = (state.hints[id] ?? 0) + 1
                    // What is not there by then, the poll finds.
                    state.hints[id] = times < Self.hintPauses.count ? times : nil
                }
                if state.hints.isEmpty { state.isLooking = false }
                return state.hints.isEmpty
            }
            if isOver { return }
        }
    }

    package func failed() { state.withLock { $0.counts.failures += 1 } }

    /// The order that one of Odoo's webhooks is about; nil for what is none, or about something else. The body is
    /// `{"_model": …, "_id": …}` with whatever fields the rule adds, and nothing of it is believed.
    package static func order(inHook body: [UInt8]) -> Int? {
        guard let json = try? JSONValue.parse(body), json["_model"]?.string == model else { return nil }
        return json["_id"]?.int
    }
}
