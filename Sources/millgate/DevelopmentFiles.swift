import Bytes
import Foundation
import Identity
import JSON

/// The files of `millgate keys dev`. Keeps what is there and good, makes what is missing or soon to expire.
struct DevelopmentFiles {
    /// As policies/roles.yaml and deploy/millgate.yaml have it.
    static let issuer = "https://id.millgate.example"
    static let audience = "millgate"
    /// How long a token is valid.
    static let tokenLifetime = Nanoseconds.hours(24 * 90)
    /// What expires sooner is made anew.
    static let renewal = Nanoseconds.hours(24 * 30)

    private let directory: String
    private let issuer: String
    private let audience: String
    private let hosts: [String]
    private let now: WallInstant
    /// Paths of the files that were made or replaced.
    private(set) var written: [String] = []

    init(directory: String, issuer: String, audience: String, hosts: [String], now: WallInstant) {
        self.directory = directory
        self.issuer = issuer
        self.audience = audience
        self.hosts = hosts
        self.now = now
    }

    /// - Throws: `FileError` or `KeyError`.
    mutating func make() throws {
        try PrivateFiles.makeDirectory(directory)
        try PrivateFiles.makeDirectory(directory + "/tokens")
        try makeCertificates()
        let keys = try makeSigningKeys()
        try makeAuditKey()
        try makeTokens(keys)
        PrivateFiles.restrict(directories: [directory, directory + "/tokens"])
    }

    // MARK: - Certificates

    private mutating func makeCertificates() throws {
        let authority: DevelopmentPKI
        if let found = identity("ca"), isFresh(found),
            let usable = try? DevelopmentPKI(certificatePEM: found.certificatePEM, privatePEM: found.privatePEM)
        {
            authority = usable
        } else {
            authority = try DevelopmentPKI.make(now: now)
            try write(authority.authority, "ca")
        }
        func isGood(_ found: DevelopmentPKI.Identity?, hosts: [String]) -> Bool {
            guard let found, isFresh(found), authority.vouches(for: found, now: now),
                let certificate = try? ClientCertificate(der: found.der)
            else { return false }
            return Set(hosts).isSubset(of: certificate.dnsNames)
        }
        if !isGood(identity("server"), hosts: hosts) {
            try write(authority.server(now: now, hostNames: hosts), "server")
        }
        if !isGood(identity("client"), hosts: []) {
            let uri = "spiffe://millgate.example/plant-1/line-1"
            try write(authority.client(now: now, name: "plant-1 line-1", uri: uri), "client")
        }
    }

    private func isFresh(_ identity: DevelopmentPKI.Identity) -> Bool {
        guard let certificate = try? ClientCertificate(der: identity.der) else { return false }
        return certificate.notAfter > now + Self.renewal
    }

    /// A certificate and the key that belongs to it.
    private func identity(_ name: String) -> DevelopmentPKI.Identity? {
        guard let certificate = text("\(name).pem"), let key = text("\(name).key") else { return nil }
        let identity = DevelopmentPKI.Identity(certificatePEM: certificate, privatePEM: key)
        return identity.isPair ? identity : nil
    }

    private mutating func write(_ identity: DevelopmentPKI.Identity, _ name: String) throws {
        try write(identity.privatePEM, "\(name).key")
        try write(identity.certificatePEM, "\(name).pem", mode: PrivateFiles.published)
    }

    // MARK: - Keys

    private struct SigningKeys {
        var rsa: TokenIssuer
        var ec: TokenIssuer
        var secret: TokenIssuer
        var set: KeySet
    }

    private mutating func makeSigningKeys() throws -> SigningKeys {
        let rsa = try signingKey("rs256.key", .rs256)
        let ec = try signingKey("es256.key", .es256)
        let published = JSONValue.object(SigningKey.jwks([rsa, ec])).text + "\n"
        if text("jwks.json") != published { try write(published, "jwks.json", mode: PrivateFiles.published) }
        let secret = try sharedSecret()
        let set = try KeySet.parse(Array(published.utf8)).merging(KeySet.parse(Array(secret.jwk.utf8)))
        return SigningKeys(rsa: try rsa.issuer(), ec: try ec.issuer(), secret: secret.issuer, set: set)
    }

    private mutating func signingKey(_ name: String, _ algorithm: SignatureAlgorithm) throws -> SigningKey {
        if let pem = text(name), let key = try? SigningKey.read(privatePEM: pem, algorithm: algorithm) { return key }
        // The shortest RSA key that is accepted: longer ones take seconds to make.
        let key = try SigningKey.make(algorithm, rsaBits: 2_048)
        try write(key.privatePEM ?? "", name)
        return key
    }

    /// The secret stands twice: as the bytes that other programs want, and as the JWK that says its `kid`.
    private mutating func sharedSecret() throws -> (issuer: TokenIssuer, jwk: String) {
        if let secret = text("hmac.secret"), let jwk = text("hmac.jwk"),
            let members = try? JSONValue.parse(jwk), let id = members["kid"]?.string
        {
            let bytes = KeySetSource.secretBytes(Array(secret.utf8))
            if members["k"]?.string == Base64URL.encode(bytes), (try? KeySet.parse(Array(jwk.utf8)))?.keys.count == 1,
                let issuer = try? TokenIssuer(secret: bytes, algorithm: .hs256, keyID: id)
            {
                return (issuer, jwk)
            }
        }
        let key = try SigningKey.make(.hs256)
        let jwk = JSONValue.object(key.jwk).text + "\n"
        try write((key.secret ?? "") + "\n", "hmac.secret")
        try write(jwk, "hmac.jwk")
        return (try key.issuer(), jwk)
    }

    private mutating func makeAuditKey() throws {
        if let secret = text("audit.key"), KeySetSource.secretBytes(Array(secret.utf8)).count >= 32 { return }
        // 32 random bytes as 43 characters.
        try write((SigningKey.make(.hs256).secret ?? "") + "\n", "audit.key")
    }

    // MARK: - Tokens

    /// Who the demo tokens are for, and what the shipped roles look at.
    private static let people: [(name: String, claims: [(String, JSONValue)])] = [
        ("operator", [("roles", .array([.string("operator")])), ("site", .string("plant-1"))]),
        ("supervisor", [("roles", .array([.string("supervisor")])), ("site", .string("plant-1"))]),
        ("mes", [("client_id", .string("mes"))]),
        ("wms", [("client_id", .string("wms"))]),
        ("auditor", [("roles", .array([.string("auditor")]))]),
        ("security", [("roles", .array([.string("security")]))]),
    ]

    private mutating func makeTokens(_ keys: SigningKeys) throws {
        // Each algorithm is used by somebody.
        let signers = ["supervisor": keys.rsa, "wms": keys.rsa, "auditor": keys.secret]
        let verifier = try TokenVerifier(issuers: [
            IssuerConfiguration(
                issuer: issuer, audiences: [audience], algorithms: [.rs256, .es256, .hs256], keys: keys.set)
        ])
        for (name, claims) in Self.people {
            let file = "tokens/\(name).jwt"
            if let token = text(file)?.split(separator: "\n").first.map(String.init),
                let principal = try? verifier.verify(token, now: now), principal.expires > now + Self.renewal,
                claims.allSatisfy({ principal.claims[$0.0] == $0.1 })
            {
                continue
            }
            var object = JSONObject([
                ("iss", .string(issuer)), ("sub", .string(name)), ("aud", .string(audience)),
                ("iat", JSONValue(Int(now.seconds))), ("exp", JSONValue(Int((now + Self.tokenLifetime).seconds))),
                ("jti", .string(UUID().uuidString.lowercased())),
            ])
            for (claim, value) in claims { object[claim] = value }
            try write((signers[name] ?? keys.ec).issue(object) + "\n", file)
        }
    }

    // MARK: - Files

    private func text(_ name: String) -> String? { PrivateFiles.text("\(directory)/\(name)") }

    private mutating func write(_ content: String, _ name: String, mode: mode_t = PrivateFiles.secret) throws {
        let path = "\(directory)/\(name)"
        try PrivateFiles.write(content, to: path, mode: mode)
        written.append(path)
    }
}
