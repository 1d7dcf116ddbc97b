import Bytes
import CSystem

/// A public key made ready for one algorithm: the OpenSSL context is set up once (which costs more than an Ed25519
/// verification) and copied for each signature.
///
/// `@unchecked Sendable`: `template` is complete before the object can be seen by anybody else and only ever the
/// constant source of `EVP_MD_CTX_copy_ex`, which reads it and raises atomic reference counts; the copy belongs to the
/// call. It is freed once, by `deinit`.
final class SignatureCheck: SignatureMethod, @unchecked Sendable {
    let algorithm: SignatureAlgorithm
    private let key: PublicKey
    private let template: OpaquePointer

    /// Throws when the key's kind is not the algorithm's.
    init(key: PublicKey, algorithm: SignatureAlgorithm) throws(KeyError) {
        defer { ERR_clear_error() }
        switch (algorithm.family, key.kind) {
        case (.rsa, .rsa), (.rsaPSS, .rsa), (.ed25519, .ed25519): break
        case (.ec(let wanted), .ec(let curve)) where wanted == curve: break
        default: throw KeyError("the key is not one for \(algorithm)")
        }
        guard let context = EVP_MD_CTX_new() else { throw KeyError("OpenSSL has no memory for a context") }
        guard Self.set(up: context, key: key.handle, algorithm: algorithm) else {
            EVP_MD_CTX_free(context)
            throw KeyError("OpenSSL refuses the key for \(algorithm)")
        }
        self.key = key
        self.algorithm = algorithm
        template = context
    }

    deinit { EVP_MD_CTX_free(template) }

    private static func set(up context: OpaquePointer, key: OpaquePointer, algorithm: SignatureAlgorithm) -> Bool {
        var parameters: OpaquePointer?
        let hash = algorithm.hashName.flatMap { EVP_get_digestbyname($0) }
        guard EVP_DigestVerifyInit(context, &parameters, hash, nil, key) == 1 else { return false }
        if algorithm.family == .rsaPSS {
            // A salt exactly as long as the hash, and MGF1 with the same hash, OpenSSL's default. (RFC 7518 §3.5)
            return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
        }
        return true
    }

    /// Whether `signature`, in the form of JWS, is the key's for `message`.
    func verify(_ message: Span<UInt8>, signature: [UInt8]) -> Bool {
        // A failed verification leaves entries in the thread's error queue, where `SSL_get_error` of the next
        // connection on this thread would find them and call a healthy connection broken.
        defer { ERR_clear_error() }
        var octets = signature
        if case .ec(let curve) = algorithm.family {
            guard let der = ECDSASignature.der(raw: signature, curve: curve) else { return false }
            octets = der
        }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_MD_CTX_copy_ex(context, template) == 1 else { return false }
        return message.withUnsafeBufferPointer { bytes in
            EVP_DigestVerify(context, octets, octets.count, bytes.baseAddress, bytes.count) == 1
        }
    }
}

/// A shared secret made ready for one HMAC.
///
/// `@unchecked Sendable`: `template` holds the keyed state, is complete before the object can be seen by anybody else
/// and only ever the constant source of `EVP_MAC_CTX_dup`; the copy belongs to the call. Freed once, by `deinit`, which
/// also wipes the key.
package final class MessageCode: SignatureMethod, @unchecked Sendable {
    private let template: OpaquePointer
    private let size: Int

    /// Throws when the secret is shorter than the hash. (RFC 7518 §3.2)
    package init(secret: [UInt8], algorithm: SignatureAlgorithm) throws(KeyError) {
        defer { ERR_clear_error() }
        guard algorithm.family == .secret, let hash = algorithm.hashName else {
            throw KeyError("a secret is not a key for \(algorithm)")
        }
        guard secret.count >= algorithm.hashBytes else {
            throw KeyError(
                "the secret has \(secret.count) bytes, \(algorithm) needs at least \(algorithm.hashBytes)")
        }
        guard let context = csystem_hmac_new(hash, secret, secret.count) else {
            throw KeyError("OpenSSL refuses the secret for \(algorithm)")
        }
        size = algorithm.hashBytes
        template = context
    }

    deinit { EVP_MAC_CTX_free(template) }

    /// The code of `message`; nil when OpenSSL fails.
    package func code(_ message: Span<UInt8>) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard let context = EVP_MAC_CTX_dup(template) else { return nil }
        defer { EVP_MAC_CTX_free(context) }
        let updated = message.withUnsafeBufferPointer { EVP_MAC_update(context, $0.baseAddress, $0.count) }
        var out = [UInt8](repeating: 0, count: size)
        var length = 0
        guard updated == 1, EVP_MAC_final(context, &out, &length, size) == 1, length == size else { return nil }
        return out
    }

    /// Compares without leaking where the first difference is.
    func verify(_ message: Span<UInt8>, signature: [UInt8]) -> Bool {
        guard let expected = code(message) else { return false }
        return expected.span.equalsInConstantTime(signature.span)
    }
}
