import Bytes
import CSystem

/// A public key that OpenSSL has parsed, RSA, EC or Ed25519, checked for strength when it is made.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is complete before the object can be seen by anybody else, nothing here
/// changes it afterwards, and OpenSSL allows any number of threads to read one (its own caches inside take the key's
/// lock, its reference count is atomic). It is freed once, by `deinit`.
package final class PublicKey: @unchecked Sendable {
    package enum Kind: Sendable, Hashable {
        /// Bits of the modulus.
        case rsa(bits: Int)
        case ec(EllipticCurve)
        case ed25519
    }

    package let kind: Kind
    let handle: OpaquePointer

    /// Shortest RSA modulus, in bits. (RFC 7518 §3.3)
    package static let rsaBitsMin = 2_048
    /// Longest RSA modulus, in bits: a longer one makes each verification cost milliseconds.
    package static let rsaBitsMax = 8_192

    /// Takes over `handle`, also when it throws.
    init(owning handle: OpaquePointer) throws(KeyError) {
        do throws(KeyError) {
            kind = try Self.kind(of: handle)
            if case .rsa = kind, WeakModulus.isROCA(Self.number(OSSL_PKEY_PARAM_RSA_N, of: handle) ?? []) {
                throw KeyError("the RSA modulus is one of those that can be factored (ROCA, CVE-2017-15361)")
            }
        } catch {
            EVP_PKEY_free(handle)
            throw error
        }
        self.handle = handle
    }

    deinit { EVP_PKEY_free(handle) }

    private static func kind(of handle: OpaquePointer) throws(KeyError) -> Kind {
        switch EVP_PKEY_get_base_id(handle) {
        case EVP_PKEY_RSA:
            let bits = Int(EVP_PKEY_get_bits(handle))
            try checkLength(rsaBits: bits)
            return .rsa(bits: bits)
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 64)
            var length = 0
            guard EVP_PKEY_get_group_name(handle, &name, name.count, &length) == 1 else {
                ERR_clear_error()
                throw KeyError("the EC key has no named curve")
            }
            let text = String(decoding: name[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard let curve = EllipticCurve.allCases.first(where: { $0.groupName == text }) else {
                throw KeyError("the curve \(text) is not one of P-256, P-384 and P-521")
            }
            return .ec(curve)
        case EVP_PKEY_ED25519:
            return .ed25519
        default:
            throw KeyError("the key is not RSA, EC or Ed25519")
        }
    }

    private static func checkLength(rsaBits bits: Int) throws(KeyError) {
        guard bits >= rsaBitsMin else {
            throw KeyError("the RSA modulus has \(bits) bits, at least \(rsaBitsMin) are needed")
        }
        guard bits <= rsaBitsMax else {
            throw KeyError("the RSA modulus has \(bits) bits, at most \(rsaBitsMax) are accepted")
        }
    }

    // MARK: - From numbers (RFC 7518 §6, RFC 8037 §2)

    /// An RSA key from modulus and exponent, big-endian.
    static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(KeyError) -> PublicKey {
        defer { ERR_clear_error() }
        guard let low = modulus.last, low & 1 == 1 else { throw KeyError("the RSA modulus is even") }
        guard let end = exponent.last, end & 1 == 1, exponent.count <= 8, exponent != [1] else {
            throw KeyError("the RSA exponent is not an odd number from 3 to 2^64")
        }
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        try checkLength(rsaBits: bits)
        guard let handle = csystem_rsa_public_key(modulus, modulus.count, exponent, exponent.count) else {
            throw KeyError("the RSA key is not usable")
        }
        return try PublicKey(owning: handle)
    }

    /// An EC key from its coordinates, each as long as the curve says; refused when the point is not on the curve.
    static func ec(_ curve: EllipticCurve, x: [UInt8], y: [UInt8]) throws(KeyError) -> PublicKey {
        defer { ERR_clear_error() }
        let size = curve.coordinateBytes
        guard x.count == size, y.count == size else {
            throw KeyError("the coordinates of \(curve.rawValue) have \(size) bytes, not \(x.count) and \(y.count)")
        }
        let point = [4] + x + y
        guard let handle = csystem_ec_public_key(curve.groupName, point, point.count) else {
            throw KeyError("the point is not on the curve \(curve.rawValue)")
        }
        return try PublicKey(owning: handle)
    }

    /// An Ed25519 key from its 32 bytes.
    static func ed25519(_ x: [UInt8]) throws(KeyError) -> PublicKey {
        defer { ERR_clear_error() }
        guard x.count == 32 else { throw KeyError("an Ed25519 key has 32 bytes, not \(x.count)") }
        guard let handle = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, x, x.count) else {
            throw KeyError("the Ed25519 key is not usable")
        }
        return try PublicKey(owning: handle)
    }

    // MARK: - From PEM

    /// The key in a PEM text that holds one public key or one certificate. A private key is refused: it has no
    /// business where tokens are only verified.
    package static func pem(_ bytes: [UInt8]) throws(KeyError) -> PublicKey {
        defer { ERR_clear_error() }
        let text = String(decoding: bytes, as: UTF8.self)
        let blocks = text.split(separator: "-----BEGIN ", omittingEmptySubsequences: false).dropFirst()
        guard blocks.count == 1, let block = blocks.first else {
            throw KeyError("a PEM file of a verification key holds exactly one block, not \(blocks.count)")
        }
        let label = block.prefix { $0 != "-" }
        let input = PEMText.reader(bytes)
        defer { BIO_free(input) }
        switch label {
        case "PUBLIC KEY", "RSA PUBLIC KEY":
            guard let handle = PEM_read_bio_PUBKEY(input, nil, nil, nil) else {
                throw KeyError("the PEM block '\(label)' cannot be read")
            }
            return try PublicKey(owning: handle)
        case "CERTIFICATE":
            guard let certificate = PEM_read_bio_X509(input, nil, nil, nil) else {
                throw KeyError("the PEM certificate cannot be read")
            }
            defer { X509_free(certificate) }
            guard let handle = X509_get_pubkey(certificate) else {
                throw KeyError("the certificate's public key cannot be read")
            }
            return try PublicKey(owning: handle)
        case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
            throw KeyError("this is a private key; give the public one")
        default:
            throw KeyError("the PEM block '\(label)' is not PUBLIC KEY or CERTIFICATE")
        }
    }

    // MARK: - To numbers

    /// Modulus and exponent of an RSA key, big-endian without leading zeros; nil for other kinds.
    package var rsaNumbers: (modulus: [UInt8], exponent: [UInt8])? {
        guard case .rsa = kind, let n = number(OSSL_PKEY_PARAM_RSA_N), let e = number(OSSL_PKEY_PARAM_RSA_E) else {
            return nil
        }
        return (n, e)
    }

    /// Coordinates of an EC key, as long as the curve says; nil for other kinds.
    package var ecPoint: (x: [UInt8], y: [UInt8])? {
        guard case .ec(let curve) = kind, let x = number(OSSL_PKEY_PARAM_EC_PUB_X),
            let y = number(OSSL_PKEY_PARAM_EC_PUB_Y)
        else { return nil }
        let size = curve.coordinateBytes
        return (
            Array(repeating: 0, count: size - x.count) + x, Array(repeating: 0, count: size - y.count) + y
        )
    }

    /// The 32 bytes of an Ed25519 key; nil for other kinds.
    package var ed25519Bytes: [UInt8]? {
        guard case .ed25519 = kind else { return nil }
        var out = [UInt8](repeating: 0, count: 32)
        var length = out.count
        guard EVP_PKEY_get_raw_public_key(handle, &out, &length) == 1, length == 32 else { return nil }
        return out
    }

    /// The key as a PEM block `PUBLIC KEY`.
    package var pem: String {
        PEMText.write { output in PEM_write_bio_PUBKEY(output, handle) == 1 } ?? ""
    }

    private func number(_ name: String) -> [UInt8]? { Self.number(name, of: handle) }

    private static func number(_ name: String, of handle: OpaquePointer) -> [UInt8]? {
        defer { ERR_clear_error() }
        var value: OpaquePointer?
        guard EVP_PKEY_get_bn_param(handle, name, &value) == 1, let value else { return nil }
        defer { BN_free(value) }
        var out = [UInt8](repeating: 0, count: (Int(BN_num_bits(value)) + 7) / 8)
        BN_bn2bin(value, &out)
        return out
    }
}

/// Texts and bytes on their way into OpenSSL and out of it.
enum PEMText {
    /// A BIO that holds a copy of the bytes. (`BIO_new_mem_buf` would keep a pointer into the array, which Swift may
    /// free after its last use, before OpenSSL has read it.) The caller frees it.
    static func reader(_ bytes: [UInt8]) -> OpaquePointer? {
        guard let input = BIO_new(BIO_s_mem()) else { return nil }
        if BIO_write(input, bytes, CInt(bytes.count)) == CInt(bytes.count) || bytes.isEmpty { return input }
        BIO_free(input)
        return nil
    }

    /// The text that `body` wrote, nil when it says false.
    static func write(_ body: (OpaquePointer) -> Bool) -> String? {
        bytes(body).map { String(decoding: $0, as: UTF8.self) }
    }

    static func bytes(_ body: (OpaquePointer) -> Bool) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard let output = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(output) }
        guard body(output) else { return nil }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let n = BIO_read(output, &chunk, CInt(chunk.count))
            if n <= 0 { return out }
            out += chunk[..<Int(n)]
        }
    }
}
