import Bytes

/// Stops calling an upstream that fails, and finds out gently when it is well again.
///
///     closed ──failures──▶ open ──open time passed──▶ half-open ──enough good probes──▶ closed
///                            ▲                            │
///                            └────────a bad probe─────────┘   (open time doubles, up to its cap)
///
/// Closed, calls pass and their results are counted. Open, calls are refused at once with the time to wait. Half-open,
/// a few calls at a time pass as probes, all others are refused. Results of calls from before the last change of
/// state don't count: a slow failure from the time before must not condemn the upstream again.
///
/// A plain value: whoever shares it keeps it in a `Mutex`.
package struct CircuitBreaker: Sendable {
    package struct Configuration: Sendable {
        /// Length of the rolling window, in nanoseconds. Default 10 s.
        package var window = Nanoseconds.seconds(10)
        /// Fewest results in the window before a rate means anything. Default 10.
        package var callsMin = 10
        /// Share of failures in the window that opens, in percent, 1 to 100. Default 50.
        package var failurePercent = 50
        /// Failures in a row that open, whatever the rate; 0 for never. Default 5: an upstream that is down is seen at
        /// once also with little traffic.
        package var consecutiveFailuresMax = 5
        /// First time open, in nanoseconds; it doubles with each bad probe. Default 1 s.
        package var openTime = Nanoseconds.seconds(1)
        /// Longest time open. Default 60 s: a repaired Odoo is found within a minute.
        package var openTimeMax = Nanoseconds.seconds(60)
        /// Most probes at once when half-open. Default 2: a worker that has just started is not overrun.
        package var probesMax = 2
        /// Good probes in a row that close. Default 3.
        package var probeSuccesses = 3
        /// A probe without a result after this time counts as failed, so that a lost one can't block the breaker.
        /// Default 60 s, longer than any call may take.
        package var probeTime = Nanoseconds.seconds(60)
        /// Failed health checks in a row that open; 0 for never. Default 3.
        package var failedChecksMax = 3
        package init() {}
    }

    package enum State: String, Sendable, CaseIterable {
        case closed
        case open
        case halfOpen = "half-open"
    }

    package enum Outcome: Sendable {
        case success
        case failure
        /// Says nothing about the upstream: the client went away, the request was bad.
        case ignored
    }

    /// Given with a permission, handed back with the result.
    package struct Call: Equatable, Sendable {
        let epoch: UInt64
        package let isProbe: Bool
    }

    package enum Permission: Equatable, Sendable {
        case allowed(Call)
        case refused(retryAfter: Nanoseconds)
    }

    private struct Bucket: Sendable {
        var successes = 0
        var failures = 0
    }

    private static let bucketCount = 10

    package let configuration: Configuration
    package private(set) var state = State.closed
    /// When the state changed last.
    package private(set) var since: MonotonicInstant
    /// Times the breaker opened, since the start.
    package private(set) var openings = 0
    /// Calls refused, since the start.
    package private(set) var refusals = 0

    /// Counts the changes of state.
    private var epoch: UInt64 = 0
    private var buckets: InlineArray<10, Bucket>
    /// Number of the bucket that is being filled, counted from the clock's start.
    private var currentBucket: Int64
    private var consecutiveFailures = 0
    private var failedChecks = 0
    private var openedByCheck = false
    /// Time open now, before the next bad probe doubles it.
    private var openTime: Nanoseconds
    private var openUntil: MonotonicInstant
    private var probesInFlight = 0
    private var goodProbes = 0
    private var lastProbe: MonotonicInstant

    package init(_ configuration: Configuration = Configuration(), now: MonotonicInstant) {
        self.configuration = configuration
        since = now
        buckets = InlineArray(repeating: Bucket())
        currentBucket = 0
        openTime = configuration.openTime
        openUntil = now
        lastProbe = now
        currentBucket = bucket(now)
    }

    /// May a call go now? Each that is allowed is reported by `record`, exactly once.
    package mutating func allow(now: MonotonicInstant) -> Permission {
        if state == .open && now >= openUntil { change(to: .halfOpen, now) }
        switch state {
        case .closed:
            return .allowed(Call(epoch: epoch, isProbe: false))
        case .open:
            refusals += 1
            return .refused(retryAfter: openUntil - now)
        case .halfOpen:
            if probesInFlight < configuration.probesMax {
                probesInFlight += 1
                lastProbe = now
                return .allowed(Call(epoch: epoch, isProbe: true))
            }
            refusals += 1
            if now - lastProbe >= configuration.probeTime {
                open(now, longer: true)
                return .refused(retryAfter: openUntil - now)
            }
            return .refused(retryAfter: configuration.openTime)
        }
    }

    /// How a call ended.
    package mutating func record(_ outcome: Outcome, of call: Call, now: MonotonicInstant) {
        guard call.epoch == epoch else { return }
        switch (state, outcome) {
        case (.closed, .success):
            roll(now)
            buckets[Int(currentBucket % Int64(Self.bucketCount))].successes += 1
            consecutiveFailures = 0
        case (.closed, .failure):
            roll(now)
            buckets[Int(currentBucket % Int64(Self.bucketCount))].failures += 1
            consecutiveFailures += 1
            if isFailing { open(now, longer: false) }
        case (.halfOpen, .success):
            probesInFlight -= 1
            goodProbes += 1
            if goodProbes >= configuration.probeSuccesses { close(now) }
        case (.halfOpen, .failure):
            open(now, longer: true)
        case (.halfOpen, .ignored):
            probesInFlight -= 1
        case (.closed, .ignored), (.open, _):
            break
        }
    }

    /// How an active health check ended. Checks run in every state, and don't ask `allow`.
    ///
    /// Failed ones open the breaker, and while they go on failing it stays open. A good one lets the probes begin
    /// only where checks had opened it: the health page of an Odoo whose database hangs answers well.
    package mutating func recordCheck(healthy: Bool, now: MonotonicInstant) {
        if healthy {
            failedChecks = 0
            if state == .open && openedByCheck { change(to: .halfOpen, now) }
            return
        }
        failedChecks += 1
        guard configuration.failedChecksMax > 0, failedChecks >= configuration.failedChecksMax else { return }
        if state == .open {
            openedByCheck = true
            openUntil = max(openUntil, now + openTime)
        } else {
            open(now, longer: false)
            openedByCheck = true
        }
    }

    /// Results in the window, for metrics.
    package mutating func window(now: MonotonicInstant) -> (successes: Int, failures: Int) {
        roll(now)
        return sums
    }

    private var sums: (successes: Int, failures: Int) {
        var sum = (successes: 0, failures: 0)
        for i in 0..<Self.bucketCount {
            sum.successes += buckets[i].successes
            sum.failures += buckets[i].failures
        }
        return sum
    }

    private var isFailing: Bool {
        if configuration.consecutiveFailuresMax > 0 && consecutiveFailures >= configuration.consecutiveFailuresMax {
            return true
        }
        let (successes, failures) = sums
        let calls = successes + failures
        return calls >= configuration.callsMin && failures * 100 >= configuration.failurePercent * calls
    }

    private func bucket(_ now: MonotonicInstant) -> Int64 {
        now.nanoseconds / max(1, configuration.window / Int64(Self.bucketCount))
    }

    /// Empties the buckets that have left the window.
    private mutating func roll(_ now: MonotonicInstant) {
        let target = bucket(now)
        guard target > currentBucket else { return }
        for step in 1...min(target - currentBucket, Int64(Self.bucketCount)) {
            buckets[Int((currentBucket + step) % Int64(Self.bucketCount))] = Bucket()
        }
        currentBucket = target
    }

    private mutating func open(_ now: MonotonicInstant, longer: Bool) {
        openTime = longer ? min(openTime * 2, configuration.openTimeMax) : configuration.openTime
        openUntil = now + openTime
        openedByCheck = false
        openings += 1
        change(to: .open, now)
    }

    private mutating func close(_ now: MonotonicInstant) {
        openTime = configuration.openTime
        change(to: .closed, now)
    }

    private mutating func change(to next: State, _ now: MonotonicInstant) {
        state = next
        since = now
        epoch += 1
        buckets = InlineArray(repeating: Bucket())
        currentBucket = bucket(now)
        consecutiveFailures = 0
        probesInFlight = 0
        goodProbes = 0
        lastProbe = now
    }
}
