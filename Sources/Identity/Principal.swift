import Bytes
import JSON

/// Who is calling, after the proof was checked. Immutable, made once per token and shared by all its requests.
package final class Principal: Sendable {
    /// What the caller proved its identity with.
    package enum Authentication: Sendable, Hashable {
        /// A bearer token, signed by the key `keyID` (nil when the token named none) with `algorithm`.
        case bearer(keyID: String?, algorithm: SignatureAlgorithm)
        /// A client certificate with this `x5t#S256`.
        case clientCertificate(thumbprint: String)
    }

    /// `sub`, or the name taken from the certificate. Unique within `issuer` only.
    package let subject: String
    /// `iss`, or the distinguished name of the certificate's issuer.
    package let issuer: String
    /// `jti`, or the certificate's serial number.
    package let tokenID: String?
    /// `client_id`, otherwise `azp`: the application that calls for the subject. (RFC 9068 §2.2)
    package let clientID: String?
    /// All claims of the token; for a certificate its names, as `ClientCertificate.claims` says.
    package let claims: JSONObject
    /// `iat`; nil for a certificate and for a token without it.
    package let issued: WallInstant?
    /// From this instant on the proof is worth nothing: `exp`, or the certificate's `notAfter`. Without leeway.
    package let expires: WallInstant
    package let authentication: Authentication
    /// SHA-256 of a certificate's DER in base64url: of the client certificate itself, or the one that the token says it
    /// is bound to (`cnf`, RFC 8705 §3.1). Nil for a plain bearer token.
    package let certificateThumbprint: String?

    package init(
        subject: String, issuer: String, tokenID: String? = nil, clientID: String? = nil,
        claims: JSONObject = JSONObject(), issued: WallInstant? = nil, expires: WallInstant,
        authentication: Authentication, certificateThumbprint: String? = nil
    ) {
        self.subject = subject
        self.issuer = issuer
        self.tokenID = tokenID
        self.clientID = clientID
        self.claims = claims
        self.issued = issued
        self.expires = expires
        self.authentication = authentication
        self.certificateThumbprint = certificateThumbprint
    }

    /// Refuses a token that is bound to a client certificate other than the connection's, so that a stolen one is
    /// useless on another connection. (RFC 8705 §3)
    ///
    /// - Parameter presented: `x5t#S256` of the connection's client certificate; nil when it has none.
    package func checkBinding(presented: String?) throws(TokenError) {
        guard let bound = certificateThumbprint else { return }
        if presented != bound { throw .certificateMismatch }
    }
}
