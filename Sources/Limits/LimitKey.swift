import Bytes

/// Whom a rate limit counts: a subject, a service, a role, a route or a client address, as a 128-bit hash.
///
/// Made once where the name is learnt (a token is verified, a configuration is loaded, a connection is accepted), not
/// for each request.
package struct LimitKey: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// Makes keys with SipHash-2-4 of 128 bits under a secret of the process (Aumasson and Bernstein, 2012), so that no
/// client can choose names that share a counter or crowd one part of the table.
package struct LimitKeyHasher: Sendable {
    private let k0: UInt64
    private let k1: UInt64

    /// Two random words, drawn once when the program starts.
    package init(secret k0: UInt64, _ k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    package func key(_ text: String) -> LimitKey {
        let bytes = Array(text.utf8)
        return key(bytes.span)
    }

    package func key(_ address: AddressKey) -> LimitKey {
        var state = SipState(k0, k1)
        state.absorb(address.high)
        state.absorb(address.low)
        state.absorb(16 << 56)
        return state.finish()
    }

    package func key(_ bytes: Span<UInt8>) -> LimitKey {
        var state = SipState(k0, k1)
        var i = 0
        while i + 8 <= bytes.count {
            state.absorb(bytes.word(at: i))
            i += 8
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        var shift: UInt64 = 0
        while i < bytes.count {
            last |= UInt64(bytes[i]) << shift
            shift += 8
            i += 1
        }
        state.absorb(last)
        return state.finish()
    }
}

private struct SipState {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ k0: UInt64, _ k1: UInt64) {
        v0 = k0 ^ 0x736f_6d65_7073_6575
        v1 = k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = k0 ^ 0x6c79_6765_6e65_7261
        v3 = k1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> LimitKey {
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let first = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return LimitKey(high: first, low: v0 ^ v1 ^ v2 ^ v3)
    }

    private mutating func round() {
        v0 &+= v1
        v1 = v1 << 13 | v1 >> 51
        v1 ^= v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = v3 << 16 | v3 >> 48
        v3 ^= v2
        v0 &+= v3
        v3 = v3 << 21 | v3 >> 43
        v3 ^= v0
        v2 &+= v1
        v1 = v1 << 17 | v1 >> 47
        v1 ^= v2
        v2 = v2 << 32 | v2 >> 32
    }
}
