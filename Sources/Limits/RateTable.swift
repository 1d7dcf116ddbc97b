import Bytes

/// One shard of the rate limiter's counters: from a key's word to its theoretical arrival time (TAT), in bounded
/// memory.
///
/// Slots are in groups of eight, one cache line of words beside one of times. A key has two groups to choose from,
/// given by the halves of its word, and enters the emptier one; so groups fill evenly, and the table works at three
/// quarters full with a lookup of at most four cache lines. A slot whose time has passed says nothing that an absent
/// one doesn't, so it is free without being swept. The table doubles when both groups of a new key are full, up to
/// `groupsMax`. At that bound, the key of the sixteen candidates that is nearest to expiry is forgotten: that key
/// gets its burst back early, by less than the time any of the others would still have waited. Memory never grows
/// beyond the bound, whatever the clients do.
struct RateTable: Sendable {
    struct Group {
        var words: InlineArray<8, UInt64>
        var times: InlineArray<8, Int64>

        init() {
            words = InlineArray(repeating: 0)
            times = InlineArray(repeating: .min)
        }
    }

    enum Outcome {
        case allowed(remaining: Int, reset: Nanoseconds)
        case refused(retryAfter: Nanoseconds)
    }

    private var groups: [Group] = []
    private let groupsMax: Int
    /// Live keys that were forgotten because the table was full.
    private(set) var evictions = 0
    // Keeps two shards from sharing a cache line.
    private var padding: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init(keysMax: Int) {
        // Room for a third more than the keys, because the groups don't fill quite evenly.
        groupsMax = max(1, (keysMax * 4 / 3 + 7) / 8)
    }

    /// Bytes of memory for slots.
    var memoryBytes: Int { groups.count * MemoryLayout<Group>.stride }

    /// Keys that are not expired.
    func liveCount(now: Int64) -> Int {
        var count = 0
        for group in groups {
            for i in 0..<8 where group.times[i] > now { count += 1 }
        }
        return count
    }

    /// Asks one request of the key `word`; charges it if it is allowed and `charging`.
    mutating func take(
        _ word: UInt64, interval: Nanoseconds, tolerance: Nanoseconds, now: Int64, charging: Bool
    ) -> Outcome {
        let found = find(word)
        var time = now
        if let found {
            // A key can't be further ahead than `tolerance`, unless the clock stepped back or the limit was made
            // tighter; it must not be locked out for the length of the step.
            time = min(max(groups[found.group].times[found.slot], now), now &+ tolerance)
        }
        let next = time &+ interval
        let ahead = next &- now
        if ahead > tolerance { return .refused(retryAfter: ahead &- tolerance) }
        if charging {
            if let found {
                groups[found.group].times[found.slot] = next
            } else {
                insert(word, next, now: now)
            }
        }
        return .allowed(remaining: Int((tolerance &- ahead) / interval), reset: ahead)
    }

    /// Takes back one request that was charged. What the key had before is restored exactly: `max(TAT, now)` and TAT
    /// are the same from now on.
    mutating func giveBack(_ word: UInt64, interval: Nanoseconds) {
        if let found = find(word) { groups[found.group].times[found.slot] &-= interval }
    }

    /// The two groups of a word, by multiplying instead of dividing.
    @inline(__always)
    private static func choices(_ word: UInt64, _ count: Int) -> (Int, Int) {
        let n = UInt64(truncatingIfNeeded: count)
        return (Int(((word & 0xFFFF_FFFF) &* n) >> 32), Int(((word >> 32) &* n) >> 32))
    }

    @inline(__always)
    private func find(_ word: UInt64) -> (group: Int, slot: Int)? {
        if groups.isEmpty { return nil }
        let (a, b) = Self.choices(word, groups.count)
        for slot in 0..<8 where groups[a].words[slot] == word { return (a, slot) }
        for slot in 0..<8 where groups[b].words[slot] == word { return (b, slot) }
        return nil
    }

    private mutating func insert(_ word: UInt64, _ time: Int64, now: Int64) {
        while true {
            if !groups.isEmpty, place(word, time, now: now) { return }
            if groups.count >= groupsMax { break }
            grow(now: now)
        }
        replace(word, time)
    }

    /// Puts a key into the emptier of its groups. False when both are full of live keys.
    private mutating func place(_ word: UInt64, _ time: Int64, now: Int64) -> Bool {
        let (a, b) = Self.choices(word, groups.count)
        let inA = Self.free(groups[a], now)
        let inB = Self.free(groups[b], now)
        if inA.count == 0 && inB.count == 0 { return false }
        let (group, slot) = inA.count >= inB.count ? (a, inA.slot) : (b, inB.slot)
        groups[group].words[slot] = word
        groups[group].times[slot] = time
        return true
    }

    private static func free(_ group: Group, _ now: Int64) -> (count: Int, slot: Int) {
        var count = 0
        var free = 0
        for slot in 0..<8 where group.times[slot] <= now {
            count += 1
            free = slot
        }
        return (count, free)
    }

    private mutating func grow(now: Int64) {
        let old = groups
        groups = Array(repeating: Group(), count: min(groupsMax, max(2, old.count * 2)))
        for group in old {
            for slot in 0..<8 where group.times[slot] > now {
                if !place(group.words[slot], group.times[slot], now: now) {
                    replace(group.words[slot], group.times[slot])
                }
            }
        }
    }

    /// Puts a key in the place of the one that expires first.
    private mutating func replace(_ word: UInt64, _ time: Int64) {
        let (a, b) = Self.choices(word, groups.count)
        var victim = (group: a, slot: 0)
        for group in [a, b] {
            for slot in 0..<8 where groups[group].times[slot] < groups[victim.group].times[victim.slot] {
                victim = (group, slot)
            }
        }
        groups[victim.group].words[victim.slot] = word
        groups[victim.group].times[victim.slot] = time
        evictions += 1
    }
}
