import Patterns

/// `pattern` of a schema, matched in time linear in the text.
///
/// A contract's pattern is published in `/openapi.json`, where others read it with ECMA-262. So it must keep to what means
/// the same there and here: literals, `.`, classes, `\d` `\w` `\s` `\t` `\n` `\r` and escaped punctuation, groups, `|`,
/// `?` `*` `+` `{n}` `{n,}` `{n,m}`; the whole between `^` and `$`. Look-around, references, lazy quantifiers and
/// unanchored patterns are refused when a contract is loaded. The rest is the business of `Pattern`.
struct SchemaPattern: Sendable {
    /// Why a pattern is refused.
    struct Refusal: Error {
        let message: String
    }

    /// Most instructions of one pattern: counted repetitions are unrolled. Default 1,000.
    static let instructionsMax = 1_000

    let text: String
    private let pattern: Pattern

    init(_ text: String) throws(Refusal) {
        self.text = text
        var reader = SchemaPatternReader(text)
        let translated = try reader.translated()
        do throws(PatternError) {
            pattern = try Pattern(translated, instructionsMax: Self.instructionsMax)
        } catch {
            throw Refusal(message: error.message)
        }
    }

    func matches(_ text: String) -> Bool { pattern.matches(text) }
}

/// Holds the text of a pattern to the common part of ECMA-262 and RE2, and writes it as RE2 where a sign means more or
/// less there.
private struct SchemaPatternReader {
    typealias Refusal = SchemaPattern.Refusal

    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var groups = 0
    private var out = ""

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func translated() throws(Refusal) -> String {
        guard scalars.count >= 2, scalars.first == "^", scalars.last == "$" else {
            throw Refusal(message: "a pattern begins with '^' and ends with '$'")
        }
        place = 1
        // Whether a quantifier may follow, and what a missing one would say.
        var isRepeatable = false
        while let scalar = next() {
            switch scalar {
            case "(":
                try openGroup()
                isRepeatable = false
            case ")":
                groups -= 1
                if groups < 0 { throw refusal("unexpected ')'") }
                out += ")"
                isRepeatable = true
            case "|":
                if groups == 0 { throw refusal("'^' and '$' belong to one side of '|': write '^(…|…)$'") }
                out += "|"
                isRepeatable = false
            case "?", "*", "+", "{":
                if !isRepeatable { throw refusal("unexpected '\(scalar)'; write '\\\(scalar)'") }
                out.unicodeScalars.append(scalar)
                if scalar == "{" { try readCount() }
                if let after = peek, "?+*{".unicodeScalars.contains(after) {
                    throw refusal("lazy and doubled quantifiers are not supported")
                }
                isRepeatable = false
            case "[":
                try readClass()
                isRepeatable = true
            case ".":
                // ECMA-262 ends a line at four characters, RE2 at one.
                out += "[^\\n\\r\\x{2028}\\x{2029}]"
                isRepeatable = true
            case "\\":
                out += try escape(isInClass: false)
                isRepeatable = true
            case "}", "]", "^", "$": throw refusal("unexpected '\(scalar)'; write '\\\(scalar)'")
            default:
                out.unicodeScalars.append(scalar)
                isRepeatable = true
            }
        }
        if groups > 0 { throw refusal("missing ')'") }
        return "^" + out + "$"
    }

    private mutating func openGroup() throws(Refusal) {
        groups += 1
        out += "(?:"
        guard peek == "?" else { return }
        guard place + 1 < scalars.count - 1, scalars[place + 1] == ":" else {
            throw refusal("only '(?:' and plain groups are supported")
        }
        place += 2
    }

    /// Behind `{`, through `}`.
    private mutating func readCount() throws(Refusal) {
        var digits = 0
        while let scalar = next() {
            switch scalar {
            case "0"..."9": digits += 1
            case "," where digits > 0: break
            case "}" where digits > 0:
                out += "}"
                return
            default: throw refusal("expected a count after '{'")
            }
            out.unicodeScalars.append(scalar)
        }
        throw refusal("missing '}'")
    }

    /// Behind `[`, through `]`.
    private mutating func readClass() throws(Refusal) {
        out += "["
        if peek == "^" {
            place += 1
            out += "^"
        }
        var members = 0
        // The member before stands for several characters, or is a range: no other begins there.
        var isRangeStart = false
        while let scalar = next() {
            switch scalar {
            case "]":
                if members == 0 { throw refusal("the class is empty") }
                out += "]"
                return
            case "[": throw refusal("unexpected '[' in a class; write '\\['")
            case "\\":
                isRangeStart = !isSet(peek)
                out += try escape(isInClass: true)
            case "-" where members > 0 && peek != "]":
                if !isRangeStart { throw refusal("a range needs two characters in order") }
                try readRangeEnd()
                isRangeStart = false
            case "-":
                out += "\\-"
                isRangeStart = false
            default:
                out.unicodeScalars.append(scalar)
                isRangeStart = true
            }
            members += 1
        }
        throw refusal("missing ']'")
    }

    private mutating func readRangeEnd() throws(Refusal) {
        guard let last = next(), last != "[", last != "-", !(last == "\\" && isSet(peek)) else {
            throw refusal("a range needs two characters in order")
        }
        out += "-"
        if last == "\\" {
            out += try escape(isInClass: true)
        } else {
            out.unicodeScalars.append(last)
        }
    }

    /// Whether this behind a backslash stands for several characters.
    private func isSet(_ scalar: Unicode.Scalar?) -> Bool {
        scalar.map { "dwsDWS".unicodeScalars.contains($0) } ?? false
    }

    /// Behind the backslash.
    private mutating func escape(isInClass: Bool) throws(Refusal) -> String {
        guard let scalar = next() else { throw refusal("ends with a backslash") }
        switch scalar {
        case "d", "w", "t", "n", "r": return "\\\(scalar)"
        // RE2's `\s` lacks the vertical tab.
        case "s": return isInClass ? "\\t-\\r " : "[\\t-\\r ]"
        case "D" where !isInClass, "W" where !isInClass: return "\\\(scalar)"
        case "S" where !isInClass: return "[^\\t-\\r ]"
        case "D", "W", "S": throw refusal("'\\D', '\\W' and '\\S' are not supported in a class")
        default:
            let value = scalar.value
            let isPunctuation =
                (33...47).contains(value) || (58...64).contains(value) || (91...96).contains(value)
                || (123...126).contains(value)
            guard isPunctuation else { throw refusal("unknown escape '\\\(scalar)'") }
            return "\\\(scalar)"
        }
    }

    /// The next scalar before the closing `$`.
    private var peek: Unicode.Scalar? { place < scalars.count - 1 ? scalars[place] : nil }

    private mutating func next() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        place += 1
        return scalar
    }

    private func refusal(_ message: String) -> Refusal { Refusal(message: "\(message), at character \(place)") }
}
