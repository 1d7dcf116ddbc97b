/// Cuts a text into tokens. (cel-spec, langdef.md, "Syntax")
struct Lexer {
    private let source: SourceText
    private let bytes: [UInt8]
    private var place = 0
    private let tokensMax: Int

    static func tokens(of source: SourceText, max tokensMax: Int) throws(ExpressionError) -> [Token] {
        var lexer = Lexer(source, tokensMax)
        return try lexer.tokens()
    }

    private init(_ source: SourceText, _ tokensMax: Int) {
        self.source = source
        self.tokensMax = tokensMax
        bytes = source.bytes
    }

    private mutating func tokens() throws(ExpressionError) -> [Token] {
        var tokens: [Token] = []
        while true {
            skipSpace()
            if tokens.count >= tokensMax {
                throw source.error("the expression has more than \(tokensMax) tokens", at: place)
            }
            let start = place
            guard start < bytes.count else {
                tokens.append(Token(kind: .end, range: start..<start))
                return tokens
            }
            let kind = try next()
            tokens.append(Token(kind: kind, range: start..<place))
        }
    }

    private mutating func skipSpace() {
        while place < bytes.count {
            switch bytes[place] {
            case 0x09, 0x0A, 0x0C, 0x0D, 0x20: place += 1
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while place < bytes.count, bytes[place] != 0x0A { place += 1 }
            default: return
            }
        }
    }

    private func byte(_ ahead: Int) -> UInt8? { place + ahead < bytes.count ? bytes[place + ahead] : nil }

    private mutating func next() throws(ExpressionError) -> Token.Kind {
        let first = bytes[place]
        if Self.isDigit(first) || (first == UInt8(ascii: ".") && byte(1).map(Self.isDigit) == true) {
            return try number()
        }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return try literal(raw: false, bytes: false) }
        if Self.isLetter(first) {
            if let kind = try prefixedLiteral() { return kind }
            return .identifier(word())
        }
        if first == UInt8(ascii: "`") { return try quotedSelector() }
        for symbol in Self.symbols where matches(symbol) {
            place += symbol.utf8.count
            return .symbol(symbol)
        }
        let scalar = source.text(place..<min(place + 4, bytes.count)).unicodeScalars.first.map(String.init) ?? ""
        let hint = Self.hints[scalar].map { "; write '\($0)'" } ?? ""
        throw source.error("unexpected '\(scalar)'\(hint)", at: place)
    }

    private static let symbols = [
        "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[",
        "]", "{", "}",
    ]
    private static let hints = ["&": "&&", "|": "||", "=": "=="]

    private func matches(_ symbol: String) -> Bool {
        var i = place
        for byte in symbol.utf8 {
            guard i < bytes.count, bytes[i] == byte else { return false }
            i += 1
        }
        return true
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 97 < 6 }
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_") }

    private mutating func word() -> String {
        let start = place
        while place < bytes.count, Self.isLetter(bytes[place]) || Self.isDigit(bytes[place]) { place += 1 }
        return source.text(start..<place)
    }

    private mutating func quotedSelector() throws(ExpressionError) -> Token.Kind {
        let start = place
        place += 1
        while let byte = byte(0), byte != UInt8(ascii: "`") {
            let allowed = Self.isLetter(byte) || Self.isDigit(byte) || [0x2E, 0x2D, 0x2F, 0x20].contains(byte)
            guard allowed else {
                throw source.error("a field's name between backticks has letters, digits, '_.-/ ' only", at: place)
            }
            place += 1
        }
        guard place < bytes.count, place > start + 1 else { throw source.error("missing '`'", at: start) }
        place += 1
        return .quotedSelector(source.text(start + 1..<place - 1))
    }

    // MARK: Numbers

    private mutating func digits(_ isDigit: (UInt8) -> Bool = Lexer.isDigit) -> Int {
        let start = place
        while place < bytes.count, isDigit(bytes[place]) { place += 1 }
        return place - start
    }

    private mutating func number() throws(ExpressionError) -> Token.Kind {
        let start = place
        var isDouble = false
        if bytes[place] == 48, byte(1).map({ $0 | 0x20 }) == UInt8(ascii: "x") {
            place += 2
            if digits(Self.isHex) == 0 { throw source.error("expected hexadecimal digits after '0x'", at: place) }
        } else {
            _ = digits()
            if byte(0) == UInt8(ascii: "."), byte(1).map(Self.isDigit) == true {
                isDouble = true
                place += 1
                _ = digits()
            }
            if byte(0).map({ $0 | 0x20 }) == UInt8(ascii: "e") {
                let exponent = place
                place += 1
                if byte(0) == UInt8(ascii: "+") || byte(0) == UInt8(ascii: "-") { place += 1 }
                if digits() == 0 { throw source.error("expected digits in the exponent", at: exponent) }
                isDouble = true
            }
        }
        let text = source.text(start..<place)
        var kind = isDouble ? Token.Kind.double(text) : .int(text)
        if !isDouble, byte(0).map({ $0 | 0x20 }) == UInt8(ascii: "u") {
            place += 1
            kind = .uint(text)
        }
        if let after = byte(0), Self.isLetter(after) || Self.isDigit(after) {
            throw source.error("a name can't begin with a digit", at: start)
        }
        return kind
    }

    // MARK: Texts and bytes

    /// `r"…"`, `b'…'`, `rb"…"`, `bR'…'`; nil when a plain name begins here.
    private mutating func prefixedLiteral() throws(ExpressionError) -> Token.Kind? {
        var raw = false
        var isBytes = false
        var length = 0
        while length < 2, let letter = byte(length) {
            if letter | 0x20 == UInt8(ascii: "r"), !raw {
                raw = true
            } else if letter | 0x20 == UInt8(ascii: "b"), !isBytes {
                isBytes = true
            } else {
                break
            }
            length += 1
        }
        guard length > 0, let quote = byte(length), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return nil
        }
        place += length
        return try literal(raw: raw, bytes: isBytes)
    }

    private mutating func literal(raw: Bool, bytes isBytes: Bool) throws(ExpressionError) -> Token.Kind {
        let start = place
        let quote = bytes[place]
        let isTriple = byte(1) == quote && byte(2) == quote
        place += isTriple ? 3 : 1
        var out: [UInt8] = []
        while true {
            guard let byte = byte(0) else { throw source.error("the text is not closed", at: start) }
            if byte == quote, !isTriple || (self.byte(1) == quote && self.byte(2) == quote) {
                place += isTriple ? 3 : 1
                break
            }
            if !isTriple, byte == 0x0A || byte == 0x0D {
                throw source.error("the text is not closed on its line; use three quotes for several lines", at: start)
            }
            if byte == UInt8(ascii: "\\"), !raw {
                let escape = place
                do throws(EscapeReader.Failure) {
                    place = try EscapeReader.read(bytes, at: place, isBytes: isBytes, into: &out)
                } catch {
                    throw source.error(error.message, at: escape)
                }
            } else {
                out.append(byte)
                place += 1
            }
        }
        return isBytes ? .bytes(out) : .string(String(decoding: out, as: UTF8.self))
    }
}

/// Escapes in texts: `\n`, `\x41`, `\u00e9`, `\101`.
enum EscapeReader {
    struct Failure: Error { let message: String }

    /// `at` is the backslash; the offset behind the escape.
    static func read(
        _ bytes: [UInt8], at: Int, isBytes: Bool, into out: inout [UInt8]
    ) throws(Failure) -> Int {
        guard at + 1 < bytes.count else { throw Failure(message: "the text ends with a backslash") }
        let letter = bytes[at + 1]
        if let simple = simple[letter] {
            out.append(simple)
            return at + 2
        }
        let (digits, radix, from): (Int, UInt32, Int)
        switch letter {
        case UInt8(ascii: "x"), UInt8(ascii: "X"): (digits, radix, from) = (2, 16, at + 2)
        case UInt8(ascii: "u"): (digits, radix, from) = (4, 16, at + 2)
        case UInt8(ascii: "U"): (digits, radix, from) = (8, 16, at + 2)
        case UInt8(ascii: "0")...UInt8(ascii: "3"): (digits, radix, from) = (3, 8, at + 1)
        default:
            let text = String(decoding: [letter], as: UTF8.self)
            throw Failure(message: "unknown escape '\\\(text)'; a backslash itself is '\\\\', or use r\"…\"")
        }
        if isBytes, digits != 2, radix == 16 {
            throw Failure(message: "bytes have no '\\u'; write '\\x' for each byte")
        }
        var value: UInt32 = 0
        guard from + digits <= bytes.count else { throw Failure(message: "expected \(digits) digits in the escape") }
        for byte in bytes[from..<from + digits] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix,
                let next = UInt32(exactly: UInt64(value) * UInt64(radix) + UInt64(digit))
            else { throw Failure(message: "expected \(digits) digits in the escape") }
            value = next
        }
        if isBytes {
            out.append(UInt8(truncatingIfNeeded: value))
        } else if let scalar = Unicode.Scalar(value) {
            out += String(Character(scalar)).utf8
        } else {
            throw Failure(message: "U+\(String(value, radix: 16, uppercase: true)) is no character")
        }
        return from + digits
    }

    private static let simple: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
        UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): 0x5C,
        UInt8(ascii: "?"): 0x3F, UInt8(ascii: "\""): 0x22, UInt8(ascii: "'"): 0x27, UInt8(ascii: "`"): 0x60,
    ]
}
