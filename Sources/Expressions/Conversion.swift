/// The functions that make one type of another: `int("12")`, `string(1.5)`.
enum Conversion {
    static func apply(_ function: Function, _ value: ExpressionValue) throws(EvaluationError) -> ExpressionValue {
        switch function {
        case .bool: return .bool(try bool(value))
        case .bytes: return .bytes(try bytes(value))
        case .double: return .double(try double(value))
        case .duration: return .duration(try duration(value))
        case .int: return .int(try int(value))
        case .string: return .string(try string(value))
        case .timestamp: return .timestamp(try timestamp(value))
        case .uint: return .uint(try uint(value))
        default: throw .noMatchingOverload(function.rawValue)
        }
    }

    private static func none(_ function: String, _ value: ExpressionValue) -> EvaluationError {
        .noMatchingOverload("\(function)(\(value.typeName))")
    }

    private static func bool(_ value: ExpressionValue) throws(EvaluationError) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .string("1"), .string("t"), .string("true"), .string("TRUE"), .string("True"): return true
        case .string("0"), .string("f"), .string("false"), .string("FALSE"), .string("False"): return false
        case .string: throw .invalidConversion("the text is no bool")
        default: throw none("bool", value)
        }
    }

    private static func bytes(_ value: ExpressionValue) throws(EvaluationError) -> [UInt8] {
        switch value {
        case .bytes(let bytes): return bytes
        case .string(let text): return Array(text.utf8)
        default: throw none("bytes", value)
        }
    }

    private static func double(_ value: ExpressionValue) throws(EvaluationError) -> Double {
        switch value {
        case .double(let number): return number
        case .int(let number): return Double(number)
        case .uint(let number): return Double(number)
        case .string(let text):
            switch text {
            case "NaN": return .nan
            case "Infinity", "+Infinity", "inf", "+inf": return .infinity
            case "-Infinity", "-inf": return -.infinity
            default:
                // `Double` would read hexadecimal and other names too.
                guard text.utf8.allSatisfy({ $0 &- 48 < 10 || [43, 45, 46, 69, 101].contains($0) }),
                    let number = Double(text)
                else { throw .invalidConversion("the text is no double") }
                guard number.isFinite else { throw .range }
                return number
            }
        default: throw none("double", value)
        }
    }

    private static func duration(_ value: ExpressionValue) throws(EvaluationError) -> Int64 {
        switch value {
        case .duration(let nanoseconds): return nanoseconds
        case .int(let seconds):
            let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            if overflow { throw .range }
            return product
        case .string(let text):
            do throws(DurationText.Failure) {
                return try DurationText.parse(text)
            } catch {
                if error == .range { throw .range }
                throw .invalidConversion("the text is no duration: 1h30m, 45s, 500ms")
            }
        default: throw none("duration", value)
        }
    }

    private static func int(_ value: ExpressionValue) throws(EvaluationError) -> Int64 {
        switch value {
        case .int(let number): return number
        case .uint(let number):
            guard let result = Int64(exactly: number) else { throw .range }
            return result
        case .double(let number):
            // Both ends are excluded: which of the neighbours of 2^63 was meant can't be told. (langdef, "Overflow")
            guard number > -9_223_372_036_854_775_808.0, number < 9_223_372_036_854_775_808.0 else { throw .range }
            return Int64(number)
        case .string(let text):
            guard let result = Int64(text), !text.hasPrefix("+") else {
                throw .invalidConversion("the text is no int")
            }
            return result
        case .timestamp(let timestamp): return timestamp.seconds
        case .duration(let nanoseconds): return nanoseconds / 1_000_000_000
        default: throw none("int", value)
        }
    }

    private static func uint(_ value: ExpressionValue) throws(EvaluationError) -> UInt64 {
        switch value {
        case .uint(let number): return number
        case .int(let number):
            guard let result = UInt64(exactly: number) else { throw .range }
            return result
        case .double(let number):
            guard number > -1, number < 18_446_744_073_709_551_616.0 else { throw .range }
            return UInt64(number)
        case .string(let text):
            guard let result = UInt64(text), !text.hasPrefix("+") else {
                throw .invalidConversion("the text is no uint")
            }
            return result
        default: throw none("uint", value)
        }
    }

    private static func string(_ value: ExpressionValue) throws(EvaluationError) -> String {
        switch value {
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .uint(let number): return String(number)
        case .double(let number): return shown(number)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .invalidConversion("invalid UTF-8")
            }
            return text
        case .timestamp(let timestamp): return timestamp.text
        case .duration(let nanoseconds): return DurationText.text(nanoseconds)
        default: throw none("string", value)
        }
    }

    private static func timestamp(_ value: ExpressionValue) throws(EvaluationError) -> Timestamp {
        switch value {
        case .timestamp(let timestamp): return timestamp
        case .int(let seconds):
            guard let result = Timestamp(seconds: seconds) else { throw .range }
            return result
        case .string(let text):
            guard let result = Timestamp(text) else {
                throw .invalidConversion("the text is no RFC 3339 time from year 1 to 9999: 2026-11-25T06:00:00Z")
            }
            return result
        default: throw none("timestamp", value)
        }
    }

    private static func shown(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "+Infinity" }
        let text = number.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A value as messages show it, short.
    static func shown(_ value: ExpressionValue) -> String {
        let text = (try? string(value)) ?? value.typeName
        return text.unicodeScalars.count > 60 ? String(text.unicodeScalars.prefix(60).map(Character.init)) + "…" : text
    }
}
