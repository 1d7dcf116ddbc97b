/// A compiled expression. Immutable, shared between threads; an evaluation allocates next to nothing.
package struct Expression: Sendable {
    /// As it was written.
    package let source: String
    package let type: ExpressionType
    /// Most steps one evaluation takes while values keep to the environment's bounds; where they don't, it is stopped
    /// here with an error.
    package let costMax: UInt64
    /// The parts of the outermost `&&` or `||`; the whole expression where there is none.
    package let clauses: [Clause]
    /// Whether all clauses must hold (`&&`, or a single one) or any (`||`).
    package let joining: Joining
    /// The variables and fields it reads, `principal.roles`; `[]` stands for any element. Sorted, each once.
    package let references: [String]
    /// Where it compares a variable or field with a constant.
    package let comparisons: [Comparison]

    let program: Program
    private let root: Program.Index

    package enum Joining: Sendable { case all, any }

    /// A part that holds or fails on its own.
    package struct Clause: Sendable {
        /// As it was written, on one line.
        package let text: String
        /// In the expression's text, from 1.
        package let line: Int
        package let column: Int
        let code: Program.Index
    }

    /// A variable or field beside a constant: where a decision may turn.
    package struct Comparison: Sendable {
        /// `input.quantity`, `input.lines[].amount`
        package let path: String
        /// What is compared of it: nil for the value itself, `size` or `getHours` for what that function gives.
        package let function: String?
        /// `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `startsWith`, `endsWith`, `contains` or `matches`, as if the path
        /// stood on the left.
        package let operation: String
        /// Several for `in` with a list.
        package let constants: [ExpressionValue]
    }

    /// Reads and checks a text. All type errors are found at once.
    ///
    /// - Parameter result: the type the value must have; a condition is a `bool`.
    package init(
        _ source: String, in environment: ExpressionEnvironment, result: ExpressionType = .dyn,
        limits: ExpressionLimits = ExpressionLimits()
    ) throws(ExpressionErrors) {
        let text = SourceText(source)
        let syntax: Syntax
        do throws(ExpressionError) {
            syntax = try Parser.parse(text, limits: limits)
        } catch {
            throw ExpressionErrors(errors: [error])
        }
        var compiler = Compiler(text, syntax, environment, limits)
        let whole = compiler.compile(syntax.root)
        if !whole.type.fits(result) {
            _ = compiler.fail("expected a \(result.name), not a \(whole.type.name)", at: 0)
        }
        if compiler.errors.isEmpty, whole.cost > limits.costMax {
            let cost = whole.cost == .max ? "more than can be counted" : "up to \(whole.cost) steps"
            _ = compiler.fail(
                "the expression can cost \(cost), more than \(limits.costMax); nest fewer loops, or bound the sizes "
                    + "of what it reads", at: 0)
        }
        guard compiler.errors.isEmpty else { throw ExpressionErrors(errors: compiler.errors) }
        self.source = source
        type = whole.type.closed
        costMax = whole.cost
        root = whole.code
        program = Program(
            compiler.builder, localCount: compiler.localCount, costMax: whole.cost,
            patternInstructionsMax: limits.patternInstructionsMax)
        (joining, clauses) = Self.clauses(text, syntax, program, root)
        let facts = ExpressionFacts(syntax, environment)
        references = facts.references.sorted()
        comparisons = facts.comparisons
    }

    private static func clauses(
        _ text: SourceText, _ syntax: Syntax, _ program: Program, _ root: Program.Index
    ) -> (Joining, [Clause]) {
        func clause(_ id: Syntax.ID, _ code: Program.Index) -> Clause {
            let range = syntax[id].range
            let words = text.text(range).split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let place = text.error("", at: range.lowerBound)
            return Clause(text: words, line: place.line, column: place.column, code: code)
        }
        switch (syntax[syntax.root].kind, program.instructions[Int(root)]) {
        case (.and(let operands), .and(let first, _)):
            return (.all, operands.enumerated().map { clause($1, program.children[Int(first) + $0]) })
        case (.or(let operands), .or(let first, _)):
            return (.any, operands.enumerated().map { clause($1, program.children[Int(first) + $0]) })
        default: return (.all, [clause(syntax.root, root)])
        }
    }

    // MARK: Evaluation

    package func evaluate(_ bindings: ExpressionBindings) throws(EvaluationError) -> ExpressionValue {
        var evaluation = Evaluation(program, bindings)
        return try evaluation.value(root)
    }

    /// The value of a condition. To fail closed, a rule that permits takes an error for false, one that forbids for true.
    package func holds(_ bindings: ExpressionBindings) throws(EvaluationError) -> Bool {
        var evaluation = Evaluation(program, bindings)
        return try evaluation.truth(root)
    }

    /// The value and the steps it took, for tests of the bound.
    package func measure(_ bindings: ExpressionBindings) -> (
        result: Result<ExpressionValue, EvaluationError>, cost: UInt64
    ) {
        var evaluation = Evaluation(program, bindings)
        do throws(EvaluationError) {
            let value = try evaluation.value(root)
            return (.success(value), evaluation.cost)
        } catch {
            return (.failure(error), evaluation.cost)
        }
    }

    /// What one clause came to.
    package enum Verdict: Sendable, Hashable {
        case held, failed
        case error(EvaluationError)
    }

    /// Each clause on its own, in the order of `clauses`: for explanations, off the request's way.
    package func verdicts(_ bindings: ExpressionBindings) -> [Verdict] {
        clauses.map { clause in
            var evaluation = Evaluation(program, bindings)
            do throws(EvaluationError) {
                return try evaluation.truth(clause.code) ? .held : .failed
            } catch {
                return .error(error)
            }
        }
    }
}
