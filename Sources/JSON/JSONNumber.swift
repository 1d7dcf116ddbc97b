import Bytes

/// A JSON number, exactly as it was written.
///
/// Two numbers are equal when they have the same value: `1`, `1.0` and `10e-1` are equal and hash alike.
package struct JSONNumber: Sendable, CustomStringConvertible {
    /// The digits as written, valid by RFC 8259 §6.
    package let text: String

    package init(_ value: Int) { text = String(value) }
    package init(_ value: ExactDecimal) { text = value.description }

    /// Nil when the text is no JSON number.
    package init?(_ text: String) {
        let bytes = text.utf8.span
        guard case .number(let end) = JSONNumberSyntax.scan(bytes, from: 0), end == bytes.count else { return nil }
        self.text = text
    }

    /// The parser has checked the text.
    init(checked text: String) { self.text = text }

    /// The value when it is an integer that fits; `1.0` and `1e3` are integers (as in JSON Schema).
    package var int: Int? {
        if let value = Int(text) { return value }
        guard let decimal, decimal.scale == 0 else { return nil }
        return Int(decimal.mantissa)
    }

    /// The exact value; nil when it does not fit in 18 digits.
    package var decimal: ExactDecimal? { ExactDecimal(text) }

    /// The nearest `Double`: for statistics, never for quantities.
    package var double: Double { Double(text) ?? .nan }

    package var description: String { text }

    /// The one text of this value: integers up to 21 digits plain, fractions with at most 21 places plain, the rest
    /// as `digits` `e` `exponent`. No trailing zeros behind the point, and `-0` is `0`.
    package var canonicalText: String {
        isPlainInteger ? text : JSONNumberSyntax.canonical(text)
    }

    /// Already canonical: no point, no exponent, short, not `-0`.
    private var isPlainInteger: Bool {
        guard text.utf8.count <= 20 else { return false }
        for byte in text.utf8 where byte &- 48 > 9 && byte != UInt8(ascii: "-") { return false }
        return text != "-0"
    }
}

extension JSONNumber: Hashable {
    package static func == (a: Self, b: Self) -> Bool { a.text == b.text || a.canonicalText == b.canonicalText }
    package func hash(into hasher: inout Hasher) { hasher.combine(canonicalText) }
}

/// The grammar of RFC 8259 §6.
enum JSONNumberSyntax {
    /// Longest exponent, in digits: keeps exponent arithmetic inside `Int`.
    static let exponentDigitsMax = 9

    enum Scan {
        /// A number ends before this offset.
        case number(end: Int)
        /// The byte at this offset makes it no number.
        case invalid(at: Int)
        /// The exponent begins at this offset and has too many digits.
        case exponentTooLong(at: Int)
    }

    /// Reads the longest number that begins at `from`.
    static func scan(_ bytes: Span<UInt8>, from: Int) -> Scan {
        var i = from
        if i < bytes.count, bytes[i] == UInt8(ascii: "-") { i += 1 }
        guard i < bytes.count, isDigit(bytes[i]) else { return .invalid(at: i) }
        if bytes[i] == UInt8(ascii: "0") {
            i += 1
            if i < bytes.count, isDigit(bytes[i]) { return .invalid(at: i) }
        } else {
            i = skipDigits(bytes, i)
        }
        if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
            i += 1
            guard i < bytes.count, isDigit(bytes[i]) else { return .invalid(at: i) }
            i = skipDigits(bytes, i)
        }
        if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
            i += 1
            if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") { i += 1 }
            guard i < bytes.count, isDigit(bytes[i]) else { return .invalid(at: i) }
            let digits = i
            i = skipDigits(bytes, i)
            if i - digits > exponentDigitsMax { return .exponentTooLong(at: digits) }
        }
        return .number(end: i)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    private static func skipDigits(_ bytes: Span<UInt8>, _ from: Int) -> Int {
        var i = from
        while i < bytes.count, isDigit(bytes[i]) { i += 1 }
        return i
    }

    /// See `JSONNumber.canonicalText`. The text is a valid number.
    static func canonical(_ text: String) -> String {
        var digits: [UInt8] = []
        var exponent = 0
        var negative = false
        var seenPoint = false
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "-"): negative = true
            case UInt8(ascii: "."): seenPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponent += Int(String(decoding: rest, as: UTF8.self)) ?? 0
                rest = []
            default:
                if seenPoint { exponent -= 1 }
                if !(digits.isEmpty && byte == 48) { digits.append(byte) }
            }
        }
        while digits.last == 48 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { return "0" }
        var out: [UInt8] = negative ? [UInt8(ascii: "-")] : []
        let plainMax = 21
        if exponent >= 0, digits.count + exponent <= plainMax {
            out += digits
            out += Array(repeating: 48, count: exponent)
        } else if exponent < 0, exponent >= -plainMax {
            let point = digits.count + exponent
            if point > 0 {
                out += digits[..<point]
                out.append(UInt8(ascii: "."))
                out += digits[point...]
            } else {
                out += [48, UInt8(ascii: ".")]
                out += Array(repeating: 48, count: -point)
                out += digits
            }
        } else {
            out += digits
            out.append(UInt8(ascii: "e"))
            out.append(decimal: exponent)
        }
        return String(decoding: out, as: UTF8.self)
    }
}
