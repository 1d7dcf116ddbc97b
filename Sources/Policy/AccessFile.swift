import Documents

/// Reads `access/*.yaml`.
struct AccessFile {
    private let roleNames: [String]
    private let operations: Set<String>
    private let reader: DocumentReader
    /// Each rule id and where it was first given.
    private var places: [String: String] = [:]
    private var rules: [Rule] = []

    static func read(
        _ files: PolicyFiles, roles: [Role], operations: Set<String>, reader: DocumentReader
    ) -> [Rule] {
        var access = AccessFile(roleNames: roles.map(\.name), operations: operations, reader: reader)
        for file in files.access { access.read(file) }
        return access.rules
    }

    private init(roleNames: [String], operations: Set<String>, reader: DocumentReader) {
        self.roleNames = roleNames
        self.operations = operations
        self.reader = reader
    }

    private mutating func read(_ file: PolicyFiles.File) {
        var found: [Rule] = []
        reader.read(file.text, file: file.path) { map in
            _ = map.required("rules")?.list(minCount: 1) { value in
                value.mapping { rule in found.append(read(rule, file: file)) }
            }
        }
        rules += found
    }

    private mutating func read(_ map: DocumentMapping, file: PolicyFiles.File) -> Rule {
        let id = readID(map, file: file)
        let effect = map.required("effect")?.choice(Decision.Effect.self, what: "effect") ?? .forbid
        return Rule(
            id: id,
            description: map.string("description", default: ""),
            effect: effect,
            roleBits: map.required("roles").map(readRoles) ?? 0,
            sites: map.required("sites").map { scope($0, "sites") } ?? .own,
            workCenters: map.optional("work_centers").map { scope($0, "work centers") } ?? .any,
            obligations: map.mapping("obligations") { Obligations(auditBody: $0.bool("audit_body", default: false)) }
                ?? Obligations(),
            operations: map.required("operations").map(readOperations) ?? [],
            place: "\(file.name):\(map.mark.line)")
    }

    private mutating func readID(_ map: DocumentMapping, file: PolicyFiles.File) -> String {
        guard let value = map.required("id"), let id = value.string() else { return "" }
        if !PolicyName.isValid(id) { value.report("rule id \(value.node.kind) must be \(PolicyName.rule)") }
        if let first = places[id] {
            value.report("duplicate rule id '\(id)', first in \(first)")
        } else {
            places[id] = "\(file.path):\(value.mark.line)"
        }
        return id
    }

    private func readRoles(_ value: DocumentValue) -> UInt64 {
        if value.node.scalar == "*" { return Rule.everyone }
        var bits: UInt64 = 0
        _ = value.list(minCount: 1) { element -> String? in
            guard let name = element.string() else { return nil }
            guard let index = roleNames.firstIndex(of: name) else {
                element.report("unknown role \(element.node.kind)" + Suggestion.clause(for: name, among: roleNames))
                return nil
            }
            if bits >> UInt64(index) & 1 == 1 { element.report("role '\(name)' is listed twice") }
            bits |= 1 << UInt64(index)
            return name
        }
        return bits
    }

    private func scope(_ value: DocumentValue, _ what: String) -> Rule.Scope {
        switch value.node.content {
        case .scalar("*", _): return .any
        case .scalar("own", _): return .own
        case .sequence:
            var listed: [String] = []
            _ = value.list(minCount: 1) { element -> String? in
                guard let name = element.string() else { return nil }
                if name == "*" || name == "own" { element.report("'\(name)' stands alone, not in a list") }
                if listed.contains(name) { element.report("'\(Suggestion.shortened(name))' is listed twice") }
                listed.append(name)
                return name
            }
            return .listed(listed)
        case .scalar, .mapping:
            value.report("expected \"*\", own or a list of \(what), not \(value.node.kind)")
            return .own
        }
    }

    private func readOperations(_ value: DocumentValue) -> Set<String> {
        if value.node.scalar == "*" { return operations }
        var all: Set<String> = []
        _ = value.list(minCount: 1) { element -> String? in
            guard let pattern = element.string() else { return nil }
            all.formUnion(matches(pattern, element))
            return pattern
        }
        return all
    }

    /// The operations a pattern stands for: a name, `prefix.*`, or `*`.
    private func matches(_ pattern: String, _ element: DocumentValue) -> Set<String> {
        if pattern == "*" { return operations }
        guard pattern.contains("*") else {
            if operations.contains(pattern) { return [pattern] }
            element.report(
                "unknown operation \(element.node.kind)" + Suggestion.clause(for: pattern, among: operations))
            return []
        }
        let prefix = pattern.dropLast()
        guard pattern.hasSuffix(".*"), prefix.utf8.count > 1, !prefix.contains("*") else {
            element.report("a wildcard is '*' alone or at the end behind a '.', not \(element.node.kind)")
            return []
        }
        let found = operations.filter { $0.hasPrefix(prefix) }
        if found.isEmpty {
            let suggestion = Suggestion.clause(for: pattern, among: wildcards)
            element.report("\(element.node.kind) matches no operation" + suggestion)
        }
        return found
    }

    /// The wildcards that do match something.
    private var wildcards: Set<String> {
        var all: Set<String> = []
        for name in operations {
            if let dot = name.lastIndex(of: ".") { all.insert(String(name[...dot]) + "*") }
        }
        return all
    }
}
