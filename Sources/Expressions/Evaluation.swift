/// One evaluation of a program: a walk over its instructions.
///
/// Each instruction costs one step and what `Cost` adds; at the program's bound the walk stops.
struct Evaluation {
    let program: Program
    let values: [ExpressionValue?]
    private var locals: [ExpressionValue]
    private(set) var cost: UInt64 = 0

    init(_ program: Program, _ bindings: ExpressionBindings) {
        self.program = program
        values = bindings.values
        locals = program.localCount == 0 ? [] : Array(repeating: .null, count: program.localCount)
    }

    mutating func charge(_ steps: UInt64) throws(EvaluationError) {
        cost = cost.plus(steps)
        if cost > program.costMax { throw .costExceeded(program.costMax) }
    }

    /// The value of a part that must be a bool.
    mutating func truth(_ code: Program.Index) throws(EvaluationError) -> Bool {
        switch program.instructions[Int(code)] {
        case .not(let operand):
            try charge(1)
            return try !truth(operand)
        case .and(let first, let count):
            try charge(1)
            return try decide(first, count, by: false)
        case .or(let first, let count):
            try charge(1)
            return try decide(first, count, by: true)
        case .binary(.equal, let left, let right):
            try charge(1)
            return try equal(value(left), value(right))
        case .binary(.notEqual, let left, let right):
            try charge(1)
            return try !equal(value(left), value(right))
        default:
            let result = try value(code)
            guard case .bool(let flag) = result else { throw .noMatchingOverload("a condition of \(result.typeName)") }
            return flag
        }
    }

    /// `&&` (decided by false) and `||` (by true) over their operands: what decides also absorbs the errors of others,
    /// before and behind it.
    private mutating func decide(
        _ first: Program.Index, _ count: Program.Index, by decisive: Bool
    ) throws(EvaluationError) -> Bool {
        var failure: EvaluationError?
        for place in first..<first + count {
            do throws(EvaluationError) {
                if try truth(program.children[Int(place)]) == decisive { return decisive }
            } catch {
                failure = try Self.absorbed(error, after: failure)
            }
        }
        if let failure { throw failure }
        return !decisive
    }

    mutating func value(_ code: Program.Index) throws(EvaluationError) -> ExpressionValue {
        let instruction = program.instructions[Int(code)]
        switch instruction {
        case .not, .and, .or, .binary(.equal, _, _), .binary(.notEqual, _, _): return .bool(try truth(code))
        default: break
        }
        try charge(1)
        switch instruction {
        case .constant(let place): return program.constants[Int(place)]
        case .variable(let slot, let name):
            guard Int(slot) < values.count, let value = values[Int(slot)] else {
                throw .unknownName(program.names[Int(name)])
            }
            return value
        case .local(let slot): return locals[Int(slot)]
        case .select(let operand, let name, let slot): return try field(operand, name, slot)
        case .has(let operand, let name, let slot): return .bool(try hasField(operand, name, slot))
        case .index(let operand, let index):
            let base = try value(operand)
            return try element(of: base, at: value(index))
        case .negate(let operand): return try Arithmetic.negated(value(operand))
        case .conditional(let test, let yes, let no): return try truth(test) ? value(yes) : value(no)
        case .binary(let operation, let left, let right):
            let (a, b) = (try value(left), try value(right))
            return try binary(operation, a, b)
        case .list(let first, let count):
            try charge(UInt64(count))
            var elements: [ExpressionValue] = []
            elements.reserveCapacity(Int(count))
            for place in first..<first + count { elements.append(try value(program.children[Int(place)])) }
            return .list(elements)
        case .map(let first, let count): return .map(try map(first, count))
        case .call(let function, let first, let second):
            let argument = try value(first)
            return try call(function, argument, second < 0 ? nil : value(second))
        case .part(let function, let operand, let offset):
            try charge(Cost.calendar)
            return .int(try part(function, of: value(operand), offset: Int(offset)))
        case .matches(let operand, let pattern): return .bool(try matches(value(operand), pattern))
        case .loop(let macro, let range, let local, let first, let count):
            return try loop(macro, over: value(range), local: Int(local), first: first, steps: count)
        case .raise(let place): throw program.errors[Int(place)]
        case .not, .and, .or: return .bool(try truth(code))
        }
    }

    // MARK: Fields and elements

    private mutating func field(
        _ operand: Program.Index, _ name: Program.Index, _ slot: Program.Index
    ) throws(EvaluationError) -> ExpressionValue {
        let base = try value(operand)
        if case .record(let record) = base, slot >= 0 {
            guard let value = record[Int(slot)] else { throw .noSuchField(program.names[Int(name)]) }
            return value
        }
        let text = program.names[Int(name)]
        try charge(Cost.text(UInt64(text.utf8.count)))
        switch base {
        case .record(let record):
            guard let slot = record.type.slot(of: text), let value = record[slot] else { throw .noSuchField(text) }
            return value
        case .map(let map):
            guard let value = map[.string(text)] else { throw .noSuchKey(text) }
            return value
        default: throw .noMatchingOverload("a field of \(base.typeName)")
        }
    }

    private mutating func hasField(
        _ operand: Program.Index, _ name: Program.Index, _ slot: Program.Index
    ) throws(EvaluationError) -> Bool {
        let base = try value(operand)
        let text = program.names[Int(name)]
        try charge(Cost.text(UInt64(text.utf8.count)))
        switch base {
        case .record(let record):
            if slot >= 0 { return record[Int(slot)] != nil }
            guard let slot = record.type.slot(of: text) else { throw .noSuchField(text) }
            return record[slot] != nil
        case .map(let map): return map[.string(text)] != nil
        default: throw .noMatchingOverload("has() on \(base.typeName)")
        }
    }

    private mutating func element(
        of base: ExpressionValue, at index: ExpressionValue
    ) throws(EvaluationError) -> ExpressionValue {
        switch base {
        case .list(let elements):
            let place: Int64?
            switch index {
            case .int(let number): place = number
            case .uint(let number): place = Int64(exactly: number)
            case .double(let number): place = Int64(exactly: number)
            default: throw .noMatchingOverload("list[\(index.typeName)]")
            }
            guard let place, place >= 0, place < elements.count else { throw .indexOutOfRange(place ?? -1) }
            return elements[Int(place)]
        case .map(let map):
            if case .string(let text) = index { try charge(Cost.text(UInt64(text.utf8.count))) }
            guard let key = ExpressionKey(lookup: index) else {
                if case .double = index { throw .noSuchKey(Conversion.shown(index)) }
                throw .noMatchingOverload("map[\(index.typeName)]")
            }
            guard let value = map[key] else { throw .noSuchKey(Conversion.shown(index)) }
            return value
        default: throw .noMatchingOverload("\(base.typeName)[\(index.typeName)]")
        }
    }

    private mutating func map(_ first: Program.Index, _ count: Program.Index) throws(EvaluationError) -> ExpressionMap {
        var map = ExpressionMap()
        for entry in 0..<count {
            let key = try value(program.children[Int(first + 2 * entry)])
            let value = try value(program.children[Int(first + 2 * entry + 1)])
            if case .string(let text) = key { try charge(UInt64(text.utf8.count) / 16) }
            try charge(1)
            if !map.insert(key, value) { throw .duplicateKey }
        }
        return map
    }

    // MARK: Macros

    private mutating func loop(
        _ macro: Syntax.Macro, over range: ExpressionValue, local: Int, first: Program.Index, steps: Program.Index
    ) throws(EvaluationError) -> ExpressionValue {
        switch range {
        case .list(let elements):
            return try loop(macro, elements.count, local, first, steps) { elements[$0] }
        case .map(let map):
            return try loop(macro, map.count, local, first, steps) { map.entries[$0].key }
        default: throw .noMatchingOverload("\(macro.rawValue) over \(range.typeName)")
        }
    }

    private mutating func loop(
        _ macro: Syntax.Macro, _ count: Int, _ local: Int, _ first: Program.Index, _ steps: Program.Index,
        element: (Int) -> ExpressionValue
    ) throws(EvaluationError) -> ExpressionValue {
        let step = program.children[Int(first)]
        var failure: EvaluationError?
        var found = 0
        var results: [ExpressionValue] = []
        for place in 0..<count {
            try charge(1)
            let element = element(place)
            locals[local] = element
            switch macro {
            case .all, .exists:
                let decisive = macro == .exists
                do throws(EvaluationError) {
                    if try truth(step) == decisive { return .bool(decisive) }
                } catch {
                    failure = try Self.absorbed(error, after: failure)
                }
            case .existsOne:
                if try truth(step) { found += 1 }
            case .filter:
                if try truth(step) { results.append(element) }
            case .map:
                if steps == 2, try !truth(step) { continue }
                results.append(try value(program.children[Int(first + steps - 1)]))
            }
        }
        if let failure { throw failure }
        switch macro {
        case .all: return .bool(true)
        case .exists: return .bool(false)
        case .existsOne: return .bool(found == 1)
        case .filter, .map: return .list(results)
        }
    }

    /// The error that is thrown when no operand decides: the first. The cost bound is never absorbed.
    private static func absorbed(
        _ error: EvaluationError, after first: EvaluationError?
    ) throws(EvaluationError) -> EvaluationError {
        if case .costExceeded = error { throw error }
        return first ?? error
    }
}
