import Patterns

/// A compiled expression: instructions without text, names resolved to slots. Immutable.
final class Program: Sendable {
    typealias Index = Int32

    /// Operands are indices of instructions; what does not fit in one is in a table of the program.
    enum Instruction: Sendable {
        case constant(Index)
        /// A value of the bindings; `name` for the error when it is absent.
        case variable(slot: Index, name: Index)
        /// A variable of a macro.
        case local(Index)
        /// A field: of a record at `slot` (-1 when the type is not known), of a map by its name.
        case select(Index, name: Index, slot: Index)
        case has(Index, name: Index, slot: Index)
        case index(Index, Index)
        case not(Index)
        case negate(Index)
        /// Operands are `children[first..<first+count]`.
        case and(first: Index, count: Index)
        case or(first: Index, count: Index)
        case conditional(Index, Index, Index)
        case binary(Syntax.Binary, Index, Index)
        case list(first: Index, count: Index)
        /// Keys and values in turn.
        case map(first: Index, count: Index)
        /// No function takes more than two arguments; the second is -1 where there is none.
        case call(Function, Index, Index)
        /// A part of a timestamp or duration; the time zone was read when the expression was compiled.
        case part(Function, Index, offset: Index)
        /// `matches` with a pattern that was read when the expression was compiled.
        case matches(Index, pattern: Index)
        /// `steps` are one or two children: predicate, transform or both.
        case loop(Syntax.Macro, range: Index, local: Index, first: Index, count: Index)
        case raise(Index)
    }

    let instructions: [Instruction]
    let children: [Index]
    let constants: [ExpressionValue]
    let names: [String]
    let patterns: [Pattern]
    let errors: [EvaluationError]
    let localCount: Int
    /// An evaluation is stopped here; it can't come to it while values are within the environment's bounds.
    let costMax: UInt64
    /// Most instructions of a pattern that is not a constant.
    let patternInstructionsMax: Int

    init(_ builder: ProgramBuilder, localCount: Int, costMax: UInt64, patternInstructionsMax: Int) {
        instructions = builder.instructions
        children = builder.children
        constants = builder.constants
        names = builder.names
        patterns = builder.patterns
        errors = builder.errors
        self.localCount = localCount
        self.costMax = costMax
        self.patternInstructionsMax = patternInstructionsMax
    }
}

/// The tables of a program while it is made.
struct ProgramBuilder {
    var instructions: [Program.Instruction] = []
    var children: [Program.Index] = []
    var constants: [ExpressionValue] = []
    var names: [String] = []
    var patterns: [Pattern] = []
    var errors: [EvaluationError] = []

    mutating func emit(_ instruction: Program.Instruction) -> Program.Index {
        instructions.append(instruction)
        return Program.Index(instructions.count - 1)
    }

    mutating func constant(_ value: ExpressionValue) -> Program.Index {
        constants.append(value)
        return emit(.constant(Program.Index(constants.count - 1)))
    }

    mutating func raise(_ error: EvaluationError) -> Program.Index {
        errors.append(error)
        return emit(.raise(Program.Index(errors.count - 1)))
    }

    mutating func name(_ text: String) -> Program.Index {
        if let known = names.firstIndex(of: text) { return Program.Index(known) }
        names.append(text)
        return Program.Index(names.count - 1)
    }

    mutating func add(_ children: [Program.Index]) -> Program.Index {
        self.children += children
        return Program.Index(self.children.count - children.count)
    }
}

extension ProgramBuilder {
    mutating func error(_ error: EvaluationError) -> Program.Index {
        errors.append(error)
        return Program.Index(errors.count - 1)
    }
}
