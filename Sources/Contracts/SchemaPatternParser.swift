/// Reads the text of a `SchemaPattern` and writes its program.
struct SchemaPatternParser {
    private typealias Instruction = SchemaPattern.Instruction
    private typealias ScalarSet = SchemaPattern.ScalarSet
    typealias Refusal = SchemaPattern.Refusal

    /// Deepest nesting of groups. Default 16.
    static let depthMax = 16

    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var depth = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func program() throws(Refusal) -> [SchemaPattern.Instruction] {
        guard scalars.count >= 2, scalars.first == "^", scalars.last == "$" else {
            throw Refusal(message: "a pattern begins with '^' and ends with '$'")
        }
        place = 1
        var code = try alternation()
        guard place == scalars.count - 1 else { throw refusal("unexpected '\(scalars[place])'") }
        code.append(.match)
        return code
    }

    // MARK: Grammar. Each part is a list of instructions with jumps relative to its own start.

    private mutating func alternation() throws(Refusal) -> [Instruction] {
        var code = try sequence()
        while peek == "|" {
            place += 1
            let other = try sequence()
            // split → first; jump over the second.
            var joined: [Instruction] = [.split(1, code.count + 2)]
            joined += Self.shifted(code, by: 1)
            joined.append(.jump(code.count + 2 + other.count))
            joined += Self.shifted(other, by: code.count + 2)
            code = try bounded(joined)
        }
        return code
    }

    private mutating func sequence() throws(Refusal) -> [Instruction] {
        var code: [Instruction] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            let atom = try self.atom()
            let repeated = try quantified(atom)
            code += Self.shifted(repeated, by: code.count)
            code = try bounded(code)
        }
        return code
    }

    private mutating func atom() throws(Refusal) -> [Instruction] {
        guard let scalar = peek else { throw refusal("ends too early") }
        place += 1
        switch scalar {
        case "(": return try group()
        case "[": return [.one(try characterClass())]
        case ".": return [.one(ScalarSet(ranges: [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029], isNegated: true))]
        case "\\": return [.one(try escape())]
        case "*", "+", "?", "{", "}", "]", "^", "$": throw refusal("unexpected '\(scalar)'; write '\\\(scalar)'")
        default: return [.one(ScalarSet(ranges: [scalar.value...scalar.value]))]
        }
    }

    private mutating func group() throws(Refusal) -> [Instruction] {
        depth += 1
        if depth > Self.depthMax { throw refusal("groups nest deeper than \(Self.depthMax)") }
        if peek == "?" {
            guard place + 1 < scalars.count, scalars[place + 1] == ":" else {
                throw refusal("only '(?:' and plain groups are supported")
            }
            place += 2
        }
        let code = try alternation()
        guard peek == ")" else { throw refusal("missing ')'") }
        place += 1
        depth -= 1
        return code
    }

    private mutating func quantified(_ atom: [Instruction]) throws(Refusal) -> [Instruction] {
        guard let scalar = peek else { return atom }
        let least: Int
        let most: Int?
        switch scalar {
        case "?": (least, most) = (0, 1)
        case "*": (least, most) = (0, nil)
        case "+": (least, most) = (1, nil)
        case "{":
            place += 1
            (least, most) = try count()
        default: return atom
        }
        place += 1
        if let after = peek, after == "?" || after == "+" || after == "*" || after == "{" {
            throw refusal("lazy and doubled quantifiers are not supported")
        }
        guard let code = Self.repeated(atom, least, most) else { throw tooLong }
        return code
    }

    /// Behind `{`; stops at `}`.
    private mutating func count() throws(Refusal) -> (Int, Int?) {
        guard let least = number() else { throw refusal("expected a count after '{'") }
        var most: Int? = least
        if peek == "," {
            place += 1
            most = peek == "}" ? nil : number()
            if most == nil, peek != "}" { throw refusal("expected a count after ','") }
        }
        guard peek == "}" else { throw refusal("missing '}'") }
        if let most, most < least { throw refusal("the count's bounds are reversed") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek, (48...57).contains(digit.value) {
            value = min((value ?? 0) * 10 + Int(digit.value - 48), 100_000)
            place += 1
        }
        return value
    }

    // MARK: Sets

    private mutating func characterClass() throws(Refusal) -> ScalarSet {
        var set = ScalarSet(ranges: [])
        if peek == "^" {
            set.isNegated = true
            place += 1
        }
        while let scalar = peek, scalar != "]" {
            let first = try classMember()
            if peek == "-", place + 1 < scalars.count, scalars[place + 1] != "]" {
                place += 1
                let last = try classMember()
                guard first.ranges.count == 1, last.ranges.count == 1, first.ranges[0].count == 1,
                    last.ranges[0].count == 1, first.ranges[0].lowerBound <= last.ranges[0].lowerBound
                else { throw refusal("a range needs two characters in order") }
                set.ranges.append(first.ranges[0].lowerBound...last.ranges[0].lowerBound)
            } else if first.isNegated {
                throw refusal("'\\D', '\\W' and '\\S' are not supported in a class")
            } else {
                set.ranges += first.ranges
            }
        }
        guard peek == "]" else { throw refusal("missing ']'") }
        place += 1
        if set.ranges.isEmpty { throw refusal("the class is empty") }
        return set
    }

    private mutating func classMember() throws(Refusal) -> ScalarSet {
        guard let scalar = peek else { throw refusal("missing ']'") }
        place += 1
        if scalar == "\\" { return try escape() }
        if scalar == "[" { throw refusal("unexpected '[' in a class; write '\\['") }
        return ScalarSet(ranges: [scalar.value...scalar.value])
    }

    private mutating func escape() throws(Refusal) -> ScalarSet {
        guard place < scalars.count - 1 else { throw refusal("ends with a backslash") }
        let scalar = scalars[place]
        place += 1
        switch scalar {
        case "d", "D": return ScalarSet(ranges: [48...57], isNegated: scalar == "D")
        case "w", "W": return ScalarSet(ranges: [48...57, 65...90, 95...95, 97...122], isNegated: scalar == "W")
        case "s", "S": return ScalarSet(ranges: [9...13, 32...32], isNegated: scalar == "S")
        case "t": return ScalarSet(ranges: [9...9])
        case "n": return ScalarSet(ranges: [10...10])
        case "r": return ScalarSet(ranges: [13...13])
        default:
            let isPunctuation =
                (33...47).contains(scalar.value) || (58...64).contains(scalar.value)
                || (91...96).contains(scalar.value) || (123...126).contains(scalar.value)
            guard isPunctuation else { throw refusal("unknown escape '\\\(scalar)'") }
            return ScalarSet(ranges: [scalar.value...scalar.value])
        }
    }

    // MARK: Code

    private static func shifted(_ code: [Instruction], by offset: Int) -> [Instruction] {
        code.map { instruction in
            switch instruction {
            case .split(let a, let b): .split(a + offset, b + offset)
            case .jump(let a): .jump(a + offset)
            case .one, .match: instruction
            }
        }
    }

    /// Nil when it grows too long.
    private static func repeated(_ atom: [Instruction], _ least: Int, _ most: Int?) -> [Instruction]? {
        let copies = max(least, most ?? least + 1)
        guard copies * (atom.count + 2) <= SchemaPattern.instructionsMax else { return nil }
        var code: [Instruction] = []
        for _ in 0..<least { code += shifted(atom, by: code.count) }
        guard let most else {
            let start = code.count
            code.append(.split(start + 1, start + atom.count + 2))
            code += shifted(atom, by: start + 1)
            code.append(.jump(start))
            return code
        }
        let end = code.count + (most - least) * (atom.count + 1)
        for _ in least..<most {
            code.append(.split(code.count + 1, end))
            code += shifted(atom, by: code.count)
        }
        return code
    }

    private func bounded(_ code: [Instruction]) throws(Refusal) -> [Instruction] {
        if code.count > SchemaPattern.instructionsMax { throw tooLong }
        return code
    }

    private var tooLong: Refusal {
        Refusal(message: "the pattern unrolls to more than \(SchemaPattern.instructionsMax) steps")
    }

    /// The next scalar before the closing `$`.
    private var peek: Unicode.Scalar? { place < scalars.count - 1 ? scalars[place] : nil }

    private func refusal(_ message: String) -> Refusal { Refusal(message: "\(message), at character \(place)") }
}
