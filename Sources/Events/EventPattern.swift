/// What selects events by their name: `production-order.released`, `production-order.*`, or `*`; with `.v2` at the end,
/// only that version.
package struct EventPattern: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    private let name: String
    private let isPrefix: Bool
    private let version: Int?

    /// Nil for what is none of these forms.
    package init?(_ text: String) {
        description = text
        if text == "*" {
            (name, isPrefix, version) = ("", true, nil)
            return
        }
        var text = text
        // The full type is as good as the name.
        if text.hasPrefix(CloudEvent.typePrefix) { text.removeFirst(CloudEvent.typePrefix.count) }
        if text.hasSuffix(".*") {
            let noun = text.dropLast(2)
            guard Self.isWord(noun) else { return nil }
            (name, isPrefix, version) = (String(text.dropLast()), true, nil)
            return
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, Self.isWord(parts[0]), Self.isWord(parts[1]) else { return nil }
        var wanted: Int?
        if parts.count == 3 {
            guard parts[2].first == "v", let number = Int(parts[2].dropFirst()), number > 0 else { return nil }
            wanted = number
        }
        (name, isPrefix, version) = ("\(parts[0]).\(parts[1])", false, wanted)
    }

    package func matches(_ event: String, version: Int) -> Bool {
        isPrefix ? event.hasPrefix(name) : event == name && (self.version ?? version) == version
    }

    /// Lower-case words with hyphens.
    static func isWord(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }
            && text.first != "-" && text.last != "-"
    }

    /// `noun.verb`.
    package static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { isWord($0) }
    }
}

extension [EventPattern] {
    /// Patterns in a list with commas; nil where one is wrong. Nothing selects everything.
    package init?(list: String) {
        var patterns: [EventPattern] = []
        for part in list.split(separator: ",") {
            guard let pattern = EventPattern(part.filter { $0 != " " }) else { return nil }
            patterns.append(pattern)
        }
        self = patterns
    }

    package func select(_ event: String, version: Int) -> Bool {
        isEmpty || contains { $0.matches(event, version: version) }
    }
}
