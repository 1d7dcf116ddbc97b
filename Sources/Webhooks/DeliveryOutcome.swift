import Bytes

/// What came of one attempt.
package enum DeliveryOutcome: Sendable, Hashable {
    /// An answer, with the seconds of its `Retry-After`.
    case answered(status: Int, retryAfter: Nanoseconds?)
    /// None, and why: never with the endpoint's secrets.
    case failed(String)

    /// What follows from it. (Standard Webhooks 1.0.0, "Responses")
    package enum Meaning: Sendable, Hashable {
        case delivered
        /// 410: the endpoint wants nothing any more.
        case gone
        /// 429, 502, 503, 504: too much, or away: the endpoint is left alone for a while.
        case throttled(for: Nanoseconds?)
        /// Everything else, redirects too: following them would send events where nobody registered.
        case refused
    }

    package var meaning: Meaning {
        switch self {
        case .answered(200..<300, _): .delivered
        case .answered(410, _): .gone
        case .answered(429, let wait), .answered(502...504, let wait): .throttled(for: wait)
        case .answered, .failed: .refused
        }
    }

    package var reason: String {
        switch self {
        case .answered(let status, _): "status \(status)"
        case .failed(let why): why
        }
    }

    /// `Retry-After`: seconds, or a date. Longer than a day counts as a day. (RFC 9110 §10.2.3)
    package static func retryAfter(_ field: String?, now: WallInstant) -> Nanoseconds? {
        guard let field else { return nil }
        if let seconds = Int64(field) { return .seconds(min(max(seconds, 0), 86_400)) }
        guard let date = CivilTime.imfFixdate(field) else { return nil }
        return min(max(date - now, 0), .hours(24))
    }
}

extension CivilTime {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`. (RFC 9110 §5.6.7)
    static func imfFixdate(_ text: String) -> WallInstant? {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3 else { return nil }
        return CivilTime(year: year, month: month + 1, day: day, hour: time[0], minute: time[1], second: time[2])
            .instant
    }
}
