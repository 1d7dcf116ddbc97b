/// A hashed timer wheel of 256 slots: adding and cancelling cost the same with one timer or a million.
///
/// Timers are named by a `TimerID` and carry an integer for their owner. They fire at or after their time, never
/// before, rounded up to the wheel's tick. The wheel holds no clock: `advance(to:)` says what time it is.
public struct TimerWheel {
    public struct TimerID: Hashable, Sendable {
        @usableFromInline let index: UInt32
        @usableFromInline let generation: UInt32
        /// An identifier that no timer has.
        public static let none = TimerID(index: .max, generation: 0)
        @usableFromInline init(index: UInt32, generation: UInt32) {
            self.index = index
            self.generation = generation
        }
    }

    private struct Entry {
        var deadline: Int64 = 0
        var payload: UInt64 = 0
        var generation: UInt32 = 0
        var next: UInt32 = .max
        var previous: UInt32 = .max
        var slot: Int32 = -1
    }

    /// Length of a tick in nanoseconds.
    public let tick: Nanoseconds
    private var entries: [Entry] = []
    private var free: [UInt32] = []
    private var heads: [UInt32]
    /// One bit for each slot that holds a timer, so that `next` looks at four words and not at 256 slots.
    private var occupied: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// Number of the last tick that was processed.
    private var current: Int64
    public private(set) var count = 0

    private static var slots: Int64 { 256 }

    public init(tick: Nanoseconds = .milliseconds(10), now: MonotonicInstant) {
        precondition(tick > 0 && now.nanoseconds >= 0)
        self.tick = tick
        heads = Array(repeating: .max, count: Int(Self.slots))
        current = now.nanoseconds / tick
    }

    /// Adds a timer that fires once at or after `deadline`.
    public mutating func add(at deadline: MonotonicInstant, payload: UInt64) -> TimerID {
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
        } else {
            index = UInt32(entries.count)
            entries.append(Entry())
        }
        // Rounded up without `deadline + tick - 1`, which does not fit for a deadline that means "never".
        let whole = deadline.nanoseconds / tick
        let wanted = max(deadline.nanoseconds % tick > 0 ? whole + 1 : whole, current + 1)
        entries[Int(index)].deadline = wanted
        entries[Int(index)].payload = payload
        link(index, slot: Int32(wanted % Self.slots))
        count += 1
        return TimerID(index: index, generation: entries[Int(index)].generation)
    }

    /// Whether the timer was still waiting.
    @discardableResult
    public mutating func cancel(_ id: TimerID) -> Bool {
        let i = Int(id.index)
        guard i < entries.count, entries[i].generation == id.generation, entries[i].slot >= 0 else { return false }
        release(id.index)
        return true
    }

    /// Moves the wheel to `now` and appends the payloads of all timers that are due, in no particular order.
    /// Nothing happens when `now` is earlier than before.
    public mutating func advance(to now: MonotonicInstant, fired: inout [UInt64]) {
        let target = now.nanoseconds / tick
        guard target > current else { return }
        if count == 0 {
            current = target
            return
        }
        let steps = min(target - current, Self.slots)
        let first = current + 1
        current = target
        for step in 0..<steps {
            var index = heads[Int((first + step) % Self.slots)]
            while index != .max {
                let entry = entries[Int(index)]
                if entry.deadline <= target {
                    fired.append(entry.payload)
                    release(index)
                }
                index = entry.next
            }
        }
    }

    /// When to look again: an instant at or before the next timer's deadline rounded up to the tick, nil when none
    /// waits. A timer more than 256 ticks away may be looked for once in each turn of the wheel.
    public func next(after now: MonotonicInstant) -> MonotonicInstant? {
        if count == 0 { return nil }
        // The slots after `current` in order: the rest of its word, the other three words, the beginning of its word.
        let first = Int((current &+ 1) & (Self.slots - 1))
        for step in 0...4 {
            let word = (first / 64 + step) % 4
            var bits = occupied(word)
            if step == 0 { bits &= ~0 << UInt64(first % 64) }
            if bits == 0 { continue }
            let slot = word * 64 + bits.trailingZeroBitCount
            let distance = Int64((slot - first) & Int(Self.slots - 1)) + 1
            let (instant, overflow) = (current + distance).multipliedReportingOverflow(by: tick)
            return MonotonicInstant(nanoseconds: overflow ? .max : instant)
        }
        return nil
    }

    private func occupied(_ word: Int) -> UInt64 {
        switch word {
        case 0: occupied.0
        case 1: occupied.1
        case 2: occupied.2
        default: occupied.3
        }
    }

    private mutating func mark(_ slot: Int32, occupied bit: Bool) {
        let mask: UInt64 = 1 << UInt64(slot % 64)
        func apply(_ word: inout UInt64) { if bit { word |= mask } else { word &= ~mask } }
        switch slot / 64 {
        case 0: apply(&occupied.0)
        case 1: apply(&occupied.1)
        case 2: apply(&occupied.2)
        default: apply(&occupied.3)
        }
    }

    private mutating func link(_ index: UInt32, slot: Int32) {
        let head = heads[Int(slot)]
        entries[Int(index)].slot = slot
        entries[Int(index)].next = head
        entries[Int(index)].previous = .max
        if head != .max { entries[Int(head)].previous = index } else { mark(slot, occupied: true) }
        heads[Int(slot)] = index
    }

    private mutating func release(_ index: UInt32) {
        let entry = entries[Int(index)]
        if entry.previous != .max {
            entries[Int(entry.previous)].next = entry.next
        } else {
            heads[Int(entry.slot)] = entry.next
            if entry.next == .max { mark(entry.slot, occupied: false) }
        }
        if entry.next != .max { entries[Int(entry.next)].previous = entry.previous }
        entries[Int(index)].slot = -1
        entries[Int(index)].generation &+= 1
        free.append(index)
        count -= 1
    }
}
