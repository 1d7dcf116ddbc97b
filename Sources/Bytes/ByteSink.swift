/// Something that bytes are appended to: a `[UInt8]` off the hot path, an `IOBuffer` on it.
public protocol ByteSink {
    mutating func append(_ byte: UInt8)
    mutating func append(copying bytes: Span<UInt8>)
    /// Appends eight bytes, the lowest first.
    mutating func append(word: UInt64)
    /// Appends the UTF-8 bytes of a literal.
    mutating func append(_ literal: StaticString)
    /// Appends a decimal integer.
    mutating func append(decimal value: Int)
    /// Appends lower-case hexadecimal digits of `value`, 16 of them.
    mutating func append(hex value: UInt64)
}

extension ByteSink {
    @inlinable
    public mutating func append(word: UInt64) {
        var rest = word
        for _ in 0..<8 {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    @inlinable
    public mutating func append(_ literal: StaticString) {
        append(copying: literal.bytes)
    }

    /// Appends the UTF-8 bytes of a string. Off the hot path.
    @inlinable
    public mutating func append(text: String) {
        for byte in text.utf8 { append(byte) }
    }

    @inlinable
    public mutating func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDigits(value.magnitude)
    }

    /// Eight digits at a time, packed into a word from the last to the first: divisions by constants only.
    @inlinable
    mutating func appendDigits(_ magnitude: UInt) {
        var rest = magnitude
        if rest >= 100_000_000 {
            appendDigits(rest / 100_000_000)
            appendPacked(Int(rest % 100_000_000), width: 8)
            return
        }
        var packed: UInt64 = 0
        var width = 0
        repeat {
            packed = packed << 8 | UInt64(rest % 10 &+ 48)
            rest /= 10
            width &+= 1
        } while rest != 0
        for _ in 0..<width {
            append(UInt8(truncatingIfNeeded: packed))
            packed >>= 8
        }
    }

    @inlinable
    mutating func appendPacked(_ value: Int, width: Int) {
        var rest = UInt(value)
        var packed: UInt64 = 0
        for _ in 0..<width {
            packed = packed << 8 | UInt64(rest % 10 &+ 48)
            rest /= 10
        }
        for _ in 0..<width {
            append(UInt8(truncatingIfNeeded: packed))
            packed >>= 8
        }
    }

    /// Appends a non-negative integer with leading zeros in `width` digits, 1 to 18; digits beyond `width` are cut
    /// from the left.
    @inlinable
    public mutating func append(padded value: Int, width: Int) {
        precondition(value >= 0 && width >= 1 && width <= 18)
        if width <= 8 {
            appendPacked(value, width: width)
            return
        }
        append(padded: value / 100_000_000, width: width &- 8)
        appendPacked(value, width: 8)
    }

    @inlinable
    public mutating func append(hex value: UInt64) {
        append(word: Hex.digits(UInt32(truncatingIfNeeded: value >> 32)))
        append(word: Hex.digits(UInt32(truncatingIfNeeded: value)))
    }
}

// The same on a buffer that is held by a `let`: a method of `ByteSink` is mutating and would ask for a `var`.
extension IOBuffer {
    /// Appends the UTF-8 bytes of a string. Off the hot path.
    @inlinable
    public final func append(text: String) {
        for byte in text.utf8 { append(byte) }
    }
}
