/// Why a text is not the JSON we accept, and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The text ends inside a value, or is empty.
        case unexpectedEnd
        /// A byte that cannot stand here; `expected` says what could.
        case unexpectedByte(UInt8, expected: String)
        /// Something other than white space after the value.
        case trailingText
        /// A byte order mark in front (RFC 8259 §8.1).
        case byteOrderMark
        /// Bytes that are not UTF-8 (RFC 3629): overlong forms, surrogates, beyond U+10FFFF, cut sequences.
        case invalidUTF8
        /// A control character that must be escaped in a string.
        case controlCharacter(UInt8)
        /// A backslash followed by something RFC 8259 §7 does not list.
        case invalidEscape
        /// A `\u` escape of half a surrogate pair.
        case loneSurrogate
        /// Digits that are no number by RFC 8259 §6, such as `01`, `1.`, `+1` or `.5`.
        case invalidNumber
        /// A number longer than `JSONLimits.numberBytesMax`, or with more than nine digits of exponent.
        case numberTooLong
        /// A name that the object already has.
        case duplicateKey(String)
        case tooDeep(max: Int)
        case tooManyBytes(max: Int)
        case tooManyValues(max: Int)
    }

    package let kind: Kind
    /// Offset of the offending byte, from 0.
    package let offset: Int
    /// Line of that byte, from 1.
    package let line: Int
    /// Column of that byte in Unicode scalars, from 1.
    package let column: Int
    /// JSON Pointer (RFC 6901) of the value being read.
    package let pointer: String

    package init(kind: Kind, offset: Int, line: Int, column: Int, pointer: String) {
        self.kind = kind
        self.offset = offset
        self.line = line
        self.column = column
        self.pointer = pointer
    }

    /// What is wrong, without the place; safe to show to a caller: it repeats at most one name and no value.
    package var message: String {
        switch kind {
        case .unexpectedEnd: return "the text ends too early"
        case .unexpectedByte(let byte, let expected):
            let shown = byte > 0x20 && byte < 0x7F ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
            return "unexpected \(shown), expected \(expected)"
        case .trailingText: return "text after the value"
        case .byteOrderMark: return "a byte order mark is not allowed"
        case .invalidUTF8: return "invalid UTF-8"
        case .controlCharacter(let byte): return "control character \(byte) must be escaped"
        case .invalidEscape: return "invalid escape"
        case .loneSurrogate: return "lone surrogate in a \\u escape"
        case .invalidNumber: return "invalid number"
        case .numberTooLong: return "number too long"
        case .duplicateKey(let key): return "duplicate member '\(key)'"
        case .tooDeep(let max): return "nested deeper than \(max)"
        case .tooManyBytes(let max): return "longer than \(max) bytes"
        case .tooManyValues(let max): return "more than \(max) values"
        }
    }

    package var description: String {
        "\(line):\(column): \(message)" + (pointer.isEmpty ? "" : " (at \(pointer))")
    }
}
