import Bytes
import Events
import Fetch
import Reactor
import Store
import Webhooks

/// The deliveries, from anywhere: asks the deliverer on its loop.
package final class DeliveryDesk: Sendable {
    private let home: ReactorHandle
    private let log: Ledger
    package let store: DeliveryStore

    /// Takes up what was kept, and begins to listen. Nothing is sent before `replace` has told the subscribers.
    package init(log: Ledger, store: DeliveryStore) async throws {
        let kept = try await store.load()
        let home = try ReactorHandle.start(index: 0, name: "delivery") { _ in }
        self.home = home
        self.log = log
        self.store = store
        await withCheckedContinuation { continuation in
            home.post { reactor in
                let deliverer = Deliverer(reactor: reactor, log: log, store: store, kept: kept)
                reactor.setLocal(deliverer)
                deliverer.listen()
                continuation.resume()
            }
        }
    }

    package func replace(_ targets: [DeliveryTarget]) async {
        await onLoop(()) { $0.replace(targets) }
    }

    package func reports() async -> [EndpointReport] { await onLoop([]) { $0.reports() } }

    /// The latest attempts behind a number, of all endpoints where `name` is nil.
    package func recent(after number: UInt64, of name: String?) async -> [AttemptLine] {
        await onLoop([]) { $0.recent.after(number, endpoint: name) }
    }

    /// Serves an endpoint again that was disabled. False where there is none.
    package func enable(_ name: String) async -> Bool {
        await change(name) { $0.queue.enable(Clock.wall()) }
    }

    package func disable(_ name: String, reason: String) async -> Bool {
        await change(name) { $0.queue.disable(reason, Clock.wall()) }
    }

    /// Sends everything behind a number of the log once more.
    package func replay(_ name: String, after number: Int64) async -> Bool {
        await change(name) { $0.queue.rewind(to: number) }
    }

    /// The last number of the log before an event of this time.
    package func cursor(at time: WallInstant) async throws(StoreError) -> Int64 { try await log.cursor(at: time) }

    /// Which dead letters to send again; nil selects all.
    package struct Selection: Sendable {
        package var number: Int64?
        package var since: WallInstant?
        package var until: WallInstant?
        package var events: [EventPattern] = []
        package var reason: String?
        package var subject: String?

        package init() {}
    }

    /// Dead letters with their events, where those are kept.
    package func letters(
        of name: String, _ selection: Selection
    ) async throws(StoreError) -> [(letter: DeliveryStore.DeadLetter, event: RecordedEvent?)] {
        var found: [(letter: DeliveryStore.DeadLetter, event: RecordedEvent?)] = []
        for letter in try await store.deadLetters(of: name, since: selection.since, until: selection.until) {
            if let number = selection.number, letter.message.number != number { continue }
            if let reason = selection.reason, !letter.message.reason.contains(reason) { continue }
            if let subject = selection.subject, letter.message.subject != subject { continue }
            let event = try await log.event(number: letter.message.number)
            if !selection.events.isEmpty {
                guard let event, selection.events.select(event.event.name, version: event.event.version) else {
                    continue
                }
            }
            found.append((letter, event))
        }
        return found
    }

    /// What became of letters that were to be sent again.
    package struct Redriven: Sendable {
        package var count = 0
        /// Sent again too often already.
        package var refused = 0
    }

    /// Sends messages again that were given up.
    /// - Returns: nil where there is no such endpoint.
    package func redrive(_ name: String, _ letters: [WebhookMessage]) async -> Redriven? {
        await onLoop(nil) { deliverer in
            guard let endpoint = deliverer.endpoint(name) else { return nil }
            var result = Redriven()
            for letter in letters {
                if endpoint.queue.redrive(letter, now: Clock.wall()) { result.count += 1 } else { result.refused += 1 }
            }
            deliverer.changed(endpoint)
            deliverer.save()
            deliverer.serve(endpoint)
            return result
        }
    }

    /// Sends something to an endpoint now, past its queue, to see whether it takes it.
    package func test(_ name: String, _ content: WebhookRequest.Content) async -> DeliveryStore.Attempt? {
        let home = home
        return await withCheckedContinuation { continuation in
            home.post { reactor in
                guard let endpoint = reactor.local(Deliverer.self)?.endpoint(name), !endpoint.target.secrets.isEmpty
                else { return continuation.resume(returning: nil) }
                let now = Clock.wall()
                let request = endpoint.request(content, now: now)
                let sent = AttemptText.of(request, hiding: endpoint.target.subscriber.fields)
                endpoint.client.begin(request, on: reactor) { result in
                    var attempt = DeliveryStore.Attempt(
                        endpoint: name, number: 0, event: content.id, attempt: 1, time: now,
                        duration: Clock.wall() - now, status: nil, reason: "", address: "", request: sent, response: "")
                    switch result {
                    case .success(let response):
                        attempt.status = response.status
                        attempt.address = response.address
                        attempt.response = AttemptText.of(response)
                        let outcome = DeliveryOutcome.answered(status: response.status, retryAfter: nil)
                        attempt.reason = outcome.meaning == .delivered ? "" : outcome.reason
                    case .failure(let error): attempt.reason = error.description
                    }
                    continuation.resume(returning: attempt)
                }
            }
        }
    }

    /// The last number of the log that nobody waits for any more: what comes after must be kept.
    package func heldFrom() async throws(StoreError) -> Int64 {
        let position = await onLoop(Int64.max) { $0.heldFrom }
        return min(position, try await store.oldestNumber().map { $0 - 1 } ?? .max)
    }

    /// Forgets everything of a subscriber, its secrets too.
    package func forget(_ name: String) async throws(StoreError) {
        await onLoop(()) { $0.forget(name) }
        try await store.remove(name)
    }

    /// How long a stop waits for what is in flight: what has no end then is sent again after the start. Default 3 s.
    package static let stopTimeout: Nanoseconds = .seconds(3)

    /// Begins nothing more, keeps what is known and ends.
    package func close() async {
        await onLoop(()) { $0.stop() }
        let end = Clock.monotonic() + Self.stopTimeout
        while await onLoop(0, { $0.inFlight }) > 0, Clock.monotonic() < end { await home.sleep(.milliseconds(20)) }
        await withCheckedContinuation { continuation in
            home.post { reactor in
                guard let deliverer = reactor.local(Deliverer.self) else { return continuation.resume() }
                deliverer.save { continuation.resume() }
            }
        }
        await store.close()
        await home.end()
    }

    private func change(_ name: String, _ body: @escaping @Sendable (Endpoint) -> Void) async -> Bool {
        await onLoop(false) { deliverer in
            guard let endpoint = deliverer.endpoint(name) else { return false }
            body(endpoint)
            deliverer.changed(endpoint)
            deliverer.save()
            deliverer.serve(endpoint)
            return true
        }
    }

    private func onLoop<R: Sendable>(
        _ fallback: R, _ body: @escaping @Sendable (Deliverer) -> R
    ) async -> R {
        await withCheckedContinuation { continuation in
            home.post { reactor in
                continuation.resume(returning: reactor.local(Deliverer.self).map(body) ?? fallback)
            }
        }
    }
}
