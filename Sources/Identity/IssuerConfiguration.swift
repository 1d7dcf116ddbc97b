import Bytes

/// A `typ` that an issuer's tokens may have. (RFC 7519 §5.1, RFC 9068 §2.1)
package enum TokenType: String, Sendable, Hashable, CaseIterable {
    /// `JWT`.
    case jwt = "jwt"
    /// `at+jwt`, an OAuth 2.0 access token.
    case accessToken = "at+jwt"
    /// No `typ` at all.
    case absent = "absent"

    /// The type of a header's `typ`; nil for one that is never accepted. Case does not count, nor does `application/`.
    /// (RFC 7515 §4.1.9)
    init?(header: String?) {
        guard let header else {
            self = .absent
            return
        }
        let lowered = header.lowercased()
        switch lowered.hasPrefix("application/") ? String(lowered.dropFirst(12)) : lowered {
        case "jwt": self = .jwt
        case "at+jwt": self = .accessToken
        default: return nil
        }
    }
}

/// An issuer whose tokens are accepted, and what they must say.
package struct IssuerConfiguration: Sendable {
    /// The exact value of `iss`.
    package var issuer: String
    /// `aud` must name one of these. At least one: a token for another service is not for us. (RFC 8725 §3.9)
    package var audiences: [String]
    /// Only keys with these algorithms are used.
    package var algorithms: Set<SignatureAlgorithm>
    package var keys: KeySet
    /// How far the issuer's clock may be off, in nanoseconds, for `exp`, `nbf` and `iat`. Default 30 s, at most 300 s.
    package var leeway: Nanoseconds
    /// Claims that must be there, besides `iss`, `sub`, `aud` and `exp`, which always must.
    package var requiredClaims: [String]
    /// Scopes that `scope` (or the array `scp`) must have.
    package var requiredScopes: [String]
    package var types: Set<TokenType>
    /// Where this issuer keeps what is read under another name here.
    package var mapping: ClaimMapping
    /// Whether its tokens must keep to the profile for access tokens: `typ` is `at+jwt`, and `client_id`, `iat` and
    /// `jti` are there besides the rest. (RFC 9068 §2, §4)
    package var isAccessTokenProfile: Bool
    /// Whether only tokens that are bound to a client certificate count. (RFC 8705 §3)
    package var requiresBinding: Bool
    /// The environment that a token must not contradict by its claim `environment`; nil where none is configured.
    package var environment: String?
    /// Whether the token must have that claim.
    package var requiresEnvironment: Bool
    /// Whether the keys come later, and change: then none need to be there yet.
    package var keysAreFetched: Bool

    package static let leewayMax: Nanoseconds = .seconds(300)

    package init(
        issuer: String, audiences: [String], algorithms: Set<SignatureAlgorithm>, keys: KeySet,
        leeway: Nanoseconds = .seconds(30), requiredClaims: [String] = [], requiredScopes: [String] = [],
        types: Set<TokenType> = Set(TokenType.allCases), mapping: ClaimMapping = ClaimMapping.none,
        isAccessTokenProfile: Bool = false, requiresBinding: Bool = false, environment: String? = nil,
        requiresEnvironment: Bool = false, keysAreFetched: Bool = false
    ) {
        self.issuer = issuer
        self.audiences = audiences
        self.algorithms = algorithms
        self.keys = keys
        self.leeway = leeway
        self.requiredClaims = requiredClaims
        self.requiredScopes = requiredScopes
        self.types = isAccessTokenProfile ? [.accessToken] : types
        self.mapping = mapping
        self.isAccessTokenProfile = isAccessTokenProfile
        self.requiresBinding = requiresBinding
        self.environment = environment
        self.requiresEnvironment = requiresEnvironment
        self.keysAreFetched = keysAreFetched
    }

    /// Throws for a configuration that would accept too much, or nothing.
    func validate() throws(KeyError) {
        let name = "issuer '\(issuer)'"
        if issuer.isEmpty { throw KeyError("an issuer needs a name") }
        if audiences.isEmpty || audiences.contains("") { throw KeyError("\(name) needs at least one audience") }
        if algorithms.isEmpty { throw KeyError("\(name) allows no algorithm") }
        if types.isEmpty { throw KeyError("\(name) allows no token type") }
        if leeway < 0 || leeway > Self.leewayMax { throw KeyError("the leeway of \(name) is not 0 to 300 seconds") }
        if keysAreFetched { return }
        if !keys.keys.contains(where: { algorithms.contains($0.algorithm) }) {
            let have = Set(keys.keys.map(\.algorithm.rawValue)).sorted().joined(separator: ", ")
            let want = algorithms.map(\.rawValue).sorted().joined(separator: ", ")
            throw KeyError("\(name) has no key for \(want); its keys are for \(have.isEmpty ? "nothing" : have)")
        }
    }
}
