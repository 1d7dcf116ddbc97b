import Bytes

/// The limits that one request must pass, with the key each counts by, and afterwards how each stands.
///
/// It holds its entries inline and allocates nothing. Keep one for each reactor, and `removeAll` before each request.
package struct RateChecks: Sendable {
    /// Most limits on one request. A configuration that asks for more is refused. Default 8: five kinds of key, some
    /// of them twice (a burst and a day).
    package static let countMax = 8

    struct Entry: Sendable {
        var word: UInt64 = 0
        var shard: UInt64 = 0
        var interval: Nanoseconds = 0
        var tolerance: Nanoseconds = 0
        var remaining = 0
        var time: Nanoseconds = 0
    }

    var entries: InlineArray<8, Entry>
    package private(set) var count = 0

    package init() { entries = InlineArray(repeating: Entry()) }

    package mutating func removeAll() { count = 0 }

    /// Adds a limit. Its position is the number of limits added before.
    package mutating func add(_ limit: RateLimit, _ key: LimitKey) { add(limit.terms, key) }

    package mutating func add(_ terms: RateLimit.Terms, _ key: LimitKey) {
        precondition(count < Self.countMax, "more limits on a request than RateChecks.countMax")
        // A bijection of the key's word for each limit, so that no two keys of one limit fall together by it.
        var word = key.high ^ terms.salt
        word = (word ^ word >> 33) &* 0xff51_afd7_ed55_8ccd
        word = (word ^ word >> 33) &* 0xc4ce_b9fe_1a85_ec53
        word ^= word >> 33
        // Zero marks a slot that was never used.
        entries[count].word = word == 0 ? 1 : word
        entries[count].shard = key.low
        entries[count].interval = terms.interval
        entries[count].tolerance = terms.tolerance
        count += 1
    }

    /// After `admit`: how many more requests the limit at `position` would accept at once.
    package func remaining(_ position: Int) -> Int {
        precondition(position < count)
        return entries[position].remaining
    }

    /// After `admit`: how long until the limit at `position` has its whole burst again, or, where it refused, until
    /// it would accept the request.
    package func time(_ position: Int) -> Nanoseconds {
        precondition(position < count)
        return entries[position].time
    }
}

package enum RateVerdict: Equatable, Sendable {
    /// All limits accepted. `position` is the one that comes to its end first; see `RateChecks.remaining` and `time`
    /// for all. Without any limit, `remaining` is `Int.max`.
    case allowed(position: Int, remaining: Int, reset: Nanoseconds)
    /// At least one limit refused and none was charged. `position` is the one with the longest wait.
    case refused(position: Int, retryAfter: Nanoseconds)
}
