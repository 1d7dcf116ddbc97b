import Documents

/// The operations that a file names, wildcards resolved.
struct OperationPatterns {
    private let names: [String]
    private let known: Set<String>

    init(_ catalog: OperationCatalog) {
        names = catalog.names
        known = Set(names)
    }

    func read(_ value: DocumentValue) -> Set<String> {
        if value.node.scalar == "*" { return everything }
        var all: Set<String> = []
        _ = value.list(minCount: 1) { element -> String? in
            guard let pattern = element.string() else { return nil }
            all.formUnion(matches(pattern, element))
            return pattern
        }
        return all
    }

    /// All operations, and every method of Odoo's RPC.
    private var everything: Set<String> { known.union([RPCOperation.prefix + "*"]) }

    /// The operations a pattern stands for: a name, `prefix.*`, `*`, or `odoo.rpc:…`.
    private func matches(_ pattern: String, _ element: DocumentValue) -> Set<String> {
        if pattern == "*" { return everything }
        if RPCOperation.isOperation(pattern) {
            if RPCOperation.isPattern(pattern) { return [pattern] }
            element.report("an RPC operation is odoo.rpc:MODEL.METHOD, odoo.rpc:MODEL.* or odoo.rpc:*")
            return []
        }
        guard pattern.contains("*") else {
            if known.contains(pattern) { return [pattern] }
            element.report("unknown operation \(element.node.kind)" + Suggestion.clause(for: pattern, among: known))
            return []
        }
        let prefix = pattern.dropLast()
        guard pattern.hasSuffix(".*"), prefix.utf8.count > 1, !prefix.contains("*") else {
            element.report("a wildcard is '*' alone or at the end behind a '.', not \(element.node.kind)")
            return []
        }
        let found = known.filter { $0.hasPrefix(prefix) }
        if found.isEmpty {
            let suggestion = Suggestion.clause(for: pattern, among: wildcards)
            element.report("\(element.node.kind) matches no operation" + suggestion)
        }
        return found
    }

    /// The wildcards that do match something.
    private var wildcards: Set<String> {
        var all: Set<String> = []
        for name in names {
            if let dot = name.lastIndex(of: ".") { all.insert(String(name[...dot]) + "*") }
        }
        return all
    }
}
