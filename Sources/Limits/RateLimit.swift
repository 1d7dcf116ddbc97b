import Bytes

/// What the counters of a rate limit are kept by.
package enum RateLimitKind: String, Sendable, CaseIterable {
    case subject
    case service
    case role
    case route
    case clientAddress = "client-address"
}

/// One rate limit policy: `quota` requests in `windowSeconds`, and at most `burst` of them at once.
///
/// It is enforced by the generic cell rate algorithm (GCRA, ITU-T I.371): a request costs the emission interval
/// T = window / quota, and may be at most burst × T ahead of time. So a client that keeps to one request each T is
/// never refused, one that was idle may send `burst` at once, and over any long time no more than the quota passes.
/// There is no window's edge at which twice the quota could slip through, beyond the burst itself.
package struct RateLimit: Hashable, Sendable {
    /// Stable name, as in the `RateLimit-Policy` field and in the 429 problem. 1 to 64 printable ASCII characters.
    package let name: String
    package let kind: RateLimitKind
    /// Requests in the window. 1 to 1,000,000,000.
    package let quota: Int
    /// Length of the window in seconds. 1 to 31,622,400 (366 days).
    package let windowSeconds: Int
    /// Most requests at once after being idle. 1 to 1,000,000,000. Default: the quota.
    package let burst: Int

    /// What the limiter needs to know, and nothing that is counted by reference: keep these with a route, so that a
    /// request doesn't touch the reference counts of texts that all reactors share.
    package struct Terms: Hashable, Sendable {
        /// T, the price of one request in time, in nanoseconds, rounded up: at 100,000 requests a second the limit is
        /// stricter than its quota by less than one in ten thousand, and never more generous.
        package let interval: Nanoseconds
        /// burst × T: how far ahead of time the requests of one key may be, in nanoseconds. At most ten years.
        package let tolerance: Nanoseconds
        /// Sets the counters of this limit apart from those of others for the same key. It depends on name and kind
        /// only, so that counters outlive a reload of the configuration.
        let salt: UInt64
    }

    package let terms: Terms
    package var interval: Nanoseconds { terms.interval }
    package var tolerance: Nanoseconds { terms.tolerance }

    /// `"name"` as a structured field string. (RFC 9651 §3.3.3)
    @usableFromInline let quotedName: [UInt8]

    package enum Invalid: Error, Equatable, Sendable, CustomStringConvertible {
        case name
        case quota
        case window
        case burst
        case tooLong

        package var description: String {
            switch self {
            case .name: "a rate limit's name is 1 to 64 printable ASCII characters"
            case .quota: "a quota is 1 to 1,000,000,000 requests"
            case .window: "a window is 1 second to 366 days"
            case .burst: "a burst is 1 to 1,000,000,000 requests"
            case .tooLong: "a burst that takes more than ten years to be earned again is not a limit"
            }
        }
    }

    package init(
        name: String, kind: RateLimitKind, quota: Int, windowSeconds: Int, burst: Int? = nil
    ) throws(Invalid) {
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .name
        }
        guard (1...1_000_000_000).contains(quota) else { throw .quota }
        guard (1...31_622_400).contains(windowSeconds) else { throw .window }
        let burst = burst ?? quota
        guard (1...1_000_000_000).contains(burst) else { throw .burst }
        let interval = (Nanoseconds.seconds(Int64(windowSeconds)) + Int64(quota) - 1) / Int64(quota)
        let (tolerance, overflow) = interval.multipliedReportingOverflow(by: Int64(burst))
        guard !overflow, tolerance <= Nanoseconds.hours(24 * 3_653) else { throw .tooLong }
        self.name = name
        self.kind = kind
        self.quota = quota
        self.windowSeconds = windowSeconds
        self.burst = burst
        // FNV-1a.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in (kind.rawValue + "\u{0}" + name).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        terms = Terms(interval: interval, tolerance: tolerance, salt: hash)
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in name.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(byte)
        }
        quoted.append(UInt8(ascii: "\""))
        quotedName = quoted
    }
}
