import Bytes
import Foundation
import JSON
import Testing

@testable import Identity

/// Project Wycheproof's JWS and JWK vectors (`Tests/Fixtures/wycheproof`), or a newer copy of them in the directory that
/// `WYCHEPROOF` names: `make jwt-conformance`. What a run says is in docs/CONFORMANCE-JWT.md.
@Suite struct WycheproofTests {
    /// What became of the vectors of one file.
    struct Figures: Hashable {
        var validAccepted = 0
        var validRefused = 0
        var invalidRefused = 0
        /// Called invalid, though a valid vector of the same key is the same to the last byte.
        var contradictory = 0
    }

    static let newerCopy = ProcessInfo.processInfo.environment["WYCHEPROOF"]
    static let directory =
        newerCopy ?? URL(filePath: #filePath).deletingLastPathComponent().path + "/../Fixtures/wycheproof"

    /// The figures of the copy that is in the repository, and the valid vectors that are refused on purpose:
    /// - 259 to 325: the payload is empty. A JWT's is an object of claims (RFC 7519 §7.2).
    /// - 346, 350: the key says `PS256`, the token `PS384`. A key is for the one algorithm that it names (RFC 8725 §3.1).
    /// - 347, 351: the key says `ES521`, which is no algorithm.
    /// - 372, 373: a `?` amid base64url. What is ambiguous is refused (RFC 7515 §2: no other characters).
    static let files: [(name: String, figures: Figures, refusedOnPurpose: Set<Int>)] = [
        (
            "json_web_signature_test.json",
            Figures(validAccepted: 34, validRefused: 12, invalidRefused: 353, contradictory: 2),
            [259, 264, 268, 272, 320, 325, 346, 347, 350, 351, 372, 373]
        ),
        ("json_web_key_test.json", Figures(validAccepted: 5, invalidRefused: 21), []),
        ("json_web_crypto_test.json", Figures(validAccepted: 4, invalidRefused: 44), []),
    ]

    @Test(arguments: files.indices)
    func everyVectorIsJudgedAsItsAuthorsSay(_ index: Int) throws {
        let file = Self.files[index]
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.directory + "/" + file.name)))
        let document = try JSONValue.parse(bytes)
        var figures = Figures()
        var refused: Set<Int> = []
        for group in document["testGroups"]?.array ?? [] {
            let keys = Result { () throws in
                try KeySet.parse(Self.publicHalf(try #require(group["public"] ?? group["private"])).bytes)
            }
            let tests = group["tests"]?.array ?? []
            let valid = Set(tests.filter { $0["result"] == "valid" }.compactMap { $0["jws"]?.string })
            for test in tests {
                // Vectors of encryption (JWE) have no signature.
                guard let jws = test["jws"]?.string, let result = test["result"]?.string else { continue }
                let number = try #require(test["tcId"]?.int)
                let refusal = Self.refusal(of: jws, by: keys)
                let name = "\(file.name) \(number) \(test["comment"]?.string ?? "")"
                switch (result, refusal) {
                case ("invalid", nil) where valid.contains(jws): figures.contradictory += 1
                case ("invalid", nil): Issue.record("accepted, though it is invalid: \(name)")
                case ("invalid", _): figures.invalidRefused += 1
                case (_, nil): figures.validAccepted += 1
                case (_, let reason?):
                    figures.validRefused += 1
                    refused.insert(number)
                    if Self.newerCopy != nil || !file.refusedOnPurpose.contains(number) {
                        print("  refused: \(name): \(reason)")
                    }
                }
            }
        }
        print(
            """
            \(file.name): \(figures.validAccepted) valid accepted, \(figures.validRefused) valid refused, \
            \(figures.invalidRefused) invalid refused, \(figures.contradictory) contradictory
            """)
        guard Self.newerCopy == nil else {
            #expect(figures.validAccepted > 0)
            return
        }
        #expect(figures == file.figures)
        #expect(refused == file.refusedOnPurpose)
    }

    /// A key or a set without what only who signs may know. Some vectors come with the private half alone, which is
    /// refused in a file of public keys before anything else is looked at.
    static func publicHalf(_ jwk: JSONValue) -> JSONValue {
        if let list = jwk["keys"]?.array {
            return ["keys": .array(list.map(publicHalf))]
        }
        guard let object = jwk.object else { return jwk }
        let secrets: Set = ["d", "p", "q", "dp", "dq", "qi"]
        return .object(JSONObject(object.members.filter { !secrets.contains($0.key) }.map { ($0.key, $0.value) }))
    }

    /// Why the signature is not taken, nil when it is: the verifier's own walk up to the claims, which these vectors do
    /// not have.
    static func refusal(of jws: String, by keys: Result<KeySet, any Error>) -> String? {
        let token = Array(jws.utf8)
        do {
            let keys = try keys.get()
            let issuer = IssuerConfiguration(
                issuer: "i", audiences: ["a"], algorithms: Set(SignatureAlgorithm.allCases), keys: keys)
            let parts = try CompactToken(token.span)
            guard let header = Base64URL.decode(token.span.extracting(parts.header)),
                Base64URL.decode(token.span.extracting(parts.payload)) != nil,
                let signature = Base64URL.decode(token.span.extracting(parts.signature))
            else { return "not base64url" }
            try TokenVerifier.check(
                token.span, signed: parts.signed, signature: signature, header: try TokenHeader(header), issuer: issuer)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
