extension WallInstant {
    /// An RFC 3339 time: `2026-11-24T03:00:00Z`, with up to nine decimals of a second and any offset. Nil for anything
    /// else, a date without time and a leap second among it.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 35 else { return nil }
        var at = 0
        func digits(_ count: Int) -> Int? {
            guard at + count <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[at..<at + count] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            at += count
            return value
        }
        func take(_ allowed: String) -> UInt8? {
            guard at < bytes.count, allowed.utf8.contains(bytes[at]) else { return nil }
            at += 1
            return bytes[at - 1]
        }
        guard let year = digits(4), take("-") != nil, let month = digits(2), take("-") != nil, let day = digits(2),
            take("Tt") != nil, let hour = digits(2), take(":") != nil, let minute = digits(2), take(":") != nil,
            let second = digits(2)
        else { return nil }
        var nanosecond = 0
        if take(".") != nil {
            let start = at
            while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
            guard at > start, at - start <= 9 else { return nil }
            for place in start..<start + 9 {
                nanosecond = nanosecond * 10 + (place < at ? Int(bytes[place] - 0x30) : 0)
            }
        }
        var offset: Int64 = 0
        guard let sign = take("Zz+-") else { return nil }
        if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            guard let hours = digits(2), take(":") != nil, let minutes = digits(2), hours < 24, minutes < 60 else {
                return nil
            }
            offset = Int64(hours * 3_600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanosecond)
        guard at == bytes.count, let instant = civil.instant else { return nil }
        self = instant + Nanoseconds.seconds(-offset)
    }
}
