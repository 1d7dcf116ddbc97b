import Bytes
import CSystem

/// A private key that signs: the development keys' and the token service's. Never on the path of a request.
///
/// `@unchecked Sendable`: as with `PublicKey`, the `EVP_PKEY` is complete before anybody else sees the object and is
/// only read afterwards; each signature has its own context.
package final class PrivateKey: @unchecked Sendable {
    package let publicKey: PublicKey
    let handle: OpaquePointer

    /// Takes over `handle`.
    private init(owning handle: OpaquePointer) throws(KeyError) {
        // The public part is checked for strength by `PublicKey`, and written and read back so that it holds no
        // private number.
        do throws(KeyError) {
            let spki = PEMText.bytes { output in PEM_write_bio_PUBKEY(output, handle) == 1 }
            publicKey = try PublicKey.pem(spki ?? [])
        } catch {
            EVP_PKEY_free(handle)
            throw error
        }
        self.handle = handle
    }

    deinit { EVP_PKEY_free(handle) }

    /// Reads a PEM private key without a pass phrase: PKCS #8, PKCS #1 or SEC 1.
    package static func pem(_ text: String) throws(KeyError) -> PrivateKey {
        defer { ERR_clear_error() }
        let bytes = Array(text.utf8)
        let input = PEMText.reader(bytes)
        defer { BIO_free(input) }
        // A callback that has no pass phrase; without one OpenSSL would ask on the terminal.
        guard let handle = PEM_read_bio_PrivateKey(input, nil, { _, _, _, _ in 0 }, nil) else {
            throw KeyError("not a PEM private key, or one with a pass phrase")
        }
        return try PrivateKey(owning: handle)
    }

    /// Makes a key for `algorithm`.
    ///
    /// - Parameter rsaBits: length of an RSA modulus, 2,048 to 8,192. Ignored by the other kinds.
    package static func make(for algorithm: SignatureAlgorithm, rsaBits: Int = 3_072) throws(KeyError) -> PrivateKey {
        defer { ERR_clear_error() }
        let type: String
        switch algorithm.family {
        case .rsa, .rsaPSS: type = "RSA"
        case .ec: type = "EC"
        case .ed25519: type = "ED25519"
        case .secret: throw KeyError("\(algorithm) has a secret, not a private key")
        }
        guard (PublicKey.rsaBitsMin...PublicKey.rsaBitsMax).contains(rsaBits) else {
            throw KeyError("an RSA key has \(PublicKey.rsaBitsMin) to \(PublicKey.rsaBitsMax) bits, not \(rsaBits)")
        }
        let context = EVP_PKEY_CTX_new_from_name(nil, type, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var ready = EVP_PKEY_keygen_init(context) == 1
        switch algorithm.family {
        case .rsa, .rsaPSS: ready = ready && EVP_PKEY_CTX_set_rsa_keygen_bits(context, CInt(rsaBits)) == 1
        case .ec(let curve): ready = ready && EVP_PKEY_CTX_set_group_name(context, curve.groupName) == 1
        case .ed25519, .secret: break
        }
        var handle: OpaquePointer?
        guard ready, EVP_PKEY_generate(context, &handle) == 1, let handle else {
            throw KeyError("OpenSSL cannot make a key for \(algorithm)")
        }
        return try PrivateKey(owning: handle)
    }

    /// The key as a PEM block `PRIVATE KEY` (PKCS #8), without a pass phrase: keep the file from others.
    package var pem: String {
        PEMText.write { output in PEM_write_bio_PKCS8PrivateKey(output, handle, nil, nil, 0, nil, nil) == 1 } ?? ""
    }

    /// The signature of `message` in the form of JWS. Throws when the key is not one for `algorithm`.
    package func sign(_ message: [UInt8], algorithm: SignatureAlgorithm) throws(KeyError) -> [UInt8] {
        defer { ERR_clear_error() }
        // Says whether the key is of the algorithm's kind.
        _ = try SignatureCheck(key: publicKey, algorithm: algorithm)
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        let hash = algorithm.hashName.flatMap { EVP_get_digestbyname($0) }
        var ready = EVP_DigestSignInit(context, &parameters, hash, nil, handle) == 1
        if algorithm.family == .rsaPSS {
            ready =
                ready && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
        }
        var length = 0
        guard ready, EVP_DigestSign(context, nil, &length, message, message.count) == 1 else {
            throw KeyError("OpenSSL cannot sign with \(algorithm)")
        }
        var out = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &out, &length, message, message.count) == 1 else {
            throw KeyError("OpenSSL cannot sign with \(algorithm)")
        }
        out.removeLast(out.count - length)
        guard case .ec(let curve) = algorithm.family else { return out }
        guard let raw = ECDSASignature.raw(der: out, curve: curve) else {
            throw KeyError("OpenSSL made a signature that is not one for \(curve.rawValue)")
        }
        return raw
    }
}
