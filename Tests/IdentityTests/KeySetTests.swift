import Bytes
import JSON
import Testing

@testable import Identity

/// Key files of all three formats, good and bad, and what the errors say.
struct KeySetTests {
    static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    static let n2048 = Base64URL.encode(TestKeys.rsa.publicKey.rsaNumbers?.modulus ?? [])
    static let n1024 = Base64URL.encode([UInt8](repeating: 0xAB, count: 128))
    static let k32 = Base64URL.encode(Array(repeating: 7, count: 32))

    private func load(_ text: String, algorithm: SignatureAlgorithm? = nil) throws -> KeySet {
        try KeySetSource(file: "keys/idp.jwks", algorithm: algorithm).load(Array(text.utf8))
    }

    /// A JWK and what is wrong with it.
    static let wrong: [(String, String)] = [
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n1024)","e":"AQAB"}"#, "1024 bits"),
        (#"{"kty":"RSA","alg":"RS256","n":"AA\#(n2048)","e":"AQAB"}"#, "leading zero"),
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n2048)==","e":"AQAB"}"#, "base64url"),
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n2048)","e":"AQ"}"#, "exponent"),
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n2048)","e":"Ag"}"#, "exponent"),
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n2048)","e":"AQAAAAAAAAAB"}"#, "exponent"),
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n2048)"}"#, "'e' is missing"),
        (#"{"kty":"RSA","alg":"RS256","n":7,"e":"AQAB"}"#, "'n' is not a string"),
        (#"{"kty":"RSA","n":"\#(n2048)","e":"AQAB"}"#, "without 'alg'"),
        (#"{"kty":"RSA","alg":"ES256","n":"\#(n2048)","e":"AQAB"}"#, "not one for ES256"),
        (#"{"kty":"RSA","alg":"HS256","n":"\#(n2048)","e":"AQAB"}"#, "not one for HS256"),
        (#"{"kty":"RSA","alg":"RS256","n":"\#(n2048)","e":"AQAB","d":"AQAB"}"#, "private key"),
        (#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(x)"}"#, "not on the curve"),
        (#"{"kty":"EC","crv":"P-384","x":"\#(x)","y":"\#(y)"}"#, "48 bytes"),
        (#"{"kty":"EC","crv":"P-256","x":"AA\#(x)","y":"\#(y)"}"#, "base64url"),
        (#"{"kty":"EC","crv":"P-256","x":"\#(x)AA","y":"\#(y)"}"#, "base64url"),
        (#"{"kty":"EC","crv":"P-256","x":"\#(x)"}"#, "'y' is missing"),
        (#"{"kty":"EC","x":"\#(x)","y":"\#(y)"}"#, "'crv' is missing"),
        (#"{"kty":"EC","crv":"P-256","alg":"ES384","x":"\#(x)","y":"\#(y)"}"#, "not one for ES384"),
        (#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)","d":"AQAB"}"#, "private key"),
        (#"{"kty":"OKP","crv":"Ed25519","x":"AQAB"}"#, "32 bytes"),
        (#"{"kty":"OKP","crv":"Ed25519","alg":"RS256","x":"\#(k32)"}"#, "not one for RS256"),
        (#"{"kty":"oct","k":"\#(k32)"}"#, "needs 'alg'"),
        (#"{"kty":"oct","alg":"HS256","k":"c2hvcnQ"}"#, "5 bytes"),
        (#"{"kty":"oct","alg":"HS384","k":"\#(k32)"}"#, "at least 48"),
        (#"{"kty":"oct","alg":"RS256","k":"\#(k32)"}"#, "not a key for RS256"),
        (#"{"kty":"oct","alg":"HS256","k":""}"#, "base64url"),
        (#"{"alg":"HS256","k":"\#(k32)"}"#, "'kty' is missing"),
        (#"{"kty":"oct","alg":"HS256","k":"\#(k32)","kid":""}"#, "'kid'"),
        (#"{"kty":"oct","alg":"HS256","k":"\#(k32)","kid":7}"#, "'kid' is not a string"),
        (#"{"kty":"oct","alg":"HS256","k":"\#(k32)","key_ops":"verify"}"#, "'key_ops' is not an array"),
        (#"7"#, "not an object"),
    ]

    @Test(arguments: wrong)
    func aWrongKeyIsRefusedWithFileAndPlace(_ jwk: String, _ reason: String) throws {
        let good = #"{"kty":"EC","crv":"P-256","x":"\#(Self.x)","y":"\#(Self.y)"}"#
        let error = #expect(throws: KeyError.self) { try load(#"{"keys":[\#(good),\#(jwk)]}"#) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("keys/idp.jwks: keys[1]"))
        #expect(text.contains(reason), "\(text)")
        #expect(!text.contains(Self.k32))
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "not a JSON object"), (#"{"keys":{}}"#, "not an array"),
        (#"{"keys":[]}"#, "no usable key"), (#"{"keys":[],"keys":[]}"#, "not JSON"),
        (#"{"keys":[{"kty":"RSA","use":"enc"}]}"#, "its use is 'enc'"),
        (#"{"keys":[{"kty":"EC","key_ops":["sign"]}]}"#, "key_ops"),
        (#"{"keys":[{"kty":"EC","crv":"secp256k1"}]}"#, "curve 'secp256k1'"),
        (#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ECDH-ES"}]}"#, "algorithm 'ECDH-ES'"),
        (#"{"keys":[{"kty":"OKP","crv":"X25519"}]}"#, "curve 'X25519'"),
        (#"{"keys":[{"kty":"AKP","alg":"ML-DSA-44"}]}"#, "ML-DSA-44"),
        (#"{"keys":[{"kty":"oct","alg":"none"}]}"#, "algorithm 'none'"),
    ])
    func aSetWithoutAUsableKeyIsRefused(_ text: String, _ reason: String) throws {
        let error = #expect(throws: KeyError.self) { try load(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func twoKeysWithOneKidAreRefused() throws {
        let key = #"{"kty":"EC","crv":"P-256","x":"\#(Self.x)","y":"\#(Self.y)","kid":"a"}"#
        #expect(throws: KeyError("two keys have the kid 'a'", file: "keys/idp.jwks")) {
            try load(#"{"keys":[\#(key),\#(key)]}"#)
        }
    }

    /// Public keys are handed around; a secret among them goes along (Wycheproof's `MixedKeySet`).
    @Test func aSecretBesidePublicKeysIsRefused() throws {
        let key = #"{"kty":"EC","crv":"P-256","x":"\#(Self.x)","y":"\#(Self.y)","kid":"a"}"#
        let secret = #"{"kty":"oct","alg":"HS256","k":"\#(Self.k32)","kid":"b"}"#
        let error = #expect(throws: KeyError.self) { try load(#"{"keys":[\#(key),\#(secret)]}"#) }
        #expect(error?.description.contains("a file of its own") == true)
        #expect(try load(#"{"keys":[\#(secret)]}"#).keys.count == 1)
    }

    /// The modulus of Wycheproof's ROCA key and of an honest one: in JWK sets and in PEM alike, because both come here.
    @Test func moduliOfTheROCAFamilyAreTold() {
        let honest = TestKeys.rsa.publicKey.rsaNumbers?.modulus ?? []
        #expect(!honest.isEmpty && !WeakModulus.isROCA(honest))
        // Powers of 65537 are what the family's moduli are modulo each small prime.
        #expect(WeakModulus.isROCA([1, 0, 1]))
        #expect(WeakModulus.isROCA([1, 0, 2, 0, 1]))
        #expect(!WeakModulus.isROCA([1, 0, 3]))
    }

    @Test func encryptionKeysArePassedOverAndNoted() throws {
        let good = #"{"kty":"EC","crv":"P-256","x":"\#(Self.x)","y":"\#(Self.y)","use":"sig","key_ops":["verify"]}"#
        let set = try load(#"{"keys":[{"kty":"RSA","kid":"e","use":"enc"},\#(good)]}"#)
        #expect(set.keys.map(\.algorithm) == [.es256])
        #expect(set.ignored == ["keys[0] (kid 'e'): its use is 'enc'"])
    }

    @Test func anRSAKeyWithoutAlgorithmHasTheConfiguredOne() throws {
        let key = #"{"kty":"RSA","n":"\#(Self.n2048)","e":"AQAB"}"#
        #expect(try load(key, algorithm: .ps384).keys.map(\.algorithm) == [.ps384])
        #expect(throws: KeyError.self) { try load(key, algorithm: .es256) }
    }

    @Test func aPEMFileHoldsOnePublicKey() throws {
        func load(_ text: String, _ algorithm: SignatureAlgorithm?) throws -> KeySet {
            try KeySetSource(file: "idp.pem", algorithm: algorithm, keyID: "p").load(Array(text.utf8))
        }
        let rsa = TestKeys.rsa.publicKey.pem
        #expect(try load(rsa, .rs256).key(id: "p")?.algorithm == .rs256)
        #expect(try load(TestKeys.p384.publicKey.pem, nil).keys.map(\.algorithm) == [.es384])
        #expect(try load(TestKeys.ed25519.publicKey.pem, nil).keys.map(\.algorithm) == [.eddsa])
        let certificate = try DevelopmentPKI.make(now: TestKeys.now).authority.certificatePEM
        #expect(try load(certificate, nil).keys.map(\.algorithm) == [.es256])
        for (text, algorithm) in [
            (rsa, nil), (rsa, SignatureAlgorithm.hs256), (rsa, .es256), (rsa + rsa, .rs256), (TestKeys.rsa.pem, .rs256),
            (TestKeys.p256.pem, nil), ("", .rs256), ("secret", .hs256), (String(rsa.dropLast(60)), .rs256),
            (rsa.replacing("MIIB", with: "MIIC"), .rs256),
        ] {
            let error = #expect(throws: KeyError.self) { try load(text, algorithm) }
            #expect(error?.file == "idp.pem")
        }
    }

    @Test func aSecretFileIsItsBytesWithoutTheEditorsLineBreak() throws {
        let text = Array("thirty-two printable characters!".utf8)
        for bytes in [text, text + [0x0A], text + [0x0D, 0x0A]] {
            #expect(KeySetSource.secretBytes(bytes) == text)
        }
        #expect(KeySetSource.secretBytes(text + [0x0A, 0x0A]) == text + [0x0A, 0x0A])
        let binary = [UInt8](repeating: 0xF0, count: 31) + [0x0A]
        #expect(KeySetSource.secretBytes(binary) == binary)
        let source = try KeySetSource(file: "hs.secret", algorithm: .hs256, keyID: "s")
        #expect(try source.load(text).key(id: "s")?.algorithm == .hs256)
        #expect(throws: KeyError.self) { try source.load(Array(text.dropLast())) }
        #expect(throws: KeyError.self) { try source.load([]) }
        #expect(throws: KeyError.self) { try KeySetSource(file: "hs.secret").load(text) }
        #expect(throws: KeyError.self) { try KeySetSource(file: "hs.secret", algorithm: .rs256).load(text) }
        // The two files that make an HMAC secret known to everybody.
        #expect(throws: KeyError.self) { try source.load(Array(TestKeys.rsa.publicKey.pem.utf8)) }
        let jwk = JSONValue.object(JWK.write(TestKeys.rsa.publicKey, algorithm: .rs256, id: nil))
        #expect(throws: KeyError.self) { try source.load(jwk.bytes) }
        #expect(throws: KeyError.self) { try KeySetSource(file: "keys.txt") }
    }

    /// One of each kind: an RSA key takes a quarter of a second to make.
    @Test(arguments: [SignatureAlgorithm.hs256, .hs512, .ps256, .es256, .es384, .es512, .eddsa])
    func aNewKeysFilesReadBackAndVerifyItsTokens(_ algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.make(algorithm, rsaBits: 2_048)
        let token = try key.issuer().issue(TestKeys.claims())
        let jwks = JSONValue.object(SigningKey.jwks([key])).bytes
        var sets = [try KeySetSource(file: "k.jwks").load(jwks)]
        if let pem = key.publicPEM {
            sets.append(try KeySetSource(file: "k.pem", algorithm: algorithm, keyID: key.keyID).load(Array(pem.utf8)))
            #expect(key.privatePEM?.hasPrefix("-----BEGIN PRIVATE KEY-----\n") == true)
            #expect(!String(decoding: jwks, as: UTF8.self).contains(#""d""#))
        }
        if let secret = key.secret {
            let source = try KeySetSource(file: "k.secret", algorithm: algorithm, keyID: key.keyID)
            sets.append(try source.load(Array((secret + "\n").utf8)))
        }
        for set in sets {
            #expect(try TestKeys.verifier(keys: set.keys).refusal(of: token) == nil)
            #expect(set.keys.first?.id == key.keyID)
        }
        #expect(sets.count == 2)
    }

    @Test func keysAreMadeWithinTheirBounds() {
        #expect(throws: KeyError.self) { try SigningKey.make(.rs256, rsaBits: 1_024) }
        #expect(throws: KeyError.self) { try SigningKey.make(.ps512, rsaBits: 16_384) }
        #expect(throws: KeyError.self) { try TokenIssuer(secret: [1, 2, 3], algorithm: .hs256, keyID: nil) }
        #expect(throws: KeyError.self) { try TokenIssuer(pem: "nonsense", algorithm: .rs256, keyID: nil) }
        #expect(throws: KeyError.self) { try TokenIssuer(pem: TestKeys.rsa.pem, algorithm: .es256, keyID: nil) }
        #expect(throws: KeyError.self) {
            try TokenIssuer(pem: TestKeys.rsa.publicKey.pem, algorithm: .rs256, keyID: nil)
        }
    }
}
