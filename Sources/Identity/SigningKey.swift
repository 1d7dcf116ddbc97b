import Bytes
import JSON

/// A new key for signing tokens, in the forms that are written to files: `millgate keys new`, and `make run`.
package struct SigningKey: Sendable {
    package let algorithm: SignatureAlgorithm
    /// `kid`: the thumbprint of a public key (RFC 7638), or random for a secret.
    package let keyID: String
    /// The PEM private key for the signer; nil for a secret.
    package let privatePEM: String?
    /// The PEM public key for verifiers; nil for a secret.
    package let publicPEM: String?
    /// The secret as printable text, whose bytes are the key; nil for a key pair.
    package let secret: String?
    /// The key as a JWK for verifiers: the public one, or for a secret the secret itself.
    package let jwk: JSONObject

    /// Makes a key with OpenSSL's randomness.
    ///
    /// - Parameter rsaBits: length of an RSA modulus, 2,048 to 8,192.
    package static func make(_ algorithm: SignatureAlgorithm, rsaBits: Int = 3_072) throws(KeyError) -> SigningKey {
        if algorithm.family == .secret { return try makeSecret(algorithm) }
        let pair = try PrivateKey.make(for: algorithm, rsaBits: rsaBits)
        let id = JWK.thumbprint(pair.publicKey)
        return SigningKey(
            algorithm: algorithm, keyID: id, privatePEM: pair.pem, publicPEM: pair.publicKey.pem, secret: nil,
            jwk: JWK.write(pair.publicKey, algorithm: algorithm, id: id))
    }

    /// The key pair of a private key that was made earlier, with the same id as then.
    ///
    /// - Parameter algorithm: nil for the usual one of the key's kind: RS256, ES256 to ES512 by curve, EdDSA.
    package static func read(privatePEM: String, algorithm: SignatureAlgorithm? = nil) throws(KeyError) -> SigningKey {
        let pair = try PrivateKey.pem(privatePEM)
        let usual: SignatureAlgorithm
        switch pair.publicKey.kind {
        case .rsa: usual = .rs256
        case .ec(let curve): usual = curve.algorithm
        case .ed25519: usual = .eddsa
        }
        let chosen = algorithm ?? usual
        _ = try SignatureCheck(key: pair.publicKey, algorithm: chosen)
        let id = JWK.thumbprint(pair.publicKey)
        return SigningKey(
            algorithm: chosen, keyID: id, privatePEM: pair.pem, publicPEM: pair.publicKey.pem, secret: nil,
            jwk: JWK.write(pair.publicKey, algorithm: chosen, id: id))
    }

    /// A signature of bytes at rest, such as a file. Nil for a secret.
    package func sign(_ message: [UInt8]) throws(KeyError) -> [UInt8]? {
        guard let privatePEM else { return nil }
        return try PrivateKey.pem(privatePEM).sign(message, algorithm: algorithm)
    }

    /// The same key under another `kid`.
    package func named(_ id: String) -> SigningKey {
        var jwk = jwk
        jwk["kid"] = .string(id)
        return SigningKey(
            algorithm: algorithm, keyID: id, privatePEM: privatePEM, publicPEM: publicPEM, secret: secret, jwk: jwk)
    }

    private static func makeSecret(_ algorithm: SignatureAlgorithm) throws(KeyError) -> SigningKey {
        guard let random = Digest.random(algorithm.hashBytes), let name = Digest.random(12) else {
            throw KeyError("OpenSSL has no randomness")
        }
        // The text itself is the key, so that other programs, which read secrets from text files, have the same one.
        let secret = Base64URL.encode(random)
        let id = Base64URL.encode(name)
        let jwk = JSONObject([
            ("kty", "oct"), ("k", .string(Base64URL.encode(Array(secret.utf8)))), ("use", "sig"),
            ("alg", .string(algorithm.rawValue)), ("kid", .string(id)),
        ])
        return SigningKey(
            algorithm: algorithm, keyID: id, privatePEM: nil, publicPEM: nil, secret: secret, jwk: jwk)
    }

    /// A JWK set with the verifiers' side of `keys`. (RFC 7517 §5)
    package static func jwks(_ keys: [SigningKey]) -> JSONObject {
        JSONObject([("keys", .array(keys.map { .object($0.jwk) }))])
    }

    /// The issuer that signs with this key.
    package func issuer() throws(KeyError) -> TokenIssuer {
        if let privatePEM { return try TokenIssuer(pem: privatePEM, algorithm: algorithm, keyID: keyID) }
        return try TokenIssuer(secret: Array((secret ?? "").utf8), algorithm: algorithm, keyID: keyID)
    }
}
