import Bytes
import JSON

/// A client's proof by a token that it has signed itself. (RFC 7523 §3, `private_key_jwt` of OpenID Connect Core §9)
package struct ClientAssertion: Sendable, Hashable {
    /// `jti`: good for once.
    package let id: String
    /// `exp`, with the leeway: until then the id must be remembered.
    package let expires: WallInstant

    /// `client_assertion_type`.
    package static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// Longest time from now to `exp`. A proof is made for one request.
    package static let lifeMax: Nanoseconds = .minutes(10)
    /// Tolerated difference of clocks.
    package static let leeway: Nanoseconds = .seconds(30)
    /// Longest `jti`, in bytes.
    package static let idBytesMax = 256

    /// Who an assertion claims to be from, without any check: to find the account whose keys are to be tried.
    package static func claimedClient(_ token: String) -> String? {
        let bytes = Array(token.utf8)
        guard bytes.count <= 8_192, let parts = try? CompactToken(bytes.span),
            let payload = Base64URL.decode(bytes.span.extracting(parts.payload))
        else { return nil }
        return (try? TokenHeader.object(payload))?["iss"]?.string
    }

    /// Checks an assertion of `client` with its keys.
    ///
    /// - Parameter audiences: the token service's issuer and the URL of its token endpoint.
    package init(
        _ token: String, client: String, jwks: String, audiences: [String], now: WallInstant
    ) throws(TokenError) {
        guard let keys = try? KeySet.parsePublished(Array(jwks.utf8)) else { throw .unknownKey }
        let issuer = IssuerConfiguration(
            issuer: client, audiences: audiences, algorithms: Set(keys.keys.map(\.algorithm)), keys: keys,
            leeway: Self.leeway, requiredClaims: ["jti"], types: [.jwt, .absent])
        guard let verifier = try? TokenVerifier(issuers: [issuer]) else { throw .unknownKey }
        let principal = try verifier.verify(token, now: now)
        // RFC 7523 §3: the subject is the client itself.
        guard principal.subject == client else { throw .badClaim("sub") }
        guard let id = principal.tokenID, !id.isEmpty, id.utf8.count <= Self.idBytesMax else { throw .badClaim("jti") }
        guard principal.expires <= now + Self.lifeMax else { throw .badClaim("exp") }
        self.id = id
        expires = principal.expires + Self.leeway
    }
}
