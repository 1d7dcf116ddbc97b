import CSystem

/// SHA-256 and random bytes, by OpenSSL.
enum Digest {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &out)
        return out
    }

    /// Bytes from OpenSSL's generator; nil when it has no entropy.
    static func random(_ count: Int) -> [UInt8]? {
        defer { ERR_clear_error() }
        var out = [UInt8](repeating: 0, count: count)
        return RAND_bytes(&out, CInt(count)) == 1 ? out : nil
    }
}
