/// A place in a document.
package struct DocumentMark: Hashable, Sendable {
    package let file: String
    /// From 1.
    package let line: Int
    /// In Unicode scalars, from 1.
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// A value in a document, and where it stands.
package struct DocumentNode: Sendable {
    package enum Content: Sendable {
        /// `isPlain` when written without quotes and not as a block: only then can it be a number, a boolean or null.
        case scalar(String, isPlain: Bool)
        case sequence([DocumentNode])
        /// In the order written. Keys are scalars, each text once.
        case mapping([(key: DocumentNode, value: DocumentNode)])
    }

    package let mark: DocumentMark
    package let content: Content

    package init(mark: DocumentMark, content: Content) {
        self.mark = mark
        self.content = content
    }

    /// A value left out, `~` or `null`.
    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    /// The text of a scalar.
    package var scalar: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    /// The value of the mapping's key.
    package subscript(key: String) -> DocumentNode? {
        guard case .mapping(let members) = content else { return nil }
        return members.first { $0.key.scalar == key }?.value
    }

    /// What the node is, for messages.
    package var kind: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : "'\(Suggestion.shortened(text))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
