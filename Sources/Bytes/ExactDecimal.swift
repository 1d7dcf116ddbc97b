/// A decimal number without rounding: `mantissa` × 10^-`scale`. Quantities of stock are these, never `Double`.
///
/// Always reduced, so that 3, 3.0 and 3.00 are equal and hash alike.
public struct ExactDecimal: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let mantissa: Int64
    /// 0 to 18.
    public let scale: UInt8

    public static let zero = ExactDecimal(0)

    public init(_ integer: Int) { self.init(mantissa: Int64(integer), scale: 0) }

    public init(mantissa: Int64, scale: UInt8) {
        var m = mantissa
        var s = scale
        while s > 0 && m % 10 == 0 {
            m /= 10
            s -= 1
        }
        self.mantissa = m
        self.scale = s
    }

    /// Reads a JSON number, `12`, `-0.5`, `1e3`. Nil when it is no JSON number or does not fit in 18 digits.
    public init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        var negative = false
        if bytes.first == UInt8(ascii: "-") {
            negative = true
            bytes.removeFirst()
        }
        var mantissa: Int64 = 0
        var scale = 0
        var digits = 0
        var seenPoint = false
        var fraction = 0
        var exponent = 0
        var leadingZero = false
        while let c = bytes.first {
            if c >= 48 && c <= 57 {
                if !seenPoint {
                    if digits == 0 { leadingZero = c == 48 } else if leadingZero { return nil }
                } else {
                    fraction += 1
                }
                digits += 1
                let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(Int64(c - 48))
                if overflow || carry { return nil }
                mantissa = sum
                if seenPoint { scale += 1 }
            } else if c == UInt8(ascii: "."), !seenPoint, digits > 0 {
                seenPoint = true
            } else if c | 0x20 == UInt8(ascii: "e"), digits > 0, !(seenPoint && fraction == 0) {
                bytes.removeFirst()
                guard let e = Self.exponent(bytes) else { return nil }
                exponent = e
                bytes = []
                break
            } else {
                return nil
            }
            bytes.removeFirst()
        }
        guard digits > 0, !(seenPoint && fraction == 0) else { return nil }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        if mantissa == 0 {
            self.init(0)
            return
        }
        scale -= exponent
        while scale < 0 {
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            mantissa = product
            scale += 1
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        guard scale <= 18 else { return nil }
        self.init(mantissa: negative ? -mantissa : mantissa, scale: UInt8(scale))
    }

    private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        var negative = false
        if let sign = rest.first, sign == 43 || sign == 45 {
            negative = sign == 45
            rest.removeFirst()
        }
        guard !rest.isEmpty, rest.count <= 4 else { return nil }
        var value = 0
        for c in rest {
            guard c >= 48, c <= 57 else { return nil }
            value = value * 10 + Int(c - 48)
        }
        return negative ? -value : value
    }

    /// Plain decimal text, a JSON number: `-0.05`, `1200`.
    public var description: String {
        if scale == 0 { return String(mantissa) }
        let digits = String(mantissa.magnitude)
        let padded = String(repeating: "0", count: max(0, Int(scale) + 1 - digits.count)) + digits
        let split = padded.index(padded.endIndex, offsetBy: -Int(scale))
        return (mantissa < 0 ? "-" : "") + padded[..<split] + "." + padded[split...]
    }

    public var isNegative: Bool { mantissa < 0 }
    public var isZero: Bool { mantissa == 0 }

    public static func < (a: Self, b: Self) -> Bool {
        let (x, y) = aligned(a, b)
        return x < y
    }

    /// Nil when the exact sum does not fit.
    public static func + (a: Self, b: Self) -> Self? { make(aligned(a, b), scale: max(a.scale, b.scale)) { $0 + $1 } }
    /// Nil when the exact difference does not fit.
    public static func - (a: Self, b: Self) -> Self? { make(aligned(a, b), scale: max(a.scale, b.scale)) { $0 - $1 } }
    /// Nil when the exact product does not fit.
    public static func * (a: Self, b: Self) -> Self? {
        var m = Int128(a.mantissa) * Int128(b.mantissa)
        var s = Int(a.scale) + Int(b.scale)
        while s > 0 && m % 10 == 0 {
            m /= 10
            s -= 1
        }
        guard s <= 18, let mantissa = Int64(exactly: m) else { return nil }
        return Self(mantissa: mantissa, scale: UInt8(s))
    }

    private static func aligned(_ a: Self, _ b: Self) -> (Int128, Int128) {
        let scale = max(a.scale, b.scale)
        return (Int128(a.mantissa) * power(scale - a.scale), Int128(b.mantissa) * power(scale - b.scale))
    }

    private static func power(_ n: UInt8) -> Int128 {
        var p: Int128 = 1
        for _ in 0..<n { p *= 10 }
        return p
    }

    private static func make(_ pair: (Int128, Int128), scale: UInt8, _ operation: (Int128, Int128) -> Int128) -> Self? {
        var m = operation(pair.0, pair.1)
        var s = scale
        while s > 0 && m % 10 == 0 {
            m /= 10
            s -= 1
        }
        guard let mantissa = Int64(exactly: m) else { return nil }
        return Self(mantissa: mantissa, scale: s)
    }
}
