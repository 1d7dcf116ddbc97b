import Bytes
import Foundation
import JSON
import Testing

@testable import Identity

/// Project Wycheproof's JWS and JWK vectors, where `WYCHEPROOF` names the directory they are in: `make jwt-conformance`.
/// They are not part of this repository; what a run said is in docs/CONFORMANCE-JWT.md.
@Suite struct WycheproofTests {
    struct Figures {
        var validAccepted = 0
        var validRefused: [String] = []
        var invalidRefused = 0
        var invalidAccepted: [String] = []
    }

    static let directory = ProcessInfo.processInfo.environment["WYCHEPROOF"]
    static let files = ["json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"]

    @Test(.enabled(if: directory != nil, "WYCHEPROOF names no directory"), arguments: files)
    func nothingInvalidIsAccepted(file: String) throws {
        let path = (Self.directory ?? "") + "/" + file
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let document = try JSONValue.parse(bytes)
        var figures = Figures()
        for group in document["testGroups"]?.array ?? [] {
            for test in group["tests"]?.array ?? [] {
                guard let jws = test["jws"]?.string, let result = test["result"]?.string else { continue }
                let refusal = Self.refusal(of: jws, by: group["public"] ?? group["private"])
                let name = "\(test["tcId"]?.int ?? 0) \(test["comment"]?.string ?? "")"
                switch (result, refusal) {
                case ("invalid", nil): figures.invalidAccepted.append(name)
                case ("invalid", _): figures.invalidRefused += 1
                case (_, nil): figures.validAccepted += 1
                case (_, let reason?): figures.validRefused.append("\(name): \(reason)")
                }
            }
        }
        print(
            """
            \(file): \(figures.validAccepted) valid accepted, \(figures.validRefused.count) valid refused, \
            \(figures.invalidRefused) invalid refused, \(figures.invalidAccepted.count) invalid accepted
            """)
        for line in figures.validRefused { print("  refused: \(line)") }
        #expect(figures.invalidAccepted == [])
        #expect(figures.validAccepted > 0)
    }

    /// Why the signature is not taken, nil when it is: the verifier's own walk up to the claims, which these vectors do
    /// not have.
    static func refusal(of jws: String, by jwk: JSONValue?) -> String? {
        let token = Array(jws.utf8)
        do {
            let keys = try KeySet.parse(jwk?.bytes ?? [])
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
