import Bytes

/// The members of a mapping while they are read. Each key that is asked for counts as known.
///
/// Reads with a default return the default when the key is not there, and also when its value is wrong, which was
/// then reported. `required…` reads return a placeholder when the key is missing, which was then reported too.
package final class DocumentMapping {
    package let node: DocumentNode
    package let reader: DocumentReader
    private let members: [(key: DocumentNode, value: DocumentNode)]
    private var known: Set<String> = []
    private var isOpen = false

    init(node: DocumentNode, members: [(key: DocumentNode, value: DocumentNode)], reader: DocumentReader) {
        self.node = node
        self.members = members
        self.reader = reader
    }

    package var mark: DocumentMark { node.mark }
    package var keys: [String] { members.compactMap(\.key.scalar) }

    package func report(_ message: String) { reader.report(message, at: node) }

    /// Every member, for mappings whose keys are names that the file invents. All keys count as known.
    package var entries: [(key: DocumentNode, name: String, value: DocumentValue)] {
        isOpen = true
        return members.map { ($0.key, $0.key.scalar ?? "", reader.value($0.value)) }
    }

    /// The value of a key; nil when it is not there or null.
    package func optional(_ key: String) -> DocumentValue? {
        known.insert(key)
        guard let member = members.first(where: { $0.key.scalar == key }), !member.value.isNull else { return nil }
        return reader.value(member.value)
    }

    /// The value of a key; reports when it is not there.
    package func required(_ key: String) -> DocumentValue? {
        guard let value = optional(key) else {
            if let member = members.first(where: { $0.key.scalar == key }) {
                reader.report("key '\(key)' needs a value", at: member.key)
            } else {
                report("missing key '\(key)'")
            }
            return nil
        }
        return value
    }

    package func string(_ key: String) -> String? { optional(key)?.string() }
    package func string(_ key: String, default value: String) -> String { string(key) ?? value }
    package func requiredString(_ key: String) -> String { required(key)?.string() ?? "" }

    package func bool(_ key: String, default value: Bool) -> Bool { optional(key)?.bool() ?? value }

    package func int(_ key: String, in range: ClosedRange<Int>) -> Int? { optional(key)?.int(in: range) }
    package func int(_ key: String, in range: ClosedRange<Int>, default value: Int) -> Int {
        int(key, in: range) ?? value
    }
    package func requiredInt(_ key: String, in range: ClosedRange<Int>) -> Int {
        required(key)?.int(in: range) ?? range.lowerBound
    }

    package func duration(
        _ key: String, in range: ClosedRange<Nanoseconds> = 0...Nanoseconds.max, default value: Nanoseconds
    ) -> Nanoseconds {
        optional(key)?.duration(in: range) ?? value
    }

    package func byteCount(_ key: String, in range: ClosedRange<Int> = 0...Int.max, default value: Int) -> Int {
        optional(key)?.byteCount(in: range) ?? value
    }

    package func choice<T: RawRepresentable & CaseIterable>(_ key: String, default value: T) -> T
    where T.RawValue == String {
        optional(key)?.choice(T.self) ?? value
    }

    /// A list of texts; empty when the key is not there.
    package func strings(_ key: String) -> [String] { optional(key)?.list { $0.string() } ?? [] }

    package func list<T>(_ key: String, minCount: Int = 0, _ read: (DocumentValue) -> T?) -> [T] {
        optional(key)?.list(minCount: minCount, read) ?? []
    }

    /// Hands the mapping under `key` to `read`; nil when it is not there.
    package func mapping<T>(_ key: String, _ read: (DocumentMapping) -> T?) -> T? { optional(key)?.mapping(read) }

    /// Reports the keys that nobody asked for.
    func reportUnknownKeys() {
        if isOpen { return }
        for (key, _) in members {
            guard let name = key.scalar, !known.contains(name) else { continue }
            let unused = known.subtracting(keys)
            let near = Suggestion.clause(for: name, among: unused)
            let clause = near.isEmpty ? Suggestion.clause(for: name, among: known) : near
            reader.report("unknown key \(key.kind)\(clause)", at: key)
        }
    }
}
