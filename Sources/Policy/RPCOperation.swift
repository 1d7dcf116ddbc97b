/// Operations of Odoo's RPC routes: `odoo.rpc:MODEL.METHOD`. There are as many as Odoo has methods, so they are no list;
/// rules name one, all of a model (`odoo.rpc:mrp.production.*`), or all (`odoo.rpc:*`).
package enum RPCOperation {
    package static let prefix = "odoo.rpc:"

    /// `odoo.rpc:mrp.production.action_confirm`.
    package static func name(model: String, method: String) -> String { "\(prefix)\(model).\(method)" }

    package static func isOperation(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Whether the text is a pattern: the prefix, and `*`, `MODEL.*` or `MODEL.METHOD`.
    package static func isPattern(_ text: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        let rest = text.dropFirst(prefix.count)
        if rest == "*" { return true }
        let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, text.utf8.count <= 200 else { return false }
        func isWord(_ part: Substring) -> Bool {
            !part.isEmpty && part.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 65 < 26 || $0 &- 48 < 10 || $0 == 95 }
        }
        return parts.dropLast().allSatisfy(isWord) && (parts.last == "*" || parts.last.map(isWord) == true)
    }

    /// The patterns under which a method's rules stand; nil for what is no method.
    static func patterns(covering operation: String) -> [String]? {
        guard isPattern(operation), let dot = operation.lastIndex(of: ".") else { return nil }
        let model = operation[...dot] + "*"
        return operation.hasSuffix("*") ? [operation, prefix + "*"] : [operation, String(model), prefix + "*"]
    }
}
