import Bytes
import JSON

/// The checks of the claims of a token whose signature is good. (RFC 7519 §4.1, RFC 8725 §3)
struct TokenClaims {
    let claims: JSONObject
    let issuer: IssuerConfiguration
    let now: WallInstant

    func principal(header: TokenHeader) throws(TokenError) -> Principal {
        try checkEnvironment()
        guard let subject = try text("sub") else { throw .missingClaim("sub") }
        guard !subject.isEmpty else { throw .badClaim("sub") }
        try checkAudience()
        let expires = try checkTimes()
        let tokenID = try text("jti")
        var clientID = try text("client_id")
        if clientID == nil { clientID = try text("azp") }
        for name in issuer.requiredClaims where claims[name]?.isNull ?? true { throw .missingClaim(name) }
        if issuer.isAccessTokenProfile {
            // RFC 9068 §2.2.
            for name in ["client_id", "iat", "jti"] where claims[name] == nil { throw .missingClaim(name) }
        }
        try checkScopes()
        let bound = try boundCertificate()
        if issuer.requiresBinding, bound == nil { throw .missingClaim("cnf") }
        return Principal(
            subject: subject, issuer: issuer.issuer, tokenID: tokenID, clientID: clientID, claims: claims,
            issued: try instant("iat"), expires: expires,
            authentication: .bearer(keyID: header.keyID, algorithm: header.algorithm),
            certificateThumbprint: bound)
    }

    /// A token that says for which environment it was issued is good for no other: test systems are less well guarded.
    private func checkEnvironment() throws(TokenError) {
        guard let environment = issuer.environment else { return }
        guard let said = try text("environment") else {
            if issuer.requiresEnvironment { throw .missingClaim("environment") }
            return
        }
        if said != environment { throw .wrongEnvironment }
    }

    private func checkAudience() throws(TokenError) {
        guard let audience = claims["aud"] else { throw .missingClaim("aud") }
        switch audience {
        case .string(let one):
            if !issuer.audiences.contains(one) { throw .wrongAudience }
        case .array(let several):
            var found = false
            for value in several {
                guard let one = value.string else { throw .badClaim("aud") }
                if issuer.audiences.contains(one) { found = true }
            }
            if !found { throw .wrongAudience }
        default:
            throw .badClaim("aud")
        }
    }

    /// Checks `exp`, `nbf` and `iat` and returns `exp`.
    private func checkTimes() throws(TokenError) -> WallInstant {
        guard let expires = try instant("exp") else { throw .missingClaim("exp") }
        // On or after `exp` the token is not accepted (RFC 7519 §4.1.4).
        if now >= expires + issuer.leeway { throw .expired }
        if let from = try instant("nbf"), now + issuer.leeway < from { throw .notYetValid }
        if let issued = try instant("iat"), now + issuer.leeway < issued { throw .issuedInFuture }
        return expires
    }

    private func checkScopes() throws(TokenError) {
        if issuer.requiredScopes.isEmpty { return }
        var scopes: [String] = []
        if let text = claims["scope"]?.string {
            scopes = text.split(separator: " ").map(String.init)
        } else if let list = (claims["scp"] ?? claims["scope"])?.array {
            scopes = list.compactMap(\.string)
        }
        for scope in issuer.requiredScopes where !scopes.contains(scope) { throw .insufficientScope }
    }

    /// `cnf`'s certificate thumbprint. Another way of confirmation (a DPoP key) cannot be checked here, and a token
    /// that is bound to something must not pass as one that is not. (RFC 7800 §3.1, RFC 8705 §3.1, RFC 9449 §7.2)
    private func boundCertificate() throws(TokenError) -> String? {
        guard let confirmation = claims["cnf"] else { return nil }
        guard let members = confirmation.object, members.count == 1, let thumbprint = members["x5t#S256"]?.string,
            thumbprint.utf8.count == 43
        else { throw .badClaim("cnf") }
        return thumbprint
    }

    private func text(_ name: String) throws(TokenError) -> String? {
        guard let value = claims[name] else { return nil }
        guard let text = value.string else { throw .badClaim(name) }
        return text
    }

    private func instant(_ name: String) throws(TokenError) -> WallInstant? {
        guard let value = claims[name] else { return nil }
        guard let instant = Self.numericDate(value) else { throw .badClaim(name) }
        return instant
    }

    /// Last second of a `NumericDate` that is accepted: beyond it, in the year 2255, is a date in milliseconds.
    static let numericDateMax: Int64 = 9_000_000_000

    /// A `NumericDate` (RFC 7519 §2): a number, possibly with decimals, from 1970 to 2255.
    static func numericDate(_ value: JSONValue) -> WallInstant? {
        guard let decimal = value.decimal, !decimal.isNegative else { return nil }
        var unit: Int64 = 1
        for _ in 0..<decimal.scale { unit *= 10 }
        let seconds = decimal.mantissa / unit
        guard seconds <= numericDateMax else { return nil }
        let fraction = decimal.mantissa % unit
        let nanoseconds = unit >= 1_000_000_000 ? fraction / (unit / 1_000_000_000) : fraction * (1_000_000_000 / unit)
        return WallInstant(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
    }
}
