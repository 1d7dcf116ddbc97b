import Bytes
import JSON
import Seeded
import Testing

@testable import Identity

/// Two independent implementations, both ways: what libjwt signs is accepted here, what is signed here is accepted by
/// libjwt, and of tokens with damage both think alike.
struct LibJWTDifferentialTests {
    static let shared = SignatureAlgorithm.allCases.filter(LibJWT.supports)

    private func publicMaterial(_ algorithm: SignatureAlgorithm) -> [UInt8] {
        TestKeys.pair(algorithm).map { Array($0.publicKey.pem.utf8) } ?? TestKeys.secret
    }

    private func privateMaterial(_ algorithm: SignatureAlgorithm) -> [UInt8] {
        TestKeys.pair(algorithm).map { Array($0.pem.utf8) } ?? TestKeys.secret
    }

    @Test func libjwtKnowsTheAlgorithmsThatItIsUsedFor() {
        #expect(Self.shared == [.hs256, .hs384, .hs512, .rs256, .rs384, .rs512, .es256, .es384, .es512])
    }

    @Test(arguments: shared)
    func whatLibjwtSignsIsAcceptedHere(_ algorithm: SignatureAlgorithm) throws {
        let verifier = try TestKeys.verifier(algorithm)
        // ECDSA signatures are random: among 40 some have a half with a leading zero byte or bit.
        for round in 0..<(algorithm == .es256 ? 40 : 4) {
            let claims = TestKeys.claims(["round": .number(JSONNumber(round)), "name": "Säge \u{1F332}"])
            let token = try LibJWT.sign(
                claims: claims, algorithm: algorithm, key: privateMaterial(algorithm), keyID: "k1")
            let principal = try verifier.verify(token, now: TestKeys.now)
            #expect(principal.claims["round"]?.int == round)
            #expect(principal.claims["name"] == "Säge \u{1F332}")
        }
    }

    @Test(arguments: shared)
    func whatIsSignedHereIsAcceptedByLibjwt(_ algorithm: SignatureAlgorithm) throws {
        for _ in 0..<(algorithm == .es256 ? 40 : 4) {
            let token = try TestKeys.forge(
                header: #"{"alg":"\#(algorithm)","typ":"JWT","kid":"k1"}"#, algorithm: algorithm)
            #expect(LibJWT.accepts(token, algorithm: algorithm, key: publicMaterial(algorithm)))
            #expect(try TestKeys.verifier(algorithm).refusal(of: token) == nil)
        }
    }

    @Test(arguments: shared)
    func bothThinkAlikeOfTamperedTokens(_ algorithm: SignatureAlgorithm) throws {
        var generator = SeededGenerator(seed: 0x5EED)
        let verifier = try TestKeys.verifier(algorithm)
        let material = publicMaterial(algorithm)
        let token = Array(try TestKeys.tokenIssuer(algorithm).issue(TestKeys.claims()).utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.".utf8)
        let rounds = algorithm.family == .secret ? 200 : 25
        for round in 0..<rounds {
            var changed = token
            switch round % 4 {
            case 0: break
            case 1:
                let place = Int.random(in: 0..<changed.count, using: &generator)
                changed[place] = alphabet.randomElement(using: &generator) ?? 0x41
            case 2:
                changed.remove(at: Int.random(in: 0..<changed.count, using: &generator))
            default:
                let place = Int.random(in: 0..<changed.count, using: &generator)
                changed.insert(alphabet.randomElement(using: &generator) ?? 0x41, at: place)
            }
            let text = String(decoding: changed, as: UTF8.self)
            let here = verifier.refusal(of: text) == nil
            let there = LibJWT.accepts(text, algorithm: algorithm, key: material)
            #expect(here == (changed == token))
            // libjwt is lax in one thing: spare bits and characters of base64. What it refuses, is refused here.
            #expect(there || !here, "round \(round): \(text)")
        }
    }

    /// The header's members, in all combinations of a small set of values: what is accepted here is accepted there.
    @Test(arguments: [SignatureAlgorithm.hs256, .es256])
    func bothThinkAlikeOfOddHeaders(_ algorithm: SignatureAlgorithm) throws {
        let verifier = try TestKeys.verifier(algorithm)
        let material = publicMaterial(algorithm)
        var accepted = 0
        for alg in SignatureAlgorithm.allCases.map({ "\"\($0)\"" }) + ["\"none\"", "\"\"", "null", "1", "[]"] {
            for type in ["", ",\"typ\":\"JWT\"", ",\"typ\":\"at+jwt\"", ",\"typ\":\"x\"", ",\"typ\":7"] {
                for rest in [
                    "", ",\"kid\":\"k1\"", ",\"kid\":\"k2\"", ",\"crit\":[\"b64\"],\"b64\":false", ",\"alg\":\"none\"",
                ] {
                    let token = try TestKeys.forge(header: "{\"alg\":\(alg)\(type)\(rest)}", algorithm: algorithm)
                    guard verifier.refusal(of: token) == nil else { continue }
                    accepted += 1
                    // libjwt knows no other type than its own.
                    if type.contains("at+jwt") { continue }
                    #expect(LibJWT.accepts(token, algorithm: algorithm, key: material), "\(alg)\(type)\(rest)")
                }
            }
        }
        // The key's own algorithm, with three types and with its own key id or none.
        #expect(accepted == 6)
    }

    /// A token of the token service, as a stranger sees it who has the published JWK set and nothing else.
    @Test func tokensOfTheTokenServiceAreGoodForBoth() throws {
        let key = try SigningKey.make(.es256)
        let token = try key.issuer().issue(TestKeys.claims())
        let published = try KeySet.parsePublished(JSONValue.object(SigningKey.jwks([key])).bytes)
        let verifier = try TestKeys.verifier(keys: published.keys)
        #expect(verifier.refusal(of: token) == nil)
        #expect(LibJWT.accepts(token, algorithm: .es256, key: Array(try #require(key.publicPEM).utf8)))
    }

    /// The two holes of libjwt 1.10 as a verifier that made it an issuer only. When these fail, libjwt has changed.
    @Test func libjwtAcceptsWhatIsRefusedHere() throws {
        let pem = Array(TestKeys.rsa.publicKey.pem.utf8)
        let token = try TestKeys.forge(
            header: #"{"alg":"HS256","typ":"JWT","kid":"k1"}"#, algorithm: .hs256, secret: pem)
        #expect(LibJWT.accepts(token, algorithm: .hs256, key: pem))
        #expect(try TestKeys.verifier(.rs256).refusal(of: token) == .algorithmNotAllowed)

        let expired = try TestKeys.tokenIssuer(.hs256).issue(TestKeys.claims(["exp": 1]))
        #expect(LibJWT.accepts(expired, algorithm: .hs256, key: TestKeys.secret))
        #expect(try TestKeys.verifier(.hs256).refusal(of: expired) == .expired)
    }
}
