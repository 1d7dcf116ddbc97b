import Bytes

/// Appends pieces of JSON text to any sink. The caller places the commas and brackets.
public enum JSONText {
    /// Appends a quoted and escaped string. Bytes that are not UTF-8 become U+FFFD, so that what strangers send can
    /// be logged and the line stays JSON.
    @inlinable
    public static func appendString<S: ByteSink>(_ text: Span<UInt8>, to sink: inout S) {
        sink.append(UInt8(ascii: "\""))
        if isASCII(text) || isUTF8(text) {
            appendEscaped(text, to: &sink)
        } else {
            let repaired = text.text
            appendEscaped(repaired.utf8.span, to: &sink)
        }
        sink.append(UInt8(ascii: "\""))
    }

    @inlinable
    public static func appendString<S: ByteSink>(_ text: String, to sink: inout S) {
        sink.append(UInt8(ascii: "\""))
        appendEscaped(text.utf8.span, to: &sink)
        sink.append(UInt8(ascii: "\""))
    }

    @inlinable
    public static func appendString<S: ByteSink>(_ text: StaticString, to sink: inout S) {
        sink.append(UInt8(ascii: "\""))
        appendEscaped(text.bytes, to: &sink)
        sink.append(UInt8(ascii: "\""))
    }

    /// Appends `"name":`. The name is a literal that needs no escape.
    @inlinable
    public static func appendName<S: ByteSink>(_ name: StaticString, to sink: inout S) {
        sink.append(UInt8(ascii: "\""))
        sink.append(copying: name.bytes)
        sink.append(UInt8(ascii: "\""))
        sink.append(UInt8(ascii: ":"))
    }

    @inlinable
    public static func append<S: ByteSink>(_ value: Bool, to sink: inout S) {
        if value { sink.append("true") } else { sink.append("false") }
    }

    @inlinable
    public static func append<S: ByteSink>(_ value: Int, to sink: inout S) {
        sink.append(decimal: value)
    }

    @inlinable
    public static func appendNull<S: ByteSink>(to sink: inout S) {
        sink.append("null")
    }

    /// Appends valid UTF-8 with `"`, `\` and control characters escaped, and nothing else.
    @inlinable
    public static func appendEscaped<S: ByteSink>(_ text: Span<UInt8>, to sink: inout S) {
        var start = 0
        var i = 0
        let count = text.count
        while i < count {
            if i &+ 8 <= count {
                let hits = special(text.word(at: i))
                if hits == 0 {
                    i &+= 8
                    continue
                }
                i &+= hits.trailingZeroBitCount / 8
            }
            let byte = text[i]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                if start < i { sink.append(copying: text.extracting(start..<i)) }
                appendEscape(of: byte, to: &sink)
                start = i &+ 1
            }
            i &+= 1
        }
        if start < count { sink.append(copying: text.extracting(start..<count)) }
    }

    @inlinable
    static func appendEscape<S: ByteSink>(of byte: UInt8, to sink: inout S) {
        sink.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: sink.append(byte)
        case 0x08: sink.append(UInt8(ascii: "b"))
        case 0x09: sink.append(UInt8(ascii: "t"))
        case 0x0A: sink.append(UInt8(ascii: "n"))
        case 0x0C: sink.append(UInt8(ascii: "f"))
        case 0x0D: sink.append(UInt8(ascii: "r"))
        default:
            sink.append("u00")
            sink.append(byte >> 4 &+ 48)
            let low = byte & 15
            sink.append(low < 10 ? low &+ 48 : low &+ 87)
        }
    }

    /// A word whose lowest set bit marks the first of eight bytes that is `"`, `\` or below 0x20; 0 when none is.
    /// Bits above the first may be wrong: borrows run upwards.
    @inlinable
    static func special(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        return ((quote &- ones & ~quote) | (backslash &- ones & ~backslash) | (word &- (ones &* 0x20) & ~word))
            & (ones &* 0x80)
    }

    @inlinable
    static func isASCII(_ text: Span<UInt8>) -> Bool {
        var i = 0
        var seen: UInt64 = 0
        while i &+ 8 <= text.count {
            seen |= text.word(at: i)
            i &+= 8
        }
        while i < text.count {
            seen |= UInt64(text[i])
            i &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    @usableFromInline
    static func isUTF8(_ text: Span<UInt8>) -> Bool {
        (try? UTF8Span(validating: text)) != nil
    }
}
