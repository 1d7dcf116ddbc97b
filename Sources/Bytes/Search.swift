extension Span where Element == UInt8 {
    /// Offset of the first `byte` at or after `from`, eight bytes at a time; nil when there is none.
    @inlinable
    public func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
        var i = from
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        while i &+ 8 <= count {
            let x = word(at: i) ^ pattern
            let hit = (x &- 0x0101_0101_0101_0101) & ~x & 0x8080_8080_8080_8080
            if hit != 0 { return i &+ hit.trailingZeroBitCount / 8 }
            i &+= 8
        }
        while i < count {
            if self[i] == byte { return i }
            i &+= 1
        }
        return nil
    }

    /// Whether the bytes are those of `literal`.
    @inlinable
    public func equals(_ literal: StaticString) -> Bool { equals(literal.bytes) }

    @inlinable
    public func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var i = 0
        while i &+ 8 <= count {
            if word(at: i) != other.word(at: i) { return false }
            i &+= 8
        }
        while i < count {
            if self[i] != other[i] { return false }
            i &+= 1
        }
        return true
    }

    /// Whether the bytes are those of `literal`, which is in lower case, without regard to the case of A to Z.
    @inlinable
    public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        let other = literal.bytes
        guard count == other.count else { return false }
        for i in 0..<count {
            let a = self[i]
            let lowered = a &- 65 < 26 ? a | 0x20 : a
            if lowered != other[i] { return false }
        }
        return true
    }

    @inlinable
    public func hasPrefix(_ literal: StaticString) -> Bool {
        let other = literal.bytes
        return count >= other.count && extracting(0..<other.count).equals(other)
    }

    /// The bytes as a decimal number: digits only, at least one, no sign, nil beyond `Int.max`.
    @inlinable
    public var decimal: Int? {
        guard count > 0, count <= 19 else { return nil }
        var value = 0
        for i in 0..<count {
            let digit = self[i] &- 48
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// Compares without leaking where the first difference is. For secrets of equal length.
    public func equalsInConstantTime(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for i in 0..<count { difference |= self[i] ^ other[i] }
        return difference == 0
    }
}
