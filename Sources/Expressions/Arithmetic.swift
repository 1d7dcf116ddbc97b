/// Numbers and times: overflow is an error, never a wrong number.
enum Arithmetic {
    static func isNumber(_ value: ExpressionValue) -> Bool {
        switch value {
        case .int, .uint, .double: true
        default: false
        }
    }

    static func negated(_ value: ExpressionValue) throws(EvaluationError) -> ExpressionValue {
        switch value {
        case .int(let number):
            guard number != .min else { throw .range }
            return .int(-number)
        case .double(let number): return .double(-number)
        default: throw .noMatchingOverload("-\(value.typeName)")
        }
    }

    static func apply(
        _ operation: Syntax.Binary, _ a: ExpressionValue, _ b: ExpressionValue
    ) throws(EvaluationError) -> ExpressionValue {
        switch (a, b) {
        case (.int(let x), .int(let y)): return .int(try integer(operation, x, y))
        case (.uint(let x), .uint(let y)): return .uint(try integer(operation, x, y))
        case (.double(let x), .double(let y)):
            switch operation {
            case .add: return .double(x + y)
            case .subtract: return .double(x - y)
            case .multiply: return .double(x * y)
            case .divide: return .double(x / y)
            default: break
            }
        case (.timestamp(let x), .duration(let y)):
            switch operation {
            case .add: return .timestamp(try fitting(x.adding(y)))
            case .subtract:
                // The least duration has no positive counterpart.
                guard y != .min else { throw .range }
                return .timestamp(try fitting(x.adding(-y)))
            default: break
            }
        case (.duration(let x), .timestamp(let y)) where operation == .add:
            return .timestamp(try fitting(y.adding(x)))
        case (.timestamp(let x), .timestamp(let y)) where operation == .subtract:
            return .duration(try fitting(x.since(y)))
        case (.duration(let x), .duration(let y)) where operation == .add || operation == .subtract:
            return .duration(try integer(operation, x, y))
        default: break
        }
        throw .noMatchingOverload("\(a.typeName) \(operation.rawValue) \(b.typeName)")
    }

    private static func fitting<Value>(_ value: Value?) throws(EvaluationError) -> Value {
        guard let value else { throw .range }
        return value
    }

    private static func integer<Number: FixedWidthInteger>(
        _ operation: Syntax.Binary, _ x: Number, _ y: Number
    ) throws(EvaluationError) -> Number {
        let result: (partialValue: Number, overflow: Bool)
        switch operation {
        case .add: result = x.addingReportingOverflow(y)
        case .subtract: result = x.subtractingReportingOverflow(y)
        case .multiply: result = x.multipliedReportingOverflow(by: y)
        case .divide:
            if y == 0 { throw .divisionByZero }
            result = x.dividedReportingOverflow(by: y)
        case .remainder:
            if y == 0 { throw .divisionByZero }
            result = x.remainderReportingOverflow(dividingBy: y)
        case .less, .lessOrEqual, .greater, .greaterOrEqual, .equal, .notEqual, .isIn:
            throw .noMatchingOverload(operation.rawValue)
        }
        if result.overflow { throw .range }
        return result.partialValue
    }

    /// The order of two numbers on one number line: less than 0, 0 or more. Beside a double an integer is rounded to the
    /// nearest double first, as the conformance cases have it. Nil when one is no number, or not-a-number.
    static func order(_ a: ExpressionValue, _ b: ExpressionValue) -> Int? {
        switch (a, b) {
        case (.int(let x), .int(let y)): return x < y ? -1 : x == y ? 0 : 1
        case (.uint(let x), .uint(let y)): return x < y ? -1 : x == y ? 0 : 1
        case (.int(let x), .uint(let y)): return sign(Int128(x), Int128(y))
        case (.uint(let x), .int(let y)): return sign(Int128(x), Int128(y))
        case (.double(let x), .double(let y)): return order(x, y)
        case (.double(let x), .int(let y)): return order(x, Double(y))
        case (.double(let x), .uint(let y)): return order(x, Double(y))
        case (.int(let x), .double(let y)): return order(Double(x), y)
        case (.uint(let x), .double(let y)): return order(Double(x), y)
        default: return nil
        }
    }

    private static func sign(_ x: Int128, _ y: Int128) -> Int { x < y ? -1 : x == y ? 0 : 1 }

    private static func order(_ x: Double, _ y: Double) -> Int? { x < y ? -1 : x == y ? 0 : x > y ? 1 : nil }
}
