import Bytes
import Documents
import Foundation
import Identity
import JSON
import Testing

@testable import Gateway

@Suite struct ConfigurationCheckTests {
    /// Made once: it takes a tenth of a second.
    static let rsa = Result { try SigningKey.make(.rs256, rsaBits: 2_048) }
    static let now = WallInstant(seconds: 1_795_000_000)

    /// The shipped configuration and policies in a directory of their own, with certificates and keys.
    struct Installation {
        let directory: String

        init() throws {
            directory = NSTemporaryDirectory() + "/check-\(UUID().uuidString)"
            let files = FileManager.default
            try files.createDirectory(atPath: directory + "/certs/dev", withIntermediateDirectories: true)
            try files.copyItem(
                atPath: ConfigurationReaderTests.repository.path + "/policies", toPath: directory + "/policies")
            let authority = try DevelopmentPKI.make(now: ConfigurationCheckTests.now)
            let server = try authority.server(now: ConfigurationCheckTests.now)
            let ec = try SigningKey.make(.es256)
            let rsa = try ConfigurationCheckTests.rsa.get()
            let secret = try SigningKey.make(.hs256)
            try write(authority.authority.certificatePEM, "certs/dev/ca.pem")
            try write(server.certificatePEM, "certs/dev/server.pem")
            try write(server.privatePEM, "certs/dev/server.key")
            try write(JSONValue.object(SigningKey.jwks([ec, rsa])).text, "certs/dev/jwks.json")
            try write(JSONValue.object(secret.jwk).text, "certs/dev/hmac.jwk")
            try write(secret.secret ?? "", "certs/dev/audit.key")
            // Paths are relative to the working directory, which all tests share: here they are absolute.
            let shipped = try ConfigurationReaderTests.shipped()
                .replacingOccurrences(of: "certs/dev/", with: directory + "/certs/dev/")
                .replacingOccurrences(of: "\npolicies: policies", with: "\npolicies: \(directory)/policies")
            try write(shipped, "millgate.yaml")
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }

        func text(_ name: String) throws -> String {
            try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
        }

        func write(_ text: String, _ name: String, mode: Int = 0o600) throws {
            let path = directory + "/" + name
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }

        func edit(_ name: String, _ old: String, _ new: String) throws {
            let text = try text(name)
            #expect(text.contains(old), "\(name) has no '\(old)'")
            let range = try #require(text.range(of: old))
            try write(text.replacingCharacters(in: range, with: new), name)
        }

        func run(at now: WallInstant = ConfigurationCheckTests.now, environment: [String: String] = [:])
            -> (errors: [String], warnings: [String], summary: String)
        {
            let check = ConfigurationCheck.run(
                file: directory + "/millgate.yaml", environment: environment, now: now)
            func short(_ errors: [DocumentError]) -> [String] {
                errors.map { $0.description.replacingOccurrences(of: directory + "/", with: "") }
            }
            return (short(check.errors), short(check.warnings), check.summary)
        }

        /// `millgate.yaml:LINE:COLUMN` of the first line with this text, at the text.
        func place(_ text: String) throws -> String {
            for (index, line) in try self.text("millgate.yaml").split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            {
                if let range = line.range(of: text) {
                    let column = line.unicodeScalars.distance(from: line.startIndex, to: range.lowerBound) + 1
                    return "millgate.yaml:\(index + 1):\(column)"
                }
            }
            return "nowhere"
        }
    }

    static func with(_ body: (Installation) throws -> Void) throws {
        let installation = try Installation()
        defer { installation.remove() }
        try body(installation)
    }

    @Test func whatIsShippedIsGood() throws {
        try Self.with { installation in
            let result = installation.run()
            #expect(result.errors == [])
            #expect(result.warnings == [])
            #expect(result.summary.contains("1 issuer with 3 keys, 9 roles"), "\(result.summary)")
            #expect(result.summary.hasSuffix("the built-in Odoo 19"))
        }
    }

    @Test(arguments: ["ca.pem", "server.pem", "server.key", "jwks.json", "hmac.jwk", "audit.key"])
    func aMissingFileIsReportedWhereItIsNamed(name: String) throws {
        try Self.with { installation in
            try FileManager.default.removeItem(atPath: installation.directory + "/certs/dev/" + name)
            let place = try installation.place(installation.directory + "/certs/dev/" + name)
            let errors = installation.run().errors
            #expect(errors == ["\(place): certs/dev/\(name): no such file"])
        }
    }

    static let broken: [(file: String, content: String, message: String)] = [
        ("server.pem", "not a certificate", "server.pem: not a certificate in PEM"),
        ("server.key", "not a key", "server.key: not a private key in PEM"),
        ("ca.pem", "", "ca.pem: not a certificate in PEM"),
        ("jwks.json", "{", "jwks.json: not JSON"),
        ("jwks.json", "{\"keys\":[]}", "jwks.json: no usable key"),
        ("hmac.jwk", "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\",\"alg\":\"HS256\"}", "hmac.jwk: "),
        ("audit.key", "short", "audit.key: an audit key has at least 32 bytes"),
        ("audit.key", "", "audit.key: the secret is empty"),
    ]

    @Test(arguments: broken.indices)
    func aBrokenFileIsReportedWhereItIsNamed(index: Int) throws {
        let (name, content, message) = Self.broken[index]
        try Self.with { installation in
            try installation.write(content, "certs/dev/" + name)
            let place = try installation.place(installation.directory + "/certs/dev/" + name)
            let errors = installation.run().errors
            #expect(errors.count == 1 && errors.first?.hasPrefix("\(place): certs/dev/\(message)") == true, "\(errors)")
        }
    }

    @Test func aKeyOfAnotherCertificateIsReported() throws {
        try Self.with { installation in
            let other = try DevelopmentPKI.make(now: Self.now)
            try installation.write(other.authority.privatePEM, "certs/dev/server.key")
            #expect(installation.run().errors.first?.contains("server.key: not the key of") == true)
        }
    }

    @Test func certificatesEnd() throws {
        try Self.with { installation in
            let days = { (n: Int64) in Self.now + .hours(24 * n) }
            #expect(installation.run(at: days(366)).warnings.isEmpty)
            let soon = installation.run(at: days(380))
            #expect(soon.errors.isEmpty && soon.warnings.first?.contains("server.pem: expires at 20") == true)
            #expect(installation.run(at: days(400)).errors.first?.contains("server.pem: expired at 20") == true)
            #expect(installation.run(at: days(-1)).errors.count { $0.contains("not valid before") } == 2)
        }
    }

    @Test func secretsThatOthersMayReadAreWarnedOf() throws {
        try Self.with { installation in
            for name in ["server.key", "hmac.jwk", "audit.key"] {
                try installation.write(installation.text("certs/dev/" + name), "certs/dev/" + name, mode: 0o644)
            }
            let result = installation.run()
            #expect(result.errors.isEmpty)
            #expect(result.warnings.count { $0.contains("chmod 600 it") } == 3, "\(result.warnings)")
        }
    }

    static let edits: [(file: String, old: String, new: String, message: String)] = [
        (
            "policies/access/production.yaml", "- production-order.confirm\n", "- production-order.confrim\n",
            "policies/access/production.yaml:32:9: unknown operation 'production-order.confrim'; did you mean "
                + "'production-order.confirm'?"
        ),
        (
            "policies/access/odoo.yaml", "proxy.odoo-rpc", "proxy.odoo-rcp",
            "unknown operation 'proxy.odoo-rcp'; did you mean 'proxy.odoo-rpc'?"
        ),
        ("policies/access/reading.yaml", "roles: [auditor]", "roles: [auditors]", "unknown role 'auditors'; did you"),
        (
            "policies/roles.yaml", "contains: operator", "contains: operator\n        issure: x",
            "unknown key 'issure'; did you mean"
        ),
        (
            "policies/services/product.read.yaml", "kind: read", "kind: reed",
            "unknown kind 'reed'; did you mean 'read'?"
        ),
        ("millgate.yaml", "production-order.create, ", "production-order.creat, ", "unknown operation"),
        (
            "millgate.yaml", "    quota: 3000", "    roles: [oprator]\n    quota: 3000",
            "unknown role 'oprator'; did you mean"
        ),
        (
            "millgate.yaml", "    quota: 3000", "    operations: [order.*]\n    quota: 3000",
            "'order.*' matches no operation"
        ),
        ("millgate.yaml", "in_flight: 4", "in_flight: four", "expected a whole number, not 'four'"),
    ]

    @Test(arguments: edits.indices)
    func plantedErrorsAreFoundAndNothingElse(index: Int) throws {
        let (file, old, new, message) = Self.edits[index]
        try Self.with { installation in
            try installation.edit(file, old, new)
            let errors = installation.run().errors
            #expect(errors.count == 1, "\(errors)")
            #expect(errors.first?.hasPrefix(file + ":") == true && errors.first?.contains(message) == true, "\(errors)")
        }
    }

    @Test func errorsOfAllFilesComeAtOnce() throws {
        try Self.with { installation in
            for (file, old, new, _) in Self.edits { try installation.edit(file, old, new) }
            try FileManager.default.removeItem(atPath: installation.directory + "/certs/dev/server.pem")
            let errors = installation.run().errors
            let files = Set(errors.map { String($0.prefix { $0 != ":" }) })
            #expect(files == Set(Self.edits.map(\.file)), "\(errors)")
            // A contract that cannot be read is not a reason to call its operation unknown.
            #expect(!errors.contains { $0.contains("'product.read'") })
        }
    }

    @Test func namesThatNobodyHasAreWarnedOf() throws {
        try Self.with { installation in
            try installation.edit("millgate.yaml", "  - name: plant-2", "  - name: plant-3")
            #expect(installation.run().warnings.contains { $0.contains("site 'plant-2', which is not configured") })
            try installation.edit("policies/access/odoo.yaml", "proxy.odoo-database", "proxy.odoo-rpc")
            #expect(installation.run().warnings.contains { $0.contains("no rule speaks of 'proxy.odoo-database'") })
        }
    }

    @Test func aRealOdooNeedsItsKey() throws {
        try Self.with { installation in
            let environment = [
                "ODOO_URL": "http://odoo.example:8069", "ODOO_DB": "d", "ODOO_LOGIN": "l",
                "ODOO_KEY_FILE": installation.directory + "/odoo.key",
            ]
            #expect(installation.run(environment: environment).errors.first?.contains("odoo.key: no such file") == true)
            try installation.write("secret", "odoo.key")
            let result = installation.run(environment: environment)
            #expect(result.errors.isEmpty && result.summary.hasSuffix("Odoo at http://odoo.example:8069"))
            #expect(result.warnings.contains { $0.contains("in the clear") })
        }
    }

    @Test func aFileThatIsNotThereIsSaid() {
        let check = ConfigurationCheck.run(file: "/nowhere/m.yaml", environment: [:], now: Self.now)
        #expect(check.errors.map(\.description) == ["/nowhere/m.yaml:1:1: no such file, or not readable"])
    }
}
