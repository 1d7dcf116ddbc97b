import Documents
import Patterns

/// Checks the types of an expression, resolves its names, bounds its cost and writes its program: one walk for all.
struct Compiler {
    /// What is known of a part.
    struct Part {
        let code: Program.Index
        let type: ExpressionType
        let extent: Extent
        /// Most steps one evaluation takes.
        let cost: UInt64
    }

    /// A variable of a macro.
    struct Local {
        let name: String
        let slot: Int
        let type: ExpressionType
        let extent: Extent
    }

    let source: SourceText
    let syntax: Syntax
    let environment: ExpressionEnvironment
    let limits: ExpressionLimits
    var builder = ProgramBuilder()
    var locals: [Local] = []
    var localCount = 0
    var errors: [ExpressionError] = []

    init(
        _ source: SourceText, _ syntax: Syntax, _ environment: ExpressionEnvironment, _ limits: ExpressionLimits
    ) {
        self.source = source
        self.syntax = syntax
        self.environment = environment
        self.limits = limits
    }

    /// Reports and goes on with a part that fits everywhere, so that one mistake gives one message.
    mutating func fail(_ message: String, at place: Int) -> Part {
        errors.append(source.error(message, at: place))
        return raised(.unknownName(""))
    }

    private mutating func raised(_ error: EvaluationError) -> Part {
        Part(code: builder.raise(error), type: .dyn, extent: Extent(of: .dyn, bounds: environment.bounds), cost: 1)
    }

    mutating func part(
        _ instruction: Program.Instruction, _ type: ExpressionType, _ extent: Extent = .scalar, cost: UInt64
    ) -> Part {
        Part(
            code: builder.emit(instruction), type: environment.isChecked ? type : .dyn, extent: extent,
            cost: cost.plus(1))
    }

    mutating func compile(_ id: Syntax.ID) -> Part {
        let node = syntax[id]
        switch node.kind {
        case .literal(let value):
            return Part(
                code: builder.constant(value), type: environment.isChecked ? Self.type(of: value) : .dyn,
                extent: Extent(of: value), cost: 1)
        case .name(let name, let isRooted):
            return variable([name], isRooted: isRooted) ?? unknown(name, at: node.place)
        case .select(let operand, let field): return select(id, operand, field, at: node.place)
        case .has(let operand, let field): return has(operand, field, at: node.place)
        case .index(let operand, let index): return self.index(operand, index, at: node.place)
        case .call(let name, let receiver, let arguments):
            return call(name, receiver: receiver, arguments, at: node.place)
        case .not(let operand): return unary(operand, "!", .bool, at: node.place)
        case .negate(let operand): return unary(operand, "-", .int, at: node.place)
        case .binary(let operation, let left, let right): return binary(operation, left, right, at: node.place)
        case .and(let operands): return logical(operands, "&&", at: node.place)
        case .or(let operands): return logical(operands, "||", at: node.place)
        case .conditional(let test, let yes, let no): return conditional(test, yes, no)
        case .list(let elements): return list(elements)
        case .map(let entries): return map(entries, at: node.place)
        case .comprehension(let macro, let range, let variable, let steps):
            return comprehension(macro, range, variable, steps, at: node.place)
        }
    }

    static func type(of value: ExpressionValue) -> ExpressionType {
        switch value {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        case .timestamp: .timestamp
        case .duration: .duration
        case .type: .type
        case .list, .map, .record: .dyn
        }
    }

    // MARK: Names

    private func local(_ name: String) -> Local? { locals.last { $0.name == name } }

    /// The variable or type that a name with dots stands for; nil when there is none. Names within the container come
    /// first, from the inside out.
    private mutating func variable(_ names: [String], isRooted: Bool) -> Part? {
        if names.count == 1, !isRooted, let local = local(names[0]) {
            return part(.local(Program.Index(local.slot)), local.type, local.extent, cost: 0)
        }
        let name = names.joined(separator: ".")
        var prefixes = isRooted ? [] : environment.container.split(separator: ".").map(String.init)
        while true {
            let full = (prefixes + [name]).joined(separator: ".")
            if let slot = environment.slot(of: full) {
                let variable = environment.variables[slot]
                let extent = Extent(of: variable.type, bounds: environment.bounds, countMax: variable.countMax)
                return part(
                    .variable(slot: Program.Index(slot), name: builder.name(full)), variable.type, extent, cost: 0)
            }
            if prefixes.isEmpty { break }
            prefixes.removeLast()
        }
        guard TypeName.all.contains(name) else { return nil }
        return Part(
            code: builder.constant(.type(name)), type: environment.isChecked ? .type : .dyn,
            extent: .leaf(bytes: UInt64(name.utf8.count)), cost: 1)
    }

    private mutating func unknown(_ name: String, at place: Int) -> Part {
        guard environment.isChecked else { return raised(.unknownName(name)) }
        let known = locals.map(\.name) + environment.variables.map(\.name)
        return fail("unknown name '\(name)'" + Suggestion.clause(for: name, among: known), at: place)
    }

    private mutating func select(_ id: Syntax.ID, _ operand: Syntax.ID, _ field: String, at place: Int) -> Part {
        // `a.b` may be one name; but a macro's variable `a` hides it.
        if let (names, isRooted) = syntax.dottedName(id), isRooted || local(names[0]) == nil,
            let part = variable(names, isRooted: isRooted)
        {
            return part
        }
        let base = compile(operand)
        let name = builder.name(field)
        switch base.type {
        case .record(let record):
            guard let slot = record.slot(of: field) else { return noField(field, of: record, at: place) }
            let extent = if case .record(let fields) = base.extent { fields[slot] } else { base.extent.element }
            return part(
                .select(base.code, name: name, slot: Program.Index(slot)), record.fields[slot].type, extent,
                cost: base.cost)
        case .map(let key, let value) where ExpressionType.string.fits(key):
            return part(
                .select(base.code, name: name, slot: -1), value.closed, base.extent.element,
                cost: base.cost.plus(1 + UInt64(field.utf8.count) / 16))
        case .dyn:
            return part(
                .select(base.code, name: name, slot: -1), .dyn, base.extent.element,
                cost: base.cost.plus(1 + UInt64(field.utf8.count) / 16))
        default: return fail("a value of type \(base.type.name) has no fields", at: place)
        }
    }

    private mutating func noField(_ field: String, of record: RecordType, at place: Int) -> Part {
        let suggestion = Suggestion.clause(for: field, among: record.fields.map(\.name))
        return fail("unknown field '\(field)' of \(record.name)\(suggestion)", at: place)
    }

    private mutating func has(_ operand: Syntax.ID, _ field: String, at place: Int) -> Part {
        let base = compile(operand)
        let name = builder.name(field)
        let cost = base.cost.plus(1 + UInt64(field.utf8.count) / 16)
        switch base.type {
        case .record(let record):
            guard let slot = record.slot(of: field) else { return noField(field, of: record, at: place) }
            return part(.has(base.code, name: name, slot: Program.Index(slot)), .bool, cost: cost)
        case .map, .dyn: return part(.has(base.code, name: name, slot: -1), .bool, cost: cost)
        default: return fail("a value of type \(base.type.name) has no fields", at: place)
        }
    }

    // MARK: Control

    private mutating func bool(_ id: Syntax.ID, of what: String) -> Part {
        let part = compile(id)
        if part.type.fits(.bool) { return part }
        return fail("\(what) needs a bool, not \(part.type.name)", at: syntax[id].range.lowerBound)
    }

    private mutating func logical(_ operands: [Syntax.ID], _ symbol: String, at place: Int) -> Part {
        let parts = operands.map { bool($0, of: "'\(symbol)'") }
        let first = builder.add(parts.map(\.code))
        let count = Program.Index(parts.count)
        let cost = parts.reduce(UInt64(0)) { $0.plus($1.cost) }
        return part(
            symbol == "&&" ? .and(first: first, count: count) : .or(first: first, count: count), .bool, cost: cost)
    }

    private mutating func conditional(_ test: Syntax.ID, _ yes: Syntax.ID, _ no: Syntax.ID) -> Part {
        let test = bool(test, of: "'?'")
        let (first, second) = (compile(yes), compile(no))
        guard first.type.fits(second.type) else {
            return fail(
                "both sides of ':' must have one type, not \(first.type.name) and \(second.type.name)",
                at: syntax[no].range.lowerBound)
        }
        return part(
            .conditional(test.code, first.code, second.code), first.type.joined(with: second.type),
            first.extent.joined(second.extent), cost: test.cost.plus(max(first.cost, second.cost)))
    }

    // MARK: Collections

    private mutating func list(_ elements: [Syntax.ID]) -> Part {
        let parts = elements.map { compile($0) }
        let first = builder.add(parts.map(\.code))
        let type = parts.dropFirst().reduce(parts.first?.type ?? .open) { $0.joined(with: $1.type) }
        let element = parts.dropFirst().reduce(parts.first?.extent ?? .scalar) { $0.joined($1.extent) }
        let count = UInt64(parts.count)
        return part(
            .list(first: first, count: Program.Index(parts.count)), .list(type),
            .list(count: count, element: element), cost: parts.reduce(count) { $0.plus($1.cost) })
    }

    private mutating func map(_ entries: [(key: Syntax.ID, value: Syntax.ID)], at place: Int) -> Part {
        var codes: [Program.Index] = []
        var (key, value): (ExpressionType?, ExpressionType?) = (nil, nil)
        var (keys, values) = (Extent.scalar, Extent.scalar)
        var cost: UInt64 = 0
        for (keyID, valueID) in entries {
            let (left, right) = (compile(keyID), compile(valueID))
            switch left.type {
            case .bool, .int, .uint, .string, .dyn: break
            default:
                return fail(
                    "a map's key is a bool, int, uint or string, not \(left.type.name)",
                    at: syntax[keyID].range.lowerBound)
            }
            codes += [left.code, right.code]
            key = key?.joined(with: left.type) ?? left.type
            value = value?.joined(with: right.type) ?? right.type
            keys = codes.count == 2 ? left.extent : keys.joined(left.extent)
            values = codes.count == 2 ? right.extent : values.joined(right.extent)
            cost = cost.plus(left.cost).plus(right.cost).plus(left.extent.weight).plus(1)
        }
        let first = builder.add(codes)
        return part(
            .map(first: first, count: Program.Index(entries.count)), .map(key ?? .open, value ?? .open),
            .map(count: UInt64(entries.count), key: keys, value: values), cost: cost)
    }

    private mutating func comprehension(
        _ macro: Syntax.Macro, _ range: Syntax.ID, _ variable: String, _ steps: [Syntax.ID], at place: Int
    ) -> Part {
        let range = compile(range)
        let element: ExpressionType
        switch range.type {
        case .list(let type): element = type.closed
        case .map(let key, _): element = key.closed
        case .dyn: element = .dyn
        default: return fail("'\(macro.rawValue)' needs a list or a map, not \(range.type.name)", at: place)
        }
        let slot = locals.count
        localCount = max(localCount, slot + 1)
        locals.append(Local(name: variable, slot: slot, type: element, extent: range.extent.iterated))
        var parts: [Part] = []
        for (place, step) in steps.enumerated() {
            let isTransform = macro == .map && place == steps.count - 1
            parts.append(isTransform ? compile(step) : bool(step, of: "'\(macro.rawValue)'"))
        }
        locals.removeLast()
        let count = range.extent.count
        let body = parts.reduce(UInt64(1)) { $0.plus($1.cost) }
        let first = builder.add(parts.map(\.code))
        let instruction = Program.Instruction.loop(
            macro, range: range.code, local: Program.Index(slot), first: first, count: Program.Index(parts.count))
        let cost = range.cost.plus(body.times(count))
        switch macro {
        case .all, .exists, .existsOne: return part(instruction, .bool, cost: cost)
        case .filter:
            return part(
                instruction, .list(element), .list(count: count, element: range.extent.iterated), cost: cost)
        case .map:
            let transform = parts[parts.count - 1]
            return part(
                instruction, .list(transform.type), .list(count: count, element: transform.extent), cost: cost)
        }
    }
}
