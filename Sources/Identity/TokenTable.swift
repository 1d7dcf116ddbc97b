import Bytes

/// The places of a `TokenCache`: which token is where, until when, and who must go next. Knows nothing of values, so
/// that it is compiled once and not per kind of value. Public, like `TokenCache`, to be inlined into the gateway.
///
/// An index of places with open addressing and linear probing, half full at most; a slab of entries; and a clock hand
/// that gives an entry which was used since it last passed a second chance.
public struct TokenTable {
    private struct Entry {
        var token: [UInt8] = []
        var hash: UInt64 = 0
        /// Nanoseconds on the wall clock.
        var expires: Int64 = 0
        var generation: UInt64 = 0
        var used = false
    }

    /// Where a token is.
    public enum Lookup {
        case hit(Int)
        /// It was there, but has expired or is of another generation; the place is free now.
        case stale(Int)
        case miss
    }

    private let entriesMax: Int
    private let bytesMax: Int
    private let seed: UInt64
    private let mask: Int
    private var index: [UInt32]
    private var entries: [Entry] = []
    private var free: [Int] = []
    private var hand = 0
    private(set) var count = 0
    /// Bytes of all tokens, with `overheadBytes` for each.
    private(set) var bytes = 0

    private static var empty: UInt32 { .max }
    /// What an entry costs besides its token, in bytes: entry, array header, index and the value's reference.
    static var overheadBytes: Int { 128 }
    /// Entries that the clock hand looks at before it takes the next one anyway, so that one insertion never walks
    /// the whole cache.
    private static var chancesMax: Int { 8 }

    init(entriesMax: Int, bytesMax: Int, seed: UInt64) {
        precondition(entriesMax > 0 && entriesMax < Int(UInt32.max) && bytesMax > 0)
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
        self.seed = seed
        var slots = 2
        while slots < entriesMax * 2 { slots *= 2 }
        mask = slots - 1
        index = Array(repeating: Self.empty, count: slots)
    }

    public mutating func find(_ token: Span<UInt8>, now: WallInstant, generation: UInt64) -> Lookup {
        let hash = TokenBytes.hash(token, seed: seed)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let place = index[slot]
            if place == Self.empty { return .miss }
            let i = Int(place)
            if entries[i].hash == hash, TokenBytes.equal(entries[i].token, token) {
                if entries[i].generation == generation, now.nanoseconds < entries[i].expires {
                    entries[i].used = true
                    return .hit(i)
                }
                remove(slot: slot)
                return .stale(i)
            }
            slot = (slot + 1) & mask
        }
    }

    /// Adds a token that `find` has just missed, and returns its place; places given up for it go to `evicted`. Nil when
    /// the token alone is larger than the cache may be.
    public mutating func add(
        _ token: Span<UInt8>, expires: WallInstant, generation: UInt64, evicted: (Int) -> Void
    ) -> Int? {
        let cost = token.count + Self.overheadBytes
        guard cost <= bytesMax, token.count > 0 else { return nil }
        while count >= entriesMax || bytes + cost > bytesMax {
            evicted(evict(generation: generation))
        }
        let i: Int
        if let reused = free.popLast() {
            i = reused
        } else {
            i = entries.count
            entries.append(Entry())
        }
        let hash = TokenBytes.hash(token, seed: seed)
        entries[i] = Entry(
            token: token.array, hash: hash, expires: expires.nanoseconds, generation: generation, used: false)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while index[slot] != Self.empty { slot = (slot + 1) & mask }
        index[slot] = UInt32(truncatingIfNeeded: i)
        count += 1
        bytes += cost
        return i
    }

    public mutating func removeAll() {
        for slot in index.indices { index[slot] = Self.empty }
        entries.removeAll()
        free.removeAll()
        hand = 0
        count = 0
        bytes = 0
    }

    /// Gives up one entry. There is one: `count` is not zero when the cache is full.
    private mutating func evict(generation: UInt64) -> Int {
        var chances = Self.chancesMax
        while true {
            hand = hand + 1 < entries.count ? hand + 1 : 0
            if entries[hand].token.isEmpty { continue }
            if entries[hand].used, entries[hand].generation == generation, chances > 0 {
                entries[hand].used = false
                chances -= 1
                continue
            }
            var slot = Int(truncatingIfNeeded: entries[hand].hash) & mask
            while index[slot] != UInt32(truncatingIfNeeded: hand) { slot = (slot + 1) & mask }
            remove(slot: slot)
            return hand
        }
    }

    /// Frees the place that `slot` of the index names, and moves later ones of the same run back over the gap.
    private mutating func remove(slot: Int) {
        let i = Int(index[slot])
        bytes -= entries[i].token.count + Self.overheadBytes
        count -= 1
        entries[i] = Entry()
        free.append(i)
        var gap = slot
        var next = (slot + 1) & mask
        while index[next] != Self.empty {
            let home = Int(truncatingIfNeeded: entries[Int(index[next])].hash) & mask
            // The entry may move back unless its home is after the gap (both counted around the end).
            if (next - home) & mask >= (next - gap) & mask {
                index[gap] = index[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        index[gap] = Self.empty
    }
}
