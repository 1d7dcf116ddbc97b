import Bytes

/// A point in time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z, all that CEL can write.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Since 1970-01-01T00:00:00Z, rounded down.
    package let seconds: Int64
    /// 0 to 999,999,999.
    package let nanoseconds: Int32

    static let secondsRange: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    package init(_ instant: WallInstant) {
        seconds = instant.seconds
        let rest = Int32(instant.nanoseconds % 1_000_000_000)
        nanoseconds = rest < 0 ? rest + 1_000_000_000 : rest
    }

    /// Nil outside the range.
    package init?(seconds: Int64, nanoseconds: Int32 = 0) {
        guard Self.secondsRange.contains(seconds) else { return nil }
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (a: Self, b: Self) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }

    private static let billion: Int64 = 1_000_000_000

    /// Nil outside the range.
    func adding(_ duration: Int64) -> Timestamp? {
        var seconds = seconds + duration / Self.billion
        var nanos = Int64(nanoseconds) + duration % Self.billion
        if nanos < 0 {
            nanos += Self.billion
            seconds -= 1
        } else if nanos >= Self.billion {
            nanos -= Self.billion
            seconds += 1
        }
        return Timestamp(seconds: seconds, nanoseconds: Int32(nanos))
    }

    /// Nanoseconds since `other`; nil beyond about 292 years.
    func since(_ other: Timestamp) -> Int64? {
        let difference = Int128(seconds - other.seconds) * 1_000_000_000 + Int128(nanoseconds - other.nanoseconds)
        return Int64(exactly: difference)
    }

    // MARK: Text

    /// RFC 3339 with `Z` or an offset, and at most nine places of a second; nil for anything else.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for i in range {
                guard bytes[i] &- 48 < 10 else { return nil }
                value = value * 10 + Int(bytes[i] - 48)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 45, bytes[7] == 45, bytes[10] | 0x20 == 0x74, bytes[13] == 58,
            bytes[16] == 58, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), day >= 1, day <= Calendar.days(inMonth: month, year: year),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var nanos: Int32 = 0
        var i = 19
        if bytes[i] == UInt8(ascii: ".") {
            i += 1
            var scale: Int32 = 100_000_000
            let start = i
            while i < bytes.count, bytes[i] &- 48 < 10 {
                nanos += Int32(bytes[i] - 48) * scale
                scale /= 10
                i += 1
            }
            guard i > start, i - start <= 9, i < bytes.count else { return nil }
        }
        var offset = 0
        if bytes[i] | 0x20 == UInt8(ascii: "z") {
            guard i + 1 == bytes.count else { return nil }
        } else {
            guard bytes[i] == 43 || bytes[i] == 45, bytes.count == i + 6, bytes[i + 3] == 58,
                let hours = number(i + 1..<i + 3), let minutes = number(i + 4..<i + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3_600 + minutes * 60) * (bytes[i] == 43 ? 1 : -1)
        }
        let days = Calendar.days(year: year, month: month, day: day)
        self.init(
            seconds: Int64(days * 86_400 + hour * 3_600 + minute * 60 + second - offset), nanoseconds: nanos)
    }

    /// RFC 3339 in UTC with as many places as needed.
    package var text: String {
        let civil = Calendar(self, offset: 0)
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var text = padded(civil.year, 4) + "-" + padded(civil.month, 2) + "-" + padded(civil.day, 2) + "T"
        text += padded(civil.hour, 2) + ":" + padded(civil.minute, 2) + ":" + padded(civil.second, 2)
        if nanoseconds != 0 {
            var places = padded(Int(nanoseconds), 9)
            while places.hasSuffix("0") { places.removeLast() }
            text += "." + places
        }
        return text + "Z"
    }
}

/// A timestamp's parts in a time zone of fixed offset.
///
/// `CivilTime` of `Bytes` covers the years that nanoseconds in 64 bits do; CEL's begin in the year 1.
struct Calendar {
    let year: Int
    /// 1 to 12.
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// 0 for Sunday.
    let weekday: Int
    /// From 0.
    let dayOfYear: Int

    init(_ timestamp: Timestamp, offset: Int) {
        let local = Int(timestamp.seconds) + offset
        var days = local / 86_400
        var rest = local % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        hour = rest / 3_600
        minute = rest % 3_600 / 60
        second = rest % 60
        weekday = ((days + 4) % 7 + 7) % 7
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let fromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * fromMarch + 2) / 153
        day = fromMarch - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        dayOfYear = days - Self.days(year: year, month: 1, day: 1)
    }

    /// Since 1970-01-01.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let fromMarch = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + fromMarch - 719_468
    }

    static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

/// An offset from UTC.
enum TimeZoneOffset {
    /// Seconds east of UTC for `UTC`, `Z`, `+01:00`, `-02:30`, `02:00`; nil for all else. Names as `Europe/Paris` need a
    /// database that changes with governments, and an answer that changes with the machine is none for a policy.
    static func seconds(_ text: String) -> Int? {
        if text == "UTC" || text == "Z" || text == "GMT" || text.isEmpty { return 0 }
        var bytes = Array(text.utf8)
        var sign = 1
        if bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-") {
            sign = bytes.removeFirst() == UInt8(ascii: "-") ? -1 : 1
        }
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        for i in [0, 1, 3, 4] where bytes[i] &- 48 > 9 { return nil }
        let hours = Int(bytes[0] - 48) * 10 + Int(bytes[1] - 48)
        let minutes = Int(bytes[3] - 48) * 10 + Int(bytes[4] - 48)
        guard hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }
}

/// Durations as text: `1h30m`, `-1.5s`.
enum DurationText {
    private static let units: [(String, Int128)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]

    enum Failure: Error { case syntax, range }

    /// Nanoseconds.
    static func parse(_ text: String) throws(Failure) -> Int64 {
        var rest = text.utf8[...]
        var negative = false
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            rest.removeFirst()
        }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { throw .syntax }
        var total: Int128 = 0
        while !rest.isEmpty {
            var whole: Int128 = 0
            var digits = 0
            while let byte = rest.first, byte &- 48 < 10 {
                whole = whole * 10 + Int128(byte - 48)
                digits += 1
                if digits > 18 { throw .range }
                rest.removeFirst()
            }
            var fraction: Int128 = 0
            var scale: Int128 = 1
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                while let byte = rest.first, byte &- 48 < 10 {
                    digits += 1
                    if scale < 1_000_000_000_000_000 {
                        fraction = fraction * 10 + Int128(byte - 48)
                        scale *= 10
                    }
                    rest.removeFirst()
                }
            }
            guard digits > 0 else { throw .syntax }
            let end = rest.firstIndex { $0 &- 48 < 10 || $0 == UInt8(ascii: ".") } ?? rest.endIndex
            guard let unit = units.first(where: { rest[..<end].elementsEqual($0.0.utf8) }) else { throw .syntax }
            rest = rest[end...]
            total += whole * unit.1 + fraction * unit.1 / scale
            if total > Int128(Int64.max) + 1 { throw .range }
        }
        guard let value = Int64(exactly: negative ? -total : total) else { throw .range }
        return value
    }

    /// In seconds, `90s`, `-0.5s`.
    static func text(_ nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        var text = (nanoseconds < 0 ? "-" : "") + String(magnitude / 1_000_000_000)
        let rest = magnitude % 1_000_000_000
        if rest != 0 {
            var places = String(rest)
            places = String(repeating: "0", count: 9 - places.count) + places
            while places.hasSuffix("0") { places.removeLast() }
            text += "." + places
        }
        return text + "s"
    }
}
