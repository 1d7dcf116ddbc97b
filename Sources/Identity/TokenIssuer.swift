import Bytes
import JSON

/// Issues tokens: the development tokens of `make run` and `millgate token issue`. The caller sets all claims, `iat`,
/// `exp` and `jti` included; this room has no clock.
package struct TokenIssuer: Sendable {
    private enum Key: Sendable {
        case secret([UInt8])
        case pair(PrivateKey, pem: [UInt8])
    }

    package let algorithm: SignatureAlgorithm
    /// `kid` of each token's header.
    package let keyID: String?
    private let key: Key

    /// An issuer with an RSA, EC or Ed25519 key.
    ///
    /// - Parameter pem: the private key, without a pass phrase.
    package init(pem: String, algorithm: SignatureAlgorithm, keyID: String?) throws(KeyError) {
        let pair = try PrivateKey.pem(pem)
        _ = try SignatureCheck(key: pair.publicKey, algorithm: algorithm)
        key = .pair(pair, pem: Array(pair.pem.utf8))
        self.algorithm = algorithm
        self.keyID = keyID
    }

    /// An issuer with a shared secret, at least as long as the hash.
    package init(secret: [UInt8], algorithm: SignatureAlgorithm, keyID: String?) throws(KeyError) {
        _ = try MessageCode(secret: secret, algorithm: algorithm)
        key = .secret(secret)
        self.algorithm = algorithm
        self.keyID = keyID
    }

    /// A new `jti`: 128 random bits; nil when there is no randomness.
    package static func makeTokenID() -> String? { Digest.random(16).map { Base64URL.encode($0) } }

    /// A signed token in compact form. libjwt writes and signs it; what it cannot do (PS, EdDSA and a `typ` other than
    /// `JWT`, which it overwrites) is written here and signed by OpenSSL.
    ///
    /// - Parameter type: `typ` of the header, `JWT` or `at+jwt`.
    package func issue(_ claims: JSONObject, type: String = "JWT") throws(KeyError) -> String {
        guard type == "JWT", LibJWT.supports(algorithm) else { return try write(claims, type: type) }
        let material: [UInt8]
        switch key {
        case .secret(let secret): material = secret
        case .pair(_, let pem): material = pem
        }
        return try LibJWT.sign(claims: claims, algorithm: algorithm, key: material, keyID: keyID)
    }

    private func write(_ claims: JSONObject, type: String) throws(KeyError) -> String {
        var header = JSONObject([("alg", .string(algorithm.rawValue)), ("typ", .string(type))])
        if let keyID { header["kid"] = .string(keyID) }
        let text =
            Base64URL.encode(JSONValue.object(header).bytes) + "." + Base64URL.encode(JSONValue.object(claims).bytes)
        let message = Array(text.utf8)
        let signature: [UInt8]
        switch key {
        case .pair(let pair, _):
            signature = try pair.sign(message, algorithm: algorithm)
        case .secret(let secret):
            let code = try MessageCode(secret: secret, algorithm: algorithm).code(message.span)
            guard let code else { throw KeyError("OpenSSL cannot sign with \(algorithm)") }
            signature = code
        }
        return text + "." + Base64URL.encode(signature)
    }
}
