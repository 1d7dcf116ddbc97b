import Bytes
import JSON

import Testing

@testable import Identity

/// Keys of each kind, made once for all tests, and tokens in all states of repair.
enum TestKeys {
    static let now = WallInstant(seconds: 1_790_000_000)
    static let issuer = "https://idp.mill.example"
    static let audience = "millgate"

    static let rsa = make(.rs256)
    static let p256 = make(.es256)
    static let p384 = make(.es384)
    static let p521 = make(.es512)
    static let ed25519 = make(.eddsa)
    static let secret = Array("a secret of sixty-four bytes, long enough for HS512 as well, 0123".utf8)

    private static func make(_ algorithm: SignatureAlgorithm) -> PrivateKey {
        do {
            return try PrivateKey.make(for: algorithm, rsaBits: 2_048)
        } catch {
            fatalError("\(error)")
        }
    }

    static func pair(_ algorithm: SignatureAlgorithm) -> PrivateKey? {
        switch algorithm.family {
        case .secret: nil
        case .rsa, .rsaPSS: rsa
        case .ec(.p256): p256
        case .ec(.p384): p384
        case .ec(.p521): p521
        case .ed25519: ed25519
        }
    }

    static func verificationKey(_ algorithm: SignatureAlgorithm, id: String? = "k1") throws -> VerificationKey {
        if let pair = pair(algorithm) {
            return try VerificationKey(id: id, algorithm: algorithm, publicKey: pair.publicKey)
        }
        return try VerificationKey(id: id, algorithm: algorithm, secret: secret)
    }

    static func tokenIssuer(_ algorithm: SignatureAlgorithm, id: String? = "k1") throws -> TokenIssuer {
        if let pair = pair(algorithm) { return try TokenIssuer(pem: pair.pem, algorithm: algorithm, keyID: id) }
        return try TokenIssuer(secret: secret, algorithm: algorithm, keyID: id)
    }

    /// A verifier with one issuer and one key.
    static func verifier(
        _ algorithm: SignatureAlgorithm, id: String? = "k1",
        configure: (inout IssuerConfiguration) -> Void = { _ in }
    ) throws -> TokenVerifier {
        try verifier(keys: [verificationKey(algorithm, id: id)], configure: configure)
    }

    static func verifier(
        keys: [VerificationKey], configure: (inout IssuerConfiguration) -> Void = { _ in }
    ) throws -> TokenVerifier {
        var configuration = IssuerConfiguration(
            issuer: issuer, audiences: [audience], algorithms: Set(keys.map(\.algorithm)), keys: try KeySet(keys))
        configure(&configuration)
        return try TokenVerifier(issuers: [configuration])
    }

    /// Claims that are accepted, with `changes` written over them; a nil takes a claim away.
    static func claims(_ changes: [String: JSONValue?] = [:]) -> JSONObject {
        var object = JSONObject([
            ("iss", .string(issuer)), ("sub", "operator-7"), ("aud", .string(audience)),
            ("exp", .number(JSONNumber(Int(now.seconds) + 600))), ("iat", .number(JSONNumber(Int(now.seconds) - 5))),
            ("jti", "t-1"),
        ])
        for (name, value) in changes { object[name] = value }
        return object
    }

    static func encode(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

    /// A token with any header and payload, signed over exactly these bytes.
    static func forge(
        header: String, payload: String? = nil, algorithm: SignatureAlgorithm = .hs256, secret: [UInt8]? = nil
    ) throws -> String {
        let signed = encode(header) + "." + encode(payload ?? JSONValue.object(claims()).text)
        return signed + "." + Base64URL.encode(try sign(signed, algorithm: algorithm, secret: secret))
    }

    static func sign(
        _ text: String, algorithm: SignatureAlgorithm, secret: [UInt8]? = nil
    ) throws -> [UInt8] {
        if let pair = pair(algorithm) { return try pair.sign(Array(text.utf8), algorithm: algorithm) }
        let message = Array(text.utf8)
        let code = try MessageCode(secret: secret ?? self.secret, algorithm: algorithm)
        return code.code(message.span) ?? []
    }
}

extension TokenVerifier {
    /// The error of a token that must be refused; nil when it is accepted. The same must be said with a header that is
    /// remembered, its own or another token's.
    func refusal(of token: String, now: WallInstant = TestKeys.now) -> TokenError? {
        var memo = TokenHeaderMemo()
        let first = refusal(of: token, now: now, memo: &memo)
        #expect(refusal(of: token, now: now, memo: &memo) == first, "once its header is remembered")
        if let other = try? TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims()),
            let verifier = try? TestKeys.verifier(.hs256)
        {
            _ = verifier.refusal(of: other, now: TestKeys.now, memo: &memo)
            #expect(refusal(of: token, now: now, memo: &memo) == first, "with another token's header remembered")
        }
        return first
    }

    func refusal(of token: String, now: WallInstant, memo: inout TokenHeaderMemo) -> TokenError? {
        let bytes = Array(token.utf8)
        do throws(TokenError) {
            _ = try verify(bytes.span, now: now, memo: &memo)
            return nil
        } catch {
            return error
        }
    }
}
