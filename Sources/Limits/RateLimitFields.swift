import Bytes

// The fields of draft-ietf-httpapi-ratelimit-headers-10, structured fields (RFC 9651) that list one item a policy:
//
//     RateLimit-Policy: "burst";q=100;w=60, "day";q=10000;w=86400
//     RateLimit: "burst";r=50;t=30
//
// The caller writes the field's name, and `, ` between items.

extension RateLimit {
    /// Appends `"burst";q=100;w=60`. It never changes: worth keeping for each route.
    @inlinable
    package func appendPolicy<Sink: ByteSink>(to sink: inout Sink) {
        sink.append(copying: quotedName.span)
        sink.append(";q=")
        sink.append(decimal: quota)
        sink.append(";w=")
        sink.append(decimal: windowSeconds)
    }

    /// Appends `"burst";r=50;t=30`: `remaining` requests may be sent now; in t seconds, `time` rounded up, the whole
    /// burst is there again, or, after a refusal, the next request will be accepted.
    @inlinable
    package func appendState<Sink: ByteSink>(remaining: Int, time: Nanoseconds, to sink: inout Sink) {
        sink.append(copying: quotedName.span)
        sink.append(";r=")
        sink.append(decimal: remaining)
        sink.append(";t=")
        sink.append(decimal: RetryAfter.seconds(time))
    }
}

/// The value of a `Retry-After` field. (RFC 9110 §10.2.3)
package enum RetryAfter {
    /// Whole seconds, rounded up and at least 1 where there is something to wait for: a client that waits exactly
    /// that long must not come too early. The same rounding as t of `RateLimit`, so that `Retry-After` is never
    /// earlier than t.
    @inlinable
    package static func seconds(_ time: Nanoseconds) -> Int {
        if time <= 0 { return 0 }
        return Int((time &- 1) / 1_000_000_000) &+ 1
    }

    /// Appends the decimal number of seconds.
    @inlinable
    package static func append<Sink: ByteSink>(_ time: Nanoseconds, to sink: inout Sink) {
        sink.append(decimal: seconds(time))
    }
}
