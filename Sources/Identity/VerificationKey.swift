import Bytes

/// A way to check signatures, with its key: `SignatureCheck` or `MessageCode`.
protocol SignatureMethod: AnyObject, Sendable {
    /// Whether `signature`, in the form of JWS, is the key's for `message`.
    func verify(_ message: Span<UInt8>, signature: [UInt8]) -> Bool
}

/// A key that signatures are checked with. It carries the one algorithm that it may be used with, so that a token
/// can never choose (RFC 8725 §3.1): an RSA key for RS256 is no key for PS256, and never an HMAC secret.
package final class VerificationKey: Sendable {
    /// `kid`; nil when the key has none.
    package let id: String?
    package let algorithm: SignatureAlgorithm
    /// The public key; nil for a shared secret.
    package let publicKey: PublicKey?
    private let method: any SignatureMethod

    package init(id: String?, algorithm: SignatureAlgorithm, publicKey: PublicKey) throws(KeyError) {
        method = try SignatureCheck(key: publicKey, algorithm: algorithm)
        self.id = id
        self.algorithm = algorithm
        self.publicKey = publicKey
    }

    package init(id: String?, algorithm: SignatureAlgorithm, secret: [UInt8]) throws(KeyError) {
        method = try MessageCode(secret: secret, algorithm: algorithm)
        self.id = id
        self.algorithm = algorithm
        publicKey = nil
    }

    /// The same for bytes at rest, such as a signed file.
    package func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        method.verify(message.span, signature: signature)
    }

    /// Whether `signature`, in the form of JWS, is the key's for `message`.
    func verify(_ message: Span<UInt8>, signature: [UInt8]) -> Bool {
        method.verify(message, signature: signature)
    }
}
