import Foundation
import Testing

/// `check` on the shipped files with errors planted in them.
@Suite struct CheckCommandTests {
    /// The shipped configuration and policies with fresh keys, in the working directory.
    static func install(_ millgate: Millgate) throws {
        for name in ["policies", "deploy"] {
            try FileManager.default.copyItem(
                atPath: Millgate.repository.appendingPathComponent(name).path, toPath: millgate.path(name))
        }
        let made = try millgate.run(["keys", "dev"])
        #expect(made.status == 0, "\(made.errors)")
    }

    static func edit(_ millgate: Millgate, _ name: String, _ old: String, _ new: String) throws {
        let text = try millgate.text(name)
        let range = try #require(text.range(of: old), "\(name) has no '\(old)'")
        try millgate.write(text.replacingCharacters(in: range, with: new), to: name)
    }

    /// `FILE:LINE:COLUMN:` of the first place of a text.
    static func place(_ millgate: Millgate, _ name: String, _ text: String) throws -> String {
        let lines = try millgate.text(name).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard let range = line.range(of: text) else { continue }
            return "\(name):\(index + 1):\(line.distance(from: line.startIndex, to: range.lowerBound) + 1):"
        }
        return "not in \(name)"
    }

    @Test func whatIsShippedIsGood() async throws {
        try await Millgate.withDirectory { millgate in
            try Self.install(millgate)
            let result = try millgate.run(["check", "--strict"])
            #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
            #expect(result.lines.count == 1 && result.output.hasPrefix("deploy/millgate.yaml: good. 2 listeners"))
        }
    }

    static let edits: [(file: String, old: String, new: String, place: String, message: String)] = [
        (
            "deploy/millgate.yaml", "\nreactors: 0", "\nreactor: 0", "reactor: 0",
            "unknown key 'reactor'; did you mean 'reactors'?"
        ),
        ("deploy/millgate.yaml", "leeway: 30s", "leeway: 30 ", "30 ", "expected a duration such as 250ms"),
        ("deploy/millgate.yaml", "leeway: 30s", "leeway: 10m", "10m", "must be from 0s to 5m, not '10m'"),
        ("deploy/millgate.yaml", "[RS256, ES256, HS256]", "[RS265, ES256, HS256]", "RS265", "did you mean 'RS256'?"),
        ("deploy/millgate.yaml", "{file: certs/dev/audit.key}", "hunter2", "hunter2", "a secret is never written"),
        ("deploy/millgate.yaml", "    upstream: odoo\n", "    upstream: odoom\n", "odoom", "did you mean 'odoo'?"),
        ("deploy/millgate.yaml", "certs/dev/ca.pem", "certs/dev/cb.pem", "certs/dev/cb.pem", "no such file"),
        ("deploy/millgate.yaml", "certs/dev/jwks.json", "certs/dev/ca.key.jwk", "certs/dev/ca.key.jwk", "no such file"),
        (
            "policies/access/production.yaml", "production-order.release", "production-order.relase",
            "production-order.relase",
            "unknown operation 'production-order.relase'; did you mean 'production-order.release'?"
        ),
        (
            "policies/access/odoo.yaml", "effect: allow", "effect: permit", "permit",
            "unknown effect 'permit'; it is called 'allow'"
        ),
        ("policies/roles.yaml", "client_id: wms", "client_di: wms", "client_di", "did you mean 'client_id'?"),
        ("policies/services/inventory.read.yaml", "kind: read", "kind: reed", "reed", "did you mean 'read'?"),
    ]

    @Test(arguments: edits.indices)
    func aPlantedErrorIsFoundWithItsPlace(index: Int) async throws {
        let (file, old, new, at, message) = Self.edits[index]
        try await Millgate.withDirectory { millgate in
            try Self.install(millgate)
            try Self.edit(millgate, file, old, new)
            let result = try millgate.run(["check"])
            #expect(result.status == 78)
            #expect(result.output.isEmpty)
            let errors = result.errors.split(separator: "\n").map(String.init)
            let place = try Self.place(millgate, file, at)
            #expect(
                errors.contains { $0.hasPrefix(place) && $0.contains(message) },
                "\(place) \(message) not in:\n\(result.errors)")
            #expect(!result.errors.contains("hunter2"))
        }
    }

    @Test func allErrorsOfAllFilesComeAtOnce() async throws {
        try await Millgate.withDirectory { millgate in
            try Self.install(millgate)
            try Self.edit(millgate, "deploy/millgate.yaml", "\nreactors: 0", "\nreactor: 0")
            try Self.edit(millgate, "deploy/millgate.yaml", "certs/dev/ca.pem", "nowhere.pem")
            try Self.edit(millgate, "policies/access/odoo.yaml", "effect: allow", "effect: permit")
            try Self.edit(millgate, "policies/roles.yaml", "contains: auditor", "contains: auditor\n        issure: x")
            let result = try millgate.run(["check"])
            #expect(result.status == 78)
            for text in ["'reactor'", "nowhere.pem", "'permit'", "'issure'", "millgate: 4 errors"] {
                #expect(result.errors.contains(text), "\(text) not in:\n\(result.errors)")
            }
        }
    }

    @Test func serveRefusesWhatCheckRefuses() async throws {
        try await Millgate.withDirectory { millgate in
            try Self.install(millgate)
            try Self.edit(millgate, "deploy/millgate.yaml", "in_flight: 4", "in_flight: many")
            for command in ["check", "serve"] {
                let result = try millgate.run([command, "--config", "deploy/millgate.yaml"])
                #expect(result.status == 78)
                #expect(result.errors.contains("expected a whole number, not 'many'"), "\(result.errors)")
            }
        }
    }

    @Test func warningsAreErrorsOnlyWhereAskedFor() async throws {
        try await Millgate.withDirectory { millgate in
            try Self.install(millgate)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: millgate.path("certs/dev/server.key"))
            let result = try millgate.run(["check"])
            #expect(
                result.status == 0 && result.errors.contains(": warning: certs/dev/server.key: others than its owner"))
            #expect(try millgate.run(["check", "--strict"]).status == 78)
        }
    }

    @Test func theEnvironmentsOdooIsChecked() async throws {
        try await Millgate.withDirectory { millgate in
            try Self.install(millgate)
            let incomplete = try millgate.run(["check"], environment: ["ODOO_URL": "http://127.0.0.1:8069"])
            #expect(incomplete.status == 78 && incomplete.errors.contains("$ODOO_DB:1:1: missing"))
            try millgate.write("a key", to: "odoo.key")
            let complete = try millgate.run(
                ["check"],
                environment: [
                    "ODOO_URL": "http://127.0.0.1:8069", "ODOO_DB": "d", "ODOO_LOGIN": "l", "ODOO_KEY_FILE": "odoo.key",
                ])
            #expect(
                complete.status == 0 && complete.output.hasSuffix("Odoo at http://127.0.0.1:8069\n"),
                "\(complete.errors)")
        }
    }

    @Test func aConfigurationThatIsNotThereIs78() async throws {
        try await Millgate.withDirectory { millgate in
            let result = try millgate.run(["check", "--config", "nowhere.yaml"])
            #expect(result.status == 78 && result.errors.hasPrefix("nowhere.yaml:1:1: no such file"))
        }
    }
}
