import Bytes

/// The deliveries of one endpoint, as a machine: it is offered the events of the log in their order, says what to send
/// now, is told what came of it, and gives what must be kept.
///
/// An event is *fresh* from its offer to the end of its first attempt, in a window of bounded size; after a failure it is
/// an *exception*, kept by number. `position` is the last number of the log before which nothing is fresh: what is kept
/// is that number and the exceptions. After a crash the fresh ones are offered again, hence delivered at least once.
package struct EndpointQueue: Sendable {
    package var settings: EndpointSettings
    package private(set) var position: Int64
    package private(set) var status: EndpointStatus
    package private(set) var failingSince: WallInstant?
    package private(set) var circuit = EndpointCircuit()
    package private(set) var exceptions: [Int64: WebhookMessage] = [:]

    /// Fresh events at most. Default 256: enough for every concurrency, small enough to be offered again.
    package static let windowMax = 256
    /// Exceptions at most; beyond it no event is taken. Default 10,000.
    package var exceptionsMax = 10_000
    /// How long an endpoint is left alone that says "too much" without a time. Default 30 s.
    package static let throttleDefault: Nanoseconds = .seconds(30)

    private struct Fresh {
        let number: Int64
        let subject: String
        var isDone: Bool
    }

    /// In the order of the log, from the first that is not done.
    private var window: [Fresh] = []
    private var windowStart = 0
    /// Fresh ones that nothing holds up.
    private var ready: [Int64] = []
    private var readyStart = 0
    private var inFlight: [Int64: WebhookMessage] = [:]
    private var retries = DueHeap()
    /// What is not done of each subject, in order; only where subjects are ordered.
    private var lanes: [String: [Int64]] = [:]
    /// Given up before the position reached them.
    private var settled: Set<Int64> = []
    private var throttledUntil: WallInstant?
    private var nextAllowed: WallInstant?
    private var concurrency: Int
    private var prefersFresh = false
    /// Where to begin again once nothing is in flight.
    private var rewindTo: Int64?
    private var changes = EndpointChanges()

    /// - Parameters:
    ///   - messages: the exceptions that were kept.
    ///   - settled: numbers beyond the position that were given up.
    package init(
        _ settings: EndpointSettings, position: Int64, messages: [WebhookMessage] = [], settled: Set<Int64> = [],
        status: EndpointStatus = .active, failingSince: WallInstant? = nil, now: WallInstant
    ) {
        self.settings = settings
        self.position = position
        self.status = status
        self.failingSince = failingSince
        self.settled = settled
        concurrency = settings.concurrencyMax
        for message in messages.sorted(by: { $0.number < $1.number }) { adopt(message, now) }
    }

    /// Events that are not done, as far as the queue knows them.
    package var outstanding: Int { window.count - windowStart + exceptions.count }
    package var inFlightCount: Int { inFlight.count }

    // MARK: - Taking events

    /// How many events it can take now; 0 while it is disabled: they wait in the log.
    package var capacity: Int {
        guard status == .active, rewindTo == nil, exceptions.count < exceptionsMax else { return 0 }
        return max(0, Self.windowMax - (window.count - windowStart))
    }

    /// The last number that was offered.
    package var taken: Int64 { window.last?.number ?? position }

    /// Takes the next event of the log; numbers must rise. What is not wanted is done with at once.
    package mutating func offer(_ number: Int64, subject: String, isWanted: Bool, now: WallInstant) {
        precondition(number > taken, "events are offered in the order of the log")
        let isKnown = exceptions[number] != nil || settled.remove(number) != nil
        guard isWanted, !isKnown else {
            window.append(Fresh(number: number, subject: "", isDone: true))
            advance()
            return
        }
        guard settings.ordering == .aggregate else {
            window.append(Fresh(number: number, subject: subject, isDone: false))
            ready.append(number)
            return
        }
        let head = lanes[subject]?.first
        lanes[subject, default: []].append(number)
        if let head, exceptions[head] != nil {
            window.append(Fresh(number: number, subject: subject, isDone: true))
            keep(WebhookMessage(number: number, subject: subject, since: now))
            advance()
        } else {
            window.append(Fresh(number: number, subject: subject, isDone: false))
            if head == nil { ready.append(number) }
        }
    }

    // MARK: - Sending

    /// What to send now; nil when there is nothing, or not now. Each must be followed by `finish`.
    package mutating func start(_ now: WallInstant) -> WebhookMessage? {
        guard mayStart(now) else { return nil }
        prefersFresh.toggle()
        let message = prefersFresh ? startFresh(now) ?? startRetry(now) : startRetry(now) ?? startFresh(now)
        guard let message else { return nil }
        inFlight[message.number] = message
        if let rate = settings.rate {
            nextAllowed = max(nextAllowed ?? now, now) + 1_000_000_000 / Int64(max(rate, 1))
        }
        return message
    }

    /// Whether another may be in flight, whatever the time.
    private var hasRoom: Bool {
        status == .active && rewindTo == nil
            && inFlight.count < (circuit.isOpen || settings.ordering == .strict ? 1 : concurrency)
    }

    /// Whether a fresh event may go, whatever the time: in strict order nobody passes one that is in retry.
    private var hasFresh: Bool {
        readyStart < ready.count && (settings.ordering != .strict || exceptions.isEmpty)
    }

    private func mayStart(_ now: WallInstant) -> Bool {
        guard hasRoom else { return false }
        if let throttledUntil, now < throttledUntil { return false }
        if let nextAllowed, now < nextAllowed { return false }
        if let hours = settings.hours, !hours.contains(now) { return false }
        return true
    }

    private mutating func startRetry(_ now: WallInstant) -> WebhookMessage? {
        while let next = retries.first, next.due <= now {
            retries.removeFirst()
            // An entry is stale when its message was done with, or is due at another time.
            guard let message = exceptions[next.number], message.due == next.due, inFlight[next.number] == nil else {
                continue
            }
            return message
        }
        return nil
    }

    private mutating func startFresh(_ now: WallInstant) -> WebhookMessage? {
        guard hasFresh else { return nil }
        if let probeAt = circuit.probeAt, now < probeAt { return nil }
        let number = ready[readyStart]
        readyStart += 1
        if readyStart == ready.count {
            ready.removeAll(keepingCapacity: true)
            readyStart = 0
        }
        return WebhookMessage(number: number, subject: subject(of: number), since: now)
    }

    /// Why nothing is sent now that waits, for operators; nil while deliveries go on or nothing waits.
    ///
    /// - Parameter isBehind: the log goes on behind what was offered.
    package func hindrance(_ now: WallInstant, isBehind: Bool) -> String? {
        if case .disabled(let reason, let since) = status { return "disabled since \(since.rfc3339): \(reason)" }
        guard outstanding > 0 || isBehind else { return nil }
        if rewindTo != nil { return "replays once what is in flight has ended" }
        if exceptions.count >= exceptionsMax {
            return "\(exceptions.count) events are in retry or held behind one, which is all that may be"
        }
        if let throttledUntil, now < throttledUntil {
            return "the endpoint asked to wait until \(throttledUntil.rfc3339)"
        }
        if let hours = settings.hours, !hours.contains(now) { return "outside of its hours" }
        if let probeAt = circuit.probeAt {
            return "the circuit is open after \(circuit.failures) failures; next probe at \(probeAt.rfc3339)"
        }
        guard inFlight.isEmpty, !hasFresh, let first = retries.first, first.due > now else { return nil }
        let reason = exceptions[first.number].map { ": " + $0.reason } ?? ""
        return "event \(first.number) is tried again at \(first.due.rfc3339)\(reason)"
    }

    /// When something may be sent that may not be now, by time alone; nil when only news can change it.
    package func wake(after now: WallInstant) -> WallInstant? {
        guard hasRoom else { return nil }
        var times: [WallInstant] = []
        if let due = retries.first?.due { times.append(due) }
        if hasFresh { times.append(circuit.probeAt ?? now) }
        guard var time = times.min() else { return nil }
        for gate in [throttledUntil, nextAllowed] { if let gate { time = max(time, gate) } }
        if let hours = settings.hours, !hours.contains(max(time, now)) { time = max(time, now + .minutes(1)) }
        return time
    }

    // MARK: - Learning

    /// Takes what came of an attempt.
    package mutating func finish(_ number: Int64, _ outcome: DeliveryOutcome, now: WallInstant) {
        guard var message = inFlight.removeValue(forKey: number) else { return }
        message.attempts += 1
        switch outcome.meaning {
        case .delivered:
            circuit.succeeded()
            throttledUntil = nil
            concurrency = min(settings.concurrencyMax, concurrency + 1)
            if failingSince != nil { setFailing(nil) }
            remove(message, now)
        case .gone:
            message.attempts -= 1
            message.due = now
            message.reason = outcome.reason
            hold(message, now)
            disable(outcome.reason, now)
        case .throttled(let wait):
            let until = now + (wait ?? Self.throttleDefault)
            throttledUntil = max(until, throttledUntil ?? until)
            concurrency = max(1, concurrency / 2)
            failed(message, outcome.reason, now, notBefore: until)
        case .refused: failed(message, outcome.reason, now, notBefore: now)
        }
        if let rewindTo, inFlight.isEmpty { begin(at: rewindTo) }
    }

    private mutating func failed(
        _ message: WebhookMessage, _ reason: String, _ now: WallInstant, notBefore: WallInstant
    ) {
        var message = message
        message.reason = reason
        circuit.failed(now)
        if failingSince == nil { setFailing(now) }
        let salt = settings.salt ^ RetrySchedule.mixed(UInt64(bitPattern: message.number))
        if let pause = settings.schedule.pause(after: message.attempts, salt: salt) {
            message.due = max(now + pause, notBefore)
            hold(message, now)
        } else {
            message.due = nil
            changes.dead.append(message)
            if message.number > position { settled.insert(message.number) }
            remove(message, now)
        }
        if let since = failingSince, now - since >= settings.disableAfter {
            disable("failing since \(since.rfc3339)", now)
        }
    }

    // MARK: - By hand

    package mutating func disable(_ reason: String, _ now: WallInstant) {
        guard status == .active else { return }
        status = .disabled(reason: reason, since: now)
        changes.status = status
    }

    /// Serves it again: what waits in retry is due at once.
    package mutating func enable(_ now: WallInstant) {
        status = .active
        changes.status = .active
        circuit = EndpointCircuit()
        throttledUntil = nil
        setFailing(nil)
        for message in exceptions.values.sorted(by: { $0.number < $1.number })
        where message.due != nil && inFlight[message.number] == nil {
            var message = message
            message.due = now
            keep(message)
        }
    }

    /// Sends a message again that was given up. False when that was done too often.
    package mutating func redrive(_ letter: WebhookMessage, now: WallInstant) -> Bool {
        guard letter.redrives < WebhookMessage.redrivesMax, exceptions[letter.number] == nil else { return false }
        adopt(
            WebhookMessage(
                number: letter.number, subject: letter.subject, due: now, since: now, reason: letter.reason,
                redrives: letter.redrives + 1), now)
        return true
    }

    /// Begins again behind a number, as soon as nothing is in flight: everything after it is sent once more.
    package mutating func rewind(to number: Int64) {
        if inFlight.isEmpty { begin(at: number) } else { rewindTo = number }
    }

    private mutating func begin(at number: Int64) {
        rewindTo = nil
        guard number < position else { return }
        window = []
        windowStart = 0
        ready = []
        readyStart = 0
        settled = []
        lanes = lanes.mapValues { $0.filter { exceptions[$0] != nil } }.filter { !$0.value.isEmpty }
        position = number
        changes.position = number
    }

    /// What must be kept since the last call.
    package mutating func takeChanges() -> EndpointChanges {
        defer { changes = EndpointChanges() }
        return changes
    }

    // MARK: - Private

    private mutating func setFailing(_ time: WallInstant?) {
        failingSince = time
        changes.failingSince = .some(time)
    }

    /// Puts an exception among the others that was kept before, or comes back.
    private mutating func adopt(_ message: WebhookMessage, _ now: WallInstant) {
        var message = message
        if settings.ordering == .aggregate {
            lanes[message.subject, default: []].append(message.number)
            let isFirst = lanes[message.subject]?.count == 1
            if !isFirst { message.due = nil } else if message.due == nil { message.due = now }
        } else if message.due == nil {
            message.due = now
        }
        keep(message)
    }

    private mutating func keep(_ message: WebhookMessage) {
        exceptions[message.number] = message
        changes.kept[message.number] = message
        changes.removed.remove(message.number)
        if let due = message.due { retries.insert(due, message.number) }
    }

    /// A failed message becomes an exception, or stays one; those behind it are held.
    private mutating func hold(_ message: WebhookMessage, _ now: WallInstant) {
        keep(message)
        markDone(message.number)
        guard settings.ordering == .aggregate else { return }
        for number in (lanes[message.subject] ?? []).dropFirst() where exceptions[number] == nil {
            keep(WebhookMessage(number: number, subject: message.subject, since: now))
            markDone(number)
        }
    }

    /// Delivered or given up: the next of its subject may go.
    private mutating func remove(_ message: WebhookMessage, _ now: WallInstant) {
        if exceptions.removeValue(forKey: message.number) != nil {
            changes.kept[message.number] = nil
            changes.removed.insert(message.number)
        }
        markDone(message.number)
        guard settings.ordering == .aggregate, var lane = lanes[message.subject] else { return }
        lane.removeAll { $0 == message.number }
        lanes[message.subject] = lane.isEmpty ? nil : lane
        guard let next = lane.first else { return }
        if var held = exceptions[next] {
            guard held.due == nil else { return }
            held.due = now
            keep(held)
        } else {
            ready.append(next)
        }
    }

    private func place(of number: Int64) -> Int? {
        var low = windowStart
        var high = window.count
        while low < high {
            let middle = (low + high) / 2
            if window[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < window.count && window[low].number == number ? low : nil
    }

    private func subject(of number: Int64) -> String { place(of: number).map { window[$0].subject } ?? "" }

    private mutating func markDone(_ number: Int64) {
        guard let place = place(of: number) else { return }
        window[place].isDone = true
        advance()
    }

    private mutating func advance() {
        let before = position
        while windowStart < window.count, window[windowStart].isDone {
            position = window[windowStart].number
            windowStart += 1
        }
        if windowStart == window.count || windowStart > 4 * Self.windowMax {
            window.removeFirst(windowStart)
            windowStart = 0
        }
        if position != before { changes.position = position }
    }
}

/// Numbers by the time when they are due; a binary heap.
struct DueHeap: Sendable {
    private var items: [(due: WallInstant, number: Int64)] = []

    var first: (due: WallInstant, number: Int64)? { items.first }

    private static func before(_ a: (due: WallInstant, number: Int64), _ b: (due: WallInstant, number: Int64)) -> Bool {
        a.due != b.due ? a.due < b.due : a.number < b.number
    }

    mutating func insert(_ due: WallInstant, _ number: Int64) {
        items.append((due, number))
        var i = items.count - 1
        while i > 0, Self.before(items[i], items[(i - 1) / 2]) {
            items.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = items.popLast(), !items.isEmpty else { return }
        items[0] = last
        var i = 0
        while true {
            var least = i
            for child in [2 * i + 1, 2 * i + 2] where child < items.count && Self.before(items[child], items[least]) {
                least = child
            }
            if least == i { return }
            items.swapAt(i, least)
            i = least
        }
    }
}
