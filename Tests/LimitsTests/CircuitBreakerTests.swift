import Bytes
import Limits
import Seeded
import Testing

private func call(_ permission: CircuitBreaker.Permission) throws -> CircuitBreaker.Call {
    guard case .allowed(let call) = permission else {
        struct Refused: Error {}
        throw Refused()
    }
    return call
}

extension CircuitBreaker {
    fileprivate mutating func run(_ outcome: Outcome, now: MonotonicInstant) throws {
        record(outcome, of: try call(allow(now: now)), now: now)
    }
}

@Test func failuresInARowOpenAtOnce() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    for _ in 0..<4 { try breaker.run(.failure, now: .seconds(1)) }
    try breaker.run(.success, now: .seconds(1))
    for _ in 0..<4 { try breaker.run(.failure, now: .seconds(1)) }
    #expect(breaker.state == .closed)
    try breaker.run(.failure, now: .seconds(2))
    #expect(breaker.state == .open)
    #expect(breaker.since == .seconds(2))
    #expect(breaker.openings == 1)
    #expect(breaker.allow(now: .milliseconds(2_400)) == .refused(retryAfter: .milliseconds(600)))
    #expect(breaker.refusals == 1)
}

@Test func aRateOfFailuresOpensOnlyWithEnoughCallsInTheWindow() throws {
    var configuration = CircuitBreaker.Configuration()
    configuration.consecutiveFailuresMax = 0
    var breaker = CircuitBreaker(configuration, now: .seconds(100))
    for _ in 0..<9 { try breaker.run(.failure, now: .seconds(100)) }
    #expect(breaker.state == .closed)
    // They leave the window, and ten calls of which four fail are not half.
    for i in 0..<6 as Range<Int64> { try breaker.run(.success, now: .seconds(111 + i)) }
    for _ in 0..<4 { try breaker.run(.failure, now: .seconds(116)) }
    #expect(breaker.state == .closed)
    let window = breaker.window(now: .seconds(116))
    #expect(window.successes == 6 && window.failures == 4)
    try breaker.run(.failure, now: .seconds(117))
    try breaker.run(.failure, now: .seconds(117))
    #expect(breaker.state == .open)
}

@Test func theWindowRollsBucketByBucket() throws {
    var configuration = CircuitBreaker.Configuration()
    configuration.consecutiveFailuresMax = 0
    configuration.callsMin = 1_000
    var breaker = CircuitBreaker(configuration, now: .seconds(0))
    for second in 0..<10 as Range<Int64> { try breaker.run(.failure, now: .seconds(second)) }
    #expect(breaker.window(now: .seconds(9)).failures == 10)
    for second in 10..<20 as Range<Int64> {
        #expect(breaker.window(now: .seconds(second)).failures == 19 - Int(second))
    }
    try breaker.run(.success, now: .seconds(50))
    #expect(breaker.window(now: .seconds(50)) == (1, 0))
    // A clock that steps back counts into the bucket that is filled now.
    try breaker.run(.success, now: .seconds(3))
    #expect(breaker.window(now: .seconds(50)) == (2, 0))
}

@Test func halfOpenLetsFewProbesThroughAndClosesAfterGoodOnes() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    for _ in 0..<5 { try breaker.run(.failure, now: .seconds(1)) }
    let a = try call(breaker.allow(now: .seconds(2)))
    #expect(breaker.state == .halfOpen && a.isProbe)
    let b = try call(breaker.allow(now: .seconds(2)))
    #expect(breaker.allow(now: .seconds(2)) == .refused(retryAfter: .seconds(1)))
    breaker.record(.success, of: a, now: .seconds(3))
    let c = try call(breaker.allow(now: .seconds(3)))
    // One that says nothing frees its place only.
    breaker.record(.ignored, of: b, now: .seconds(3))
    let d = try call(breaker.allow(now: .seconds(3)))
    breaker.record(.success, of: c, now: .seconds(4))
    #expect(breaker.state == .halfOpen)
    breaker.record(.success, of: d, now: .seconds(4))
    #expect(breaker.state == .closed)
    let next = try call(breaker.allow(now: .seconds(4)))
    #expect(!next.isProbe)
}

@Test func eachBadProbeDoublesTheTimeOpenUpToTheCap() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    for _ in 0..<5 { try breaker.run(.failure, now: .seconds(1)) }
    var now = MonotonicInstant.seconds(1)
    var times: [Nanoseconds] = []
    for _ in 0..<9 {
        guard case .refused(let retryAfter) = breaker.allow(now: now) else {
            Issue.record("open, but allowed")
            return
        }
        times.append(retryAfter)
        now = now + retryAfter
        try breaker.run(.failure, now: now)
        #expect(breaker.state == .open)
    }
    #expect(times == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    // Closed again, it begins with the short time.
    guard case .refused(let retryAfter) = breaker.allow(now: now) else { return }
    now = now + retryAfter
    for _ in 0..<3 { try breaker.run(.success, now: now) }
    for _ in 0..<5 { try breaker.run(.failure, now: now) }
    #expect(breaker.allow(now: now) == .refused(retryAfter: .seconds(1)))
}

@Test func resultsFromBeforeTheLastChangeDontCount() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    let slow = try (0..<10).map { _ in try call(breaker.allow(now: .seconds(1))) }
    for i in 0..<5 { breaker.record(.failure, of: slow[i], now: .seconds(1)) }
    #expect(breaker.state == .open)
    let probe = try call(breaker.allow(now: .seconds(2)))
    breaker.record(.failure, of: slow[5], now: .seconds(2))
    breaker.record(.success, of: slow[6], now: .seconds(2))
    #expect(breaker.state == .halfOpen)
    breaker.record(.failure, of: probe, now: .seconds(2))
    #expect(breaker.state == .open)
    breaker.record(.failure, of: probe, now: .seconds(3))
    #expect(breaker.allow(now: .seconds(3)) == .refused(retryAfter: .seconds(1)))
}

@Test func aLostProbeDoesNotBlockTheBreakerForEver() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    for _ in 0..<5 { try breaker.run(.failure, now: .seconds(1)) }
    for _ in 0..<2 { _ = try call(breaker.allow(now: .seconds(2))) }
    #expect(breaker.allow(now: .seconds(61)) == .refused(retryAfter: .seconds(1)))
    #expect(breaker.state == .halfOpen)
    #expect(breaker.allow(now: .seconds(62)) == .refused(retryAfter: .seconds(2)))
    #expect(breaker.state == .open)
    let probe = try call(breaker.allow(now: .seconds(64)))
    #expect(probe.isProbe)
}

@Test func failedHealthChecksOpenAndAGoodOneLetsProbesBegin() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    breaker.recordCheck(healthy: false, now: .seconds(1))
    breaker.recordCheck(healthy: false, now: .seconds(2))
    breaker.recordCheck(healthy: true, now: .seconds(3))
    breaker.recordCheck(healthy: false, now: .seconds(4))
    breaker.recordCheck(healthy: false, now: .seconds(5))
    #expect(breaker.state == .closed)
    breaker.recordCheck(healthy: false, now: .seconds(6))
    #expect(breaker.state == .open)
    // While they fail it stays open.
    breaker.recordCheck(healthy: false, now: .milliseconds(6_900))
    #expect(breaker.allow(now: .seconds(7)) == .refused(retryAfter: .milliseconds(900)))
    breaker.recordCheck(healthy: true, now: .seconds(7))
    #expect(breaker.state == .halfOpen)
}

@Test func aGoodHealthCheckDoesNotShortenTheTimeAfterFailedCalls() throws {
    var breaker = CircuitBreaker(now: .seconds(1))
    for _ in 0..<5 { try breaker.run(.failure, now: .seconds(1)) }
    breaker.recordCheck(healthy: true, now: .milliseconds(1_100))
    #expect(breaker.state == .open)
}

@Test(arguments: 0..<6 as Range<UInt64>)
func breakerKeepsItsPromisesOverRandomSteps(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var now = MonotonicInstant.seconds(1)
    var breaker = CircuitBreaker(now: now)
    var calls: [CircuitBreaker.Call] = []
    var openedAt: MonotonicInstant?
    var seen: Set<CircuitBreaker.State> = []
    for _ in 0..<steps(500_000) {
        now = now + Int64.random(in: 0...Nanoseconds.milliseconds(300), using: &random)
        // The upstream is well and ill in turns of a minute.
        let ill = (now.nanoseconds / Nanoseconds.minutes(1)) % 2 == 1
        let before = breaker.state
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            switch breaker.allow(now: now) {
            case .allowed(let call):
                if before == .open, let openedAt, now - openedAt < .seconds(1) { Issue.record("allowed while open") }
                if call.isProbe != (breaker.state == .halfOpen) { Issue.record("a probe is one of half-open only") }
                calls.append(call)
            case .refused(let retryAfter):
                if breaker.state == .closed { Issue.record("refused while closed") }
                if retryAfter <= 0 || retryAfter > .seconds(60) { Issue.record("retry after \(retryAfter)") }
            }
        case 5..<9:
            guard let place = calls.indices.randomElement(using: &random) else { continue }
            let outcome: CircuitBreaker.Outcome =
                Int.random(in: 0..<10, using: &random) == 0 ? .ignored : ill ? .failure : .success
            breaker.record(outcome, of: calls.remove(at: place), now: now)
        default:
            if Int.random(in: 0..<20, using: &random) == 0 { calls.removeAll() }
            if Bool.random(using: &random) { breaker.recordCheck(healthy: !ill, now: now) }
        }
        if breaker.state == .open && before != .open { openedAt = breaker.since }
        if breaker.state == .open, let openedAt, breaker.since != openedAt { Issue.record("since") }
        seen.insert(breaker.state)
        if breaker.state == .halfOpen {
            var copy = breaker
            var probes = 0
            while case .allowed = copy.allow(now: now), probes < 10 { probes += 1 }
            if probes > 2 { Issue.record("more probes than the cap") }
        }
    }
    #expect(seen.count == 3)
    #expect(breaker.openings > 1)
}
