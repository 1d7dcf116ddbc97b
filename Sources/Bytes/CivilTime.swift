/// A date and time of day in UTC in the proleptic Gregorian calendar, without Foundation.
///
/// The day arithmetic is Howard Hinnant's `days_from_civil` and `civil_from_days`.
public struct CivilTime: Equatable, Sendable {
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    /// 0 to 999,999,999.
    public var nanosecond: Int

    public init(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, nanosecond: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanosecond = nanosecond
    }

    public init(_ instant: WallInstant) {
        let seconds = instant.seconds
        // By the remainder: `seconds * 1e9` does not fit for the earliest instants.
        let remainder = Int(instant.nanoseconds % 1_000_000_000)
        nanosecond = remainder < 0 ? remainder + 1_000_000_000 : remainder
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        hour = Int(rest / 3_600)
        minute = Int(rest % 3_600 / 60)
        second = Int(rest % 60)
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        year = Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
    }

    /// The instant, or nil when a part is out of range (month 13, 30 February, second 60, a year before 1700 or after
    /// 2200).
    public var instant: WallInstant? {
        guard (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, year: year),
            (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second),
            (0..<1_000_000_000).contains(nanosecond), (1_700...2_200).contains(year)
        else { return nil }
        let y = Int64(month <= 2 ? year - 1 : year)
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        return WallInstant(nanoseconds: seconds * 1_000_000_000 + Int64(nanosecond))
    }

    /// 0 for Sunday to 6 for Saturday.
    public var weekday: Int {
        let t = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
        let y = month < 3 ? year - 1 : year
        return (y + y / 4 - y / 100 + y / 400 + t[month - 1] + day) % 7
    }

    static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

// MARK: - Text forms

extension CivilTime {
    /// Appends `2026-11-24`.
    @inlinable
    func appendDate<Sink: ByteSink>(to sink: inout Sink) {
        sink.append(padded: year, width: 4)
        sink.append(UInt8(ascii: "-"))
        sink.append(padded: month, width: 2)
        sink.append(UInt8(ascii: "-"))
        sink.append(padded: day, width: 2)
    }

    /// Appends `03:00:00`.
    @inlinable
    func appendTimeOfDay<Sink: ByteSink>(to sink: inout Sink) {
        sink.append(padded: hour, width: 2)
        sink.append(UInt8(ascii: ":"))
        sink.append(padded: minute, width: 2)
        sink.append(UInt8(ascii: ":"))
        sink.append(padded: second, width: 2)
    }
}

extension WallInstant {
    /// RFC 3339 in UTC with milliseconds, `2026-11-24T03:00:00.123Z`.
    public var rfc3339: String {
        var out: [UInt8] = []
        appendRFC3339(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Appends the 24 bytes of `rfc3339`.
    @inlinable
    public func appendRFC3339<Sink: ByteSink>(to sink: inout Sink) {
        let c = CivilTime(self)
        c.appendDate(to: &sink)
        sink.append(UInt8(ascii: "T"))
        c.appendTimeOfDay(to: &sink)
        sink.append(UInt8(ascii: "."))
        sink.append(padded: c.nanosecond / 1_000_000, width: 3)
        sink.append(UInt8(ascii: "Z"))
    }

    /// Odoo's naive UTC form `2026-11-24 03:00:00`; anything else Odoo answers with `ValueError`
    /// (recordings 751 to 755).
    public var odoo: String {
        let c = CivilTime(self)
        var out: [UInt8] = []
        c.appendDate(to: &out)
        out.append(UInt8(ascii: " "))
        c.appendTimeOfDay(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// An IMF-fixdate as in the HTTP `Date` field, `Tue, 24 Nov 2026 03:00:00 GMT`. (RFC 9110 §5.6.7)
    public var imfFixdate: String {
        let c = CivilTime(self)
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var out: [UInt8] = []
        out.append(contentsOf: weekdays[c.weekday].utf8)
        out.append(contentsOf: ", ".utf8)
        out.append(padded: c.day, width: 2)
        out.append(UInt8(ascii: " "))
        out.append(contentsOf: months[c.month - 1].utf8)
        out.append(UInt8(ascii: " "))
        out.append(padded: c.year, width: 4)
        out.append(UInt8(ascii: " "))
        c.appendTimeOfDay(to: &out)
        out.append(contentsOf: " GMT".utf8)
        return String(decoding: out, as: UTF8.self)
    }

    /// Reads RFC 3339 (`2026-11-24T03:00:00Z`, fractions, `+01:00`) or Odoo's `2026-11-24 03:00:00` (UTC).
    /// Nil for anything else, also for an RFC 3339 form without offset.
    public init?(_ text: String) {
        let b = Array(text.utf8)
        func digits(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= b.count else { return nil }
            var value = 0
            for i in range {
                guard b[i] >= 48, b[i] <= 57 else { return nil }
                value = value * 10 + Int(b[i] - 48)
            }
            return value
        }
        guard b.count >= 19, b.count <= 40, b[4] == 45, b[7] == 45, b[13] == 58, b[16] == 58,
            let year = digits(0..<4), let month = digits(5..<7), let day = digits(8..<10),
            let hour = digits(11..<13), let minute = digits(14..<16), let second = digits(17..<19)
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        var i = 19
        if b[10] == UInt8(ascii: " ") {
            guard b.count == 19, let instant = civil.instant else { return nil }
            self = instant
            return
        }
        guard b[10] | 0x20 == UInt8(ascii: "t") else { return nil }
        if i < b.count, b[i] == UInt8(ascii: ".") {
            i += 1
            var scale = 100_000_000
            let start = i
            while i < b.count, b[i] >= 48, b[i] <= 57 {
                civil.nanosecond += Int(b[i] - 48) * scale
                scale /= 10
                i += 1
            }
            guard i > start, i - start <= 9 else { return nil }
        }
        guard let instant = civil.instant, i < b.count else { return nil }
        if b[i] | 0x20 == UInt8(ascii: "z"), i + 1 == b.count {
            self = instant
            return
        }
        guard b[i] == 43 || b[i] == 45, b.count == i + 6, b[i + 3] == 58, let offsetHour = digits(i + 1..<i + 3),
            let offsetMinute = digits(i + 4..<i + 6), offsetHour < 24, offsetMinute < 60
        else { return nil }
        let offset = Int64(offsetHour * 3_600 + offsetMinute * 60) * 1_000_000_000
        self = WallInstant(nanoseconds: instant.nanoseconds + (b[i] == 43 ? -offset : offset))
    }
}
