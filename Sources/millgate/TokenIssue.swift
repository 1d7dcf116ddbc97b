import ArgumentParser
import Bytes
import Foundation
import Identity
import JSON
import Reactor

struct TokenIssue: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Issue a signed token.",
        discussion: """
            Example: millgate token issue --sub anna --role operator --site plant-1 --ttl 8h

            prints a token signed with the development key. Use it as

              curl -H "Authorization: Bearer $(millgate token issue --sub anna --role operator --site plant-1)" ...

            A service account: --sub mes --client-id mes. Further claims: --claim line=7 --claim 'work_centers=["ASM"]';
            a value that is JSON is taken as such, anything else as text.
            """)

    @Option(help: "The issuer's key: a private key (PEM), a .secret, or the JWK of a secret.")
    var key = "certs/dev/es256.key"

    @Option(help: "`kid` of the header. (default: as in the JWK, or the thumbprint of the public key)")
    var kid: String?

    @Option(help: "Algorithm. (default: RS256, ES256 to ES512, EdDSA or HS256 by the kind of key)")
    var alg: SignatureAlgorithm?

    @Option(help: "Issuer.")
    var iss = DevelopmentFiles.issuer

    @Option(help: "Audience; may be repeated. (default: \(DevelopmentFiles.audience))")
    var aud: [String] = []

    @Option(help: "Subject: whom the token is for.")
    var sub: String

    @Option(help: "A role for the claim `roles`; may be repeated.")
    var role: [String] = []

    @Option(help: "A site; more than one make the claim `sites`.")
    var site: [String] = []

    @Option(help: "The claim `client_id`: which application calls.")
    var clientID: String?

    @Option(help: "How long the token is valid: 15m, 8h, 30d.")
    var ttl = "1h"

    @Option(help: ArgumentHelp("Another claim; may be repeated.", valueName: "name=value"))
    var claim: [String] = []

    @Option(help: "`typ` of the header: JWT or at+jwt.")
    var type = "JWT"

    private static let own = ["iss", "sub", "aud", "iat", "exp", "jti"]

    func validate() throws {
        for text in claim {
            guard let (name, _) = Self.parts(text) else {
                throw ValidationError("--claim is NAME=VALUE, not '\(text)'.")
            }
            if Self.own.contains(name) {
                throw ValidationError("--claim cannot set '\(name)'; it has an option or is made.")
            }
        }
        if try TimeText.duration(ttl) == 0 { throw ValidationError("--ttl must be more than nothing.") }
        if type != "JWT", type != "at+jwt" { throw ValidationError("--type is JWT or at+jwt.") }
    }

    func run() throws {
        let now = Clock.wall()
        let expiry = now + (try TimeText.duration(ttl))
        let audiences = aud.isEmpty ? [DevelopmentFiles.audience] : aud
        var claims = JSONObject([
            ("iss", .string(iss)), ("sub", .string(sub)),
            ("aud", audiences.count == 1 ? .string(audiences[0]) : .array(audiences.map { .string($0) })),
            ("iat", JSONValue(Int(now.seconds))), ("exp", JSONValue(Int(expiry.seconds))),
            ("jti", .string(UUID().uuidString.lowercased())),
        ])
        if !role.isEmpty { claims["roles"] = .array(role.map { .string($0) }) }
        if site.count == 1 { claims["site"] = .string(site[0]) }
        if site.count > 1 { claims["sites"] = .array(site.map { .string($0) }) }
        if let clientID { claims["client_id"] = .string(clientID) }
        for (name, value) in claim.compactMap(Self.parts) {
            claims[name] = (try? JSONValue.parse(value)) ?? .string(value)
        }
        do {
            print(try issuer().issue(claims, type: type))
        } catch {
            throw failure("\(error)")
        }
    }

    private static func parts(_ text: String) -> (name: String, value: String)? {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    private func issuer() throws -> TokenIssuer {
        guard let bytes = PrivateFiles.bytes(key) else {
            throw FileError(description: "\(key): cannot be read; `millgate keys dev` makes certs/dev/es256.key")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("-----BEGIN") {
            let pair = try SigningKey.read(privatePEM: text, algorithm: alg)
            return try (kid.map(pair.named) ?? pair).issuer()
        }
        if let jwk = try? JSONValue.parse(bytes), jwk["kty"] != nil {
            guard jwk["kty"]?.string == "oct", let secret = jwk["k"]?.string.flatMap({ Base64URL.decode($0) }) else {
                throw KeyError("this JWK has no secret to sign with", file: key)
            }
            let named = jwk["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:))
            return try TokenIssuer(
                secret: secret, algorithm: alg ?? named ?? .hs256, keyID: kid ?? jwk["kid"]?.string)
        }
        guard key.hasSuffix(".secret") || alg?.family == .secret else {
            throw KeyError("not a PEM private key, and not called .secret", file: key)
        }
        return try TokenIssuer(secret: KeySetSource.secretBytes(bytes), algorithm: alg ?? .hs256, keyID: kid)
    }
}
