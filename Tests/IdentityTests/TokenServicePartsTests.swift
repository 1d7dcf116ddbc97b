import Bytes
import JSON
import Testing

@testable import Identity

/// What the token service is made of: secrets, keys, assertions, forms, guesses.
@Suite struct TokenServicePartsTests {
    static let now = TestKeys.now

    // MARK: Secrets

    @Test func aSecretIsKnownByItsHashAlone() throws {
        let secret = try SecretHash.makeSecret()
        let hash = try SecretHash.make(secret)
        #expect(hash.hasPrefix("scrypt$15$8$1$") && !hash.contains(secret))
        #expect(SecretHash.verify(secret, against: hash))
        #expect(!SecretHash.verify(secret + "x", against: hash))
        #expect(!SecretHash.verify("", against: hash))
        #expect(try SecretHash.make(secret) != hash, "each hash has a salt of its own")
    }

    /// RFC 7914 §12, third vector: the cost of our own form is that of the standard.
    @Test func theHashIsScryptAsInItsRFC() throws {
        let salt = Base64URL.encode(Array("SodiumChloride".utf8))
        let expected = try #require(
            Hex.decode("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
        let kept = "scrypt$14$8$1$\(salt)$\(Base64URL.encode(expected))"
        #expect(SecretHash.verify("pleaseletmein", against: kept))
        #expect(!SecretHash.verify("pleaseletmeon", against: kept))
    }

    @Test(arguments: [
        "", "x", "scrypt$15$8$1$AAAA", "scrypt$40$8$1$AAAA$AAAA", "bcrypt$15$8$1$AAAA$AAAA", "scrypt$1$8$1$$",
    ])
    func whatIsNoHashIsNobodysSecret(kept: String) {
        #expect(!SecretHash.verify("secret", against: kept))
    }

    // MARK: Keys

    @Test func keysAreTurnedWithOverlapForYears() throws {
        var ring = SigningKeyRing([], rotation: .hours(24 * 30), tokenLife: .minutes(11))
        var now = Self.now
        var made = 0
        var issued: [(kid: String, until: WallInstant)] = []
        while now < Self.now + .hours(24 * 365) {
            if let from = ring.next(now) {
                made += 1
                let key = SigningKey(
                    algorithm: .es256, keyID: "k\(made)", privatePEM: nil, publicPEM: nil, secret: nil,
                    jwk: JSONObject([("kid", .string("k\(made)"))]))
                ring.add(SigningKeyRing.Entry(key: key, publishedAt: now, signsFrom: from))
                // A verifier that keeps the set until just before the key signs knows it all the same.
                if made > 1 { #expect(from - now >= SigningKeyRing.publishAhead) }
            }
            let signer = try #require(ring.signer(now))
            #expect(now - signer.signsFrom <= .hours(24 * 30) + .minutes(5))
            issued.append((signer.key.keyID, now + .minutes(10)))
            issued.removeAll { $0.until <= now }
            let published = Set(ring.published(now).map(\.key.keyID))
            #expect(issued.allSatisfy { published.contains($0.kid) }, "a live token's key was taken away")
            #expect(published.count <= 3)
            _ = ring.retire(now)
            now = now + .minutes(5)
        }
        #expect(made == 13 && ring.entries.count <= 2)
    }

    // MARK: Assertions

    static func assertion(
        _ changes: [String: JSONValue?] = [:], algorithm: SignatureAlgorithm = .es256, id: String = "c1"
    ) throws -> String {
        var object = JSONObject([
            ("iss", "wms"), ("sub", "wms"), ("aud", "https://g.example/oauth2/token"), ("jti", "a-1"),
            ("exp", JSONValue(Int(now.seconds) + 60)),
        ])
        for (name, value) in changes { object[name] = value }
        return try TestKeys.tokenIssuer(algorithm, id: id).issue(object)
    }

    static func check(_ token: String) -> TokenError? {
        let jwk = JWK.write(TestKeys.p256.publicKey, algorithm: .es256, id: "c1")
        let jwks = JSONValue.object(JSONObject([("keys", [.object(jwk)])])).text
        do throws(TokenError) {
            _ = try ClientAssertion(
                token, client: "wms", jwks: jwks, audiences: ["https://g.example", "https://g.example/oauth2/token"],
                now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func anAssertionMustBeTheClientsOwnForUsAndShort() throws {
        #expect(Self.check(try Self.assertion()) == nil)
        #expect(ClientAssertion.claimedClient(try Self.assertion()) == "wms")
        let far = JSONValue(Int(Self.now.seconds) + 601)
        let cases: [([String: JSONValue?], TokenError)] = [
            (["iss": "mes"], .unknownIssuer), (["sub": "mes"], .badClaim("sub")), (["aud": "x"], .wrongAudience),
            (["jti": Optional<JSONValue>.none], .missingClaim("jti")), (["jti": ""], .badClaim("jti")),
            (["exp": far], .badClaim("exp")),
            (["exp": JSONValue(Int(Self.now.seconds) - 31)], .expired),
            (["exp": Optional<JSONValue>.none], .missingClaim("exp")),
            (["jti": .string(String(repeating: "a", count: 257))], .badClaim("jti")),
        ]
        for (changes, expected) in cases { #expect(Self.check(try Self.assertion(changes)) == expected, "\(changes)") }
        #expect(Self.check(try Self.assertion(algorithm: .hs256)) == .algorithmNotAllowed)
        #expect(Self.check(try Self.assertion(id: "c2")) == .unknownKey)
        #expect(Self.check(String(try Self.assertion().dropLast(2)) + "AA") == .badSignature)
    }

    // MARK: Forms

    @Test(
        arguments: [
            ("a=1&b=2", "1", "2"), ("a=x%20y&b=%C3%A4", "x y", "ä"), ("a=x+y&b=", "x y", nil),
            ("b=%2B%26%3D", nil, "+&="),
            ("", nil, nil), ("a=1=2&b=3", "1=2", "3"), ("a&b=1", nil, "1"),
        ] as [(String, String?, String?)])
    func formsAreReadAsTheyAreWritten(body: String, a: String?, b: String?) throws {
        let form = try #require(FormParameters(Array(body.utf8)))
        #expect(form["a"] == a && form["b"] == b)
    }

    @Test(arguments: ["a=1&a=2", "a=%", "a=%4", "a=%zz", "a=%ff", "a=1&%61=2"])
    func formsThatCouldBeReadInTwoWaysAreRefused(body: String) {
        #expect(FormParameters(Array(body.utf8)) == nil)
    }

    @Test func formsBeyondTheirBoundAreRefused() {
        #expect(FormParameters([UInt8](repeating: 0x61, count: FormParameters.bytesMax)) != nil)
        #expect(FormParameters([UInt8](repeating: 0x61, count: FormParameters.bytesMax + 1)) == nil)
    }

    // MARK: Guesses

    /// A guesser that tries as often as it is let, for a day.
    @Test func aGuesserGetsSomeHundredTriesADay() {
        var attempts = AttemptGuard(freeTries: 5)
        var now = MonotonicInstant(nanoseconds: 0)
        var tries = 0
        while now < MonotonicInstant(nanoseconds: .hours(24)) {
            if let wait = attempts.wait("mes|10.0.0.1", now: now) {
                now = now + wait
            } else {
                tries += 1
                attempts.failed("mes|10.0.0.1", now: now)
            }
        }
        #expect(tries > 90 && tries < 130, "\(tries)")
        #expect(attempts.wait("mes|10.0.0.2", now: now) == nil, "another address")
        attempts.succeeded("mes|10.0.0.1")
        #expect(attempts.wait("mes|10.0.0.1", now: now) == nil)
    }

    @Test func whatIsRememberedOfGuessesIsBounded() {
        var attempts = AttemptGuard(freeTries: 0)
        let now = MonotonicInstant(nanoseconds: 0)
        for n in 0...AttemptGuard.namesMax { attempts.failed("n\(n)", now: now) }
        #expect(attempts.wait("n0", now: now) == nil, "the oldest is forgotten")
        #expect(attempts.wait("n1", now: now) != nil)
    }
}
