import Bytes
import Limits
import Testing

@Test func aLimitOutsideItsRangesIsRefusedWithTheReason() {
    func reason(_ name: String, _ quota: Int, _ window: Int, _ burst: Int?) -> RateLimit.Invalid? {
        do {
            _ = try RateLimit(name: name, kind: .subject, quota: quota, windowSeconds: window, burst: burst)
            return nil
        } catch {
            return error
        }
    }
    #expect(reason("burst", 100, 60, nil) == nil)
    #expect(reason("", 100, 60, nil) == .name)
    #expect(reason("é", 100, 60, nil) == .name)
    #expect(reason("a\nb", 100, 60, nil) == .name)
    #expect(reason(String(repeating: "x", count: 65), 100, 60, nil) == .name)
    #expect(reason("n", 0, 60, nil) == .quota)
    #expect(reason("n", 1_000_000_001, 60, nil) == .quota)
    #expect(reason("n", 1, 0, nil) == .window)
    #expect(reason("n", 1, 31_622_401, nil) == .window)
    #expect(reason("n", 1, 60, 0) == .burst)
    #expect(reason("n", 1, 31_622_400, 11) == .tooLong)
    #expect(reason("n", 1, 31_622_400, 1_000_000_000) == .tooLong)
    #expect(reason("n", 1, 31_622_400, nil) == nil)
    #expect(reason("n", 1_000_000_000, 1, nil) == nil)
}

@Test func theEmissionIntervalIsRoundedUpSoThatTheQuotaIsNeverExceeded() throws {
    for (quota, window) in [(100, 60), (7, 60), (3, 1), (999_999_937, 1), (1, 86_400), (10_000, 86_400)] {
        let limit = try RateLimit(name: "n", kind: .route, quota: quota, windowSeconds: window)
        let exact = Int128(window) * 1_000_000_000
        #expect(Int128(limit.interval) * Int128(quota) >= exact)
        #expect(Int128(limit.interval - 1) * Int128(quota) < exact)
        #expect(limit.tolerance == limit.interval * Int64(limit.burst))
    }
}

@Test func fieldsAreThoseOfTheDraft() throws {
    let burst = try RateLimit(name: "burst", kind: .subject, quota: 100, windowSeconds: 60)
    var out: [UInt8] = []
    burst.appendPolicy(to: &out)
    #expect(String(decoding: out, as: UTF8.self) == #""burst";q=100;w=60"#)
    out = []
    burst.appendState(remaining: 50, time: .seconds(30), to: &out)
    #expect(String(decoding: out, as: UTF8.self) == #""burst";r=50;t=30"#)
}

@Test func quotesAndBackslashesInANameAreEscaped() throws {
    let limit = try RateLimit(name: #"a"b\c"#, kind: .subject, quota: 1, windowSeconds: 1)
    var out: [UInt8] = []
    limit.appendState(remaining: 0, time: 0, to: &out)
    #expect(String(decoding: out, as: UTF8.self) == #""a\"b\\c";r=0;t=0"#)
}

@Test(
    arguments: [
        (-1, 0), (0, 0), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2), (59_000_000_001, 60),
        (.max, 9_223_372_037),
    ] as [(Int64, Int)])
func retryAfterIsRoundedUp(time: Int64, seconds: Int) {
    #expect(RetryAfter.seconds(time) == seconds)
    var out: [UInt8] = []
    RetryAfter.append(time, to: &out)
    #expect(String(decoding: out, as: UTF8.self) == String(seconds))
}

@Test func countersAreSetApartByNameAndByKind() throws {
    let limiter = RateLimiter()
    let key = hasher.key("anna")
    let now = MonotonicInstant.seconds(1)
    let limits = try [
        RateLimit(name: "a", kind: .subject, quota: 1, windowSeconds: 60),
        RateLimit(name: "b", kind: .subject, quota: 1, windowSeconds: 60),
        RateLimit(name: "a", kind: .role, quota: 1, windowSeconds: 60),
    ]
    for limit in limits {
        #expect(limiter.admit(limit, key, now: now) == .allowed(position: 0, remaining: 0, reset: .seconds(60)))
        #expect(limiter.admit(limit, key, now: now) == .refused(position: 0, retryAfter: .seconds(60)))
    }
    // The same limit after a reload finds its counter again, with a new quota as well.
    let reloaded = try RateLimit(name: "a", kind: .subject, quota: 2, windowSeconds: 60)
    #expect(limiter.admit(reloaded, key, now: now) == .refused(position: 0, retryAfter: .seconds(30)))
}
