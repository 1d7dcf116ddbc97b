import Bytes
import JSON

/// The content of one field of one record.
enum Value: Hashable, Sendable {
    /// Reads as `false`, whatever the type of the field.
    case empty
    case bool(Bool)
    case int(Int)
    case number(ExactDecimal)
    /// Also selections, and dates as Odoo writes them, whose order is the order of their text.
    case text(String)
    case link(Int)
    case links([Int])

    var number: ExactDecimal {
        switch self {
        case .number(let number): number
        case .int(let int): ExactDecimal(int)
        default: .zero
        }
    }

    var int: Int {
        guard case .int(let int) = self else { return 0 }
        return int
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var bool: Bool {
        guard case .bool(let bool) = self else { return false }
        return bool
    }

    var link: Int? {
        guard case .link(let id) = self else { return nil }
        return id
    }

    var links: [Int] {
        guard case .links(let ids) = self else { return [] }
        return ids
    }

    static func optional(_ id: Int?) -> Value { id.map { .link($0) } ?? .empty }
}

/// The stored fields of one record. Names that begin with an underscore are the sandbox's own and cannot be read.
typealias Row = [String: Value]

// MARK: - Quantities

extension ExactDecimal {
    /// Sums of stock cannot overflow: what comes in is bounded by `Coercion.integerMax`.
    func adding(_ other: ExactDecimal) -> ExactDecimal { (self + other) ?? .zero }
    func subtracting(_ other: ExactDecimal) -> ExactDecimal { (self - other) ?? .zero }
    var negated: ExactDecimal { ExactDecimal(mantissa: -mantissa, scale: scale) }
    var isPositive: Bool { !isNegative && !isZero }

    enum Rounding {
        case halfUp
        case up
    }

    /// `self * part / total`, rounded to `places`.
    func share(
        _ part: ExactDecimal, of total: ExactDecimal, places: UInt8 = 2, rounding: Rounding = .halfUp
    ) -> ExactDecimal {
        guard !total.isZero else { return .zero }
        var numerator = Int128(mantissa) * Int128(part.mantissa)
        var denominator = Int128(total.mantissa)
        for _ in 0..<(Int(total.scale) + Int(places)) { numerator *= 10 }
        for _ in 0..<(Int(scale) + Int(part.scale)) { denominator *= 10 }
        return Self.divide(numerator, denominator, places: places, rounding: rounding)
    }

    /// Half up, away from zero, as Odoo's `float_round`.
    func rounded(places: UInt8) -> ExactDecimal {
        if scale <= places { return self }
        var denominator: Int128 = 1
        for _ in 0..<(scale - places) { denominator *= 10 }
        return Self.divide(Int128(mantissa), denominator, places: places, rounding: .halfUp)
    }

    private static func divide(
        _ numerator: Int128, _ denominator: Int128, places: UInt8, rounding: Rounding
    ) -> ExactDecimal {
        let negative = (numerator < 0) != (denominator < 0)
        let n = numerator.magnitude
        let d = denominator.magnitude
        var quotient = n / d
        let rest = n % d
        if rounding == .up ? rest > 0 : rest * 2 >= d { quotient += 1 }
        guard let mantissa = Int64(exactly: quotient) else { return .zero }
        return ExactDecimal(mantissa: negative ? -mantissa : mantissa, scale: places)
    }

    /// As Python writes a float: always with a point.
    var json: JSONValue {
        let text = scale == 0 ? description + ".0" : description
        return JSONNumber(text).map { .number($0) } ?? JSONValue(self)
    }
}

// MARK: - Python

/// A value as Python's `repr` shows it, for messages that quote it.
func pythonRepr(_ value: JSONValue) -> String {
    switch value {
    case .null: "None"
    case .bool(let bool): bool ? "True" : "False"
    case .number(let number): number.text
    case .string(let text): "'" + text + "'"
    case .array(let items): "[" + items.map(pythonRepr).joined(separator: ", ") + "]"
    case .object(let object):
        "{" + object.members.map { "'\($0.key)': \(pythonRepr($0.value))" }.joined(separator: ", ") + "}"
    }
}

func pythonTuple(_ items: [JSONValue]) -> String {
    "(" + items.map(pythonRepr).joined(separator: ", ") + (items.count == 1 ? ",)" : ")")
}
