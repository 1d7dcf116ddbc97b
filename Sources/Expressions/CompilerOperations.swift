import Documents
import Patterns

/// Operators and functions: which overload, what it gives, what it costs.
extension Compiler {
    mutating func unary(_ operand: Syntax.ID, _ symbol: String, _ type: ExpressionType, at place: Int) -> Part {
        let part = compile(operand)
        if symbol == "!" {
            guard part.type.fits(.bool) else { return fail("'!' needs a bool, not \(part.type.name)", at: place) }
            return self.part(.not(part.code), .bool, cost: part.cost)
        }
        switch part.type {
        case .int, .double, .dyn: return self.part(.negate(part.code), part.type, cost: part.cost)
        default: return fail("'-' needs an int or double, not \(part.type.name)", at: place)
        }
    }

    mutating func index(_ operand: Syntax.ID, _ index: Syntax.ID, at place: Int) -> Part {
        let (base, key) = (compile(operand), compile(index))
        let element: ExpressionType
        switch base.type {
        case .list(let type):
            guard key.type.fits(.int) else { return fail("a list's index is an int, not \(key.type.name)", at: place) }
            element = type.closed
        case .map(let type, let value):
            guard key.type.fits(type) || (key.type.isNumber && type.isNumber) else {
                return fail("the map's keys are \(type.name), not \(key.type.name)", at: place)
            }
            element = value.closed
        case .dyn: element = .dyn
        case .record(let record):
            return fail("\(record.name) is no map; write .field", at: place)
        default: return fail("a value of type \(base.type.name) has no index", at: place)
        }
        return part(
            .index(base.code, key.code), element, base.extent.element,
            cost: base.cost.plus(key.cost).plus(key.extent.weight))
    }

    mutating func binary(_ operation: Syntax.Binary, _ left: Syntax.ID, _ right: Syntax.ID, at place: Int) -> Part {
        let (a, b) = (compile(left), compile(right))
        let instruction = Program.Instruction.binary(operation, a.code, b.code)
        let cost = a.cost.plus(b.cost)
        switch operation {
        case .equal, .notEqual:
            guard a.type.fits(b.type) || (a.type.isNumber && b.type.isNumber) else { break }
            return part(instruction, .bool, cost: cost.plus(min(a.extent.weight, b.extent.weight)))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard Self.areOrdered(a.type, b.type) else { break }
            return part(instruction, .bool, cost: cost.plus(min(a.extent.weight, b.extent.weight)))
        case .isIn:
            switch b.type {
            case .list(let element) where a.type.fits(element) || (a.type.isNumber && element.isNumber): break
            case .map(let key, _) where a.type.fits(key) || (a.type.isNumber && key.isNumber): break
            case .dyn: break
            default: return noOverload(operation, a.type, b.type, at: place)
            }
            return part(instruction, .bool, cost: cost.plus(a.extent.weight).plus(b.extent.weight))
        case .add, .subtract, .multiply, .divide, .remainder:
            guard let type = Self.arithmetic(operation, a.type, b.type) else { break }
            guard operation == .add else { return part(instruction, type, cost: cost) }
            return sum(instruction, type, a, b, cost: cost)
        }
        return noOverload(operation, a.type, b.type, at: place)
    }

    /// Texts and lists grow by `+`, and copying them costs.
    private mutating func sum(
        _ instruction: Program.Instruction, _ type: ExpressionType, _ a: Part, _ b: Part, cost: UInt64
    ) -> Part {
        switch type {
        case .string, .bytes, .list, .dyn:
            let extent = a.extent.appended(b.extent)
            return part(instruction, type, extent, cost: cost.plus(a.extent.count).plus(b.extent.count).plus(1))
        default: return part(instruction, type, cost: cost)
        }
    }

    private mutating func noOverload(
        _ operation: Syntax.Binary, _ a: ExpressionType, _ b: ExpressionType, at place: Int
    ) -> Part {
        var hint = ""
        if a.isNumber, b.isNumber { hint = "; convert one side with \(a.name)(…) or \(b.name)(…)" }
        if a == .null || b == .null { hint = "; whether a field is there says has(…)" }
        return fail("'\(operation.rawValue)' does not take \(a.name) and \(b.name)\(hint)", at: place)
    }

    private static func areOrdered(_ a: ExpressionType, _ b: ExpressionType) -> Bool {
        switch (a, b) {
        case (.int, .int), (.uint, .uint), (.double, .double), (.string, .string), (.bytes, .bytes), (.bool, .bool),
            (.timestamp, .timestamp), (.duration, .duration):
            true
        case (.dyn, let other), (let other, .dyn):
            switch other {
            case .null, .list, .map, .record, .type: false
            default: true
            }
        default: a.isNumber && b.isNumber
        }
    }

    /// The type of the result; nil when the operator takes no such operands.
    private static func arithmetic(
        _ operation: Syntax.Binary, _ a: ExpressionType, _ b: ExpressionType
    ) -> ExpressionType? {
        switch (a, b) {
        case (.int, .int), (.uint, .uint): return a
        case (.double, .double): return operation == .remainder ? nil : a
        case (.string, .string), (.bytes, .bytes): return operation == .add ? a : nil
        case (.list, .list): return operation == .add ? a.joined(with: b) : nil
        case (.timestamp, .duration): return operation == .add || operation == .subtract ? .timestamp : nil
        case (.duration, .timestamp): return operation == .add ? .timestamp : nil
        case (.duration, .duration): return operation == .add || operation == .subtract ? .duration : nil
        case (.timestamp, .timestamp): return operation == .subtract ? .duration : nil
        case (.dyn, .dyn): return .dyn
        case (.dyn, let other), (let other, .dyn):
            switch other {
            case .int, .uint: return other
            case .double: return operation == .remainder ? nil : other
            case .string, .bytes: return operation == .add ? other : nil
            case .list: return operation == .add ? .list(.dyn) : nil
            case .timestamp, .duration: return operation == .add || operation == .subtract ? .dyn : nil
            default: return nil
            }
        default: return nil
        }
    }

    // MARK: Functions

    mutating func call(_ name: String, receiver: Syntax.ID?, _ arguments: [Syntax.ID], at place: Int) -> Part {
        guard let function = Function(rawValue: name) else {
            guard environment.isChecked else {
                return Part(
                    code: builder.raise(.noMatchingOverload(name)), type: .dyn,
                    extent: .scalar, cost: 1)
            }
            let macros = ["has", "all", "exists", "exists_one", "filter", "map"]
            if macros.contains(name) { return fail("'\(name)' takes other arguments", at: place) }
            let known = Function.allCases.map(\.rawValue) + macros
            return fail("unknown function '\(name)'" + Suggestion.clause(for: name, among: known), at: place)
        }
        let ids = (receiver.map { [$0] } ?? []) + arguments
        let parts = ids.map { compile($0) }
        let types = parts.map(\.type)
        let isStyleRight =
            function.style == .both || (function.style == .receiver) == (receiver != nil)
        guard isStyleRight, let type = function.result(types) else {
            if !environment.isChecked {
                return Part(code: builder.raise(.noMatchingOverload(name)), type: .dyn, extent: .scalar, cost: 1)
            }
            let call = Function.call(name, receiver: receiver != nil, types)
            let style = isStyleRight ? "" : receiver == nil ? "; write x.\(name)(…)" : "; write \(name)(x)"
            return fail("no function \(call)\(style)", at: place)
        }
        if function.style == .receiver, parts.count == 2, function.rawValue.hasPrefix("get"),
            case .literal(.string(let zone)) = syntax[ids[1]].kind, TimeZoneOffset.seconds(zone) == nil
        {
            return fail(
                "unknown time zone '\(Suggestion.shortened(zone))': UTC or an offset as '+01:00' are known; names "
                    + "as Europe/Paris would make the answer depend on the machine",
                at: syntax[ids[1]].place)
        }
        if function == .matches { return matches(parts, pattern: ids[1]) }
        let cost = parts.reduce(Self.cost(function, parts.map(\.extent))) { $0.plus($1.cost) }
        if parts.count == 2, case .literal(.string(let zone)) = syntax[ids[1]].kind, type == .int,
            types[0] == .timestamp,
            let offset = TimeZoneOffset.seconds(zone)
        {
            return part(.part(function, parts[0].code, offset: Program.Index(offset)), type, cost: cost)
        }
        return part(
            .call(function, parts[0].code, parts.count == 2 ? parts[1].code : -1), type,
            Self.extent(function, parts[0].extent), cost: cost)
    }

    private mutating func matches(_ parts: [Part], pattern id: Syntax.ID) -> Part {
        guard case .literal(.string(let text)) = syntax[id].kind else {
            let steps = UInt64(limits.patternInstructionsMax)
            let cost = Cost.matching(steps: steps, bytes: parts[0].extent.count).plus(steps)
                .plus(parts[1].extent.count)
            return part(
                .call(.matches, parts[0].code, parts[1].code), .bool,
                cost: cost.plus(parts[0].cost).plus(parts[1].cost))
        }
        do throws(PatternError) {
            let pattern = try Pattern(text, instructionsMax: limits.patternInstructionsMax)
            builder.patterns.append(pattern)
            let place = Program.Index(builder.patterns.count - 1)
            return part(
                .matches(parts[0].code, pattern: place), .bool,
                cost: parts[0].cost.plus(
                    Cost.matching(steps: UInt64(pattern.stepsPerCharacter), bytes: parts[0].extent.count)))
        } catch {
            guard environment.isChecked else {
                return part(
                    .raise(builder.error(.invalidPattern(error.message))), .bool, cost: 0)
            }
            return fail("the pattern is not valid: \(error.message)", at: syntax[id].range.lowerBound)
        }
    }

    private static func cost(_ function: Function, _ extents: [Extent]) -> UInt64 {
        let count = extents[0].count
        switch function {
        case .size, .bool, .bytes, .double, .int, .string, .timestamp, .uint, .duration: return Cost.text(count)
        case .contains: return Cost.search(text: count, for: extents[1].count)
        case .startsWith, .endsWith: return Cost.text(min(count, extents[1].count))
        case .dyn, .type, .matches: return 1
        case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getHours, .getMilliseconds,
            .getMinutes, .getMonth, .getSeconds:
            return Cost.calendar
        }
    }

    private static func extent(_ function: Function, _ argument: Extent) -> Extent {
        switch function {
        case .string, .bytes: .leaf(bytes: max(argument.count, 40))
        case .dyn: argument
        case .type: .leaf(bytes: 128)
        default: .scalar
        }
    }
}

/// What work costs beside the one step that every instruction takes. The evaluation charges the same.
enum Cost {
    static let calendar: UInt64 = 8

    /// Reading or comparing this many bytes of text.
    static func text(_ bytes: UInt64) -> UInt64 { 1 + bytes / 16 }

    static func search(text: UInt64, for needle: UInt64) -> UInt64 { 1 + text.plus(needle) / 4 }

    static func matching(steps: UInt64, bytes: UInt64) -> UInt64 { steps.times(bytes.plus(1)) / 4 + 1 }
}
