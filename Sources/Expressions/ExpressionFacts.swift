/// What an expression reads, and with which constants it compares it.
struct ExpressionFacts {
    private let syntax: Syntax
    private let environment: ExpressionEnvironment
    /// Variables of macros and the paths of their elements; nil for elements of something that has no path.
    private var locals: [(name: String, path: String?)] = []
    private(set) var references: Set<String> = []
    private(set) var comparisons: [Expression.Comparison] = []

    init(_ syntax: Syntax, _ environment: ExpressionEnvironment) {
        self.syntax = syntax
        self.environment = environment
        walk(syntax.root)
    }

    /// The path of a variable, a field or an element; nil for anything that is computed.
    private func path(_ id: Syntax.ID) -> String? {
        switch syntax[id].kind {
        case .name(let name, let isRooted):
            if !isRooted, let local = locals.last(where: { $0.name == name }) { return local.path }
            if environment.slot(of: name) != nil { return name }
            guard !environment.container.isEmpty else { return nil }
            return environment.variables.contains { $0.name == environment.container + "." + name } ? name : nil
        case .select(let operand, let field):
            if let base = path(operand) { return base + "." + field }
            guard let (names, _) = syntax.dottedName(id) else { return nil }
            let name = names.joined(separator: ".")
            return environment.slot(of: name) == nil ? nil : name
        case .index(let operand, let index):
            guard let base = path(operand) else { return nil }
            if case .literal(.string(let key)) = syntax[index].kind { return base + "." + key }
            return base + "[]"
        default: return nil
        }
    }

    private mutating func walk(_ id: Syntax.ID) {
        if let path = path(id) {
            references.insert(path)
            // Indices within may be computed of other variables.
            walkIndices(id)
            return
        }
        switch syntax[id].kind {
        case .literal, .name: break
        case .select(let operand, _), .not(let operand), .negate(let operand): walk(operand)
        case .has(let operand, let field):
            if let base = path(operand) { references.insert(base + "." + field) } else { walk(operand) }
        case .index(let a, let b):
            walk(a)
            walk(b)
        case .call(let name, let receiver, let arguments):
            for part in (receiver.map { [$0] } ?? []) + arguments { walk(part) }
            let operands = (receiver.map { [$0] } ?? []) + arguments
            if ["startsWith", "endsWith", "contains", "matches"].contains(name), operands.count == 2 {
                note(operands[0], name, operands[1])
            }
        case .binary(let operation, let a, let b):
            walk(a)
            walk(b)
            if operation.isRelation { note(a, operation.rawValue, b) }
            if let mirrored = Self.mirrored[operation] { note(b, mirrored, a) }
        case .and(let parts), .or(let parts), .list(let parts): for part in parts { walk(part) }
        case .conditional(let a, let b, let c): for part in [a, b, c] { walk(part) }
        case .map(let entries):
            for (key, value) in entries {
                walk(key)
                walk(value)
            }
        case .comprehension(_, let range, let variable, let steps):
            walk(range)
            locals.append((variable, path(range).map { $0 + "[]" }))
            for step in steps { walk(step) }
            locals.removeLast()
        }
    }

    private mutating func walkIndices(_ id: Syntax.ID) {
        switch syntax[id].kind {
        case .select(let operand, _): walkIndices(operand)
        case .index(let operand, let index):
            walkIndices(operand)
            walk(index)
        default: break
        }
    }

    private static let mirrored: [Syntax.Binary: String] = [
        .equal: "==", .notEqual: "!=", .less: ">", .lessOrEqual: ">=", .greater: "<", .greaterOrEqual: "<=",
    ]

    private mutating func note(_ left: Syntax.ID, _ operation: String, _ right: Syntax.ID) {
        guard let constants = constants(right) else { return }
        if let path = path(left) {
            comparisons.append(
                Expression.Comparison(path: path, function: nil, operation: operation, constants: constants))
            return
        }
        // `size(x) < 5`, `now.getHours() >= 6`
        guard case .call(let name, let receiver, let arguments) = syntax[left].kind,
            let operand = receiver ?? arguments.first, let path = path(operand)
        else { return }
        comparisons.append(
            Expression.Comparison(path: path, function: name, operation: operation, constants: constants))
    }

    /// What a literal, a list of literals, or a time written as text stands for.
    private func constants(_ id: Syntax.ID) -> [ExpressionValue]? {
        switch syntax[id].kind {
        case .literal(let value): return [value]
        case .list(let elements):
            var all: [ExpressionValue] = []
            for element in elements {
                guard let values = constants(element), values.count == 1 else { return nil }
                all += values
            }
            return all
        case .call(let name, nil, let arguments) where arguments.count == 1:
            guard let function = Function(rawValue: name), case .literal(let value) = syntax[arguments[0]].kind,
                let result = try? Conversion.apply(function, value)
            else { return nil }
            return [result]
        default: return nil
        }
    }
}
