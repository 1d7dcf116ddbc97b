import Bytes

/// `host [":" port]` (RFC 9110 §7.2). Stricter than the grammar: a host of a registered name, an IPv4 address or an IPv6
/// address in brackets, without percent-encoding, without user information, and with a port that is a number.
package struct Authority: Sendable, Hashable {
    package var host: Range<Int>
    /// 0 to 65,535; nil where none is written.
    package var port: Int?

    /// Nil where the bytes in `range` are not an authority.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var at = range.lowerBound
        let end = range.upperBound
        guard at < end else { return nil }
        if bytes[at] == UInt8(ascii: "[") {
            let close = ByteClass.ipv6.firstStranger(in: bytes, from: at &+ 1, to: end)
            guard close < end, bytes[close] == UInt8(ascii: "]"), close &- at > 2 else { return nil }
            at = close &+ 1
        } else {
            at = ByteClass.host.firstStranger(in: bytes, from: at, to: end)
            guard at > range.lowerBound else { return nil }
        }
        host = range.lowerBound..<at
        port = nil
        if at == end { return }
        guard bytes[at] == UInt8(ascii: ":"), end &- at <= 6 else { return nil }
        guard at &+ 1 < end else { return nil }
        var number = 0
        for i in at &+ 1..<end {
            let digit = bytes[i] &- 48
            if digit > 9 { return nil }
            number = number &* 10 &+ Int(digit)
        }
        guard number <= 65_535 else { return nil }
        port = number
    }

    /// The authority that all of `bytes` make.
    package init?(_ bytes: Span<UInt8>) { self.init(bytes, 0..<bytes.count) }

    /// Whether both name the same host, without regard to case, and the same port where `defaultPort` stands for none.
    func isSame(as other: Authority, in bytes: Span<UInt8>, defaultPort: Int?) -> Bool {
        guard port ?? defaultPort == other.port ?? defaultPort else { return false }
        return bytes.extracting(host).equalsIgnoringCase(bytes.extracting(other.host))
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are equal without regard to the case of A to Z on either side.
    func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for i in 0..<count {
            let a = self[i] &- 65 < 26 ? self[i] | 0x20 : self[i]
            let b = other[i] &- 65 < 26 ? other[i] | 0x20 : other[i]
            if a != b { return false }
        }
        return true
    }
}
