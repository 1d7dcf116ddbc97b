import Bytes
import JSON
import Seeded
import Testing

@testable import Identity

/// What people try against verifiers of JWS, each with the refusal it gets. (RFC 8725 §2)
struct TokenAttackTests {
    @Test(arguments: SignatureAlgorithm.allCases)
    func aProperTokenIsAccepted(_ algorithm: SignatureAlgorithm) throws {
        let token = try TestKeys.tokenIssuer(algorithm).issue(TestKeys.claims())
        let principal = try TestKeys.verifier(algorithm).verify(token, now: TestKeys.now)
        #expect(principal.subject == "operator-7")
        #expect(principal.issuer == TestKeys.issuer)
        #expect(principal.tokenID == "t-1")
        #expect(principal.authentication == .bearer(keyID: "k1", algorithm: algorithm))
        #expect(principal.expires == WallInstant(seconds: TestKeys.now.seconds + 600))
        #expect(principal.claims["sub"] == "operator-7")
        #expect(principal.certificateThumbprint == nil)
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE", "", " none", "none ", "n\\u006fne", "null", "HS256 ", "hs256"])
    func aTokenWithoutAnAlgorithmIsRefusedInEverySpelling(_ name: String) throws {
        let verifier = try TestKeys.verifier(.hs256)
        let header = #"{"alg":"\#(name)","kid":"k1"}"#
        #expect(verifier.refusal(of: try TestKeys.forge(header: header)) == .algorithmNotAllowed)
        let bare = TestKeys.encode(header) + "." + TestKeys.encode(JSONValue.object(TestKeys.claims()).text)
        #expect(verifier.refusal(of: bare + ".") == .malformed)
        #expect(verifier.refusal(of: bare) == .malformed)
    }

    /// The public key's own texts as HMAC secrets: what libjwt 1.10 accepts.
    @Test func anHMACWithThePublicKeyAsSecretIsRefused() throws {
        let pem = TestKeys.rsa.publicKey.pem
        let jwk = JSONValue.object(JWK.write(TestKeys.rsa.publicKey, algorithm: .rs256, id: "k1")).text
        let modulus = try #require(TestKeys.rsa.publicKey.rsaNumbers).modulus
        let verifier = try TestKeys.verifier(.rs256)
        let both = try TestKeys.verifier(.rs256) { $0.algorithms = Set(SignatureAlgorithm.allCases) }
        for secret in [Array(pem.utf8), Array(pem.dropLast().utf8), Array(jwk.utf8), modulus] {
            for (name, algorithm) in [("HS256", SignatureAlgorithm.hs256), ("HS512", .hs512)] {
                for header in [#"{"alg":"\#(name)","kid":"k1"}"#, #"{"alg":"\#(name)"}"#] {
                    let token = try TestKeys.forge(header: header, algorithm: algorithm, secret: secret)
                    #expect(verifier.refusal(of: token) == .algorithmNotAllowed)
                    #expect([.algorithmNotAllowed, .unknownKey].contains(both.refusal(of: token)))
                }
            }
        }
    }

    @Test func theTokenCannotChooseAnotherAlgorithmForTheKey() throws {
        for own in SignatureAlgorithm.allCases {
            let verifier = try TestKeys.verifier(own) { $0.algorithms = Set(SignatureAlgorithm.allCases) }
            for other in SignatureAlgorithm.allCases where other != own {
                // Properly signed by the same key where the kind allows it: RS256 as PS256, HS256 as HS384.
                let token = try TestKeys.forge(header: #"{"alg":"\#(other)","kid":"k1"}"#, algorithm: other)
                #expect(verifier.refusal(of: token) == .algorithmNotAllowed, "\(own) key, \(other) token")
            }
        }
    }

    @Test func anAlgorithmThatTheIssuerDoesNotAllowIsRefusedThoughTheKeyIsThere() throws {
        let keys = try [
            TestKeys.verificationKey(.rs256, id: "a"), TestKeys.verificationKey(.hs256, id: "b"),
        ]
        let verifier = try TestKeys.verifier(keys: keys) { $0.algorithms = [.rs256] }
        let token = try TestKeys.tokenIssuer(.hs256, id: "b").issue(TestKeys.claims())
        #expect(verifier.refusal(of: token) == .algorithmNotAllowed)
    }

    static let headers: [(String, TokenError)] = [
        (#"{"alg":"HS256","alg":"none","kid":"k1"}"#, .malformed),
        (#"{"alg":"HS256","kid":"k1","kid":"k1"}"#, .malformed),
        (#"{"alg":"HS256","kid":"k1","\u0061lg":"HS256"}"#, .malformed),
        (#"{"alg":"HS256","kid":"k1","crit":["exp"]}"#, .criticalHeader),
        (#"{"alg":"HS256","kid":"k1","crit":[]}"#, .criticalHeader),
        (#"{"alg":"HS256","kid":"k1","crit":null}"#, .criticalHeader),
        (#"{"alg":"HS256","kid":"k1","b64":false,"crit":["b64"]}"#, .criticalHeader),
        (#"{"alg":"HS256","kid":"../../../../dev/null"}"#, .unknownKey),
        (#"{"alg":"HS256","kid":"k1\u0000"}"#, .unknownKey),
        (#"{"alg":"HS256","kid":"K1"}"#, .unknownKey),
        (#"{"alg":"HS256","kid":"k1' UNION SELECT 'x"}"#, .unknownKey),
        (#"{"alg":"HS256","kid":"| whoami"}"#, .unknownKey),
        (#"{"alg":"HS256","kid":""}"#, .unknownKey),
        (#"{"alg":"HS256","kid":"\#(String(repeating: "k", count: 300))"}"#, .malformed),
        (#"{"alg":"HS256","kid":1}"#, .malformed),
        (#"{"alg":"HS256","kid":null}"#, .malformed),
        (#"{"alg":"HS256","kid":["k1"]}"#, .malformed),
        (#"{"alg":"HS256","kid":{"k1":1}}"#, .malformed),
        (#"{"alg":"HS256","kid":"k1","typ":"JOSE"}"#, .wrongType),
        (#"{"alg":"HS256","kid":"k1","typ":"dpop+jwt"}"#, .wrongType),
        (#"{"alg":"HS256","kid":"k1","typ":"logout+jwt"}"#, .wrongType),
        (#"{"alg":"HS256","kid":"k1","typ":""}"#, .wrongType),
        (#"{"alg":"HS256","kid":"k1","typ":7}"#, .malformed),
        (#"{"alg":["HS256"],"kid":"k1"}"#, .malformed),
        (#"{"alg":256,"kid":"k1"}"#, .malformed),
        (#"{"alg":null,"kid":"k1"}"#, .malformed),
        (#"{"kid":"k1"}"#, .malformed),
        (#"["HS256"]"#, .malformed),
        (#""HS256""#, .malformed),
        (#"{"alg":"HS256","kid":"k1"} x"#, .malformed),
        (#"{"alg":"HS256","kid":"k1",}"#, .malformed),
        (#"{'alg':'HS256'}"#, .malformed),
        (#"{"alg":"HS256","kid":"k1""#, .malformed),
        (
            #"{"alg":"HS256","kid":"k1","x":"# + String(repeating: "[", count: 500)
                + String(repeating: "]", count: 500) + "}", .malformed
        ),
    ]

    @Test(arguments: headers)
    func aHeaderThatIsNotInOrderIsRefusedThoughTheSignatureIsGood(_ header: String, _ error: TokenError) throws {
        let token = try TestKeys.forge(header: header)
        #expect(try TestKeys.verifier(.hs256).refusal(of: token) == error)
    }

    @Test(arguments: [
        #"{"alg":"HS256"}"#,
        #"{"alg":"HS256","kid":"k1","typ":"at+JWT"}"#,
        #"{"alg":"HS256","kid":"k1","typ":"application/jwt"}"#,
        #" { "kid" : "k1" , "alg" : "HS256" , "jku" : "https://evil.example/keys" } "#,
        #"{"alg":"HS256","kid":"k1","x5u":"https://evil.example","x5c":["MIIB"],"x5t":"AAAA","unknown":[1,{"a":null}]}"#,
    ])
    func aHeaderWithUnknownOrOptionalMembersIsAccepted(_ header: String) throws {
        #expect(try TestKeys.verifier(.hs256).refusal(of: TestKeys.forge(header: header)) == nil)
    }

    /// CVE-2018-0114: the token brings the key that it is signed with.
    @Test func aKeyInsideTheHeaderIsIgnored() throws {
        let own = try PrivateKey.make(for: .es256)
        let jwk = JSONValue.object(JWK.write(own.publicKey, algorithm: .es256, id: "k1")).text
        for header in [#"{"alg":"ES256","kid":"k1","jwk":\#(jwk)}"#, #"{"alg":"ES256","jwk":\#(jwk)}"#] {
            let signed = TestKeys.encode(header) + "." + TestKeys.encode(JSONValue.object(TestKeys.claims()).text)
            let signature = try own.sign(Array(signed.utf8), algorithm: .es256)
            let token = signed + "." + Base64URL.encode(signature)
            #expect(try TestKeys.verifier(.es256).refusal(of: token) == .badSignature)
        }
    }

    @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512])
    func anECDSASignatureHasExactlyOneForm(_ algorithm: SignatureAlgorithm) throws {
        let verifier = try TestKeys.verifier(algorithm)
        let token = try TestKeys.forge(header: #"{"alg":"\#(algorithm)","kid":"k1"}"#, algorithm: algorithm)
        #expect(verifier.refusal(of: token) == nil)
        let parts = try #require(Parts(token))
        let signed = String(decoding: parts.signed, as: UTF8.self)
        let raw = parts.signature
        let half = raw.count / 2
        guard case .ec(let curve) = algorithm.family else { return }
        #expect(half == curve.coordinateBytes)
        let zero = [UInt8](repeating: 0, count: half)
        let full = [UInt8](repeating: 0xFF, count: half)
        let der = try #require(ECDSASignature.der(raw: raw, curve: curve))
        let forged: [[UInt8]] = [
            der, Array(raw.dropLast()), Array(raw.dropFirst()), raw + [0], [0] + raw, zero + raw[half...],
            raw[..<half] + zero, zero + zero, full + full, Array(raw[half...] + raw[..<half]), Array(raw[..<half]),
            [0] + raw[..<half] + [0] + raw[half...], [1], raw + raw,
        ]
        for signature in forged {
            #expect(verifier.refusal(of: signed + "." + Base64URL.encode(signature)) == .badSignature)
        }
    }

    @Test func aSignatureOfAnotherKeyOrForAnotherMessageIsRefused() throws {
        for algorithm in SignatureAlgorithm.allCases {
            let verifier = try TestKeys.verifier(algorithm)
            let header = #"{"alg":"\#(algorithm)","kid":"k1"}"#
            let a = try TestKeys.forge(header: header, algorithm: algorithm).split(separator: ".")
            let other = JSONValue.object(TestKeys.claims(["sub": "root"])).text
            #expect(verifier.refusal(of: "\(a[0]).\(TestKeys.encode(other)).\(a[2])") == .badSignature)
            for count in [0, 1, 8, 31, 32, 33, 48, 64, 96, 132, 255, 256, 257, 512] {
                let signature = Base64URL.encode([UInt8](repeating: 0, count: count))
                let expected: TokenError = count == 0 ? .malformed : .badSignature
                #expect(verifier.refusal(of: "\(a[0]).\(a[1]).\(signature)") == expected)
            }
        }
        let fresh = try VerificationKey(
            id: "k1", algorithm: .eddsa, publicKey: PrivateKey.make(for: .eddsa).publicKey)
        let token = try TestKeys.tokenIssuer(.eddsa).issue(TestKeys.claims())
        #expect(try TestKeys.verifier(keys: [fresh]).refusal(of: token) == .badSignature)
    }

    /// PS256 with a salt of another length than the hash is not PS256. (RFC 7518 §3.5)
    @Test func anRSSignatureIsNoPSSignature() throws {
        let header = #"{"alg":"PS256","kid":"k1"}"#
        let signed = TestKeys.encode(header) + "." + TestKeys.encode(JSONValue.object(TestKeys.claims()).text)
        let signature = try TestKeys.sign(signed, algorithm: .rs256)
        #expect(
            try TestKeys.verifier(.ps256).refusal(of: signed + "." + Base64URL.encode(signature)) == .badSignature)
    }

    @Test func onlyThreePartsOfCanonicalBase64URLAreAToken() throws {
        let verifier = try TestKeys.verifier(.hs256)
        let token = try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims())
        let p = token.split(separator: ".").map(String.init)
        let forms: [String] = [
            "", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", " ", "\(p[0])", "\(p[0]).\(p[1])", "\(p[0]).\(p[1]).",
            "\(p[0])..\(p[2])", ".\(p[1]).\(p[2])", "\(token).", ".\(token)", "\(token).\(p[2])",
            "\(p[0]).\(p[1]).\(p[2]).\(p[0]).\(p[1])", "\(p[0])=.\(p[1]).\(p[2])", "\(p[0])==.\(p[1]).\(p[2])",
            "\(p[0]).\(p[1])=.\(p[2])", "\(token)=", "\(token)==", " \(token)", "\(token) ", "\(token)\n", "\(token)\0",
            "\(p[0]). \(p[1]).\(p[2])", "\(p[0]).\(p[1])\r\n.\(p[2])", token.replacing("-", with: "+") + "+",
            "\(p[0]).\(p[1]).\(p[2].dropLast())/", "\(p[0]).\(p[1]).\(p[2])AA/+", "\(p[0])\u{e9}.\(p[1]).\(p[2])",
        ]
        for form in forms {
            #expect(verifier.refusal(of: form) == .malformed, "\(form)")
        }
        #expect(verifier.refusal(of: token) == nil)
    }

    /// An HS256 signature has 43 characters, the last with four of six bits: 15 other spellings decode alike in a lax
    /// decoder, and each would be another key of a cache or a revocation list.
    @Test func trailingBitsOfBase64URLAreRefused() throws {
        let verifier = try TestKeys.verifier(.hs256)
        let token = try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims())
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let last = try #require(alphabet.firstIndex(of: token.last ?? "A"))
        #expect(last % 4 == 0)
        for offset in 1..<4 {
            #expect(verifier.refusal(of: token.dropLast() + String(alphabet[last + offset])) == .malformed)
        }
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func everyChangeOfASingleByteIsRefused(_ algorithm: SignatureAlgorithm) throws {
        let verifier = try TestKeys.verifier(algorithm)
        let token = Array(try TestKeys.tokenIssuer(algorithm).issue(TestKeys.claims()).utf8)
        var generator = SeededGenerator(seed: 7)
        // The slow curves (a millisecond a check) take every seventh byte: what they add is their signature.
        let step = algorithm == .es384 || algorithm == .es512 ? 7 : 1
        for place in stride(from: 0, to: token.count, by: step) {
            var changed = token
            // One bit, and one other letter of the alphabet.
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            for byte in [token[place] ^ bit, token[place] == 0x41 ? 0x42 : 0x41] {
                changed[place] = byte
                let text = changed.span
                var accepted = true
                do throws(TokenError) { _ = try verifier.verify(text, now: TestKeys.now) } catch { accepted = false }
                #expect(!accepted, "byte \(place) of a token with \(algorithm)")
            }
        }
    }

    @Test func everyPrefixOfATokenIsRefused() throws {
        let verifier = try TestKeys.verifier(.hs256)
        let token = try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims())
        for count in 0..<token.utf8.count {
            #expect(verifier.refusal(of: String(token.prefix(count))) != nil)
        }
    }

    @Test func aTokenThatIsTooLongIsRefusedUnread() throws {
        let verifier = try TestKeys.verifier(.hs256)
        let fits = String(repeating: "x", count: 5_500)
        let token = try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims(["pad": .string(fits)]))
        #expect(token.utf8.count < 8_192 && verifier.refusal(of: token) == nil)
        let long = try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims(["pad": .string(fits + fits)]))
        #expect(verifier.refusal(of: long) == .tooLong)
        #expect(verifier.refusal(of: String(repeating: ".", count: 1 << 20)) == .tooLong)
        #expect(TokenError.tooLong.rfc6750Code == "invalid_request")
    }
}
