/// A pattern as it was written.
indirect enum PatternNode {
    case empty
    case set(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    /// `most` nil for any number.
    case repeated(PatternNode, least: Int, most: Int?)
}

/// What must hold at a place between two characters.
enum PatternAssertion: Sendable, Hashable {
    case beginText, endText, beginLine, endLine, wordBoundary, noWordBoundary
}

/// Reads RE2's syntax.
struct PatternParser {
    /// Deepest nesting of groups.
    static let depthMax = 64
    /// Highest count in `{n,m}`, as in RE2.
    static let countMax = 1_000
    /// Longest pattern, in characters.
    static let lengthMax = 4_096

    private struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
    }

    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var depth = 0
    private var flags = Flags()

    static func parse(_ text: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(text)
        if parser.scalars.count > lengthMax {
            throw PatternError(message: "longer than \(lengthMax) characters")
        }
        let node = try parser.alternatives()
        if parser.peek != nil { throw parser.error("unexpected ')'") }
        return node
    }

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    private var peek: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        place += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[place...].starts(with: wanted) else { return false }
        place += wanted.count
        return true
    }

    private func error(_ message: String) -> PatternError {
        PatternError(message: "\(message), at character \(min(place + 1, scalars.count))")
    }

    // MARK: Grammar

    private mutating func alternatives() throws(PatternError) -> PatternNode {
        var all = [try sequence()]
        while take("|" as Unicode.Scalar) { all.append(try sequence()) }
        return all.count == 1 ? all[0] : .alternatives(all)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            if take("\\Q") {
                try quoted(into: &parts)
                continue
            }
            guard let atom = try atom() else { continue }
            parts.append(try quantified(atom))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    /// Behind `\Q`: all is meant literally up to `\E`, and a repetition behind that is of the last character.
    private mutating func quoted(into parts: inout [PatternNode]) throws(PatternError) {
        var last: PatternNode?
        while let scalar = peek, !take("\\E") {
            place += 1
            if let last { parts.append(last) }
            last = try literal(scalar)
        }
        if let last { parts.append(try quantified(last)) }
    }

    /// Nil for `(?i)`, which only sets flags.
    private mutating func atom() throws(PatternError) -> PatternNode? {
        guard let scalar = peek else { return .empty }
        switch scalar {
        case "(": return try group()
        case "[":
            place += 1
            return .set(try characterClass())
        case ".":
            place += 1
            var set = ScalarSet(flags.dotMatchesNewline ? [] : [0x0A...0x0A])
            set.isNegated = true
            return .set(set)
        case "^":
            place += 1
            return .assertion(flags.isMultiline ? .beginLine : .beginText)
        case "$":
            place += 1
            return .assertion(flags.isMultiline ? .endLine : .endText)
        case "*", "+", "?": throw error("nothing to repeat before '\(scalar)'")
        case "\\": return try escape()
        default:
            place += 1
            return try literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) throws(PatternError) -> PatternNode {
        .set(try folded(ScalarSet([scalar.value...scalar.value])))
    }

    private func folded(_ set: ScalarSet) throws(PatternError) -> ScalarSet {
        guard flags.ignoresCase else { return set }
        var set = set
        guard set.fold() else { throw error("(?i) can't be used with so large a class") }
        return set
    }

    private mutating func group() throws(PatternError) -> PatternNode? {
        place += 1
        depth += 1
        if depth > Self.depthMax { throw error("groups nest deeper than \(Self.depthMax)") }
        defer { depth -= 1 }
        let outer = flags
        if take("?" as Unicode.Scalar) {
            if take("P<") || take("<") {
                let start = place
                while let scalar = peek, scalar != ">" {
                    guard Self.isWord(scalar.value) else { throw error("a group's name has letters, digits and '_'") }
                    place += 1
                }
                guard place > start, take(">" as Unicode.Scalar) else { throw error("missing the group's name") }
            } else if try !readFlags() {
                return nil
            }
        }
        let inner = try alternatives()
        guard take(")" as Unicode.Scalar) else { throw error("missing ')'") }
        flags = outer
        return inner
    }

    /// Behind `(?`; whether a group follows (`:`), or `)` ended it.
    private mutating func readFlags() throws(PatternError) -> Bool {
        var value = true
        var known = 0
        while let scalar = peek {
            place += 1
            switch scalar {
            case "i": flags.ignoresCase = value
            case "m": flags.isMultiline = value
            case "s": flags.dotMatchesNewline = value
            // Greedy or not makes no difference to whether there is a match.
            case "U": break
            case "-":
                if !value { throw error("a second '-' in flags") }
                value = false
                known = -1
            case ":", ")":
                if known < 0 || (known == 0 && scalar == ")") { throw error("missing flags after '(?'") }
                return scalar == ":"
            default:
                place -= 1
                throw error("'(?\(scalar)' is not supported")
            }
            known += 1
        }
        throw error("missing ')'")
    }

    private mutating func quantified(_ atom: PatternNode) throws(PatternError) -> PatternNode {
        var node = atom
        var repeats = 0
        while let scalar = peek {
            let (least, most): (Int, Int?)
            switch scalar {
            case "*": (least, most) = (0, nil)
            case "+": (least, most) = (1, nil)
            case "?": (least, most) = (0, 1)
            case "{":
                guard let counts = try counts() else {
                    place += 1
                    node = .sequence([node, try literal("{")])
                    repeats = 0
                    continue
                }
                (least, most) = counts
                place -= 1
            default: return node
            }
            if repeats > 0 { throw error("a repetition of a repetition; put the first in a group") }
            repeats += 1
            place += 1
            _ = take("?" as Unicode.Scalar)
            node = .repeated(node, least: least, most: most)
        }
        return node
    }

    /// `{n}`, `{n,}`, `{n,m}`; nil when the brace is a literal one.
    private mutating func counts() throws(PatternError) -> (Int, Int?)? {
        let start = place
        place += 1
        guard let least = number() else {
            place = start
            return nil
        }
        var most: Int? = least
        if take("," as Unicode.Scalar) { most = peek == "}" ? nil : number() ?? -1 }
        guard most != -1, take("}" as Unicode.Scalar) else {
            place = start
            return nil
        }
        if least > Self.countMax || (most ?? 0) > Self.countMax {
            throw error("a count is at most \(Self.countMax)")
        }
        if let most, most < least { throw error("the count's bounds are reversed") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek, digit.value &- 48 < 10 {
            value = min((value ?? 0) * 10 + Int(digit.value - 48), 100_000)
            place += 1
        }
        return value
    }

    // MARK: Sets

    static func isWord(_ value: UInt32) -> Bool {
        value &- 48 < 10 || (value | 0x20) &- 97 < 26 && value < 128 || value == 95
    }

    private mutating func escape() throws(PatternError) -> PatternNode {
        let rest = scalars[place...].prefix(2).last
        switch rest {
        case "A" where place + 1 < scalars.count:
            place += 2
            return .assertion(.beginText)
        case "z":
            place += 2
            return .assertion(.endText)
        case "b":
            place += 2
            return .assertion(.wordBoundary)
        case "B":
            place += 2
            return .assertion(.noWordBoundary)
        default:
            let set = try escapedSet()
            // Named classes have no case; single characters do.
            return .set(set.isNegated || set.categories != 0 ? set : try folded(set))
        }
    }

    /// A class or a character behind a backslash.
    private mutating func escapedSet() throws(PatternError) -> ScalarSet {
        place += 1
        guard let scalar = peek else { throw error("ends with a backslash") }
        place += 1
        switch scalar {
        case "d", "D", "w", "W", "s", "S": return Self.perl(scalar)
        case "p", "P": return try category(isNegated: scalar == "P")
        case "x": return try Self.single(hexadecimal())
        case "0"..."7":
            var value = scalar.value - 48
            var digits = 1
            while digits < 3, let next = peek, next.value &- 48 < 8 {
                value = value * 8 + next.value - 48
                place += 1
                digits += 1
            }
            if scalar != "0", digits < 2 { throw error("references to groups are not supported") }
            return Self.single(value)
        default:
            if let control = Self.controls[scalar] { return Self.single(control) }
            guard scalar.value < 128, !Self.isWord(scalar.value) || scalar == "_" else {
                throw error("unknown escape '\\\(scalar)'")
            }
            return Self.single(scalar.value)
        }
    }

    private static let controls: [Unicode.Scalar: UInt32] = ["a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11]

    private static func single(_ value: UInt32) -> ScalarSet { ScalarSet([value...value]) }

    private static func perl(_ scalar: Unicode.Scalar) -> ScalarSet {
        var set: ScalarSet
        switch scalar {
        case "d", "D": set = ScalarSet([48...57])
        case "w", "W": set = ScalarSet([48...57, 65...90, 95...95, 97...122])
        default: set = ScalarSet([9...10, 12...13, 32...32])
        }
        set.isNegated = scalar.value < 97
        return set
    }

    private mutating func hexadecimal() throws(PatternError) -> UInt32 {
        let braced = take("{" as Unicode.Scalar)
        var value: UInt32 = 0
        var digits = 0
        while let scalar = peek, let digit = Character(scalar).hexDigitValue, scalar.value < 128,
            digits < (braced ? 8 : 2)
        {
            value = value << 4 | UInt32(digit)
            place += 1
            digits += 1
        }
        guard braced ? digits > 0 && take("}" as Unicode.Scalar) : digits == 2, Unicode.Scalar(value) != nil else {
            throw error("expected '\\x41' or '\\x{10FFFF}'")
        }
        return value
    }

    /// Behind `\p`: `L` or `{Lu}`, `{^Lu}`.
    private mutating func category(isNegated: Bool) throws(PatternError) -> ScalarSet {
        var isNegated = isNegated
        var name = ""
        if take("{" as Unicode.Scalar) {
            if take("^" as Unicode.Scalar) { isNegated.toggle() }
            while let scalar = peek, scalar != "}" {
                name.unicodeScalars.append(scalar)
                place += 1
            }
            guard take("}" as Unicode.Scalar) else { throw error("missing '}'") }
        } else if let scalar = peek {
            name = String(Character(scalar))
            place += 1
        }
        guard let mask = GeneralCategory.mask(name) else {
            throw error(
                "unknown class '\\p{\(name.prefix(20))}'; general categories as L, Lu, Nd are known, scripts are not")
        }
        var set = ScalarSet()
        set.categories = isNegated ? ~mask & GeneralCategory.all : mask
        return set
    }

    private static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [48...57, 65...90, 97...122], "alpha": [65...90, 97...122], "ascii": [0...127],
        "blank": [9...9, 32...32], "cntrl": [0...31, 127...127], "digit": [48...57], "graph": [33...126],
        "lower": [97...122], "print": [32...126], "punct": [33...47, 58...64, 91...96, 123...126],
        "space": [9...13, 32...32], "upper": [65...90], "word": [48...57, 65...90, 95...95, 97...122],
        "xdigit": [48...57, 65...70, 97...102],
    ]

    /// Behind `[`.
    private mutating func characterClass() throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        let isNegated = take("^" as Unicode.Scalar)
        var isFirst = true
        while let scalar = peek, scalar != "]" || isFirst {
            isFirst = false
            if take("[:") {
                let inverted = take("^" as Unicode.Scalar)
                var name = ""
                while let scalar = peek, scalar != ":", scalar != "]" {
                    name.unicodeScalars.append(scalar)
                    place += 1
                }
                guard take(":]"), let ranges = Self.posix[name] else {
                    throw error("unknown class '[:\(name.prefix(20)):]'")
                }
                set.ranges += inverted ? ScalarSet(ranges).complement : ranges
                continue
            }
            let low = try classMember()
            guard peek == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
                set.ranges += low.isNegated ? low.complement : low.ranges
                set.categories |= low.categories
                continue
            }
            place += 1
            let high = try classMember()
            guard let from = Self.only(low), let to = Self.only(high), from <= to else {
                throw error("a range needs two characters in order")
            }
            set.ranges.append(from...to)
        }
        guard take("]" as Unicode.Scalar) else { throw error("missing ']'") }
        if set.categories == 0 || !flags.ignoresCase { set = try folded(set) }
        set.isNegated = isNegated
        return set
    }

    private mutating func classMember() throws(PatternError) -> ScalarSet {
        guard let scalar = peek else { throw error("missing ']'") }
        if scalar == "\\" { return try escapedSet() }
        place += 1
        return Self.single(scalar.value)
    }

    private static func only(_ set: ScalarSet) -> UInt32? {
        set.ranges.count == 1 && set.ranges[0].count == 1 && set.categories == 0 && !set.isNegated
            ? set.ranges[0].lowerBound : nil
    }
}
