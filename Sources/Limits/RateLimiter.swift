import Bytes
import Synchronization

/// Rate limits for all keys of the process, shared by all reactors.
///
/// The counters are spread over 64 shards, each with its own lock, so that reactors rarely meet; a lock is held for
/// one lookup. One request passes all its limits or is charged by none of them.
package final class RateLimiter: Sendable {
    package struct Configuration: Sendable {
        /// Most keys counted at once. Default 1,048,576: subjects, addresses and roles of a large plant several times
        /// over, at 22 bytes each in 23 MiB. When more are live at once, those nearest to expiry are forgotten, which
        /// means: they get their burst back early. (See `RateTable`.)
        package var keysMax = 1_048_576
        package init(keysMax: Int = 1_048_576) { self.keysMax = keysMax }
    }

    package struct Statistics: Equatable, Sendable {
        /// Keys that are counted now.
        package var keys = 0
        /// Bytes of memory for counters.
        package var memoryBytes = 0
        /// Keys forgotten early, since the start, because the table was full.
        package var evictions = 0
    }

    private static let shardCount: UInt64 = 64
    private let shards: InlineArray<64, Mutex<RateTable>>

    package init(_ configuration: Configuration = Configuration()) {
        let keysMax = max(1, configuration.keysMax) / Int(Self.shardCount) + 1
        shards = InlineArray { _ in Mutex(RateTable(keysMax: keysMax)) }
    }

    /// Asks all of `checks` for one request: all are charged, or none.
    ///
    /// Only one shard is locked at a time. What was charged before a later limit refused is given back, so another
    /// reactor may, in that moment, see a key of this request one request fuller than it is; it is never charged for
    /// it.
    package func admit(_ checks: inout RateChecks, now: MonotonicInstant) -> RateVerdict {
        var tightest = RateVerdict.allowed(position: 0, remaining: .max, reset: 0)
        var least = Int.max
        for position in 0..<checks.count {
            switch take(checks.entries[position], now, charging: true) {
            case .allowed(let remaining, let reset):
                checks.entries[position].remaining = remaining
                checks.entries[position].time = reset
                if remaining < least {
                    least = remaining
                    tightest = .allowed(position: position, remaining: remaining, reset: reset)
                }
            case .refused(let retryAfter):
                return refuse(&checks, at: position, retryAfter, now)
            }
        }
        return tightest
    }

    /// One limit, for callers that have a single one.
    package func admit(_ limit: RateLimit, _ key: LimitKey, now: MonotonicInstant) -> RateVerdict {
        var checks = RateChecks()
        checks.add(limit, key)
        return admit(&checks, now: now)
    }

    /// Gives back what was charged and asks the remaining limits, without charging, for the longest wait.
    private func refuse(
        _ checks: inout RateChecks, at first: Int, _ retryAfter: Nanoseconds, _ now: MonotonicInstant
    ) -> RateVerdict {
        for position in 0..<first {
            let entry = checks.entries[position]
            shards[Int(entry.shard % Self.shardCount)].withLock { $0.giveBack(entry.word, interval: entry.interval) }
            checks.entries[position].remaining += 1
            checks.entries[position].time -= entry.interval
        }
        checks.entries[first].remaining = 0
        checks.entries[first].time = retryAfter
        var longest = (position: first, time: retryAfter)
        for position in first + 1..<max(first + 1, checks.count) {
            switch take(checks.entries[position], now, charging: false) {
            case .allowed(let remaining, let reset):
                checks.entries[position].remaining = remaining + 1
                checks.entries[position].time = reset - checks.entries[position].interval
            case .refused(let retryAfter):
                checks.entries[position].remaining = 0
                checks.entries[position].time = retryAfter
                if retryAfter > longest.time { longest = (position, retryAfter) }
            }
        }
        return .refused(position: longest.position, retryAfter: longest.time)
    }

    @inline(__always)
    private func take(_ entry: RateChecks.Entry, _ now: MonotonicInstant, charging: Bool) -> RateTable.Outcome {
        shards[Int(entry.shard % Self.shardCount)].withLock { table in
            table.take(
                entry.word, interval: entry.interval, tolerance: entry.tolerance, now: now.nanoseconds,
                charging: charging)
        }
    }

    /// Looks at every counter: for the metrics page, not for requests.
    package func statistics(now: MonotonicInstant) -> Statistics {
        var sum = Statistics()
        for i in 0..<Int(Self.shardCount) {
            shards[i].withLock { table in
                sum.keys += table.liveCount(now: now.nanoseconds)
                sum.memoryBytes += table.memoryBytes
                sum.evictions += table.evictions
            }
        }
        return sum
    }
}
