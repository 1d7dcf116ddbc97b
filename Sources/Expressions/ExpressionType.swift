/// The type of a value, as the checker knows it.
package indirect enum ExpressionType: Sendable, Hashable {
    /// Known only when the expression is evaluated.
    case dyn
    /// The elements of a list without any: it becomes whatever stands beside it, and `dyn` where nothing does.
    case open
    case null, bool, int, uint, double, string, bytes
    case timestamp, duration
    /// A type as a value, `type(1)`.
    case type
    case list(ExpressionType)
    case map(ExpressionType, ExpressionType)
    case record(RecordType)

    /// As messages and `type()` write it.
    package var name: String {
        switch self {
        case .dyn, .open: "dyn"
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .type: "type"
        case .list(let element): "list(\(element.name))"
        case .map(let key, let value): "map(\(key.name), \(value.name))"
        case .record(let record): record.name
        }
    }

    var isNumber: Bool {
        switch self {
        case .int, .uint, .double: true
        default: false
        }
    }

    /// Whether a value of this type may stand where `other` is expected. `dyn` fits everywhere: the evaluation looks.
    func fits(_ other: Self) -> Bool {
        switch (self, other) {
        case (.dyn, _), (_, .dyn), (.open, _), (_, .open): true
        case (.list(let a), .list(let b)): a.fits(b)
        case (.map(let a, let b), .map(let c, let d)): a.fits(c) && b.fits(d)
        default: self == other
        }
    }

    /// With `dyn` for all that is still open.
    var closed: Self {
        switch self {
        case .open: .dyn
        case .list(let element): .list(element.closed)
        case .map(let key, let value): .map(key.closed, value.closed)
        default: self
        }
    }

    /// The type of a list that holds both; `dyn` when they have nothing in common.
    func joined(with other: Self) -> Self {
        switch (self, other) {
        case (.open, let type), (let type, .open): type
        case (.list(let a), .list(let b)): .list(a.joined(with: b))
        case (.map(let a, let b), .map(let c, let d)): .map(a.joined(with: c), b.joined(with: d))
        default: self == other ? self : .dyn
        }
    }
}

/// A value with named fields, each at a fixed slot: `principal`, `input`.
///
/// Two record types are the same when they are one object: names need not be unique.
package final class RecordType: Sendable {
    package struct Field: Sendable {
        package let name: String
        package let type: ExpressionType
        /// Most bytes of a text, most elements of a list or map; nil takes the environment's.
        package let countMax: Int?

        package init(_ name: String, _ type: ExpressionType, countMax: Int? = nil) {
            self.name = name
            self.type = type
            self.countMax = countMax
        }
    }

    package let name: String
    package let fields: [Field]
    private let slots: [String: Int]

    /// Where a name is given twice, the first field has it.
    package init(name: String, fields: [Field]) {
        self.name = name
        self.fields = fields
        slots = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func slot(of name: String) -> Int? { slots[name] }
}

extension RecordType: Hashable {
    package static func == (a: RecordType, b: RecordType) -> Bool { a === b }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
