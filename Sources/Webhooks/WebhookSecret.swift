/// What a delivery is signed or verified with. (Standard Webhooks 1.0.0, "Signature scheme")
///
/// It has no description: a secret must not be printed by accident.
package enum WebhookSecret: Sendable, Hashable {
    /// `whsec_`: shared by both sides, 24 to 64 bytes.
    case symmetric([UInt8])
    /// `whsk_`: the sender's Ed25519 key: 32 bytes of seed, and the public key.
    case privateKey(seed: [UInt8], publicKey: [UInt8])
    /// `whpk_`: what the receiver verifies with.
    case publicKey([UInt8])

    package static let symmetricPrefix = "whsec_"
    package static let privatePrefix = "whsk_"
    package static let publicPrefix = "whpk_"
    /// Bytes of a shared secret.
    package static let symmetricBytes = 24...64

    /// Nil for what is no secret. A private key may come as the seed alone.
    package init?(_ text: String) {
        func bytes(_ prefix: String) -> [UInt8]? {
            text.hasPrefix(prefix) ? Base64.decode(text.dropFirst(prefix.count)) : nil
        }
        if let key = bytes(Self.symmetricPrefix), Self.symmetricBytes.contains(key.count) {
            self = .symmetric(key)
        } else if let key = bytes(Self.privatePrefix), key.count == 32 || key.count == 64,
            let known = WebhookCryptography.publicKey(seed: Array(key.prefix(32))),
            key.count == 32 || Array(key.suffix(32)) == known
        {
            self = .privateKey(seed: Array(key.prefix(32)), publicKey: known)
        } else if let key = bytes(Self.publicPrefix), key.count == 32 {
            self = .publicKey(key)
        } else {
            return nil
        }
    }

    /// A new shared secret of random bytes, 32 of them at best.
    package static func symmetric(random: [UInt8]) -> WebhookSecret? {
        symmetricBytes.contains(random.count) ? .symmetric(random) : nil
    }

    /// A new key pair of 32 random bytes.
    package static func privateKey(random: [UInt8]) -> WebhookSecret? {
        guard random.count == 32, let key = WebhookCryptography.publicKey(seed: random) else { return nil }
        return .privateKey(seed: random, publicKey: key)
    }

    /// To be shown once, when it is made.
    package var text: String {
        switch self {
        case .symmetric(let key): Self.symmetricPrefix + Base64.encode(key)
        case .privateKey(let seed, let key): Self.privatePrefix + Base64.encode(seed + key)
        case .publicKey(let key): Self.publicPrefix + Base64.encode(key)
        }
    }

    /// Whether it can only verify.
    package var isPublic: Bool {
        if case .publicKey = self { return true }
        return false
    }

    /// What the receiver needs.
    package var forReceiver: WebhookSecret {
        if case .privateKey(_, let key) = self { return .publicKey(key) }
        return self
    }
}
