import Bytes

/// The id of an operation: 10 characters of time and 16 of chance in Crockford's base 32, as a ULID; ids of later
/// operations sort later. Also good in an external id of Odoo.
enum OperationID {
    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    static func make(_ now: WallInstant) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(26)
        let milliseconds = UInt64(max(0, now.nanoseconds / 1_000_000))
        for shift in stride(from: 45, through: 0, by: -5) {
            out.append(digits[Int(milliseconds >> UInt64(shift) & 31)])
        }
        for _ in 0..<2 {
            let chance = UInt64.random(in: 0...UInt64.max)
            for shift in stride(from: 0, to: 40, by: 5) { out.append(digits[Int(chance >> UInt64(shift) & 31)]) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
