import ArgumentParser
import Identity
import JSON

struct KeysNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a key for signing tokens.",
        discussion: """
            Example: millgate keys new --kind ec --kid plant-2026 --out keys

            writes keys/plant-2026.key (the private key, for the issuer alone) and keys/plant-2026.jwk (the public key,
            for `identity.issuers.keys` of the configuration). For --kind hmac both are secret: plant-2026.secret and
            plant-2026.jwk.
            """)

    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case rsa, ec, ed25519, hmac

        var algorithm: SignatureAlgorithm {
            switch self {
            case .rsa: .rs256
            case .ec: .es256
            case .ed25519: .eddsa
            case .hmac: .hs256
            }
        }
    }

    @Option(help: "Kind of key; hmac is a shared secret.")
    var kind: Kind

    @Option(help: "Directory for the files. It is made for its owner only.")
    var out: String

    @Option(help: "Name of the key: `kid` in tokens, and the files' name. (default: made from the key)")
    var kid: String?

    @Option(help: "Algorithm. (default: RS256, ES256, EdDSA or HS256 by kind)")
    var alg: SignatureAlgorithm?

    @Option(help: "Length of an RSA key, 2048 to 8192 bits.")
    var bits = 3_072

    func validate() throws {
        if let kid, !Self.isFileName(kid) {
            throw ValidationError(
                "--kid is letters, digits, '-', '_' and '.', at most 64, and begins with none of '.-'.")
        }
        if !(2_048...8_192).contains(bits) { throw ValidationError("--bits is 2048 to 8192.") }
        if let alg, alg.kind != kind { throw ValidationError("--alg \(alg) needs --kind \(alg.kind.rawValue).") }
    }

    func run() throws {
        do {
            let made = try SigningKey.make(alg ?? kind.algorithm, rsaBits: bits)
            let key = kid.map(made.named) ?? made
            try PrivateFiles.makeDirectory(out)
            let path = "\(out)/\(key.keyID)"
            let isPair = key.privatePEM != nil
            let secret = path + (isPair ? ".key" : ".secret")
            let jwk = path + ".jwk"
            if PrivateFiles.exists(jwk) { throw FileError(description: "\(jwk): is there already; move it away first") }
            try PrivateFiles.create(key.privatePEM ?? (key.secret ?? "") + "\n", at: secret)
            try PrivateFiles.create(
                JSONValue.object(key.jwk).text + "\n", at: jwk,
                mode: isPair ? PrivateFiles.published : PrivateFiles.secret)
            print("\(secret)  for the issuer: millgate token issue --key \(secret) --kid \(key.keyID)")
            print("\(jwk)  for the gateway: identity.issuers.keys, algorithm \(key.algorithm)")
        } catch {
            throw failure("\(error)")
        }
    }

    private static func isFileName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || "-_.".utf8.contains($0) }
    }
}

extension SignatureAlgorithm {
    var kind: KeysNew.Kind {
        switch family {
        case .rsa, .rsaPSS: .rsa
        case .ec: .ec
        case .ed25519: .ed25519
        case .secret: .hmac
        }
    }
}

extension SignatureAlgorithm: ExpressibleByArgument {}
