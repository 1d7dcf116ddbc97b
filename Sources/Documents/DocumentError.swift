/// One thing that is wrong in a document, and where.
package struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name as people know it, relative to where they look.
    package let file: String
    /// From 1.
    package let line: Int
    /// In Unicode scalars, from 1.
    package let column: Int
    package let message: String

    package init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    package init(_ mark: DocumentMark, _ message: String) {
        self.init(file: mark.file, line: mark.line, column: mark.column, message: message)
    }

    /// `file:line:column: message`, one line.
    package var description: String { "\(file):\(line):\(column): \(message)" }
}

/// Everything that is wrong in one or more documents, in the order of files and lines.
package struct DocumentErrors: Error, Equatable, Sendable, CustomStringConvertible {
    package let errors: [DocumentError]

    /// Sorted by place; the same message at the same place is kept once.
    package init(_ errors: [DocumentError]) {
        var seen: Set<DocumentError> = []
        self.errors =
            errors
            .filter { seen.insert($0).inserted }
            .sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
    }

    /// One line for each error.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
