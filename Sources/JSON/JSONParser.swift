import Bytes

/// Reads one JSON text.
///
/// A loop over an explicit stack of open containers: a value is read, then handed to the container on top, until the
/// stack is empty. Line, column and pointer are worked out only when something is wrong.
struct JSONParser: ~Escapable {
    private let bytes: Span<UInt8>
    private let limits: JSONLimits
    private var at = 0
    private var values = 0
    private var stack: [Container] = []
    /// Reused for strings with escapes.
    private var scratch: [UInt8] = []

    /// An array or object that is not closed yet. A struct with both, so that it grows in place on the stack.
    private struct Container {
        let isObject: Bool
        var elements: [JSONValue] = []
        var object = JSONObject()
        /// The name whose value is being read.
        var key = ""
        /// Between a comma and the end of the value, for the pointer in errors.
        var inValue: Bool
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        if bytes.count > limits.bytesMax { throw error(.tooManyBytes(max: limits.bytesMax), at: limits.bytesMax) }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw error(.byteOrderMark) }
        skipSpace()
        while true {
            guard var value = try readValueOrOpen() else { continue }
            while true {
                guard let done = try give(&value) else { break }
                if done { return value }
            }
        }
    }

    /// Reads a scalar or an empty container; nil when a container was opened and its first value comes next.
    private mutating func readValueOrOpen() throws(JSONError) -> JSONValue? {
        values += 1
        if values > limits.valuesMax { throw error(.tooManyValues(max: limits.valuesMax)) }
        guard at < bytes.count else { throw error(.unexpectedEnd) }
        switch bytes[at] {
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "{"):
            try checkDepth()
            at += 1
            skipSpace()
            if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
                at += 1
                return .object(JSONObject())
            }
            stack.append(Container(isObject: true, inValue: false))
            try readName(expected: "'\"' or '}'")
            return nil
        case UInt8(ascii: "["):
            try checkDepth()
            at += 1
            skipSpace()
            if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
                at += 1
                return .array([])
            }
            stack.append(Container(isObject: false, inValue: true))
            return nil
        case UInt8(ascii: "t"):
            try readWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try readWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try readWord("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try readNumber())
        case let other: throw error(.unexpectedByte(other, expected: "a value"))
        }
    }

    /// Hands `value` to the innermost open container and reads what follows. True when `value` is the whole text,
    /// false when `value` has become that container, closed; nil when another value follows.
    private mutating func give(_ value: inout JSONValue) throws(JSONError) -> Bool? {
        skipSpace()
        let top = stack.count - 1
        guard top >= 0 else {
            if at < bytes.count { throw error(.trailingText) }
            return true
        }
        stack[top].inValue = false
        if stack[top].isObject {
            stack[top].object.append(stack[top].key, value)
            guard try readSeparator(orClosing: UInt8(ascii: "}")) else {
                value = .object(stack.removeLast().object)
                return false
            }
            try readName(expected: "'\"'")
        } else {
            stack[top].elements.append(value)
            guard try readSeparator(orClosing: UInt8(ascii: "]")) else {
                value = .array(stack.removeLast().elements)
                return false
            }
            stack[top].inValue = true
        }
        return nil
    }

    /// True after a comma, false after the closing bracket; white space behind a comma is skipped.
    private mutating func readSeparator(orClosing closing: UInt8) throws(JSONError) -> Bool {
        guard at < bytes.count else { throw error(.unexpectedEnd) }
        let byte = bytes[at]
        if byte == closing {
            at += 1
            return false
        }
        guard byte == UInt8(ascii: ",") else {
            throw error(.unexpectedByte(byte, expected: closing == UInt8(ascii: "]") ? "',' or ']'" : "',' or '}'"))
        }
        at += 1
        skipSpace()
        return true
    }

    /// Reads a member's name and its colon into the object on top of the stack.
    private mutating func readName(expected: String) throws(JSONError) {
        guard at < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[at] == UInt8(ascii: "\"") else { throw error(.unexpectedByte(bytes[at], expected: expected)) }
        let start = at
        let name = try readString()
        let top = stack.count - 1
        stack[top].key = name
        stack[top].inValue = true
        if stack[top].object.contains(name) { throw error(.duplicateKey(name), at: start) }
        skipSpace()
        guard at < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[at] == UInt8(ascii: ":") else { throw error(.unexpectedByte(bytes[at], expected: "':'")) }
        at += 1
        skipSpace()
    }

    private func checkDepth() throws(JSONError) {
        if stack.count >= limits.depthMax { throw error(.tooDeep(max: limits.depthMax)) }
    }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func readWord(_ word: StaticString) throws(JSONError) {
        let expected = word.bytes
        for i in expected.indices {
            guard at + i < bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
            guard bytes[at + i] == expected[i] else {
                throw error(.unexpectedByte(bytes[at + i], expected: "'\(word)'"), at: at + i)
            }
        }
        at += expected.count
    }

    private mutating func readNumber() throws(JSONError) -> JSONNumber {
        switch JSONNumberSyntax.scan(bytes, from: at) {
        case .invalid(let place):
            throw error(place < bytes.count ? .invalidNumber : .unexpectedEnd, at: place)
        case .exponentTooLong(let place): throw error(.numberTooLong, at: place)
        case .number(let end):
            if end - at > limits.numberBytesMax { throw error(.numberTooLong) }
            let text = bytes.extracting(at..<end).text
            at = end
            return JSONNumber(checked: text)
        }
    }

    // MARK: Strings

    /// Reads the string whose opening quote is at `at`.
    private mutating func readString() throws(JSONError) -> String {
        let start = at + 1
        var i = start
        var escaped = false
        scan: while true {
            while i &+ 8 <= bytes.count {
                let hits = JSONText.special(bytes.word(at: i))
                if hits == 0 {
                    i &+= 8
                    continue
                }
                i &+= hits.trailingZeroBitCount / 8
                break
            }
            guard i < bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
            let byte = bytes[i]
            switch byte {
            case UInt8(ascii: "\""): break scan
            case UInt8(ascii: "\\"):
                escaped = true
                i += 2
            case 0..<0x20: throw error(.controlCharacter(byte), at: i)
            default: i += 1
            }
        }
        at = i + 1
        do throws(UTF8.ValidationError) {
            // Escapes are ASCII, so the raw bytes are valid UTF-8 exactly when the unescaped ones are.
            let body = try UTF8Span(validating: bytes.extracting(start..<i))
            if !escaped { return String(copying: body) }
        } catch let invalid {
            throw error(.invalidUTF8, at: start + invalid.byteOffsets.lowerBound)
        }
        try unescape(start..<i)
        return String(decoding: scratch, as: UTF8.self)
    }

    /// Fills `scratch` with the string whose raw bytes are `range`.
    private mutating func unescape(_ range: Range<Int>) throws(JSONError) {
        scratch.removeAll(keepingCapacity: true)
        var i = range.lowerBound
        while i < range.upperBound {
            let byte = bytes[i]
            guard byte == UInt8(ascii: "\\") else {
                scratch.append(byte)
                i += 1
                continue
            }
            // The scan saw a byte behind each backslash inside the string.
            let letter = bytes[i + 1]
            i += 2
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(letter)
            case UInt8(ascii: "b"): scratch.append(0x08)
            case UInt8(ascii: "f"): scratch.append(0x0C)
            case UInt8(ascii: "n"): scratch.append(0x0A)
            case UInt8(ascii: "r"): scratch.append(0x0D)
            case UInt8(ascii: "t"): scratch.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = try readUnicodeEscape(at: &i, end: range.upperBound)
                for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { scratch.append(unit) }
            default: throw error(.invalidEscape, at: i - 2)
            }
        }
    }

    /// Reads the four digits at `i`, behind `\u`, and the second half of a surrogate pair.
    private func readUnicodeEscape(at i: inout Int, end: Int) throws(JSONError) -> Unicode.Scalar {
        let place = i - 2
        guard let first = hexQuad(i, end) else { throw error(.invalidEscape, at: place) }
        i += 4
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, i + 6 <= end, bytes[i] == UInt8(ascii: "\\"), bytes[i + 1] == UInt8(ascii: "u"),
            let second = hexQuad(i + 2, end), second >= 0xDC00, second < 0xE000,
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error(.loneSurrogate, at: place) }
        i += 6
        return scalar
    }

    private func hexQuad(_ offset: Int, _ end: Int) -> UInt32? {
        guard offset + 4 <= end else { return nil }
        var value: UInt32 = 0
        for i in offset..<offset + 4 {
            let byte = bytes[i]
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 65...70: digit = byte - 55
            case 97...102: digit = byte - 87
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Errors

    private func error(_ kind: JSONError.Kind) -> JSONError { error(kind, at: at) }

    private func error(_ kind: JSONError.Kind, at offset: Int) -> JSONError {
        var line = 1
        var column = 1
        for i in 0..<min(offset, bytes.count) {
            if bytes[i] == 0x0A {
                line += 1
                column = 1
            } else if bytes[i] & 0xC0 != 0x80 {
                column += 1
            }
        }
        var pointer = ""
        for container in stack where container.inValue {
            pointer =
                container.isObject
                ? JSONPointer.appending(container.key, to: pointer)
                : JSONPointer.appending(container.elements.count, to: pointer)
        }
        return JSONError(kind: kind, offset: offset, line: line, column: column, pointer: pointer)
    }
}
