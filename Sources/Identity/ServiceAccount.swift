import Bytes
import JSON

/// An account of the token service: a machine that may ask for access tokens. (RFC 6749 §2.3, §4.4)
package struct ServiceAccount: Sendable {
    /// How the account proves itself, one way for each account.
    package enum Credential: Sendable {
        /// One or two scrypt hashes: two while a new secret is being rolled out.
        case secret([String])
        /// A JWK set with the account's public keys, for `private_key_jwt`. (RFC 7523)
        case keys(jwks: String)
        /// `x5t#S256` of its client certificate, for `tls_client_auth`. (RFC 8705 §2.1)
        case certificate(thumbprint: String)

        package var method: String {
            switch self {
            case .secret: "client_secret"
            case .keys: "private_key_jwt"
            case .certificate: "tls_client_auth"
            }
        }
    }

    /// `client_id`, and `sub` of its tokens.
    package let id: String
    package var credential: Credential
    /// The environment that it belongs to: its tokens are issued by, and good for, a gateway of that name only.
    package let environment: String
    /// Put into the token's claim `roles`.
    package let roles: [String]
    /// Scopes that it may ask for.
    package let scopes: [String]
    package let createdAt: WallInstant
    /// From then on it gets no tokens; nil for never.
    package let expires: WallInstant?
    package var isDisabled: Bool
    package var lastUsed: WallInstant?

    package init(
        id: String, credential: Credential, environment: String, roles: [String], scopes: [String],
        createdAt: WallInstant, expires: WallInstant?, isDisabled: Bool = false, lastUsed: WallInstant? = nil
    ) {
        self.id = id
        self.credential = credential
        self.environment = environment
        self.roles = roles
        self.scopes = scopes
        self.createdAt = createdAt
        self.expires = expires
        self.isDisabled = isDisabled
        self.lastUsed = lastUsed
    }

    /// What is wrong with a new account's names; nil for nothing.
    package static func fault(id: String, roles: [String], scopes: [String]) -> String? {
        let plain: (String) -> Bool = { text in
            !text.isEmpty && text.utf8.count <= 128
                && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C && $0 != 0x3A }
        }
        guard plain(id) else {
            return
                "an account's id is 1 to 128 printable ASCII characters without spaces, quotes, colons and backslashes"
        }
        guard roles.count <= 32, roles.allSatisfy(plain) else { return "at most 32 roles, printable ASCII" }
        guard scopes.count <= 32, scopes.allSatisfy(plain) else { return "at most 32 scopes, printable ASCII" }
        return nil
    }

    package func with(_ change: (inout ServiceAccount) -> Void) -> ServiceAccount {
        var copy = self
        change(&copy)
        return copy
    }

    /// Whether it gets tokens at `now`.
    package func isActive(_ now: WallInstant) -> Bool { !isDisabled && (expires.map { now < $0 } ?? true) }
}
