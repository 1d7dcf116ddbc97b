import CSystem

/// Signs deliveries with the secrets of one endpoint. Keys are set up once: that costs more than to sign.
///
/// It changes while it signs, and stays on one thread.
package final class WebhookSigner {
    private enum Key {
        /// An `EVP_MAC_CTX` that knows its key.
        case mac(OpaquePointer)
        /// An `EVP_PKEY`.
        case privateKey(OpaquePointer)
    }

    private let keys: [Key]

    package init(_ secrets: [WebhookSecret]) {
        keys = secrets.compactMap { secret -> Key? in
            switch secret {
            case .symmetric(let key): .mac(Self.mac(key))
            case .privateKey(let seed, _):
                EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count).map { .privateKey($0) }
            case .publicKey: nil
            }
        }
    }

    deinit {
        for key in keys {
            switch key {
            case .mac(let context): EVP_MAC_CTX_free(context)
            case .privateKey(let key): EVP_PKEY_free(key)
            }
        }
    }

    private static func mac(_ key: [UInt8]) -> OpaquePointer {
        guard let context = csystem_hmac_new("SHA256", key, key.count) else {
            preconditionFailure("OpenSSL has no HMAC-SHA-256")
        }
        return context
    }

    /// `webhook-signature`: one for each secret, separated by spaces, so that the receiver may hold any of them.
    package func field(id: String, timestamp: String, body: [UInt8]) -> String {
        let prefix = Array("\(id).\(timestamp).".utf8)
        var field = ""
        for key in keys {
            if !field.isEmpty { field += " " }
            switch key {
            case .mac(let context):
                var result = [UInt8](repeating: 0, count: 32)
                var length = 0
                // Without a key it begins again with the one it knows.
                let isMade =
                    EVP_MAC_init(context, nil, 0, nil) == 1
                    && EVP_MAC_update(context, prefix, prefix.count) == 1
                    && EVP_MAC_update(context, body, body.count) == 1
                    && EVP_MAC_final(context, &result, &length, result.count) == 1
                precondition(isMade && length == 32, "OpenSSL has no HMAC-SHA-256")
                field += "v1," + Base64.encode(result)
            case .privateKey(let key):
                guard let result = WebhookCryptography.sign(key, message: prefix + body) else { continue }
                field += "v1a," + Base64.encode(result)
            }
        }
        return field
    }
}
