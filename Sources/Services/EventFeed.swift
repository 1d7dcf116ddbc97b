import Bytes
import Contracts
import Events
import Policy
import Store

/// The event log as one caller may read it: pages behind a cursor, of the events that the policy lets it receive.
package struct EventFeed: Sendable {
    let ledger: any LedgerPort
    let patterns: [EventPattern]
    /// The policy, asked for `event.NAME` and the event's site: the members to mask, or nil where it is forbidden.
    let permits: @Sendable (String, Resource) -> Set<String>?

    package struct Page: Sendable {
        package var events: [RecordedEvent] = []
        /// Behind the last event that was looked at, given or not.
        package var cursor: Int64
        /// The log goes on behind the cursor.
        package var hasMore = false
    }

    /// Most events that one page looks at: what is not permitted or not wanted costs time too. Default 5,000.
    private static let scanMax = 5_000
    private static let batch = 500

    /// Most events of a page.
    package static let limitMax = 1_000
    /// Longest wait for an event, in seconds.
    package static let waitMax = 60

    package init(
        _ ledger: any LedgerPort, patterns: [EventPattern],
        permits: @escaping @Sendable (String, Resource) -> Set<String>?
    ) {
        self.ledger = ledger
        self.patterns = patterns
        self.permits = permits
    }

    /// The number to begin behind: of the cursor, or of the time, or the log's beginning.
    ///
    /// Throws where events behind the cursor are gone: silence would hide a loss.
    package func start(after cursor: String?, since: String?) async throws(ServiceStop) -> Int64 {
        if let since {
            guard let time = WallInstant(since) else {
                throw .invalid(Violation(.query("since"), "must be a time such as 2026-11-24T06:00:00Z"))
            }
            return try await asked { () async throws(StoreError) in try await ledger.cursor(at: time) }
        }
        guard let cursor else { return 0 }
        if cursor == "latest" { return ledger.bell.head }
        guard let number = Int64(cursor), number >= 0 else {
            throw .invalid(Violation(.query("after"), "is no cursor of this log"))
        }
        let head = ledger.bell.head
        let oldest = try await asked { () async throws(StoreError) in try await ledger.oldestEvent() } ?? head + 1
        if number > 0, number + 1 < oldest {
            var problem = Problem(
                .cursorExpired, "events behind this cursor were removed; going on at `oldest_cursor` leaves them out")
            problem.members["oldest_cursor"] = .string(String(oldest - 1))
            throw ServiceStop(.refused, problem)
        }
        return number
    }

    private func asked<R>(_ body: () async throws(StoreError) -> R) async throws(ServiceStop) -> R {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw .ledger(error)
        }
    }

    package func page(after number: Int64, limit: Int) async throws(ServiceStop) -> Page {
        var page = Page(cursor: number)
        var scanned = 0
        do throws(StoreError) {
            while scanned < Self.scanMax {
                let events = try await ledger.events(after: page.cursor, limit: Self.batch)
                for event in events {
                    if page.events.count == limit {
                        page.hasMore = true
                        return page
                    }
                    page.cursor = event.number
                    scanned += 1
                    if let event = shown(event) { page.events.append(event) }
                }
                if events.count < Self.batch { return page }
            }
        } catch {
            throw .ledger(error)
        }
        page.hasMore = true
        return page
    }

    /// The event as the caller may see it; nil where it is not wanted or not permitted.
    private func shown(_ event: RecordedEvent) -> RecordedEvent? {
        guard patterns.select(event.event.name, version: event.event.version),
            let mask = permits(EventDefinition.operation(event.event.name), Resource(site: event.event.site))
        else { return nil }
        var event = event
        event.event.data = event.event.data.masking(mask)
        return event
    }

    /// Returns when there is an event behind the number, or the time is over.
    package func wait(after number: Int64, for duration: Nanoseconds, _ host: any ServiceHost) async {
        let over = OneShot<Void>()
        let token = ledger.bell.onEvent(after: number) { over.fill(()) }
        host.spawn {
            await host.sleep(duration)
            over.fill(())
        }
        await over.value()
        ledger.bell.cancel(token)
    }
}

extension Decision {
    /// What of an event's data is masked; nil where it must not be received at all.
    package var eventMask: Set<String>? { isPermitted ? obligations.mask : nil }
}
