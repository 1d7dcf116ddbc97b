import Bytes

/// A value of the language.
///
/// `==` of Swift is not CEL's equality (1 equals 1.0 there, and texts are compared by bytes): see `Equality`.
package enum ExpressionValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case timestamp(Timestamp)
    /// Nanoseconds.
    case duration(Int64)
    case list([ExpressionValue])
    case map(ExpressionMap)
    case record(ExpressionRecord)
    /// A type, by its name: `type(1)` is `int`.
    case type(String)

    /// What `type()` says.
    package var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .record(let record): record.type.name
        case .type: "type"
        }
    }
}

/// Fields by slot. A field without a value is absent: `has` is false, reading it is an error.
package struct ExpressionRecord: Sendable {
    package let type: RecordType
    package let fields: [ExpressionValue?]

    /// As many values as the type has fields; what is missing at the end is absent.
    package init(_ type: RecordType, _ fields: [ExpressionValue?]) {
        self.type = type
        self.fields = fields
    }

    subscript(slot: Int) -> ExpressionValue? { slot < fields.count ? fields[slot] : nil }
}

/// What may be a key of a map. A number is one key in whatever type it comes: 1, 1u and 1.0 find the same entry.
package enum ExpressionKey: Sendable, Hashable {
    case bool(Bool)
    case int(Int64)
    /// Only what is too large for `int`.
    case uint(UInt64)
    case string(String)

    /// Nil for what can be no key.
    init?(_ value: ExpressionValue) {
        switch value {
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .uint(let number): self = Int64(exactly: number).map(Self.int) ?? .uint(number)
        case .string(let text): self = .string(text)
        default: return nil
        }
    }

    /// The key a value finds when it is looked up: doubles that are integers do, though they can't be keys.
    init?(lookup value: ExpressionValue) {
        if case .double(let number) = value {
            if let whole = Int64(exactly: number) {
                self = .int(whole)
            } else if let whole = UInt64(exactly: number) {
                self = .uint(whole)
            } else {
                return nil
            }
        } else {
            self.init(value)
        }
    }

    package static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.bool(let x), .bool(let y)): x == y
        case (.int(let x), .int(let y)): x == y
        case (.uint(let x), .uint(let y)): x == y
        case (.string(let x), .string(let y)): Text.equal(x, y)
        case (.bool, _), (.int, _), (.uint, _), (.string, _): false
        }
    }
}

/// Entries in the order in which they were written.
package struct ExpressionMap: Sendable {
    package private(set) var entries: [(key: ExpressionValue, value: ExpressionValue)] = []
    private var places: [ExpressionKey: Int] = [:]

    package init() {}

    package var count: Int { entries.count }

    /// False when the key can be none, or is there already.
    package mutating func insert(_ key: ExpressionValue, _ value: ExpressionValue) -> Bool {
        guard let place = ExpressionKey(key), places.updateValue(entries.count, forKey: place) == nil else {
            return false
        }
        entries.append((key, value))
        return true
    }

    package subscript(key: ExpressionKey) -> ExpressionValue? {
        guard let place = places[key] else { return nil }
        return entries[place].value
    }

    package subscript(name: String) -> ExpressionValue? { self[.string(name)] }
}

/// Texts by their bytes: `String` alone would take two spellings of one letter for the same.
enum Text {
    static func equal(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && a.utf8.span.equals(b.utf8.span)
    }

    static func less(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
