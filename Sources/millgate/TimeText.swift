import ArgumentParser
import Bytes

/// Times as people type and read them.
enum TimeText {
    /// `30s`, `15m`, `8h`, `30d`, up to a hundred years.
    static func duration(_ text: String) throws -> Nanoseconds {
        let units: [Character: Nanoseconds] = ["s": .seconds(1), "m": .minutes(1), "h": .hours(1), "d": .hours(24)]
        guard let last = text.last, let unit = units[last], let number = Int64(text.dropLast()), number >= 0 else {
            throw ValidationError("expected a duration such as 30s, 15m, 8h or 30d, not '\(text)'")
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow, product <= .hours(24 * 36_525) else { throw ValidationError("'\(text)' is too long") }
        return product
    }

    /// An RFC 3339 instant, or a duration before `now`.
    static func past(_ text: String, now: WallInstant) throws -> WallInstant {
        if let instant = WallInstant(text) { return instant }
        guard let duration = try? duration(text) else {
            throw ValidationError("expected 2026-11-24T06:00:00Z or a duration such as 15m or 8h, not '\(text)'")
        }
        return now + -duration
    }

    /// `in 8 hours`, `3 days ago`.
    static func relative(_ instant: WallInstant, to now: WallInstant) -> String {
        let seconds = instant.seconds - now.seconds
        let amount = abs(seconds)
        let units: [(Int64, String)] = [(86_400, "day"), (3_600, "hour"), (60, "minute")]
        let (size, name) = units.first { amount >= 2 * $0.0 } ?? (1, "second")
        let count = amount / size
        let text = "\(count) \(name)\(count == 1 ? "" : "s")"
        return seconds < 0 ? text + " ago" : "in " + text
    }
}
