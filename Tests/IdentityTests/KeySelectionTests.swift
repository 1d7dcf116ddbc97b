import Bytes
import CSystem
import JSON
import Testing

@testable import Identity

/// Which key a token is checked with: several issuers, several keys, and keys that change.
struct KeySelectionTests {
    @Test func aTokenWithoutKidNeedsExactlyOneKeyOfItsAlgorithm() throws {
        let token = try TestKeys.tokenIssuer(.es256, id: nil).issue(TestKeys.claims())
        let own = try TestKeys.verificationKey(.es256, id: "own")
        let rsa = try TestKeys.verificationKey(.rs256, id: "rsa")
        let second = try VerificationKey(
            id: "second", algorithm: .es256, publicKey: PrivateKey.make(for: .es256).publicKey)
        #expect(try TestKeys.verifier(keys: [own]).refusal(of: token) == nil)
        #expect(try TestKeys.verifier(keys: [rsa, own]).refusal(of: token) == nil)
        #expect(try TestKeys.verifier(keys: [own, second]).refusal(of: token) == .unknownKey)
        #expect(try TestKeys.verifier(keys: [rsa]) { $0.algorithms.insert(.es256) }.refusal(of: token) == .unknownKey)
    }

    @Test func aKidSelectsItsKeyAndNoOther() throws {
        let token = try TestKeys.tokenIssuer(.es256, id: "b").issue(TestKeys.claims())
        let other = try PrivateKey.make(for: .es256).publicKey
        let own = TestKeys.p256.publicKey
        let right = try [
            VerificationKey(id: "a", algorithm: .es256, publicKey: other),
            VerificationKey(id: "b", algorithm: .es256, publicKey: own),
        ]
        let swapped = try [
            VerificationKey(id: "a", algorithm: .es256, publicKey: own),
            VerificationKey(id: "b", algorithm: .es256, publicKey: other),
        ]
        #expect(try TestKeys.verifier(keys: right).refusal(of: token) == nil)
        #expect(try TestKeys.verifier(keys: swapped).refusal(of: token) == .badSignature)
        let unnamed = try VerificationKey(id: nil, algorithm: .es256, publicKey: own)
        #expect(try TestKeys.verifier(keys: [unnamed]).refusal(of: token) == .unknownKey)
    }

    /// The header is remembered, not the key that it chose.
    @Test func aRememberedHeaderChoosesItsKeyAnew() throws {
        let token = try TestKeys.tokenIssuer(.es256, id: "b").issue(TestKeys.claims())
        let own = try TestKeys.verifier(keys: [
            VerificationKey(id: "b", algorithm: .es256, publicKey: TestKeys.p256.publicKey)
        ])
        let other = try TestKeys.verifier(keys: [
            VerificationKey(id: "b", algorithm: .es256, publicKey: PrivateKey.make(for: .es256).publicKey)
        ])
        let none = try TestKeys.verifier(keys: [TestKeys.verificationKey(.es256, id: "c")])
        var memo = TokenHeaderMemo()
        for _ in 0..<2 {
            #expect(own.refusal(of: token, now: TestKeys.now, memo: &memo) == nil)
            #expect(memo.header?.keyID == "b")
            #expect(other.refusal(of: token, now: TestKeys.now, memo: &memo) == .badSignature)
            #expect(none.refusal(of: token, now: TestKeys.now, memo: &memo) == .unknownKey)
        }
        let forged = try TestKeys.forge(header: #"{"alg":"ES256","kid":"b","crit":["x"]}"#, algorithm: .es256)
        #expect(own.refusal(of: forged, now: TestKeys.now, memo: &memo) == .criticalHeader)
    }

    @Test func rotationAcceptsBothKeysWhileBothAreInTheSetAndThenOnlyTheNewOne() throws {
        let old = try SigningKey.make(.es256)
        let new = try SigningKey.make(.es256)
        let before = try old.issuer().issue(TestKeys.claims())
        let after = try new.issuer().issue(TestKeys.claims())
        let source = try KeySetSource(file: "idp.jwks")
        func refusals(_ keys: [SigningKey]) throws -> [TokenError?] {
            let set = try source.load(JSONValue.object(SigningKey.jwks(keys)).bytes)
            let verifier = try TestKeys.verifier(keys: set.keys)
            return [verifier.refusal(of: before), verifier.refusal(of: after)]
        }
        #expect(try refusals([old]) == [nil, .unknownKey])
        #expect(try refusals([old, new]) == [nil, nil])
        #expect(try refusals([new]) == [.unknownKey, nil])
    }

    /// An issuer signs for itself only: its key does not count for tokens that name another issuer.
    @Test func anIssuersKeyCannotSignForAnotherIssuer() throws {
        let a = try SigningKey.make(.es256)
        let b = try SigningKey.make(.es256)
        func configuration(_ name: String, _ key: SigningKey) throws -> IssuerConfiguration {
            let set = try KeySet.parse(JSONValue.object(SigningKey.jwks([key])).bytes)
            return IssuerConfiguration(issuer: name, audiences: ["millgate"], algorithms: [.es256], keys: set)
        }
        let verifier = try TokenVerifier(issuers: [configuration("a", a), configuration("b", b)])
        for (key, keyName) in [(a, "a"), (b, "b")] {
            for issuer in ["a", "b"] {
                let token = try key.issuer().issue(TestKeys.claims(["iss": .string(issuer)]))
                #expect((verifier.refusal(of: token) == nil) == (issuer == keyName))
                let unnamed = try TokenIssuer(pem: key.privatePEM ?? "", algorithm: .es256, keyID: nil)
                let bare = try unnamed.issue(TestKeys.claims(["iss": .string(issuer)]))
                #expect(verifier.refusal(of: bare) == (issuer == keyName ? nil : .badSignature))
            }
        }
        #expect(throws: KeyError.self) { try TokenVerifier(issuers: [configuration("a", a), configuration("a", b)]) }
    }

    @Test func aConfigurationThatWouldAcceptTooMuchOrNothingIsRefused() throws {
        let changes: [(inout IssuerConfiguration) -> Void] = [
            { $0.issuer = "" }, { $0.audiences = [] }, { $0.audiences = [""] }, { $0.algorithms = [] },
            { $0.types = [] }, { $0.algorithms = [.rs256] },
        ]
        for change in changes {
            #expect(throws: KeyError.self) { try TestKeys.verifier(.es256, configure: change) }
        }
        #expect(
            try TokenVerifier(issuers: []).refusal(of: TestKeys.forge(header: #"{"alg":"HS256"}"#)) == .unknownIssuer)
    }

    /// TLS on the same thread would find them and take a healthy connection for a broken one.
    @Test func aFailedCheckLeavesNothingInOpenSSLsErrorQueue() throws {
        for algorithm in SignatureAlgorithm.allCases {
            let verifier = try TestKeys.verifier(algorithm)
            let token = try TestKeys.tokenIssuer(algorithm).issue(TestKeys.claims())
            _ = verifier.refusal(of: String(token.dropLast(12)) + "AAAAAAAAAAAA")
            #expect(ERR_peek_error() == 0)
        }
        _ = try? KeySet.parse(Array(#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#.utf8))
        _ = try? PrivateKey.pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        _ = try? ClientCertificate(der: [0x30, 0x03, 1, 2, 3])
        #expect(ERR_peek_error() == 0)
    }

    @Test func manyThreadsShareAVerifier() async throws {
        for algorithm in [SignatureAlgorithm.rs256, .ps256, .es256, .eddsa, .hs256] {
            let verifier = try TestKeys.verifier(algorithm)
            let good = try TestKeys.tokenIssuer(algorithm).issue(TestKeys.claims())
            let bad =
                try TestKeys.forge(
                    header: #"{"alg":"\#(algorithm)","kid":"k1"}"#, algorithm: algorithm
                ).dropLast(8) + "AAAAAAAA"
            let failures = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        (0..<25).count { _ in
                            verifier.refusal(of: good) != nil || verifier.refusal(of: String(bad)) == nil
                        }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(failures == 0)
        }
    }
}
