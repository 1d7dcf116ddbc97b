import JSON

/// The answer of `load`, which reports errors as a result: `{"ids": false, "messages": […]}` (recordings 709 to 717).
package enum OdooLoadAnswer: Hashable, Sendable {
    package struct Message: Hashable, Sendable {
        /// Nil for what concerns the row as a whole.
        package let field: String?
        package let text: String
    }

    /// The records, one for each row, created now or found by their external ids.
    case loaded(ids: [Int])
    /// Nothing was written.
    case refused([Message])

    /// Nil when the result is none of `load`.
    package init?(_ result: JSONValue?) {
        guard let ids = result?["ids"] else { return nil }
        if let list = ids.array {
            var numbers: [Int] = []
            for id in list {
                guard let number = id.int, number > 0 else { return nil }
                numbers.append(number)
            }
            self = .loaded(ids: numbers)
            return
        }
        guard ids == .bool(false), let messages = result?["messages"]?.array else { return nil }
        self = .refused(
            messages.compactMap { message in
                guard message["type"]?.string == "error" else { return nil }
                let text = message["message"]?.string ?? ""
                return Message(
                    field: message["field"]?.string, text: String(text.prefix(OdooError.messageCharactersMax)))
            })
    }

    /// Two loads of one external id at the same moment: one wins, the other gets PostgreSQL's "could not serialize"
    /// as a message without a field (recording 717), and Odoo does not try again. The text may be in the database
    /// server's language, so a refusal without any field is taken for this; the repetition is harmless, being
    /// idempotent.
    package var isWorthRetrying: Bool {
        switch self {
        case .loaded: false
        case .refused(let messages): !messages.isEmpty && messages.allSatisfy { $0.field == nil }
        }
    }
}
