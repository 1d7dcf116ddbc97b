/// Collects everything that is wrong in a file while typed values are read from it.
///
/// A read that fails reports why and gives a placeholder, so that the reader's code runs on and finds the other errors
/// too. Nothing that was read may be used before `finish` has returned.
package final class DocumentReader {
    package private(set) var errors: [DocumentError] = []

    package init() {}

    package func report(_ message: String, at mark: DocumentMark) {
        if errors.count < DocumentLimits.errorsMax { errors.append(DocumentError(mark, message)) }
    }

    package func report(_ message: String, at node: DocumentNode) { report(message, at: node.mark) }

    package func add(_ others: DocumentErrors) {
        for error in others.errors where errors.count < DocumentLimits.errorsMax { errors.append(error) }
    }

    /// - Throws: all errors that were reported.
    package func finish() throws(DocumentErrors) {
        if !errors.isEmpty { throw DocumentErrors(errors) }
    }

    /// Parses the text and hands its top-level mapping to `read`; keys that `read` did not ask for are reported.
    package func read(_ text: String, file: String, _ read: (DocumentMapping) -> Void) {
        do throws(DocumentErrors) {
            value(try Document.parse(text, file: file)).mapping(read)
        } catch {
            add(error)
        }
    }

    package func value(_ node: DocumentNode) -> DocumentValue { DocumentValue(node: node, reader: self) }
}
