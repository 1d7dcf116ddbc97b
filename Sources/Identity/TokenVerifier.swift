import Bytes
import JSON

/// Turns the bytes of a bearer token into a `Principal`, or says why not. An immutable value that all reactors share;
/// a change of keys is a new verifier and a new generation for every `TokenCache`.
///
/// The order is the defence (RFC 8725 §3): structure and bounds; the header's `alg` against the one algorithm of the
/// one key, before anything is computed; the signature; and only then what the token claims. `iss` is read before the
/// signature is checked, to select the issuer's keys and for nothing else: a forged `iss` selects keys that did not
/// sign.
package struct TokenVerifier: Sendable {
    /// Longest accepted token, in bytes. Default 8,192: field lines of requests are not longer either.
    package let tokenBytesMax: Int
    private let issuers: [String: IssuerConfiguration]

    /// Throws when an issuer's configuration would accept too much or nothing, or two have the same name.
    package init(issuers: [IssuerConfiguration], tokenBytesMax: Int = 8_192) throws(KeyError) {
        var known: [String: IssuerConfiguration] = [:]
        for issuer in issuers {
            try issuer.validate()
            if known.updateValue(issuer, forKey: issuer.issuer) != nil {
                throw KeyError("the issuer '\(issuer.issuer)' is configured twice")
            }
        }
        self.issuers = known
        self.tokenBytesMax = tokenBytesMax
    }

    package func verify(_ token: Span<UInt8>, now: WallInstant) throws(TokenError) -> Principal {
        var memo = TokenHeaderMemo()
        return try verify(token, now: now, memo: &memo)
    }

    /// Checks everything. For each token once; what follows is the business of `TokenCache`.
    package func verify(
        _ token: Span<UInt8>, now: WallInstant, memo: inout TokenHeaderMemo
    ) throws(TokenError) -> Principal {
        guard token.count <= tokenBytesMax else { throw .tooLong }
        let parts = try CompactToken(token)
        guard let payloadBytes = Base64URL.decode(token.extracting(parts.payload)),
            let signature = Base64URL.decode(token.extracting(parts.signature))
        else { throw .malformed }
        let headerText = token.extracting(parts.header)
        let header = try TokenHeader.read(headerText, memo: memo)
        var claims = try TokenHeader.object(payloadBytes)

        guard let name = claims["iss"] else { throw .missingClaim("iss") }
        guard let issuerName = name.string else { throw .badClaim("iss") }
        guard let issuer = issuers[issuerName] else { throw .unknownIssuer }
        try Self.check(token, signed: parts.signed, signature: signature, header: header, issuer: issuer)
        memo.keep(header, headerText)
        claims = issuer.mapping.apply(to: claims)
        return try TokenClaims(claims: claims, issuer: issuer, now: now).principal(header: header)
    }

    /// The key, the type and the signature: all but the claims.
    static func check(
        _ token: Span<UInt8>, signed: Range<Int>, signature: [UInt8], header: TokenHeader, issuer: IssuerConfiguration
    ) throws(TokenError) {
        let key = try key(of: issuer, header: header)
        guard let type = TokenType(header: header.type), issuer.types.contains(type) else { throw .wrongType }
        guard key.verify(token.extracting(signed), signature: signature) else { throw .badSignature }
    }

    /// The configured issuer that a token claims to be from, without any check: whose keys may be missing.
    package func claimedIssuer(_ token: Span<UInt8>) -> String? {
        guard token.count <= tokenBytesMax, let parts = try? CompactToken(token),
            let payload = Base64URL.decode(token.extracting(parts.payload)),
            let name = (try? TokenHeader.object(payload))?["iss"]?.string
        else { return nil }
        return issuers[name] == nil ? nil : name
    }

    package func verify(_ token: String, now: WallInstant) throws(TokenError) -> Principal {
        let bytes = Array(token.utf8)
        return try verify(bytes.span, now: now)
    }

    /// The key that `kid` selects, or without `kid` the only one for the algorithm; never a key for another algorithm.
    private static func key(of issuer: IssuerConfiguration, header: TokenHeader) throws(TokenError) -> VerificationKey {
        guard issuer.algorithms.contains(header.algorithm) else { throw .algorithmNotAllowed }
        if issuer.keys.keys.isEmpty { throw .keysUnavailable }
        guard let id = header.keyID else {
            guard let key = issuer.keys.onlyKey(for: header.algorithm) else { throw .unknownKey }
            return key
        }
        guard let key = issuer.keys.key(id: id) else { throw .unknownKey }
        guard key.algorithm == header.algorithm else { throw .algorithmNotAllowed }
        return key
    }
}
