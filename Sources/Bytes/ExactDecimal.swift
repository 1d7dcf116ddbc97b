/// A decimal number without rounding: `mantissa` × 10^-`scale`. Quantities of stock are these, never `Double`.
///
/// Always reduced, so that 3, 3.0 and 3.00 are equal and hash alike.
public struct ExactDecimal: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let mantissa: Int64
    /// 0 to 18.
    public let scale: UInt8

    public static let zero = ExactDecimal(0)

    public init(_ integer: Int) { self.init(mantissa: Int64(integer), scale: 0) }

    /// `scale` is 0 to 18 after trailing zeros are taken away.
    public init(mantissa: Int64, scale: UInt8) {
        var m = mantissa
        var s = scale
        while s > 0 && m % 10 == 0 {
            m /= 10
            s -= 1
        }
        precondition(s <= 18, "a decimal has at most 18 places")
        self.mantissa = m
        self.scale = s
    }

    /// Reads a JSON number, `12`, `-0.5`, `1e3`. (RFC 8259 §6) Nil when it is none, or when its value doesn't fit:
    /// more than 18 places, or more digits than an `Int64` holds. Zeros that don't change the value don't count.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        var i = 0
        func isDigit() -> Bool { i < bytes.count && bytes[i] >= 48 && bytes[i] <= 57 }
        let negative = bytes.first == UInt8(ascii: "-")
        if negative { i += 1 }
        guard isDigit() else { return nil }

        var mantissa: Int64 = 0
        /// Zeros read since the last other digit: they count only when another digit follows.
        var zeros = 0
        var places = 0
        func take(_ digit: UInt8) -> Bool {
            if digit == 48 {
                zeros += 1
                return true
            }
            guard let shifted = Self.shifted(mantissa, by: zeros + 1) else { return false }
            let (sum, overflow) = shifted.addingReportingOverflow(Int64(digit - 48))
            mantissa = sum
            zeros = 0
            return !overflow
        }

        if bytes[i] == 48 {
            i += 1
            if isDigit() { return nil }
        }
        while isDigit() {
            guard take(bytes[i]) else { return nil }
            i += 1
        }
        if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
            i += 1
            guard isDigit() else { return nil }
            while isDigit() {
                guard take(bytes[i]) else { return nil }
                places += 1
                i += 1
            }
        }
        var exponent = 0
        if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
            i += 1
            var below = false
            if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") {
                below = bytes[i] == UInt8(ascii: "-")
                i += 1
            }
            guard isDigit() else { return nil }
            while isDigit() {
                // Far beyond what any text in memory can balance.
                exponent = min(exponent * 10 + Int(bytes[i] - 48), 1 << 50)
                i += 1
            }
            if below { exponent = -exponent }
        }
        guard i == bytes.count else { return nil }
        if mantissa == 0 {
            self.init(0)
            return
        }
        exponent += zeros - places
        if exponent >= 0 {
            guard let shifted = Self.shifted(mantissa, by: exponent) else { return nil }
            mantissa = shifted
            exponent = 0
        }
        guard exponent >= -18 else { return nil }
        self.init(mantissa: negative ? -mantissa : mantissa, scale: UInt8(-exponent))
    }

    /// `value` × 10^`places`, nil when that does not fit.
    private static func shifted(_ value: Int64, by places: Int) -> Int64? {
        if value == 0 { return 0 }
        guard places <= 18 else { return nil }
        var result = value
        for _ in 0..<places {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            result = product
        }
        return result
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
