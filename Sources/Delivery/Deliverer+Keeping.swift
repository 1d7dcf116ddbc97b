import Bytes
import Events
import Reactor
import Store
import Webhooks

/// What is to be kept, until it is.
struct Keeping {
    var changes: [(name: String, changes: EndpointChanges)] = []
    var attempts: [DeliveryStore.Attempt] = []
    var news: [BusinessEvent] = []
    var touched: [Endpoint] = []
    var isScheduled = false
    var isSaving = false
    /// The store does not take what must be kept: nothing more is sent, because a crash would forget it.
    var isBlocked = false
    var onSaved: [() -> Void] = []

    /// How long positions may lag behind deliveries: what a crash repeats at most. Default 50 ms.
    static let interval: Nanoseconds = .milliseconds(50)
    /// Failed attempts that may wait to be kept; more are not kept. Default 4,096.
    static let attemptsMax = 4_096
}

extension Deliverer {
    /// Notes that something of the endpoint is to be kept, soon.
    func changed(_ endpoint: Endpoint) {
        if !endpoint.isChanged {
            endpoint.isChanged = true
            keeping.touched.append(endpoint)
        }
        guard !keeping.isScheduled, !keeping.isSaving else { return }
        scheduleSave(after: Keeping.interval)
    }

    private func scheduleSave(after pause: Nanoseconds) {
        keeping.isScheduled = true
        reactor.schedule(at: Clock.monotonic() + pause) { reactor in
            guard let deliverer = reactor.local(Deliverer.self) else { return }
            deliverer.keeping.isScheduled = false
            deliverer.save()
        }
    }

    /// Takes what changed of an endpoint, and what others should hear of it.
    ///
    /// - Parameter event: the one whose delivery has just failed.
    func collect(_ endpoint: Endpoint, about event: BusinessEvent? = nil) {
        let changes = endpoint.queue.takeChanges()
        guard !changes.isEmpty else { return }
        keeping.changes.append((endpoint.name, changes))
        if case .disabled(let reason, let since) = changes.status {
            keeping.news.append(.endpointDisabled(endpoint, reason: reason, since: since, head: log.bell.head))
        }
        endpoint.counts.deadLetters += changes.dead.count
        // What is told of deliveries is delivered too: its own end is not told, or it would never end.
        guard let event, !event.name.hasPrefix("webhook-") else { return }
        let now = Clock.wall()
        for letter in changes.dead { keeping.news.append(.deliveryGivenUp(endpoint, letter, event, now: now)) }
    }

    /// Keeps all that is known. `done` is called when it is on the disk, or cannot be.
    func save(then done: (() -> Void)? = nil) {
        if let done { keeping.onSaved.append(done) }
        guard !keeping.isSaving else { return }
        for endpoint in keeping.touched {
            endpoint.isChanged = false
            collect(endpoint)
        }
        keeping.touched = []
        let (changes, attempts, news) = (keeping.changes, keeping.attempts.suffix(Keeping.attemptsMax), keeping.news)
        guard !changes.isEmpty || !attempts.isEmpty || !news.isEmpty else { return wasSaved() }
        keeping.isSaving = true
        keeping.changes = []
        keeping.attempts = []
        keeping.news = []
        let (store, home, log) = (store, home, log)
        home.spawn {
            var isKept = false
            do throws(StoreError) {
                if !news.isEmpty { try await log.append(news) }
                try await store.save(changes, attempts: Array(attempts), now: Clock.wall())
                isKept = true
            } catch {}
            let saved = isKept
            home.post { reactor in
                guard let deliverer = reactor.local(Deliverer.self) else { return }
                deliverer.keeping.isSaving = false
                // What could not be kept comes before what came after it.
                if !saved {
                    deliverer.keeping.changes = changes + deliverer.keeping.changes
                    deliverer.keeping.news = news + deliverer.keeping.news
                }
                deliverer.took(saved)
            }
        }
    }

    private func took(_ saved: Bool) {
        let wasBlocked = keeping.isBlocked
        keeping.isBlocked = !saved
        let isDirty = !keeping.touched.isEmpty || !keeping.changes.isEmpty || !keeping.attempts.isEmpty
        // Who waits, waits for everything that was known when it asked.
        if saved, isDirty, !keeping.onSaved.isEmpty { return save() }
        wasSaved()
        if !saved {
            if !isStopped { scheduleSave(after: .seconds(1)) }
        } else if wasBlocked {
            serveAll()
        } else if isDirty {
            scheduleSave(after: Keeping.interval)
        }
    }

    private func wasSaved() {
        let waiting = keeping.onSaved
        keeping.onSaved = []
        for done in waiting { done() }
    }
}
