import Bytes

/// A key that signatures are checked with. It carries the one algorithm that it may be used with, so that a token
/// can never choose (RFC 8725 §3.1): an RSA key for RS256 is no key for PS256, and never an HMAC secret.
package final class VerificationKey: Sendable {
    private enum Material: Sendable {
        case signature(SignatureCheck)
        case secret(MessageCode)
    }

    /// `kid`; nil when the key has none.
    package let id: String?
    package let algorithm: SignatureAlgorithm
    /// The public key; nil for a shared secret.
    package let publicKey: PublicKey?
    private let material: Material

    package init(id: String?, algorithm: SignatureAlgorithm, publicKey: PublicKey) throws(KeyError) {
        material = .signature(try SignatureCheck(key: publicKey, algorithm: algorithm))
        self.id = id
        self.algorithm = algorithm
        self.publicKey = publicKey
    }

    package init(id: String?, algorithm: SignatureAlgorithm, secret: [UInt8]) throws(KeyError) {
        material = .secret(try MessageCode(secret: secret, algorithm: algorithm))
        self.id = id
        self.algorithm = algorithm
        publicKey = nil
    }

    /// Whether `signature`, in the form of JWS, is the key's for `message`.
    func verify(_ message: Span<UInt8>, signature: [UInt8]) -> Bool {
        switch material {
        case .signature(let check): check.verify(message, signature: signature)
        case .secret(let code): code.verify(message, signature: signature)
        }
    }
}
