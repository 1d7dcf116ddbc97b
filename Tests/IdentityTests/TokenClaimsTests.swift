import Bytes
import JSON
import Testing

@testable import Identity

/// The claims of tokens whose signature is good.
struct TokenClaimsTests {
    static let now = Int(TestKeys.now.seconds)

    /// One changed claim, as JSON text (nil: taken away), and the refusal (nil: accepted).
    static let cases: [(String, String?, TokenError?)] = [
        ("exp", nil, .missingClaim("exp")),
        ("exp", "null", .badClaim("exp")),
        ("exp", #""1790000600""#, .badClaim("exp")),
        ("exp", "true", .badClaim("exp")),
        ("exp", "[1790000600]", .badClaim("exp")),
        ("exp", "\(now)", nil),
        ("exp", "\(now - 29)", nil),
        ("exp", "\(now - 30)", .expired),
        ("exp", "\(now - 31).999999999", .expired),
        ("exp", "\(now - 30).000000001", nil),
        ("exp", "0", .expired),
        ("exp", "-1", .badClaim("exp")),
        ("exp", "1e3", .expired),
        ("exp", "1.790000600e9", nil),
        ("exp", "\(now * 1_000)", .badClaim("exp")),
        ("exp", "9223372036854775807", .badClaim("exp")),
        ("exp", "9223372036854775808", .badClaim("exp")),
        ("exp", "1e300", .badClaim("exp")),
        ("exp", "1e99999", .badClaim("exp")),
        ("exp", "9000000000", nil),
        ("exp", "9000000001", .badClaim("exp")),
        ("nbf", nil, nil),
        ("nbf", "\(now + 30)", nil),
        ("nbf", "\(now + 31)", .notYetValid),
        ("nbf", "\"\(now)\"", .badClaim("nbf")),
        ("nbf", "null", .badClaim("nbf")),
        ("iat", nil, nil),
        ("iat", "\(now + 30)", nil),
        ("iat", "\(now + 31)", .issuedInFuture),
        ("iat", "\(now).123456", nil),
        ("iat", "{}", .badClaim("iat")),
        ("aud", nil, .missingClaim("aud")),
        ("aud", #""millgate""#, nil),
        ("aud", #""Millgate""#, .wrongAudience),
        ("aud", #""millgate ""#, .wrongAudience),
        ("aud", #"["other","millgate"]"#, nil),
        ("aud", #"["other"]"#, .wrongAudience),
        ("aud", #"[]"#, .wrongAudience),
        ("aud", #"["millgate",1]"#, .badClaim("aud")),
        ("aud", #"[["millgate"]]"#, .badClaim("aud")),
        ("aud", "1", .badClaim("aud")),
        ("aud", "null", .badClaim("aud")),
        ("aud", #"{"millgate":true}"#, .badClaim("aud")),
        ("iss", nil, .missingClaim("iss")),
        ("iss", #""https://evil.example""#, .unknownIssuer),
        ("iss", #""https://idp.mill.example/""#, .unknownIssuer),
        ("iss", #""HTTPS://IDP.MILL.EXAMPLE""#, .unknownIssuer),
        ("iss", #"["https://idp.mill.example"]"#, .badClaim("iss")),
        ("iss", "null", .badClaim("iss")),
        ("sub", nil, .missingClaim("sub")),
        ("sub", #""""#, .badClaim("sub")),
        ("sub", "7", .badClaim("sub")),
        ("sub", "null", .badClaim("sub")),
        ("jti", nil, nil),
        ("jti", "7", .badClaim("jti")),
        ("client_id", #""press-line""#, nil),
        ("client_id", "7", .badClaim("client_id")),
        ("azp", "false", .badClaim("azp")),
        ("cnf", #"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#, .badClaim("cnf")),
        ("cnf", #"{"x5t#S256":"short"}"#, .badClaim("cnf")),
        ("cnf", "null", .badClaim("cnf")),
        ("cnf", #"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2","jkt":"x"}"#, .badClaim("cnf")),
    ]

    @Test(arguments: cases)
    func aClaimIsChecked(_ name: String, _ json: String?, _ expected: TokenError?) throws {
        var members = TestKeys.claims().members.filter { $0.key != name }.map { #""\#($0.key)":\#($0.value.text)"# }
        if let json { members.append(#""\#(name)":\#(json)"#) }
        let token = try TestKeys.forge(
            header: #"{"alg":"HS256","kid":"k1"}"#, payload: "{" + members.joined(separator: ",") + "}")
        #expect(try TestKeys.verifier(.hs256).refusal(of: token) == expected)
    }

    @Test(arguments: [
        #"{"sub":"a","sub":"b"}"#, "[]", #""sub""#, "", "null", "{", #"{"exp":NaN}"#, #"{"exp":Infinity}"#,
        #"{"exp":0x7fffffff}"#, #"{"exp":01790000600}"#, #"{"exp":+1790000600}"#, #"{"a":"\ud800"}"#,
        String(repeating: #"{"a":"#, count: 64) + "1" + String(repeating: "}", count: 64),
    ])
    func aPayloadThatIsNotAStrictJSONObjectIsRefused(_ payload: String) throws {
        let token = try TestKeys.forge(header: #"{"alg":"HS256","kid":"k1"}"#, payload: payload)
        #expect(try TestKeys.verifier(.hs256).refusal(of: token) == .malformed)
    }

    @Test func aPayloadThatIsNotUTF8IsRefused() throws {
        let bytes = Array(#"{"iss":"https://idp.mill.example","sub":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)
        let signed = TestKeys.encode(#"{"alg":"HS256","kid":"k1"}"#) + "." + Base64URL.encode(bytes)
        let token = signed + "." + Base64URL.encode(try TestKeys.sign(signed, algorithm: .hs256))
        #expect(try TestKeys.verifier(.hs256).refusal(of: token) == .malformed)
    }

    @Test func theLeewayIsTheIssuersOwnAndBounded() throws {
        let token = try TestKeys.tokenIssuer(.hs256).issue(
            TestKeys.claims(["exp": .number(JSONNumber(Self.now - 200))]))
        #expect(try TestKeys.verifier(.hs256) { $0.leeway = .seconds(300) }.refusal(of: token) == nil)
        #expect(try TestKeys.verifier(.hs256) { $0.leeway = 0 }.refusal(of: token) == .expired)
        #expect(throws: KeyError.self) { try TestKeys.verifier(.hs256) { $0.leeway = .seconds(301) } }
        #expect(throws: KeyError.self) { try TestKeys.verifier(.hs256) { $0.leeway = -1 } }
    }

    @Test func requiredClaimsAndScopesMustBeThere() throws {
        let verifier = try TestKeys.verifier(.hs256) {
            $0.requiredClaims = ["site"]
            $0.requiredScopes = ["mes"]
        }
        func refusal(_ changes: [String: JSONValue?]) throws -> TokenError? {
            verifier.refusal(of: try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims(changes)))
        }
        #expect(try refusal(["site": "mill-2", "scope": "openid mes"]) == nil)
        #expect(try refusal(["site": "mill-2", "scp": ["mes"]]) == nil)
        #expect(try refusal(["scope": "mes"]) == .missingClaim("site"))
        #expect(try refusal(["site": .null, "scope": "mes"]) == .missingClaim("site"))
        #expect(try refusal(["site": "mill-2", "scope": "mes2 xmes"]) == .insufficientScope)
        #expect(try refusal(["site": "mill-2"]) == .insufficientScope)
        #expect(TokenError.insufficientScope.rfc6750Code == "insufficient_scope")
        #expect(TokenError.insufficientScope.status == 403)
    }

    @Test func onlyTheConfiguredTypesAreAccepted() throws {
        let verifier = try TestKeys.verifier(.hs256) { $0.types = [.accessToken] }
        let issuer = try TestKeys.tokenIssuer(.hs256)
        #expect(verifier.refusal(of: try issuer.issue(TestKeys.claims(), type: "at+jwt")) == nil)
        #expect(verifier.refusal(of: try issuer.issue(TestKeys.claims())) == .wrongType)
        #expect(verifier.refusal(of: try TestKeys.forge(header: #"{"alg":"HS256"}"#)) == .wrongType)
    }

    @Test func theApplicationAndTheBoundCertificateReachThePrincipal() throws {
        let thumbprint = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"
        let token = try TestKeys.tokenIssuer(.hs256).issue(
            TestKeys.claims(["azp": "hmi", "cnf": .object(JSONObject([("x5t#S256", .string(thumbprint))]))]))
        let principal = try TestKeys.verifier(.hs256).verify(token, now: TestKeys.now)
        #expect(principal.clientID == "hmi")
        #expect(principal.certificateThumbprint == thumbprint)
        try principal.checkBinding(presented: thumbprint)
        #expect(throws: TokenError.certificateMismatch) { try principal.checkBinding(presented: nil) }
        #expect(throws: TokenError.certificateMismatch) { try principal.checkBinding(presented: "other") }
    }

    @Test func noRefusalSaysAnythingOfTheToken() throws {
        let all: [TokenError] = [
            .tooLong, .malformed, .algorithmNotAllowed, .criticalHeader, .wrongType, .unknownIssuer, .unknownKey,
            .badSignature, .missingClaim("sub"), .badClaim("exp"), .expired, .notYetValid, .issuedInFuture,
            .wrongAudience, .insufficientScope, .certificateMismatch,
        ]
        for error in all {
            #expect(["invalid_token", "invalid_request", "insufficient_scope"].contains(error.rfc6750Code))
            // Safe between the quotes of WWW-Authenticate (RFC 6750 §3).
            #expect(error.description.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
            #expect([400, 401, 403].contains(error.status))
        }
    }
}
