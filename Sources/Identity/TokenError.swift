/// Why a token was refused. Closed: each case is one reason, none carries a byte of the token.
package enum TokenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Longer than `TokenVerifier.tokenBytesMax`.
    case tooLong
    /// Not three parts of canonical base64url with a JSON object in the first two. (RFC 7515 §7.1, RFC 7519 §7.2)
    case malformed
    /// `alg` is unknown, `none`, not allowed for the issuer, or not the algorithm of the key. (RFC 8725 §3.1)
    case algorithmNotAllowed
    /// The header has `crit`; no extension is understood here. (RFC 7515 §4.1.11)
    case criticalHeader
    /// `typ` is not a type that the issuer may use. (RFC 8725 §3.11)
    case wrongType
    /// `iss` is not an issuer that is configured.
    case unknownIssuer
    /// No key of the issuer has this `kid`, or there is no `kid` and not exactly one key to try.
    case unknownKey
    /// The signature is not the issuer's.
    case badSignature
    /// A claim that the issuer's configuration requires is missing. The name comes from the configuration.
    case missingClaim(String)
    /// A registered claim has the wrong type or is out of range. The name is a registered one.
    case badClaim(String)
    /// `exp` has passed. (RFC 7519 §4.1.4)
    case expired
    /// `nbf` is not reached. (RFC 7519 §4.1.5)
    case notYetValid
    /// `iat` is in the future. (RFC 7519 §4.1.6)
    case issuedInFuture
    /// `aud` names somebody else. (RFC 7519 §4.1.3)
    case wrongAudience
    /// `scope` lacks a scope that the issuer's configuration requires. (RFC 6750 §3.1)
    case insufficientScope
    /// The claim `environment` names another one than this gateway's.
    case wrongEnvironment
    /// The token, its subject or its client was revoked.
    case revoked
    /// The issuer's keys have not been fetched yet, or are too old, or a fetch that may bring the token's key is under
    /// way: nothing can be said about the token now. Not the caller's fault.
    case keysUnavailable
    /// The token is bound to a client certificate (`cnf`) that was not presented. (RFC 8705 §3)
    case certificateMismatch

    /// The `error` of `WWW-Authenticate`. (RFC 6750 §3.1)
    package var rfc6750Code: String {
        switch self {
        case .tooLong: "invalid_request"
        case .insufficientScope: "insufficient_scope"
        default: "invalid_token"
        }
    }

    /// The status that RFC 6750 §3.1 gives the code: 400, 401 or 403.
    package var status: Int {
        switch self {
        case .tooLong: 400
        case .insufficientScope: 403
        case .keysUnavailable: 503
        default: 401
        }
    }

    /// A sentence for people, safe to send: fixed text and names from the configuration, no quotes or backslashes.
    package var description: String {
        switch self {
        case .tooLong: "the token is too long"
        case .malformed: "the token is not a well-formed signed JWT"
        case .algorithmNotAllowed: "the token's algorithm is not the one of its key"
        case .criticalHeader: "the token's header has a critical extension that is not supported"
        case .wrongType: "the token's type is not accepted"
        case .unknownIssuer: "the token's issuer is not known here"
        case .unknownKey: "the token's key is not known here"
        case .badSignature: "the token's signature is not valid"
        case .missingClaim(let name): "the token lacks the claim \(name)"
        case .badClaim(let name): "the token's claim \(name) is not valid"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet"
        case .issuedInFuture: "the token was issued in the future"
        case .wrongAudience: "the token is meant for another audience"
        case .insufficientScope: "the token lacks a scope that is required"
        case .wrongEnvironment: "the token was issued for another environment"
        case .revoked: "the token has been revoked"
        case .keysUnavailable: "the keys of the token's issuer are not known yet"
        case .certificateMismatch: "the token is bound to another client certificate"
        }
    }
}
