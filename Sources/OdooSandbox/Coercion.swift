import Bytes
import JSON

/// What a client wrote into a field, as a value of that field, with Odoo's errors.
enum Coercion {
    /// Larger quantities are refused, so that sums of them stay exact.
    static let integerMax = ExactDecimal(1_000_000_000_000)

    /// Fields that point to many records take commands and are not read here.
    static func value(
        _ json: JSONValue, for field: Field, of schema: Schema, in engine: Engine
    ) throws(Raised) -> Value {
        if case .null = json { return field.kind.initial }
        if json.bool == false { return field.kind.initial }
        switch field.kind {
        case .char, .text:
            switch json {
            case .string(let text): return text.isEmpty ? .empty : .text(text)
            case .number(let number): return .text(number.text)
            case .bool: return .text("True")
            default: return .text(pythonRepr(json))
            }
        case .boolean: return .bool(Engine.truth(json))
        case .integer: return .int(Int(try number(json).rounded(places: 0).mantissa))
        case .number(let places): return .number(try number(json).rounded(places: places))
        case .date: return .text(String(try instant(json).prefix(10)))
        case .datetime: return .text(try instant(json))
        case .selection(let options):
            guard case .string(let text) = json, options.contains(where: { $0.value == text }) else {
                throw .value("Wrong value for \(schema.model).\(field.name): \(pythonRepr(json))")
            }
            return .text(text)
        case .many2one(let target):
            guard let id = json.int else {
                throw .value("Wrong value for \(schema.model).\(field.name): \(pythonRepr(json))")
            }
            guard engine.database.contains(target, id) else { throw .missing(target, [id], user: engine.user.id) }
            return .link(id)
        case .one2many, .many2many: return .links([])
        }
    }

    static func number(_ json: JSONValue) throws(Raised) -> ExactDecimal {
        switch json {
        case .bool: return ExactDecimal(1)
        case .number(let number):
            if let exact = number.decimal {
                guard exact <= integerMax, exact >= integerMax.negated else { throw .value("numeric field overflow") }
                return exact
            }
            // More than 18 digits: what Python's float keeps of them, to six places.
            let millionth = number.double * 1_000_000
            guard millionth.magnitude < 1e18 else { throw .value("numeric field overflow") }
            return ExactDecimal(mantissa: Int64(millionth.rounded()), scale: 6)
        case .string(let text):
            guard let exact = ExactDecimal(text), exact <= integerMax else {
                throw .value("could not convert string to float: '\(text)'")
            }
            return exact
        default:
            throw .type("float() argument must be a string or a real number, not '\(json.typeName)'")
        }
    }

    /// Naive UTC or nothing (recordings 182 and 751 to 755). A bare date is midnight.
    static func instant(_ json: JSONValue) throws(Raised) -> String {
        guard case .string(let text) = json else {
            throw .type("strptime() argument 1 must be str, not \(json.typeName)")
        }
        let short = "%Y-%m-%d"
        let long = "%Y-%m-%d %H:%M:%S"
        if text.utf8.count <= 10 {
            guard text.utf8.count == 10, WallInstant(text + " 00:00:00") != nil else {
                throw .value("time data '\(text)' does not match format '\(short)'")
            }
            return text + " 00:00:00"
        }
        let head = String(decoding: Array(text.utf8.prefix(19)), as: UTF8.self)
        let separator = Array(text.utf8)[10]
        guard separator == UInt8(ascii: " "), head.utf8.count == 19, WallInstant(head) != nil else {
            throw .value("time data '\(text)' does not match format '\(long)'")
        }
        if text.utf8.count > 19 {
            let rest = String(decoding: Array(text.utf8.dropFirst(19)), as: UTF8.self)
            throw .value("unconverted data remains: \(rest)")
        }
        return head
    }
}
