/// How large a value can be at most: from it the cost of what is done with it is computed.
///
/// Numbers saturate; a bound that is too high for `UInt64` is refused anyway.
indirect enum Extent: Sendable {
    /// A text or bytes of at most `bytes`, or a scalar.
    case leaf(bytes: UInt64)
    case list(count: UInt64, element: Extent)
    case map(count: UInt64, key: Extent, value: Extent)
    case record([Extent])
    /// Nobody knows what: no text or collection within exceeds `count`, all together weigh at most `weight`.
    case any(count: UInt64, weight: UInt64)

    static let scalar = Extent.leaf(bytes: 0)

    /// Most bytes of a text, most elements of a collection.
    var count: UInt64 {
        switch self {
        case .leaf(let bytes): bytes
        case .list(let count, _), .map(let count, _, _), .any(let count, _): count
        case .record: 0
        }
    }

    /// One for each value within, and one for each 16 bytes of text.
    var weight: UInt64 {
        switch self {
        case .leaf(let bytes): 1 + bytes / 16
        case .list(let count, let element): element.weight.times(count).plus(1)
        case .map(let count, let key, let value): key.weight.plus(value.weight).times(count).plus(1)
        case .record(let fields): fields.reduce(1) { $0.plus($1.weight) }
        case .any(_, let weight): weight
        }
    }

    /// The largest count of anything within.
    private var deepCount: UInt64 {
        switch self {
        case .leaf, .any: count
        case .list(let count, let element): max(count, element.deepCount)
        case .map(let count, let key, let value): max(count, max(key.deepCount, value.deepCount))
        case .record(let fields): fields.reduce(0) { max($0, $1.deepCount) }
        }
    }

    /// What a loop over the value, or an index into it, can give.
    var element: Extent {
        switch self {
        case .leaf: .scalar
        case .list(_, let element): element
        case .map(_, _, let value): value
        case .record, .any: blurred
        }
    }

    /// What a loop over it binds: a map's keys.
    var iterated: Extent {
        if case .map(_, let key, _) = self { return key }
        return element
    }

    private var blurred: Extent { .any(count: deepCount, weight: weight) }

    /// What is as large as either.
    func joined(_ other: Extent) -> Extent {
        switch (self, other) {
        case (.leaf(let a), .leaf(let b)): .leaf(bytes: max(a, b))
        case (.list(let a, let x), .list(let b, let y)): .list(count: max(a, b), element: x.joined(y))
        case (.map(let a, let k, let x), .map(let b, let l, let y)):
            .map(count: max(a, b), key: k.joined(l), value: x.joined(y))
        default: .any(count: max(deepCount, other.deepCount), weight: max(weight, other.weight))
        }
    }

    /// `a + b` of texts or lists.
    func appended(_ other: Extent) -> Extent {
        switch (self, other) {
        case (.leaf(let a), .leaf(let b)): .leaf(bytes: a.plus(b))
        case (.list(let a, let x), .list(let b, let y)): .list(count: a.plus(b), element: x.joined(y))
        default: .any(count: deepCount.plus(other.deepCount), weight: weight.plus(other.weight))
        }
    }

    init(of type: ExpressionType, bounds: ExpressionBounds, countMax: Int? = nil) {
        let textMax = UInt64(countMax ?? bounds.textBytesMax)
        let elementsMax = UInt64(countMax ?? bounds.countMax)
        switch type {
        case .string, .bytes: self = .leaf(bytes: textMax)
        case .null, .bool, .int, .uint, .double, .timestamp, .duration, .type: self = .scalar
        case .list(let element): self = .list(count: elementsMax, element: Extent(of: element, bounds: bounds))
        case .map(let key, let value):
            self = .map(
                count: elementsMax, key: Extent(of: key, bounds: bounds), value: Extent(of: value, bounds: bounds))
        case .record(let record):
            self = .record(record.fields.map { Extent(of: $0.type, bounds: bounds, countMax: $0.countMax) })
        case .dyn, .open:
            self = .any(
                count: UInt64(max(bounds.textBytesMax, bounds.countMax)), weight: UInt64(bounds.dynWeightMax))
        }
    }

    init(of value: ExpressionValue) {
        switch value {
        case .string(let text): self = .leaf(bytes: UInt64(text.utf8.count))
        case .bytes(let bytes): self = .leaf(bytes: UInt64(bytes.count))
        case .type(let name): self = .leaf(bytes: UInt64(name.utf8.count))
        default: self = .scalar
        }
    }
}

extension UInt64 {
    /// Saturating.
    func plus(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// Saturating.
    func times(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
