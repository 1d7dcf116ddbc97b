import CSystem

/// The two signatures of Standard Webhooks, by OpenSSL.
enum WebhookCryptography {
    /// HMAC-SHA-256. (RFC 2104)
    static func mac(key: [UInt8], message: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var length: CUnsignedInt = 32
        let made = HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, &result, &length)
        precondition(made != nil && length == 32, "OpenSSL has no HMAC-SHA-256")
        return result
    }

    /// Ed25519 over the message, by an `EVP_PKEY`; nil when OpenSSL has none. (RFC 8032 §5.1)
    static func sign(_ key: OpaquePointer, message: [UInt8]) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { return nil }
        var result = [UInt8](repeating: 0, count: 64)
        var count = 64
        guard EVP_DigestSign(context, &result, &count, message, message.count) == 1, count == 64 else { return nil }
        return result
    }

    static func verify(publicKey: [UInt8], message: [UInt8], signature: [UInt8]) -> Bool {
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count) else {
            return false
        }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// The public key of a seed; nil when the seed is none.
    static func publicKey(seed: [UInt8]) -> [UInt8]? {
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else { return nil }
        defer { EVP_PKEY_free(key) }
        var result = [UInt8](repeating: 0, count: 32)
        var count = 32
        return EVP_PKEY_get_raw_public_key(key, &result, &count) == 1 && count == 32 ? result : nil
    }

    /// In time that does not depend on where they differ.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }
}
