import Bytes

/// A budget that fills up with time: so many at once, and so many more in each second.
struct HTTP2Meter: Sendable {
    private let most: Int64
    private let perSecond: Int64
    private var left: Int64
    private var filled: MonotonicInstant

    init(most: Int, perSecond: Int, now: MonotonicInstant) {
        self.most = Int64(most)
        self.perSecond = Int64(perSecond)
        left = Int64(most)
        filled = now
    }

    /// Takes one; false when nothing is left.
    mutating func spend(now: MonotonicInstant) -> Bool {
        if left <= 0 { fill(now) }
        guard left > 0 else { return false }
        left -= 1
        return true
    }

    /// Puts `count` back, up to the most.
    mutating func earn(_ count: Int64) { left = min(most, left + count) }

    private mutating func fill(_ now: MonotonicInstant) {
        // A clock that stands, or a jump of hours, must neither divide nor overflow.
        let elapsed = max(0, min(now - filled, .seconds(3_600)))
        let gained = elapsed * perSecond / .seconds(1)
        guard gained > 0 else { return }
        left = min(most, left + gained)
        filled = now
    }
}
