/// What is wrong in an expression's text, found when it is compiled.
package struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1, in the expression's own text.
    package let line: Int
    /// From 1, in Unicode scalars.
    package let column: Int
    /// What is wrong and what would be right.
    package let message: String

    package var description: String { "\(line):\(column): \(message)" }
}

/// All that is wrong in an expression's text.
package struct ExpressionErrors: Error, Sendable, CustomStringConvertible {
    /// At least one.
    package let errors: [ExpressionError]

    package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Why an evaluation gave no value. `&&`, `||`, `all` and `exists` absorb these when another operand decides.
package enum EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A result does not fit its type: arithmetic, conversions, times.
    case range
    case divisionByZero
    case noSuchKey(String)
    /// A field that is absent in this value.
    case noSuchField(String)
    case indexOutOfRange(Int64)
    case duplicateKey
    case noMatchingOverload(String)
    /// A text that can't be converted: `int("x")`, invalid UTF-8.
    case invalidConversion(String)
    case invalidPattern(String)
    case unknownName(String)
    case unknownTimeZone
    /// The values are larger than the environment said, and the evaluation was stopped at its bound.
    case costExceeded(UInt64)

    package var description: String {
        switch self {
        case .range: "range error: the result does not fit its type"
        case .divisionByZero: "divide by zero"
        case .noSuchKey(let key): "no such key: \(key)"
        case .noSuchField(let name): "no such field: \(name)"
        case .indexOutOfRange(let index): "index out of range: \(index)"
        case .duplicateKey: "a map has a key twice, or a key of another type than bool, int, uint or string"
        case .noMatchingOverload(let what): "no matching overload: \(what)"
        case .invalidConversion(let what): "conversion failed: \(what)"
        case .invalidPattern(let why): "invalid pattern: \(why)"
        case .unknownName(let name): "unknown name '\(name)'"
        case .unknownTimeZone: "unknown time zone: UTC or an offset as +01:00 are known"
        case .costExceeded(let bound): "the evaluation was stopped at its cost bound of \(bound)"
        }
    }
}
