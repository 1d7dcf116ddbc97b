import Bytes
import CSystem

/// A client secret as it is kept: scrypt (RFC 7914) over a random salt, in the form `scrypt$15$8$1$SALT$HASH` with the
/// cost as a power of two and both values in base64url.
package enum SecretHash {
    /// 2^15: 32 MiB and some 60 ms for each try.
    static let costBits: UInt64 = 15
    static let blockSize: UInt64 = 8
    static let parallel: UInt64 = 1
    /// Most memory of one hash, in bytes.
    static let memoryMax: UInt64 = 96 << 20
    static let saltBytes = 16
    static let hashBytes = 32
    /// Longest secret that is looked at, in bytes.
    package static let secretBytesMax = 256

    /// A new secret: 32 random bytes in base64url, with a prefix by which leaked ones are found in texts.
    package static func makeSecret() throws(KeyError) -> String {
        guard let random = Digest.random(32) else { throw KeyError("OpenSSL has no randomness") }
        return "mgs_" + Base64URL.encode(random)
    }

    /// Slow on purpose: never on an event loop.
    package static func make(_ secret: String) throws(KeyError) -> String {
        guard let salt = Digest.random(saltBytes) else { throw KeyError("OpenSSL has no randomness") }
        guard let hash = derive(secret, salt, costBits, blockSize, parallel) else {
            throw KeyError("OpenSSL cannot hash the secret")
        }
        return "scrypt$\(costBits)$\(blockSize)$\(parallel)$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
    }

    /// Whether `secret` is the one that was hashed. Slow on purpose, and as slow for a hash that cannot be read.
    package static func verify(_ secret: String, against kept: String) -> Bool {
        let parts = kept.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let bits = UInt64(parts[1]), bits >= 10, bits <= 17,
            let size = UInt64(parts[2]), size >= 1, size <= 16, let lanes = UInt64(parts[3]), lanes >= 1, lanes <= 4,
            let salt = Base64URL.decode(String(parts[4])), let wanted = Base64URL.decode(String(parts[5])),
            wanted.count == hashBytes, let hash = derive(secret, salt, bits, size, lanes)
        else {
            _ = derive(secret, [UInt8](repeating: 0, count: saltBytes), costBits, blockSize, parallel)
            return false
        }
        return hash.span.equalsInConstantTime(wanted.span)
    }

    private static func derive(
        _ secret: String, _ salt: [UInt8], _ bits: UInt64, _ size: UInt64, _ lanes: UInt64
    ) -> [UInt8]? {
        defer { ERR_clear_error() }
        let bytes = Array(secret.utf8.prefix(secretBytesMax + 1)).map { CChar(bitPattern: $0) }
        guard bytes.count <= secretBytesMax else { return nil }
        var out = [UInt8](repeating: 0, count: hashBytes)
        let code = EVP_PBE_scrypt(
            bytes, bytes.count, salt, salt.count, 1 << bits, size, lanes, memoryMax, &out, out.count)
        return code == 1 ? out : nil
    }
}
