import Bytes
import Glibc

/// The two loops of the token cache that run for each request, over raw memory: a hash and a comparison by `memcmp`.
/// Bounds are checked once, at the top.
enum TokenBytes {
    /// Bytes at the end of a token that are hashed: within its signature, which differs from token to token more than
    /// anything before it. Two tokens that share them share a place of the cache and nothing else, because all bytes
    /// are compared; and only an issuer can make such tokens.
    static var hashedMax: Int { 128 }

    /// A hash of the last `hashedMax` bytes and of the length that cannot be predicted without `seed`. Multiply and
    /// fold, 128 bits wide, in two lanes, as wyhash does.
    static func hash(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
        bytes.withUnsafeBytes { buffer in
            let k0 = seed ^ 0xA076_1D64_78BD_642F
            let k1 = seed.byteSwapped ^ 0xE703_7ED1_A0B4_28DB
            var a = k0
            var b = k1 ^ UInt64(truncatingIfNeeded: buffer.count)
            guard let start = buffer.baseAddress else { return fold(a, b) }
            var left = min(buffer.count, hashedMax)
            var at = start + (buffer.count - left)
            while left >= 32 {
                a = fold(word(at) ^ k0, word(at + 8) ^ a)
                b = fold(word(at + 16) ^ k1, word(at + 24) ^ b)
                at += 32
                left -= 32
            }
            while left >= 8 {
                a = fold(word(at) ^ k0, b ^ a)
                at += 8
                left -= 8
            }
            var tail: UInt64 = 0
            while left > 0 {
                tail = tail << 8 | UInt64(at.load(as: UInt8.self))
                at += 1
                left -= 1
            }
            return fold(a ^ k1, b ^ tail)
        }
    }

    /// Whether all bytes are the same.
    static func equal(_ a: [UInt8], _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        return a.withUnsafeBytes { x in
            b.withUnsafeBytes { y in
                guard let left = x.baseAddress, let right = y.baseAddress else { return true }
                return memcmp(left, right, x.count) == 0
            }
        }
    }

    @inline(__always)
    private static func word(_ at: UnsafeRawPointer) -> UInt64 { at.loadUnaligned(as: UInt64.self) }

    @inline(__always)
    private static func fold(_ x: UInt64, _ y: UInt64) -> UInt64 {
        let (high, low) = x.multipliedFullWidth(by: y)
        return high ^ low
    }
}
