import Patterns

/// Equality, order, membership and functions on values.
extension Evaluation {
    mutating func binary(
        _ operation: Syntax.Binary, _ a: ExpressionValue, _ b: ExpressionValue
    ) throws(EvaluationError) -> ExpressionValue {
        switch operation {
        case .equal: return .bool(try equal(a, b))
        case .notEqual: return .bool(try !equal(a, b))
        case .less: return .bool(try compare(a, b, "<") { $0 < 0 })
        case .lessOrEqual: return .bool(try compare(a, b, "<=") { $0 <= 0 })
        case .greater: return .bool(try compare(a, b, ">") { $0 > 0 })
        case .greaterOrEqual: return .bool(try compare(a, b, ">=") { $0 >= 0 })
        case .isIn: return .bool(try contains(b, a))
        case .add: return try sum(a, b)
        case .subtract, .multiply, .divide, .remainder: return try Arithmetic.apply(operation, a, b)
        }
    }

    /// CEL's equality: numbers by value whatever their type, everything else only within its type. Charges at most the
    /// weight of the smaller.
    mutating func equal(_ a: ExpressionValue, _ b: ExpressionValue) throws(EvaluationError) -> Bool {
        try charge(1)
        switch (a, b) {
        case (.null, .null): return true
        case (.bool(let x), .bool(let y)): return x == y
        case (.int(let x), .int(let y)): return x == y
        case (.string(let x), .string(let y)):
            try charge(UInt64(min(x.utf8.count, y.utf8.count)) / 16)
            return Text.equal(x, y)
        case (.bytes(let x), .bytes(let y)):
            try charge(UInt64(min(x.count, y.count)) / 16)
            return x == y
        case (.timestamp(let x), .timestamp(let y)): return x == y
        case (.duration(let x), .duration(let y)): return x == y
        case (.type(let x), .type(let y)): return x == y
        case (.list(let x), .list(let y)):
            guard x.count == y.count else { return false }
            for place in x.indices where try !equal(x[place], y[place]) { return false }
            return true
        case (.map(let x), .map(let y)):
            guard x.count == y.count else { return false }
            for (key, value) in x.entries {
                guard let place = ExpressionKey(key), let other = y[place] else { return false }
                if case .string(let text) = key { try charge(UInt64(text.utf8.count) / 16) }
                try charge(1)
                if try !equal(value, other) { return false }
            }
            return true
        case (.record(let x), .record(let y)):
            guard x.type == y.type else { return false }
            for slot in x.type.fields.indices {
                switch (x[slot], y[slot]) {
                case (nil, nil): continue
                case (let value?, let other?):
                    if try !equal(value, other) { return false }
                case (nil, _?), (_?, nil): return false
                }
            }
            return true
        default: return Arithmetic.order(a, b) == 0
        }
    }

    private mutating func compare(
        _ a: ExpressionValue, _ b: ExpressionValue, _ symbol: String, _ holds: (Int) -> Bool
    ) throws(EvaluationError) -> Bool {
        try charge(1)
        switch (a, b) {
        case (.string(let x), .string(let y)):
            try charge(UInt64(min(x.utf8.count, y.utf8.count)) / 16)
            return holds(Text.less(x, y) ? -1 : Text.equal(x, y) ? 0 : 1)
        case (.bytes(let x), .bytes(let y)):
            try charge(UInt64(min(x.count, y.count)) / 16)
            return holds(x.lexicographicallyPrecedes(y) ? -1 : x == y ? 0 : 1)
        case (.bool(let x), .bool(let y)): return holds((x ? 1 : 0) - (y ? 1 : 0))
        case (.timestamp(let x), .timestamp(let y)): return holds(x < y ? -1 : x == y ? 0 : 1)
        case (.duration(let x), .duration(let y)): return holds(x < y ? -1 : x == y ? 0 : 1)
        default:
            if let order = Arithmetic.order(a, b) { return holds(order) }
            // Not-a-number is in no order with anything.
            if Arithmetic.isNumber(a), Arithmetic.isNumber(b) { return false }
            throw .noMatchingOverload("\(a.typeName) \(symbol) \(b.typeName)")
        }
    }

    private mutating func contains(
        _ collection: ExpressionValue, _ wanted: ExpressionValue
    ) throws(EvaluationError) -> Bool {
        switch collection {
        case .list(let elements):
            for element in elements where try equal(element, wanted) { return true }
            return false
        case .map(let map):
            if case .string(let text) = wanted { try charge(UInt64(text.utf8.count) / 16) }
            guard let key = ExpressionKey(lookup: wanted) else { return false }
            return map[key] != nil
        default: throw .noMatchingOverload("\(wanted.typeName) in \(collection.typeName)")
        }
    }

    private mutating func sum(_ a: ExpressionValue, _ b: ExpressionValue) throws(EvaluationError) -> ExpressionValue {
        switch (a, b) {
        case (.string(let x), .string(let y)):
            try charge(Cost.text(UInt64(x.utf8.count + y.utf8.count)))
            return .string(x + y)
        case (.bytes(let x), .bytes(let y)):
            try charge(Cost.text(UInt64(x.count + y.count)))
            return .bytes(x + y)
        case (.list(let x), .list(let y)):
            try charge(UInt64(x.count + y.count))
            return .list(x + y)
        default: return try Arithmetic.apply(.add, a, b)
        }
    }

    // MARK: Functions

    mutating func matches(_ value: ExpressionValue, _ place: Program.Index) throws(EvaluationError) -> Bool {
        guard case .string(let text) = value else { throw .noMatchingOverload("\(value.typeName).matches(string)") }
        let pattern = program.patterns[Int(place)]
        try charge(Cost.matching(steps: UInt64(pattern.stepsPerCharacter), bytes: UInt64(text.utf8.count)))
        return pattern.matches(text)
    }

    mutating func call(
        _ function: Function, _ first: ExpressionValue, _ second: ExpressionValue?
    ) throws(EvaluationError) -> ExpressionValue {
        switch function {
        case .size:
            switch first {
            case .string(let text):
                try charge(Cost.text(UInt64(text.utf8.count)))
                return .int(Int64(text.unicodeScalars.count))
            case .bytes(let bytes): return .int(Int64(bytes.count))
            case .list(let elements): return .int(Int64(elements.count))
            case .map(let map): return .int(Int64(map.count))
            default: throw noOverload(function, first, second)
            }
        case .contains:
            guard case .string(let text) = first, case .string(let part)? = second else {
                throw noOverload(function, first, second)
            }
            try charge(Cost.search(text: UInt64(text.utf8.count), for: UInt64(part.utf8.count)))
            return .bool(TextSearch.isIn(text, part))
        case .startsWith, .endsWith:
            guard case .string(let text) = first, case .string(let part)? = second else {
                throw noOverload(function, first, second)
            }
            let (whole, piece) = (text.utf8, part.utf8)
            try charge(Cost.text(UInt64(min(whole.count, piece.count))))
            guard piece.count <= whole.count else { return .bool(false) }
            return .bool(
                function == .startsWith
                    ? whole.starts(with: piece) : whole.suffix(piece.count).elementsEqual(piece))
        case .matches:
            guard case .string(let text) = first, case .string(let source)? = second else {
                throw noOverload(function, first, second)
            }
            try charge(UInt64(program.patternInstructionsMax).plus(UInt64(source.utf8.count)))
            let pattern: Pattern
            do throws(PatternError) {
                pattern = try Pattern(source, instructionsMax: program.patternInstructionsMax)
            } catch {
                throw .invalidPattern(error.message)
            }
            try charge(Cost.matching(steps: UInt64(pattern.stepsPerCharacter), bytes: UInt64(text.utf8.count)))
            return .bool(pattern.matches(text))
        case .bool, .bytes, .double, .duration, .int, .string, .timestamp, .uint:
            if case .string(let text) = first { try charge(Cost.text(UInt64(text.utf8.count))) }
            if case .bytes(let bytes) = first { try charge(Cost.text(UInt64(bytes.count))) }
            return try Conversion.apply(function, first)
        case .dyn: return first
        case .type: return .type({ if case .type = first { "type" } else { first.typeName } }())
        case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getHours, .getMilliseconds,
            .getMinutes, .getMonth, .getSeconds:
            try charge(Cost.calendar)
            guard let second else { return .int(try part(function, of: first, offset: 0)) }
            guard case .string(let zone) = second, case .timestamp = first else {
                throw noOverload(function, first, second)
            }
            guard let offset = TimeZoneOffset.seconds(zone) else { throw .unknownTimeZone }
            return .int(try part(function, of: first, offset: offset))
        }
    }

    private func noOverload(
        _ function: Function, _ first: ExpressionValue, _ second: ExpressionValue? = nil
    ) -> EvaluationError {
        let names = [first.typeName] + (second.map { [$0.typeName] } ?? [])
        return .noMatchingOverload("\(function.rawValue)(\(names.joined(separator: ", ")))")
    }

    /// A part of a timestamp, this many seconds east of UTC, or of a duration as a whole.
    func part(_ function: Function, of value: ExpressionValue, offset: Int) throws(EvaluationError) -> Int64 {
        switch value {
        case .timestamp(let timestamp):
            let parts = Calendar(timestamp, offset: offset)
            switch function {
            case .getDate: return Int64(parts.day)
            case .getDayOfMonth: return Int64(parts.day - 1)
            case .getDayOfWeek: return Int64(parts.weekday)
            case .getDayOfYear: return Int64(parts.dayOfYear)
            case .getFullYear: return Int64(parts.year)
            case .getHours: return Int64(parts.hour)
            case .getMilliseconds: return Int64(timestamp.nanoseconds / 1_000_000)
            case .getMinutes: return Int64(parts.minute)
            case .getMonth: return Int64(parts.month - 1)
            case .getSeconds: return Int64(parts.second)
            default: throw noOverload(function, value)
            }
        case .duration(let nanoseconds):
            switch function {
            case .getHours: return nanoseconds / 3_600_000_000_000
            case .getMinutes: return nanoseconds / 60_000_000_000
            case .getSeconds: return nanoseconds / 1_000_000_000
            // The milliseconds within the second, as the conformance cases have it.
            case .getMilliseconds: return nanoseconds / 1_000_000 % 1_000
            default: throw noOverload(function, value)
            }
        default: throw noOverload(function, value)
        }
    }
}

/// Searching a text in time linear in both. (Knuth, Morris, Pratt 1977)
enum TextSearch {
    static func isIn(_ text: String, _ part: String) -> Bool {
        let wanted = Array(part.utf8)
        guard !wanted.isEmpty else { return true }
        guard wanted.count <= text.utf8.count else { return false }
        // For each prefix the length of its longest proper prefix that is also its end.
        var borders = [0]
        borders.reserveCapacity(wanted.count)
        var length = 0
        for byte in wanted.dropFirst() {
            while length > 0, wanted[length] != byte { length = borders[length - 1] }
            if wanted[length] == byte { length += 1 }
            borders.append(length)
        }
        var matched = 0
        for byte in text.utf8 {
            while matched > 0, wanted[matched] != byte { matched = borders[matched - 1] }
            if wanted[matched] == byte { matched += 1 }
            if matched == wanted.count { return true }
        }
        return false
    }
}
