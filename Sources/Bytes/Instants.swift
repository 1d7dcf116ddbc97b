/// A point on the monotonic clock (`CLOCK_MONOTONIC`), for timeouts and durations. Never shown to people.
public struct MonotonicInstant: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary start.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func + (a: Self, b: Nanoseconds) -> Self { Self(nanoseconds: a.nanoseconds &+ b) }
    @inlinable public static func - (a: Self, b: Self) -> Nanoseconds { a.nanoseconds &- b.nanoseconds }
}

/// A point on the wall clock (`CLOCK_REALTIME`), for tokens, audit entries and events.
public struct WallInstant: Comparable, Hashable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds. Covers the years 1678 to 2262.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    @inlinable public init(seconds: Int64) { self.nanoseconds = seconds &* 1_000_000_000 }

    /// Whole seconds since the epoch, rounded down: a JWT `NumericDate` (RFC 7519 §2).
    @inlinable public var seconds: Int64 {
        let quotient = nanoseconds / 1_000_000_000
        return nanoseconds % 1_000_000_000 < 0 ? quotient - 1 : quotient
    }

    @inlinable public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func + (a: Self, b: Nanoseconds) -> Self { Self(nanoseconds: a.nanoseconds &+ b) }
    @inlinable public static func - (a: Self, b: Self) -> Nanoseconds { a.nanoseconds &- b.nanoseconds }
}

/// A length of time in nanoseconds. A plain integer, because `Duration` is 128 bits wide and shows on the hot path.
public typealias Nanoseconds = Int64

extension Nanoseconds {
    @inlinable public static func microseconds(_ n: Int64) -> Nanoseconds { n &* 1_000 }
    @inlinable public static func milliseconds(_ n: Int64) -> Nanoseconds { n &* 1_000_000 }
    @inlinable public static func seconds(_ n: Int64) -> Nanoseconds { n &* 1_000_000_000 }
    @inlinable public static func minutes(_ n: Int64) -> Nanoseconds { n &* 60_000_000_000 }
    @inlinable public static func hours(_ n: Int64) -> Nanoseconds { n &* 3_600_000_000_000 }
}
