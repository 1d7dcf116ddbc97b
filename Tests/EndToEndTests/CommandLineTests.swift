import Foundation
import JSON
import Testing

/// The commands around keys and tokens.
@Suite struct CommandLineTests {
    static let roles = ["operator", "supervisor", "mes", "wms", "auditor", "security"]

    // MARK: - Usage

    @Test(
        arguments: [
            ["nonsense"], ["keys", "new"], ["keys", "new", "--kind", "dsa", "--out", "x"],
            ["keys", "new", "--kind", "rsa", "--out", "x", "--bits", "1024"],
            ["keys", "new", "--kind", "ec", "--out", "x", "--alg", "RS256"],
            ["keys", "new", "--kind", "ec", "--out", "x", "--kid", "../../etc/passwd"],
            ["token", "issue"], ["token", "issue", "--sub", "a", "--ttl", "soon"],
            ["token", "issue", "--sub", "a", "--ttl", "0s"], ["token", "issue", "--sub", "a", "--claim", "x"],
            ["token", "issue", "--sub", "a", "--claim", "exp=1"], ["token", "issue", "--sub", "a", "--alg", "none"],
            ["audit", "show", "--since", "yesterday"], ["audit", "show", "--last", "0"],
            ["audit", "verify", "--first-segment", "0"],
        ])
    func wrongUsageIs64AndWritesNothing(arguments: [String]) async throws {
        try await Millgate.withDirectory { millgate in
            let result = try millgate.run(arguments)
            #expect(result.status == 64, "\(result.errors)")
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("Error:"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: millgate.directory.path).isEmpty)
        }
    }

    @Test(
        arguments: [
            ["--help"], ["keys", "--help"], ["keys", "new", "--help"], ["keys", "dev", "--help"], ["token", "--help"],
            ["token", "issue", "--help"], ["token", "inspect", "--help"], ["audit", "--help"],
            ["audit", "verify", "--help"], ["audit", "show", "--help"], ["check", "--help"], ["serve", "--help"],
        ])
    func helpTeachesWithAnExample(arguments: [String]) async throws {
        try await Millgate.withDirectory { millgate in
            let result = try millgate.run(arguments)
            #expect(result.status == 0)
            let command = (["millgate"] + arguments.dropLast()).joined(separator: " ")
            #expect(result.output.components(separatedBy: command).count > 2, "no example in \(result.output)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func theShellCompletes(shell: String) async throws {
        try await Millgate.withDirectory { millgate in
            let result = try millgate.run(["--generate-completion-script", shell])
            #expect(result.status == 0)
            #expect(result.output.contains("inspect") && result.output.contains("millgate"))
        }
    }

    @Test func versionNamesTheLibraries() async throws {
        try await Millgate.withDirectory { millgate in
            let result = try millgate.run(["version"])
            #expect(result.lines.map { $0.prefix { $0 != " " } } == ["millgate", "OpenSSL", "SQLite"])
        }
    }

    // MARK: - keys dev

    @Test func developmentKeysAreCompleteAndPrivate() async throws {
        try await Millgate.withDirectory { millgate in
            let result = try millgate.run(["keys", "dev"])
            #expect(result.status == 0, "\(result.errors)")
            for name in [
                "ca.key", "server.key", "client.key", "rs256.key", "es256.key", "hmac.secret", "hmac.jwk", "audit.key",
            ] {
                #expect(millgate.mode("certs/dev/" + name) == 0o600, "\(name)")
            }
            for name in ["ca.pem", "server.pem", "client.pem", "jwks.json"] {
                #expect(millgate.mode("certs/dev/" + name) == 0o644, "\(name)")
            }
            for role in Self.roles { #expect(millgate.mode("certs/dev/tokens/\(role).jwt") == 0o600, "\(role)") }
            #expect(millgate.mode("certs/dev") == 0o700 && millgate.mode("certs/dev/tokens") == 0o700)
            let published = try millgate.text("certs/dev/jwks.json")
            #expect(!published.contains("\"oct\"") && !published.contains("\"d\""))
        }
    }

    @Test func demoTokensAreWhatTheShippedConfigurationAccepts() async throws {
        try await Millgate.withDirectory { millgate in
            _ = try millgate.run(["keys", "dev"])
            let shipped = Millgate.repository.appendingPathComponent("deploy/millgate.yaml").path
            for role in Self.roles {
                let result = try millgate.run(
                    ["token", "inspect", "certs/dev/tokens/\(role).jwt", "--config", shipped])
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.lines.last?.hasPrefix("valid: \(role) of https://id.millgate.example") == true)
            }
        }
    }

    @Test func aSecondRunKeepsWhatIsGoodAndRepairsTheRest() async throws {
        try await Millgate.withDirectory { millgate in
            _ = try millgate.run(["keys", "dev"])
            #expect(try millgate.run(["keys", "dev"]).output == "certs/dev: everything is there and good\n")
            // One thing at a time is broken; what depends on it is made anew with it, and nothing else.
            let cases: [(broken: String, content: String?, made: [String])] = [
                ("server.pem", nil, ["server.key", "server.pem"]),
                ("server.key", try millgate.text("certs/dev/client.key"), ["server.key", "server.pem"]),
                ("tokens/mes.jwt", "garbage", ["tokens/mes.jwt"]),
                ("jwks.json", "{}", ["jwks.json"]),
                ("audit.key", "short", ["audit.key"]),
                (
                    "hmac.secret", "another secret of at least 32 bytes",
                    ["hmac.secret", "hmac.jwk", "tokens/auditor.jwt"]
                ),
                ("rs256.key", nil, ["rs256.key", "jwks.json", "tokens/supervisor.jwt", "tokens/wms.jwt"]),
                ("ca.key", nil, ["ca.key", "ca.pem", "server.key", "server.pem", "client.key", "client.pem"]),
            ]
            for (broken, content, made) in cases {
                if let content {
                    try millgate.write(content, to: "certs/dev/" + broken)
                } else {
                    try FileManager.default.removeItem(atPath: millgate.path("certs/dev/" + broken))
                }
                let result = try millgate.run(["keys", "dev"])
                #expect(result.lines == made.map { "wrote certs/dev/" + $0 }, "\(broken)")
                #expect(try millgate.run(["keys", "dev"]).output.contains("everything is there"), "\(broken)")
            }
        }
    }

    @Test func theServersCertificateHasTheNamesOfTheMachine() async throws {
        try await Millgate.withDirectory { millgate in
            _ = try millgate.run(["keys", "dev", "--host", "gate.example"])
            // Names that are missing are a reason for another certificate.
            #expect(try millgate.run(["keys", "dev", "--host", "gate.example"]).output.contains("everything"))
            #expect(
                try millgate.run(["keys", "dev", "--host", "other.example"]).lines == [
                    "wrote certs/dev/server.key", "wrote certs/dev/server.pem",
                ])
            let bad = try millgate.run(["keys", "dev", "--host", "a,IP:1.2.3.4"])
            #expect(bad.status == 1 && bad.errors.contains("is not a host name"))
        }
    }

    @Test func whatOthersCouldReadIsTakenFromThem() async throws {
        try await Millgate.withDirectory { millgate in
            _ = try millgate.run(["keys", "dev"])
            for (name, mode) in [
                ("certs/dev", 0o755), ("certs/dev/es256.key", 0o644), ("certs/dev/tokens/mes.jwt", 0o666),
            ] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: millgate.path(name))
            }
            _ = try millgate.run(["keys", "dev"])
            #expect(millgate.mode("certs/dev") == 0o700)
            #expect(millgate.mode("certs/dev/es256.key") == 0o600)
            #expect(millgate.mode("certs/dev/tokens/mes.jwt") == 0o600)
        }
    }

    // MARK: - keys new, token issue, token inspect

    /// The least configuration that trusts one key.
    static func trusting(_ key: String, _ algorithm: String) -> String {
        """
        listeners: [{name: plain, address: ":0"}]
        identity: {issuers: [{issuer: https://i, audiences: [a], algorithms: [\(algorithm)], keys: [\(key)]}]}
        """
    }

    @Test(
        arguments: [
            ("rsa", "RS256", "key"), ("rsa", "PS384", "key"), ("ec", "ES256", "key"), ("ec", "ES512", "key"),
            ("ed25519", "EdDSA", "key"), ("hmac", "HS256", "secret"), ("hmac", "HS512", "secret"),
        ])
    func aNewKeySignsTokensThatItsPublicHalfVerifies(kind: String, algorithm: String, ending: String) async throws {
        try await Millgate.withDirectory { millgate in
            let new = [
                "keys", "new", "--kind", kind, "--alg", algorithm, "--kid", "k-1", "--out", "keys", "--bits", "2048",
            ]
            let made = try millgate.run(new)
            #expect(made.status == 0, "\(made.errors)")
            #expect(millgate.mode("keys/k-1." + ending) == 0o600)
            #expect(millgate.mode("keys/k-1.jwk") == (kind == "hmac" ? 0o600 : 0o644))
            #expect(millgate.mode("keys") == 0o700)
            #expect(try millgate.run(new).status == 1, "an existing key is not overwritten")

            try millgate.write(Self.trusting("keys/k-1.jwk", algorithm), to: "m.yaml")
            let issue = [
                "token", "issue", "--key", "keys/k-1." + ending, "--kid", "k-1", "--alg", algorithm, "--iss",
                "https://i",
                "--aud", "a", "--sub", "anna", "--role", "operator", "--site", "p1", "--site", "p2", "--ttl", "5m",
                "--claim", "line=7", "--claim", "note=a b", "--client-id", "app", "--type", "at+jwt",
            ]
            let token = try millgate.run(issue)
            #expect(token.status == 0 && token.lines.count == 1, "\(token.errors)")
            let inspected = try millgate.run(["token", "inspect", "-", "--config", "m.yaml"], input: token.output)
            #expect(inspected.status == 0, "\(inspected.output)\(inspected.errors)")
            #expect(inspected.lines.last == "valid: anna of https://i, application app")
            for line in [
                "  alg        \"\(algorithm)\"", "  typ        \"at+jwt\"", "  line       7", "  note       \"a b\"",
                "  roles      [\"operator\"]", "  sites      [\"p1\",\"p2\"]",
            ] {
                #expect(inspected.lines.contains(line), "\(inspected.output)")
            }
            let signature = try #require(token.lines.first?.split(separator: ".").last)
            #expect(!inspected.output.contains(signature))
        }
    }

    @Test func whatMakesATokenInvalidIsSaid() async throws {
        try await Millgate.withDirectory { millgate in
            for name in ["good", "other"] {
                _ = try millgate.run(["keys", "new", "--kind", "ec", "--kid", name, "--out", "keys"])
            }
            try millgate.write(Self.trusting("keys/good.jwk", "ES256"), to: "m.yaml")
            func verdict(_ more: [String], key: String = "good", kid: String = "good") throws -> String {
                let token = try millgate.run(
                    ["token", "issue", "--key", "keys/\(key).key", "--kid", kid, "--sub", "s"] + more)
                let result = try millgate.run(
                    ["token", "inspect", try #require(token.lines.first), "--config", "m.yaml"])
                #expect(result.status == 1)
                return result.lines.last ?? ""
            }
            let right = ["--iss", "https://i", "--aud", "a"]
            #expect(
                try verdict(["--iss", "https://j", "--aud", "a"]) == "not valid: the token's issuer is not known here")
            #expect(
                try verdict(["--iss", "https://i", "--aud", "b"])
                    == "not valid: the token is meant for another audience")
            #expect(try verdict(right, key: "other") == "not valid: the token's signature is not valid")
            #expect(try verdict(right, key: "other", kid: "other") == "not valid: the token's key is not known here")
            #expect(try verdict(right + ["--claim", "nbf=8999999999"]) == "not valid: the token is not valid yet")
        }
    }

    @Test func whatIsNoTokenIsRefused() async throws {
        try await Millgate.withDirectory { millgate in
            for text in ["a.b.c", "e30.e30", "e30.W10.c2ln", "nowhere.jwt"] {
                let result = try millgate.run(["token", "inspect", text])
                #expect(result.status == 1 && result.output.isEmpty, "\(text)")
            }
            let unverified = try millgate.run(["token", "inspect", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"])
            #expect(unverified.status == 0 && unverified.output.contains("not verified"))
            let missing = try millgate.run(["token", "inspect", "e30.e30.c2ln", "--config", "nowhere.yaml"])
            #expect(missing.status == 78 && missing.errors.contains("nowhere.yaml"))
        }
    }

    @Test func secretsDoNotReachTheTerminal() async throws {
        try await Millgate.withDirectory { millgate in
            let made = try millgate.run(["keys", "new", "--kind", "hmac", "--kid", "k", "--out", "keys"])
            let dev = try millgate.run(["keys", "dev"])
            for file in ["keys/k.secret", "certs/dev/hmac.secret", "certs/dev/audit.key"] {
                let secret = try millgate.text(file).trimmingCharacters(in: .newlines)
                #expect(secret.count >= 32)
                for output in [made.output, made.errors, dev.output, dev.errors] { #expect(!output.contains(secret)) }
            }
        }
    }
}
