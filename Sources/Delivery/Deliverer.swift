import Bytes
import Events
import Fetch
import Policy
import Reactor
import Store
import Webhooks

/// The deliveries of all endpoints, on one reactor. Everything here runs on its loop; who is elsewhere asks the
/// `DeliveryDesk`.
final class Deliverer {
    let reactor: Reactor
    let log: Ledger
    let store: DeliveryStore
    private(set) var endpoints: [Endpoint] = []
    private var places: [String: Int] = [:]
    /// Endpoints that were kept and have no subscriber at the moment: their positions stay, their events need not.
    private var kept: [String: DeliveryStore.Endpoint]
    var cache = EventCache()
    private var reading: Set<Int64> = []
    private(set) var inFlight = 0
    /// Endpoints that found no room, in the order in which they get it.
    private var starved: [Endpoint] = []
    private var wake: (at: WallInstant, action: Reactor.ScheduledAction)?
    private(set) var isStopped = false
    var keeping = Keeping()
    var recent = RecentAttempts()

    /// Deliveries at once, of all endpoints. Default 1,024.
    static let inFlightMax = 1_024
    /// Messages in retry or held, of all endpoints; an endpoint has its share, at most 10,000. Default 100,000.
    static let exceptionsMax = 100_000

    init(reactor: Reactor, log: Ledger, store: DeliveryStore, kept: [DeliveryStore.Endpoint]) {
        self.reactor = reactor
        self.log = log
        self.store = store
        self.kept = Dictionary(kept.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var home: ReactorHandle { reactor.handle }

    func endpoint(_ name: String) -> Endpoint? { places[name].map { endpoints[$0] } }

    // MARK: Subscribers

    /// Takes over the subscribers there are now. A new one begins with what happens from now on.
    func replace(_ targets: [DeliveryTarget]) {
        let now = Clock.wall()
        var next: [Endpoint] = []
        for target in targets {
            if let known = endpoint(target.subscriber.name) {
                known.replace(target, home: home)
                next.append(known)
                continue
            }
            let old = kept.removeValue(forKey: target.subscriber.name)
            let queue = EndpointQueue(
                target.subscriber.settings, position: old?.position ?? log.bell.head, messages: old?.messages ?? [],
                settled: old?.settled ?? [], status: old?.status ?? .active, failingSince: old?.failingSince, now: now)
            if old == nil {
                var first = EndpointChanges()
                first.position = queue.position
                keeping.changes.append((target.subscriber.name, first))
            }
            next.append(Endpoint(target, queue: queue, home: home))
        }
        for endpoint in endpoints where !next.contains(where: { $0 === endpoint }) {
            collect(endpoint)
            kept[endpoint.name] = DeliveryStore.Endpoint(
                name: endpoint.name, position: endpoint.queue.position, status: endpoint.queue.status,
                failingSince: endpoint.queue.failingSince, messages: Array(endpoint.queue.exceptions.values))
        }
        endpoints = next
        places = Dictionary(uniqueKeysWithValues: next.enumerated().map { ($1.name, $0) })
        for endpoint in next {
            endpoint.queue.exceptionsMax = min(10_000, max(256, Self.exceptionsMax / next.count))
        }
        save()
        serveAll()
    }

    /// Forgets what is kept of an endpoint that has no subscriber.
    func forget(_ name: String) { kept[name] = nil }

    // MARK: The pump

    func serveAll() {
        for endpoint in endpoints { serve(endpoint) }
    }

    /// Sends what may be sent to an endpoint now.
    func serve(_ endpoint: Endpoint) {
        guard !isStopped, !keeping.isBlocked, endpoint.isServed, !endpoint.isServing else { return }
        endpoint.isServing = true
        defer { endpoint.isServing = false }
        let now = Clock.wall()
        fill(endpoint, now)
        while true {
            guard inFlight < Self.inFlightMax else { return starve(endpoint) }
            guard let message = endpoint.queue.start(now) else { break }
            begin(endpoint, message, now)
        }
        guard let time = endpoint.queue.wake(after: now) else { return endpoint.wakeAt = nil }
        endpoint.wakeAt = max(time, now + .milliseconds(1))
        wake(at: endpoint.wakeAt ?? time)
    }

    private func starve(_ endpoint: Endpoint) {
        guard !endpoint.isStarved else { return }
        endpoint.isStarved = true
        starved.append(endpoint)
    }

    /// Gives the room of what has ended to the endpoint that waits longest for it: one delivery, then the next one's
    /// turn.
    private func feed() {
        guard !starved.isEmpty, inFlight < Self.inFlightMax, !isStopped, !keeping.isBlocked else { return }
        let endpoint = starved.removeFirst()
        endpoint.isStarved = false
        let now = Clock.wall()
        guard endpoint.isServed, !endpoint.isServing else { return }
        fill(endpoint, now)
        guard let message = endpoint.queue.start(now) else { return serve(endpoint) }
        starve(endpoint)
        begin(endpoint, message, now)
    }

    /// Offers an endpoint what is in memory, and asks for what is not.
    private func fill(_ endpoint: Endpoint, _ now: WallInstant) {
        let head = log.bell.head
        guard endpoint.queue.taken < head, endpoint.queue.capacity > EndpointQueue.windowMax / 2 else { return }
        while endpoint.queue.capacity > 0, endpoint.queue.taken < head {
            let taken = endpoint.queue.taken
            let index = EventCache.index(after: taken)
            guard let chunk = cache.chunk(index), chunk.upTo > taken else {
                endpoint.isReading = true
                return read(index, head)
            }
            let first = chunk.place(after: taken)
            for event in chunk.events[first...] {
                guard endpoint.queue.capacity > 0 else { break }
                endpoint.queue.offer(
                    event.recorded.number, subject: event.recorded.event.subject,
                    isWanted: endpoint.mask(event.recorded) != nil, now: now)
            }
            // What was removed from the log leaves a gap.
            if first == chunk.events.count { endpoint.queue.offer(chunk.upTo, subject: "", isWanted: false, now: now) }
        }
        changed(endpoint)
    }

    private func read(_ index: Int64, _ head: Int64) {
        guard reading.insert(index).inserted else { return }
        let after = cache.readAfter(index)
        let (log, home) = (log, home)
        home.spawn {
            let events = try? await log.events(after: after, limit: Int(EventCache.chunkSize))
            home.post { $0.local(Deliverer.self)?.wasRead(index, events, upTo: head) }
        }
    }

    private func wasRead(_ index: Int64, _ events: [RecordedEvent]?, upTo head: Int64) {
        reading.remove(index)
        guard let events else {
            // The log cannot be read: again in a moment.
            let time = Clock.wall() + .seconds(1)
            for endpoint in endpoints where endpoint.isReading {
                endpoint.isReading = false
                endpoint.wakeAt = time
            }
            return wake(at: time)
        }
        cache.add(events, to: index, upTo: head)
        for endpoint in endpoints where endpoint.isReading {
            endpoint.isReading = false
            serve(endpoint)
        }
    }

    private func begin(_ endpoint: Endpoint, _ message: WebhookMessage, _ now: WallInstant) {
        inFlight += 1
        if let event = cache.event(message.number) { return send(endpoint, message, event, now) }
        let (log, home, name) = (log, home, endpoint.name)
        home.spawn {
            let found = try? await log.event(number: message.number)
            home.post { $0.local(Deliverer.self)?.send(name, message, found ?? nil) }
        }
    }

    /// An attempt has ended: what may follow follows.
    func ended(_ endpoint: Endpoint) {
        inFlight -= 1
        endpoint.attemptEnded()
        feed()
        serve(endpoint)
    }

    func dropped() {
        inFlight -= 1
        feed()
    }

    // MARK: Time

    private func wake(at time: WallInstant) {
        if let wake {
            if wake.at <= time { return }
            reactor.cancel(wake.action)
        }
        let pause = max(time - Clock.wall(), .milliseconds(1))
        let action = reactor.schedule(at: Clock.monotonic() + pause) { reactor in
            guard let deliverer = reactor.local(Deliverer.self) else { return }
            deliverer.wake = nil
            deliverer.woke()
        }
        wake = (time, action)
    }

    private func woke() {
        let now = Clock.wall()
        for endpoint in endpoints {
            guard let time = endpoint.wakeAt else { continue }
            if time <= now { serve(endpoint) } else { wake(at: time) }
        }
    }

    /// Listens for new events, for as long as it lives.
    func listen() {
        guard !isStopped else { return }
        let home = home
        log.bell.onEvent(after: log.bell.head) {
            home.post { reactor in
                guard let deliverer = reactor.local(Deliverer.self) else { return }
                deliverer.listen()
            }
        }
        // Between the look at the head and the bell there may have been one.
        serveAll()
    }

    func stop() { isStopped = true }

    // MARK: For operators

    func reports() -> [EndpointReport] {
        let head = log.bell.head
        let now = Clock.wall()
        return endpoints.map { endpoint in
            let hindrance =
                keeping.isBlocked ? "the store cannot be written" : endpoint.hindrance(now, head: head)
            return EndpointReport(
                subscriber: endpoint.target.subscriber, status: endpoint.queue.status,
                position: endpoint.queue.position, behind: head - endpoint.queue.position,
                inRetry: endpoint.queue.exceptions.count, inFlight: endpoint.queue.inFlightCount,
                isCircuitOpen: endpoint.queue.circuit.isOpen, failingSince: endpoint.queue.failingSince,
                counts: endpoint.counts, waitsFor: hindrance, secretCount: endpoint.target.secrets.count)
        }
    }

    /// The last number that no subscriber waits for any more.
    var heldFrom: Int64 { endpoints.map(\.queue.position).min() ?? .max }
}
