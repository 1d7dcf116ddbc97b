import Bytes

/// A node that is about to be read as a value of some type. Each method reports to the reader and returns nil when
/// the node is something else.
package struct DocumentValue {
    package let node: DocumentNode
    package let reader: DocumentReader

    package init(node: DocumentNode, reader: DocumentReader) {
        self.node = node
        self.reader = reader
    }

    package var mark: DocumentMark { node.mark }

    package func report(_ message: String) { reader.report(message, at: node) }

    /// Any scalar that is not null. Empty text needs `allowsEmpty`.
    package func string(allowsEmpty: Bool = false) -> String? {
        guard let text = node.scalar, !node.isNull else { return wrong("text") }
        if text.isEmpty, !allowsEmpty {
            report("must not be empty")
            return nil
        }
        return text
    }

    /// `true` or `false`, unquoted.
    package func bool() -> Bool? {
        switch plain {
        case "true": return true
        case "false": return false
        case "yes", "no", "on", "off", "True", "False", "TRUE", "FALSE", "Yes", "No", "On", "Off":
            report("expected true or false, not \(node.kind)")
            return nil
        default: return wrong("true or false")
        }
    }

    /// A whole decimal number in `range`.
    package func int(in range: ClosedRange<Int> = Int.min...Int.max) -> Int? {
        guard let text = plain, let decimal = ExactDecimal(text), decimal.scale == 0, Self.hasOnlyDigits(text) else {
            return wrong("a whole number")
        }
        return check(Int(decimal.mantissa), in: range) { String($0) }
    }

    /// An exact decimal number in `range`.
    package func decimal(in range: ClosedRange<ExactDecimal>? = nil) -> ExactDecimal? {
        guard let text = plain, let value = ExactDecimal(text) else { return wrong("a number") }
        guard let range else { return value }
        return check(value, in: range) { $0.description }
    }

    /// A number and a unit, `250ms`, `30s`, `5m`, `12h` or `7d`.
    package func duration(in range: ClosedRange<Nanoseconds> = 0...Nanoseconds.max) -> Nanoseconds? {
        let units: [(String, Int)] = [
            ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
            ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
        ]
        guard let product = quantity(units) else { return wrong("a duration such as 250ms, 30s, 5m, 12h or 7d") }
        return check(Nanoseconds(product), in: range) { DocumentUnits.duration($0) }
    }

    /// A number of bytes, alone or with a unit, `512`, `16KiB`, `4MiB` or `1GiB`.
    package func byteCount(in range: ClosedRange<Int> = 0...Int.max) -> Int? {
        let units = [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
        guard let product = quantity(units) else { return wrong("a size such as 512, 16KiB, 4MiB or 1GiB") }
        return check(product, in: range) { DocumentUnits.bytes($0) }
    }

    /// One of the given words.
    package func choice(_ words: some Collection<String>, what: String = "value") -> String? {
        guard let text = string() else { return nil }
        if words.contains(text) { return text }
        let suggestion = Suggestion.clause(for: text, among: words)
        report(
            "unknown \(what) \(node.kind)"
                + (suggestion.isEmpty ? "; expected one of \(words.sorted().joined(separator: ", "))" : suggestion))
        return nil
    }

    /// The case of an enum whose raw values are the words of the file.
    package func choice<T: RawRepresentable & CaseIterable>(_: T.Type, what: String = "value") -> T?
    where T.RawValue == String {
        choice(T.allCases.map(\.rawValue), what: what).flatMap(T.init(rawValue:))
    }

    /// The elements that could be read, in their order.
    package func list<T>(minCount: Int = 0, _ read: (DocumentValue) -> T?) -> [T] {
        guard case .sequence(let elements) = node.content else {
            report("expected a list, not \(node.kind)")
            return []
        }
        if elements.count < minCount {
            report(minCount == 1 ? "the list must not be empty" : "the list needs at least \(minCount) elements")
        }
        return elements.compactMap { read(reader.value($0)) }
    }

    /// Hands the mapping to `read`, then reports keys that it did not ask for.
    package func mapping<T>(_ read: (DocumentMapping) -> T?) -> T? {
        guard let mapping = mapping() else { return nil }
        let result = read(mapping)
        mapping.reportUnknownKeys()
        return result
    }

    /// Hands the mapping to `read`, then reports keys that it did not ask for.
    package func mapping(_ read: (DocumentMapping) -> Void) {
        guard let mapping = mapping() else { return }
        read(mapping)
        mapping.reportUnknownKeys()
    }

    private func mapping() -> DocumentMapping? {
        guard case .mapping(let members) = node.content else { return wrong("a mapping") }
        return DocumentMapping(node: node, members: members, reader: reader)
    }

    // MARK: Private

    private var plain: String? {
        guard case .scalar(let text, isPlain: true) = node.content else { return nil }
        return text
    }

    private static func hasOnlyDigits(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }
    }

    /// Digits and one of the units, multiplied; nil when it is something else or too large.
    private func quantity(_ units: [(name: String, factor: Int)]) -> Int? {
        guard let text = plain else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let unit = text[digits.endIndex...]
        guard let number = Int(digits), let factor = units.first(where: { $0.name == unit })?.factor else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    private func check<T: Comparable>(_ value: T, in range: ClosedRange<T>, _ text: (T) -> String) -> T? {
        if range.contains(value) { return value }
        report("must be from \(text(range.lowerBound)) to \(text(range.upperBound)), not \(node.kind)")
        return nil
    }

    private func wrong<T>(_ expected: String) -> T? {
        report("expected \(expected), not \(node.kind)")
        return nil
    }
}

/// Quantities as they are written in files, for messages.
package enum DocumentUnits {
    package static func duration(_ value: Nanoseconds) -> String {
        let units: [(String, Nanoseconds)] = [
            ("d", .hours(24)), ("h", .hours(1)), ("m", .minutes(1)), ("s", .seconds(1)), ("ms", .milliseconds(1)),
            ("us", .microseconds(1)),
        ]
        for (name, factor) in units where value != 0 && value % factor == 0 { return "\(value / factor)\(name)" }
        return value == 0 ? "0s" : "\(value)ns"
    }

    package static func bytes(_ value: Int) -> String {
        for (name, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where value != 0 && value % (1 << shift) == 0 {
            return "\(value >> shift)\(name)"
        }
        return String(value)
    }
}
