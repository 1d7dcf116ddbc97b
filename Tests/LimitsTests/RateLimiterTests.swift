import Bytes
import Limits
import Seeded
import Testing

/// A bucket that leaks: the same rule as GCRA, said the other way round.
private struct Bucket {
    var level: Int64 = 0
    var last: Int64 = 0

    mutating func leak(_ now: Int64) {
        level = max(0, level - (now - last))
        last = now
    }
}

@Test func verdictsAgreeWithALeakyBucketOverSimulatedYears() throws {
    var random = SeededGenerator(seed: 11)
    let limits = try [
        RateLimit(name: "burst", kind: .subject, quota: 10, windowSeconds: 1, burst: 5),
        RateLimit(name: "minute", kind: .subject, quota: 100, windowSeconds: 60),
        RateLimit(name: "odd", kind: .subject, quota: 7, windowSeconds: 3, burst: 1),
        RateLimit(name: "day", kind: .subject, quota: 1_000, windowSeconds: 86_400, burst: 100),
    ]
    let limiter = RateLimiter()
    var buckets: [String: Bucket] = [:]
    var now: Int64 = 1_000
    var seen = (allowed: 0, refused: 0)
    for _ in 0..<steps(2_000_000) {
        switch Int.random(in: 0..<10_000, using: &random) {
        case 0..<5: now += Int64.random(in: 0...Nanoseconds.hours(24 * 40), using: &random)
        case 5..<50: now += Int64.random(in: 0...Nanoseconds.minutes(10), using: &random)
        case 50..<5_000: now += Int64.random(in: 0...Nanoseconds.milliseconds(300), using: &random)
        default: break
        }
        let subject = "subject \(Int.random(in: 0..<6, using: &random))"
        let limit = limits[Int.random(in: 0..<limits.count, using: &random)]
        var bucket = buckets[subject + limit.name] ?? Bucket()
        bucket.leak(now)
        let expected: RateVerdict
        if bucket.level + limit.interval <= limit.tolerance {
            bucket.level += limit.interval
            let remaining = Int((limit.tolerance - bucket.level) / limit.interval)
            expected = .allowed(position: 0, remaining: remaining, reset: bucket.level)
            seen.allowed += 1
        } else {
            expected = .refused(position: 0, retryAfter: bucket.level + limit.interval - limit.tolerance)
            seen.refused += 1
        }
        buckets[subject + limit.name] = bucket
        let verdict = limiter.admit(limit, hasher.key(subject), now: MonotonicInstant(nanoseconds: now))
        if verdict != expected {
            Issue.record("\(subject) \(limit.name) at \(now): \(verdict), expected \(expected)")
            return
        }
    }
    #expect(seen.allowed > 1_000 && seen.refused > 1_000)
    #expect(now > Nanoseconds.hours(24 * 365))
}

@Test func aClientThatComesAfterTheAdvisedTimeIsAccepted() throws {
    let limit = try RateLimit(name: "n", kind: .subject, quota: 7, windowSeconds: 60, burst: 3)
    let limiter = RateLimiter()
    let key = hasher.key("k")
    var now = MonotonicInstant.seconds(5)
    for _ in 0..<3 { _ = limiter.admit(limit, key, now: now) }
    for _ in 0..<50 {
        guard case .refused(_, let retryAfter) = limiter.admit(limit, key, now: now) else {
            Issue.record("accepted too early")
            return
        }
        #expect(limiter.admit(limit, key, now: now + (retryAfter - 1)) == .refused(position: 0, retryAfter: 1))
        now = now + retryAfter
        #expect(limiter.admit(limit, key, now: now) == .allowed(position: 0, remaining: 0, reset: limit.tolerance))
    }
}

@Test func noWindowPassesMoreThanTheQuotaAndTheBurst() throws {
    let limit = try RateLimit(name: "n", kind: .subject, quota: 60, windowSeconds: 60, burst: 10)
    let limiter = RateLimiter()
    let key = hasher.key("k")
    var accepted: [Int64] = []
    var now: Int64 = 0
    var random = SeededGenerator(seed: 12)
    while now < .minutes(30) {
        now += Int64.random(in: 0...Nanoseconds.milliseconds(400), using: &random)
        if case .allowed = limiter.admit(limit, key, now: MonotonicInstant(nanoseconds: now)) { accepted.append(now) }
    }
    for (i, start) in accepted.enumerated() {
        let inWindow = accepted[i...].prefix { $0 < start + .minutes(1) }.count
        #expect(inWindow <= 60 + 10)
    }
    // And all of the quota can be used.
    #expect(accepted.count >= 30 * 60)
}

@Test func aRequestRefusedByOneLimitIsChargedByNone() throws {
    var random = SeededGenerator(seed: 13)
    let limits = try (0..<4).map { i in
        try RateLimit(
            name: "limit \(i)", kind: .subject, quota: [3, 20, 8, 50][i], windowSeconds: 10, burst: [2, 5, 8, 4][i])
    }
    let limiter = RateLimiter()
    var levels: [String: Bucket] = [:]
    var checks = RateChecks()
    var now: Int64 = 0
    for _ in 0..<steps(400_000) {
        now += Int64.random(in: 0...Nanoseconds.milliseconds(800), using: &random)
        let chosen = limits.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
        let subject = "s\(Int.random(in: 0..<3, using: &random))"
        checks.removeAll()
        for limit in chosen { checks.add(limit, hasher.key(subject)) }
        var waits: [Int64] = []
        for limit in chosen {
            levels[subject + limit.name, default: Bucket()].leak(now)
            let level = levels[subject + limit.name, default: Bucket()].level
            waits.append(max(0, level + limit.interval - limit.tolerance))
        }
        let verdict = limiter.admit(&checks, now: MonotonicInstant(nanoseconds: now))
        let longest = waits.max() ?? 0
        if longest == 0 {
            for limit in chosen { levels[subject + limit.name]?.level += limit.interval }
        }
        for (position, limit) in chosen.enumerated() {
            let level = levels[subject + limit.name, default: Bucket()].level
            let remaining = Int((limit.tolerance - level) / limit.interval)
            if checks.remaining(position) != remaining {
                Issue.record("\(limit.name): \(checks.remaining(position)) remain, expected \(remaining)")
                return
            }
            let time = waits[position] > 0 ? waits[position] : level
            if checks.time(position) != time {
                Issue.record("\(limit.name): time \(checks.time(position)), expected \(time)")
                return
            }
        }
        switch verdict {
        case .allowed(let position, let remaining, let reset):
            #expect(longest == 0)
            #expect(checks.remaining(position) == remaining && checks.time(position) == reset)
            #expect((0..<checks.count).allSatisfy { checks.remaining($0) >= remaining })
        case .refused(let position, let retryAfter):
            #expect(retryAfter == longest && longest > 0)
            #expect(waits[position] == longest)
        }
    }
}

@Test func withoutAnyLimitEverythingIsAllowed() {
    var checks = RateChecks()
    let verdict = RateLimiter().admit(&checks, now: .seconds(1))
    #expect(verdict == .allowed(position: 0, remaining: .max, reset: 0))
}

@Test func aClockThatStepsBackLocksNobodyOut() throws {
    let limit = try RateLimit(name: "n", kind: .subject, quota: 10, windowSeconds: 10, burst: 3)
    let limiter = RateLimiter()
    let key = hasher.key("k")
    for _ in 0..<3 { _ = limiter.admit(limit, key, now: .seconds(100_000)) }
    // A day earlier: as if the burst had just been used, no worse.
    let back = MonotonicInstant.seconds(100_000 - 86_400)
    #expect(limiter.admit(limit, key, now: back) == .refused(position: 0, retryAfter: .seconds(1)))
    #expect(limiter.admit(limit, key, now: back + .seconds(1)) == .refused(position: 0, retryAfter: .seconds(1)))
}

@Test func aClockThatStepsForwardGivesOneBurstAndNoMore() throws {
    let limit = try RateLimit(name: "n", kind: .subject, quota: 10, windowSeconds: 10, burst: 3)
    let limiter = RateLimiter()
    let key = hasher.key("k")
    for _ in 0..<3 { _ = limiter.admit(limit, key, now: .seconds(1)) }
    let ahead = MonotonicInstant.seconds(1_000_000)
    let allowed = (0..<10).filter { _ in
        if case .allowed = limiter.admit(limit, key, now: ahead) { true } else { false }
    }
    #expect(allowed.count == 3)
}

@Test func aMillionKeysAreCountedExactlyInBoundedMemory() throws {
    let keys = steps(1_000_000)
    let limit = try RateLimit(name: "n", kind: .subject, quota: 2, windowSeconds: 3_600, burst: 2)
    let limiter = RateLimiter(RateLimiter.Configuration(keysMax: steps(1_048_576)))
    let now = MonotonicInstant.seconds(1)
    func key(_ i: Int) -> LimitKey {
        var generator = SeededGenerator(seed: UInt64(i))
        return LimitKey(high: generator.next(), low: generator.next())
    }
    for i in 0..<keys { _ = limiter.admit(limit, key(i), now: now) }
    let statistics = limiter.statistics(now: now)
    #expect(statistics.memoryBytes <= steps(1_048_576) * 22)
    #expect(statistics.keys + statistics.evictions == keys)
    #expect(statistics.evictions * 2_000 <= keys)
    var forgotten = 0
    for i in 0..<keys {
        guard case .allowed(_, let remaining, _) = limiter.admit(limit, key(i), now: now) else {
            Issue.record("key \(i) was charged for another")
            return
        }
        if remaining != 0 { forgotten += 1 }
    }
    #expect(forgotten * 2_000 <= keys)
}

@Test func memoryStaysBoundedHoweverManyKeysComeAndLiveKeysNearestToExpiryAreForgotten() throws {
    let limiter = RateLimiter(RateLimiter.Configuration(keysMax: 640))
    let short = try RateLimit(name: "short", kind: .clientAddress, quota: 1, windowSeconds: 10)
    let long = try RateLimit(name: "long", kind: .subject, quota: 1, windowSeconds: 86_400)
    let now = MonotonicInstant.seconds(1)
    let dear = (0..<64).map { hasher.key("dear \($0)") }
    for key in dear { _ = limiter.admit(long, key, now: now) }
    for i in 0..<steps(400_000) { _ = limiter.admit(short, hasher.key("flood \(i)"), now: now) }
    let statistics = limiter.statistics(now: now)
    #expect(statistics.memoryBytes <= 64 * 128 * 2)
    #expect(statistics.evictions > 0)
    // A flood of short-lived keys can't wash out the long-lived ones.
    for key in dear {
        let verdict = limiter.admit(long, key, now: now)
        #expect(verdict == .refused(position: 0, retryAfter: .seconds(86_400)))
    }
}

@Test func expiredKeysMakeRoomWithoutBeingSwept() throws {
    let limiter = RateLimiter(RateLimiter.Configuration(keysMax: 6_400))
    let limit = try RateLimit(name: "n", kind: .clientAddress, quota: 1, windowSeconds: 1)
    for second in 0..<50 as Range<Int64> {
        for i in 0..<1_000 { _ = limiter.admit(limit, hasher.key("\(second) \(i)"), now: .seconds(second)) }
    }
    let statistics = limiter.statistics(now: .seconds(49))
    #expect(statistics.keys == 1_000)
    #expect(statistics.evictions == 0)
    // It never grew for more than a thousand keys at once.
    #expect(statistics.memoryBytes <= 64 * 128 * 8)
}

@Test func manyThreadsTogetherGetTheBurstAndNotOneMore() async throws {
    let limiter = RateLimiter()
    let wide = try RateLimit(name: "wide", kind: .role, quota: 1_000_000, windowSeconds: 3_600, burst: 100_000)
    let narrow = try RateLimit(name: "narrow", kind: .subject, quota: 10_000, windowSeconds: 3_600, burst: 500)
    let now = MonotonicInstant.seconds(1)
    let role = hasher.key("role")
    let subjects = (0..<4).map { hasher.key("subject \($0)") }
    let allowed = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
            group.addTask {
                var checks = RateChecks()
                var count = 0
                for i in 0..<4_000 {
                    checks.removeAll()
                    checks.add(wide, role)
                    checks.add(narrow, subjects[i % 4])
                    if case .allowed = limiter.admit(&checks, now: now) { count += 1 }
                }
                return count
            }
        }
        return await group.reduce(0, +)
    }
    #expect(allowed == 4 * 500)
    // The refused ones left nothing behind in the wide limit.
    let after = limiter.admit(wide, role, now: now)
    #expect(after == .allowed(position: 0, remaining: 100_000 - 2_001, reset: wide.interval * 2_001))
}
