import Bytes

/// Sets of ASCII bytes, as two words of 64 bits: membership without a table in memory.
struct ByteClass: Sendable {
    let low: UInt64
    let high: UInt64

    /// Whether `byte` is a member; bytes beyond 0x7F never are.
    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && word &>> UInt64(byte) & 1 == 1
    }

    /// Offset of the first byte in `range` that is not a member, or the range's end.
    @inline(__always)
    func firstStranger(in bytes: Span<UInt8>, from: Int, to: Int) -> Int {
        bytes.firstStranger(to: self, from: from, to: to)
    }

    /// `tchar`: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2)
    static var token: ByteClass { ByteClass(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe) }
    /// `pchar` and `/` (RFC 3986 §3.3), and `[ ] |`, which browsers leave as they are in paths.
    static var path: ByteClass { ByteClass(low: 0x2fff_fff2_0000_0000, high: 0x57ff_fffe_afff_ffff) }
    /// `pchar`, `/`, `?` (RFC 3986 §3.4), and [ ] | { } ^ `, which browsers leave as they are in queries.
    static var query: ByteClass { ByteClass(low: 0xafff_fff2_0000_0000, high: 0x7fff_ffff_efff_ffff) }
    /// What a name or an IPv4 address of a host is made of: letters, digits, `-`, `.`, `_` and `~`.
    static var host: ByteClass { ByteClass(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
    /// What stands between the brackets of an IPv6 address: hexadecimal digits, `:` and `.`.
    static var ipv6: ByteClass { ByteClass(low: 0x07ff_4000_0000_0000, high: 0x0000_007e_0000_007e) }
}
