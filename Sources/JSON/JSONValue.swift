import Bytes

/// Any JSON value.
///
/// Equality is of meaning, not of text: numbers by value, objects without regard to order, strings by Unicode
/// canonical equivalence (as `String`). Use `canonicalBytes` where a digest must tell any two texts apart.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package init(_ value: Int) { self = .number(JSONNumber(value)) }
    package init(_ value: ExactDecimal) { self = .number(JSONNumber(value)) }

    /// The member of an object; nil when there is none or this is no object.
    package subscript(key: String) -> JSONValue? { object?[key] }

    /// The element of an array; nil when there is none or this is no array.
    package subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number, when it is an integer that fits.
    package var int: Int? {
        guard case .number(let number) = self else { return nil }
        return number.int
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var number: JSONNumber? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    /// The number without rounding; nil when it does not fit in 18 digits.
    package var decimal: ExactDecimal? {
        guard case .number(let number) = self else { return nil }
        return number.decimal
    }

    package var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var object: JSONObject? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    package var isNull: Bool { self == .null }

    /// The name of the type as JSON Schema says it, for messages.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSONValue {
    package static func parse(
        _ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes, limits: limits)
        return try parser.parse()
    }

    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try parse(bytes.span, limits: limits)
    }

    package static func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try parse(text.utf8.span, limits: limits)
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
