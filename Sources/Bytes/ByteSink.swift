/// Something that bytes are appended to: a `[UInt8]` off the hot path, an `IOBuffer` on it.
public protocol ByteSink {
    mutating func append(_ byte: UInt8)
    mutating func append(copying bytes: Span<UInt8>)
}

extension Array: ByteSink where Element == UInt8 {
    @inlinable
    public mutating func append(copying bytes: Span<UInt8>) {
        reserveCapacity(count + bytes.count)
        for i in bytes.indices { append(bytes[i]) }
    }
}

extension ByteSink {
    /// Appends the UTF-8 bytes of a literal.
    @inlinable
    public mutating func append(_ literal: StaticString) {
        append(copying: literal.bytes)
    }

    /// Appends the UTF-8 bytes of a string. Off the hot path.
    @inlinable
    public mutating func append(text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends a decimal integer.
    @inlinable
    public mutating func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var magnitude = value.magnitude
        if magnitude < 10 {
            append(UInt8(truncatingIfNeeded: magnitude) &+ 48)
            return
        }
        var divisor: UInt = 10
        while magnitude / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(truncatingIfNeeded: magnitude / divisor) &+ 48)
            magnitude %= divisor
            divisor /= 10
        }
    }

    /// Appends a non-negative integer with leading zeros; digits beyond `width` are cut from the left.
    @inlinable
    public mutating func append(padded value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(truncatingIfNeeded: value / divisor % 10) &+ 48)
            divisor /= 10
        }
    }

    /// Appends lower-case hexadecimal digits of `value`, 16 of them.
    @inlinable
    public mutating func append(hex value: UInt64) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            let nibble = UInt8(truncatingIfNeeded: value >> shift) & 15
            append(nibble < 10 ? nibble &+ 48 : nibble &+ 87)
        }
    }
}
