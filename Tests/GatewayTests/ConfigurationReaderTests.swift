import Bytes
import Documents
import Foundation
import Identity
import Policy
import Testing

@testable import Gateway

@Suite struct ConfigurationReaderTests {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func shipped() throws -> String {
        try String(contentsOf: repository.appendingPathComponent("deploy/millgate.yaml"), encoding: .utf8)
    }

    /// The least that is accepted, and what stands between.
    static func minimal(_ more: String = "") -> String {
        """
        listeners:
          - {name: plain, address: "127.0.0.1:0"}
        identity:
          issuers:
            - {issuer: https://id, audiences: [a], algorithms: [ES256], keys: [k.json]}

        """ + more
    }

    static func read(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try ConfigurationReader.read(text: text, file: "m.yaml", environment: environment)
    }

    /// The errors as lines without the file's name.
    static func complaints(_ text: String, _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try ConfigurationReader.read(text: text, file: "m.yaml", environment: environment)
            return []
        } catch {
            return error.errors.map { $0.description.replacingOccurrences(of: "m.yaml:", with: "") }
        }
    }

    @Test func theShippedConfigurationSaysWhatTheManualSays() throws {
        let read = try ConfigurationReader.read(text: Self.shipped(), file: "deploy/millgate.yaml")
        #expect(read.listeners.map(\.name) == ["plain", "tls"])
        #expect(read.listeners.map(\.address.port) == [8080, 8443])
        #expect(read.listeners[1].tls?.certificates.first?.keyFile == "certs/dev/server.key")
        #expect(read.listeners[1].tls?.clientCertificates == .optional)
        #expect(read.admin == AddressConfiguration(host: "127.0.0.1", port: 9090))
        #expect(read.identity.issuers.first?.keys.map(\.file) == ["certs/dev/jwks.json", "certs/dev/hmac.jwk"])
        #expect(read.odoo.url == nil && read.odoo.sandboxVersion == 19 && read.odoo.inFlightMax == 4)
        #expect(read.odoo.addon == .auto && !read.odoo.sandboxHasAddon)
        #expect(read.sites.map(\.warehouse) == ["WH", "WH2"])
        #expect(read.audit.key == .file("certs/dev/audit.key"))
        let routes = Dictionary(grouping: read.routes, by: \.name).mapValues { $0.map(\.path) }
        #expect(routes["odoo-rpc"] == ["/jsonrpc", "/xmlrpc", "/json"])
        #expect(routes["odoo-database"] == ["/web/database"])
        #expect(read.routes.allSatisfy { $0.access == .token })
        #expect(read.routes.first { $0.path == "/websocket" }?.operation == "proxy.odoo-web")
        #expect(read.routes.filter(\.allowsWebSocket).map(\.path) == ["/websocket"])
        let writes = read.limits.first { $0.name == "writes-per-subject" }
        #expect(writes?.quota == 600 && writes?.window == .seconds(60) && writes?.burst == 120)
    }

    @Test func theShippedConfigurationTrustsTheIssuerOfTheShippedRoles() throws {
        let read = try ConfigurationReader.read(text: Self.shipped(), file: "deploy/millgate.yaml")
        let roles = try String(
            contentsOf: Self.repository.appendingPathComponent("policies/roles.yaml"), encoding: .utf8)
        let named = roles.matches(of: /(?m)^ +issuer: (\S+)$/).map { String($0.1) }
        #expect(!named.isEmpty)
        #expect(Set(named) == Set(read.identity.issuers.map(\.issuer) + [PolicyOperation.adminIssuer]))
    }

    /// A key in the file that repeats the default must repeat it rightly.
    @Test func theShippedConfigurationShowsTheDefaults() throws {
        let read = try ConfigurationReader.read(text: Self.shipped(), file: "deploy/millgate.yaml")
        let bare = try Self.read(Self.minimal())
        #expect(read.name == bare.name && read.reactors == bare.reactors && read.state == bare.state)
        #expect(read.drainTimeout == bare.drainTimeout && read.policies == bare.policies)
        #expect("\(read.server)" == "\(bare.server)")
        #expect("\(read.log)" == "\(bare.log)")
        #expect("\(read.ledger)" == "\(bare.ledger)")
        #expect("\(read.odoo)" == "\(bare.odoo)")
        #expect(read.connectionsPerAddressMax == bare.connectionsPerAddressMax)
        #expect(read.identity.leeway == bare.identity.leeway)
        #expect(read.identity.cachedTokensMax == bare.identity.cachedTokensMax)
        var audit = read.audit
        audit.key = nil
        #expect("\(audit)" == "\(bare.audit)")
    }

    @Test(
        arguments: [
            ("nmae: x\n", "6:1: unknown key 'nmae'; did you mean 'name'?"),
            ("name: My Gateway\n", "6:7: a name is lower-case"),
            ("reactors: 1000\n", "6:11: must be from 0 to 256, not '1000'"),
            ("drain_timeout: 10\n", "6:16: expected a duration"),
            ("server: {idle_timeout: 1ms}\n", "6:24: must be from 10ms to 1d, not '1ms'"),
            ("server: {idle_tmeout: 1s}\n", "6:10: unknown key 'idle_tmeout'; did you mean 'idle_timeout'?"),
            ("server: {head_max: 4KiB, field_line_max: 8KiB}\n", "6:42: 'field_line_max' (8KiB) is more than"),
            ("server: {head_max: 4KiB}\n", "6:20: 'target_max' (8KiB) is more than 'head_max' (4KiB)"),
            ("admin: {address: \"example.org:80\"}\n", "6:18: expected an address and port"),
            ("admin: {address: \"127.0.0.256:80\"}\n", "6:18: expected an address and port"),
            ("admin: {address: \":65536\"}\n", "6:18: expected an address and port"),
            ("odoo: {url: ftp://x, database: d, login: l, key: {file: k}}\n", "6:13: expected a URL such as"),
            ("odoo: {url: http://x/odoo, database: d, login: l, key: {file: k}}\n", "6:13: the URL ends after host"),
            ("odoo: {url: \"http://x:0\", database: d, login: l, key: {file: k}}\n", "6:13: the port is not"),
            ("odoo: {url: http://x, sandbox: 19, database: d, login: l, key: {file: k}}\n", "6:13: either 'url' for"),
            ("odoo: {sandbox: 18}\n", "6:17: the sandbox speaks as Odoo 17 or 19, not 18"),
            ("odoo: {call_runs_max: 1h}\n", "6:7: 'call_runs_max' must be shorter than 'ledger.settle_limit'"),
            ("odoo: {companies: []}\n", "6:19: the list must not be empty"),
            ("odoo: {key: {file: a, env: b}}\n", "6:13: a secret is either"),
            ("odoo: {key: {}}\n", "6:13: a secret is either"),
            ("odoo: {key: {env: \"a b\"}}\n", "6:19: 'env' takes the name"),
            ("sites: [{name: a, warehouse: W}, {name: a, warehouse: X}]\n", "6:41: a second site 'a', first on line 6"),
            ("sites: [{name: a, warehouse: W}, {name: b, warehouse: W}]\n", "6:55: warehouse 'W' is a site already"),
            ("sites: [{name: a}]\n", "6:9: missing key 'warehouse'"),
            ("upstreams: [{name: a, url: http://x}, {name: a, url: http://y}]\n", "6:46: a second upstream 'a'"),
            ("routes: [{name: r, path: /, upstream: odo}]\n", "6:39: unknown upstream 'odo'"),
            (
                "upstreams: [{name: odoo, url: odoo}]\nroutes: [{name: r, path: /, upstream: odo}]\n",
                "7:39: unknown upstream 'odo'; did you mean 'odoo'?"
            ),
            ("routes: [{name: r, path: /}]\n", "6:10: missing key 'upstream'"),
            ("routes: [{name: r, access: closed}]\n", "6:10: a route has either 'path' or 'paths'"),
            ("routes: [{name: r, access: closd, path: /}]\n", "6:28: unknown value 'closd'; did you mean 'closed'?"),
            ("routes: [{name: r, access: closed, path: web}]\n", "6:42: expected a path such as /web, not 'web'"),
            ("routes: [{name: r, access: closed, path: /a/../b}]\n", "6:42: expected a path"),
            ("routes: [{name: r, access: closed, path: //}]\n", "6:42: expected a path"),
            ("routes: [{name: r, access: closed, path: \"/a?b\"}]\n", "6:42: expected a path"),
            ("routes: [{name: r, access: closed, path: /v1/x}]\n", "6:42: '/v1' belongs to the governed services"),
            (
                "routes:\n  - {name: r, access: closed, path: /a}\n  - {name: s, access: closed, path: /a/}\n",
                "8:37: a second route for '/a', first on line 7"
            ),
            ("routes: [{name: r, access: closed, path: /, methods: [get]}]\n", "6:55: unknown method 'get'"),
            ("routes: [{name: r, access: closed, path: /, admission: fast}]\n", "6:56: unknown admission class"),
            ("routes: [{name: r, access: closed, path: /, operation: web}]\n", "6:56: a route's operation is"),
            ("routes: [{name: r, access: closed, path: /, operation: proxy.*}]\n", "6:56: a route's operation is"),
            ("limits: [{name: l, key: user, quota: 1, window: 1s}]\n", "6:25: unknown key 'user'"),
            ("limits: [{name: l, key: subject, quota: 0, window: 1s}]\n", "6:41: must be from 1 to 1000000000"),
            ("limits: [{name: l, key: subject, quota: 1, window: 1500ms}]\n", "6:52: a window is whole seconds"),
            ("limits: [{name: l, key: subject, quota: 1}]\n", "6:10: missing key 'window'"),
            (
                "limits: [{name: l, key: subject, quota: 1, window: 1s, operations: [a.b.c]}]\n",
                "6:69: expected an operation"
            ),
            ("audit: {key: hunter2}\n", "6:14: a secret is never written into this file"),
            ("log: {level: loud}\n", "6:14: unknown log level 'loud'"),
            ("log: {format: xml}\n", "6:15: unknown value 'xml'"),
            ("ledger: {retention: 1s}\n", "6:21: must be from 1m to 366d"),
        ])
    func errorsAreFoundWhereTheyStand(text: String, message: String) {
        let complaints = Self.complaints(Self.minimal(text))
        #expect(complaints.contains { $0.hasPrefix(message) }, "\(complaints)")
    }

    @Test(
        arguments: [
            ("issuer: i, audiences: [], algorithms: [ES256], keys: [k.json]", "the list must not be empty"),
            ("issuer: i, audiences: [a], algorithms: [], keys: [k.json]", "the list must not be empty"),
            ("issuer: i, audiences: [a], algorithms: [ES265], keys: [k.json]", "unknown algorithm 'ES265'; did you"),
            ("issuer: i, audiences: [a], algorithms: [None], keys: [k.json]", "unsigned tokens are never accepted"),
            ("issuer: i, audiences: [a], algorithms: [ES256], keys: []", "the list must not be empty"),
            ("issuer: i, audiences: [a], algorithms: [ES256]", "an issuer has either 'keys', 'jwks_url'"),
            ("issuer: i, audiences: [a], algorithms: [ES256], keys: [k.txt]", "the kind of key file is not clear"),
            ("issuer: i, audiences: [a], algorithms: [HS256], keys: [k.secret]", "a secret needs its algorithm"),
            (
                "issuer: i, audiences: [a], algorithms: [HS256], keys: [{file: k.secret, algorithm: RS256}]",
                "a secret needs its algorithm"
            ),
            ("issuer: i, audiences: [a], algorithms: [ES256], keys: [k.json], types: [jot]", "unknown token type"),
            ("audiences: [a], algorithms: [ES256], keys: [k.json]", "missing key 'issuer'"),
        ])
    func issuersThatWouldAcceptTooMuchOrNothingAreRefused(issuer: String, message: String) {
        let text = """
            listeners: [{name: plain, address: ":0"}]
            identity: {issuers: [{\(issuer)}]}
            """
        let complaints = Self.complaints(text)
        #expect(complaints.contains { $0.contains(message) && $0.hasPrefix("2:") }, "\(complaints)")
    }

    @Test func everyErrorOfTheFileIsReportedAtOnce() {
        let complaints = Self.complaints(
            """
            reactors: many
            listeners:
              - {name: a, address: ":80"}
              - {name: a, address: ":80"}
            odoo:
              in_flight: 0
            routes:
              - {name: r, path: /, upstream: nowhere}
            """)
        #expect(
            complaints.map { $0.split(separator: " ")[0] } == ["1:1:", "1:11:", "4:12:", "4:24:", "6:14:", "8:34:"],
            "\(complaints)")
    }

    @Test func withoutAProofOfIdentityNothingStarts() {
        #expect(
            Self.complaints("listeners: [{name: p, address: \":0\"}]").first?.contains("nobody could prove") == true)
        #expect(
            Self.complaints("listeners: [{name: p, address: \":0\"}]\nidentity: {realm: x}").first?
                .hasPrefix("2:11: nobody could prove") == true)
        let mutual = """
            listeners:
              - name: p
                address: ":0"
                tls:
                  certificates: [{certificate: c, key: k}]
                  client_certificates: required
                  client_authorities: ca.pem
            """
        #expect(Self.complaints(mutual) == [])
        #expect(Self.complaints("").count == 2)
    }

    @Test(
        arguments: [
            ("client_certificates: optional", "7:28: client certificates need 'client_authorities'"),
            ("client_authorities: ca.pem", "7:27: without effect while 'client_certificates' is off"),
            ("minimum_version: 1.1", "7:24: unknown TLS version '1.1'"),
        ])
    func tlsSettingsFitTogether(line: String, message: String) {
        let text = """
            identity:
              issuers: [{issuer: i, audiences: [a], algorithms: [ES256], keys: [k.json]}]
            listeners:
              - name: p
                address: ":0"
                tls:
                  \(line)
                  certificates: [{certificate: c, key: k}]
            """
        #expect(Self.complaints(text).contains { $0.hasPrefix(message) }, "\(Self.complaints(text))")
    }

    @Test(arguments: ["audit: {key: hunter2}", "odoo: {key: [hunter2]}", "odoo: {url: \"http://u:hunter2@h\"}"])
    func secretsAreNotRepeatedInErrors(text: String) {
        let complaints = Self.complaints(Self.minimal(text))
        #expect(!complaints.isEmpty)
        #expect(!complaints.joined().contains("hunter2"), "\(complaints)")
    }

    // MARK: - Environment

    @Test func theEnvironmentGoesBeforeTheFile() throws {
        let environment = [
            "ODOO_URL": "https://odoo.example:444", "ODOO_DB": "plant", "ODOO_LOGIN": "gate", "ODOO_KEY_FILE": "key",
        ]
        let read = try ConfigurationReader.read(text: Self.shipped(), file: "m.yaml", environment: environment)
        #expect(read.odoo.url == "https://odoo.example:444")
        #expect(read.odoo.database == "plant" && read.odoo.login == "gate" && read.odoo.key == .file("key"))
        let untouched = try ConfigurationReader.read(
            text: Self.shipped(), file: "m.yaml", environment: environment.mapValues { _ in "" })
        #expect(untouched.odoo.url == nil)
    }

    @Test func anIncompleteEnvironmentIsRefused() {
        #expect(
            Self.complaints(Self.minimal(), ["ODOO_URL": "http://h"]).map { $0.prefix { $0 != ":" } } == [
                "$ODOO_DB", "$ODOO_KEY_FILE", "$ODOO_LOGIN",
            ])
        let file = "odoo: {url: http://h, login: l, key: {file: k}}"
        #expect(Self.complaints(Self.minimal(file)).first?.contains("needs 'database'") == true)
        #expect(Self.complaints(Self.minimal(file), ["ODOO_DB": "d"]) == [])
        let wrong = ["ODOO_URL": "odoo", "ODOO_DB": "d", "ODOO_LOGIN": "l", "ODOO_KEY_FILE": "k"]
        #expect(Self.complaints(Self.minimal(), wrong).first?.hasPrefix("$ODOO_URL:1:1: expected a URL") == true)
    }

    // MARK: - Limits

    @Test func noMoreThanEightLimitsCountOneRequest() throws {
        func limits(_ operations: [String]) -> String {
            "limits:\n"
                + operations.enumerated().map {
                    "  - {name: l\($0), key: subject, quota: 1, window: 1s, operations: [\($1)]}\n"
                }.joined()
        }
        #expect(Self.complaints(Self.minimal(limits(Array(repeating: "a.b", count: 8)))) == [])
        let nine = Self.complaints(
            Self.minimal(limits(Array(repeating: "a.b", count: 5) + ["a.*", "a.*", "\"*\"", "a.b"])))
        #expect(nine.first?.contains("9 limits would count a request for a.b") == true, "\(nine)")
        // Twelve, but of no request more than eight.
        let apart = Array(repeating: "a.b", count: 6) + Array(repeating: "a.c", count: 4) + ["a.*", "\"*\""]
        #expect(Self.complaints(Self.minimal(limits(apart))) == [])
    }

    // MARK: - Robustness

    @Test func whateverIsCutOutOfTheShippedFileIsReadOrRefusedInOrder() throws {
        let bytes = Array(try Self.shipped().utf8)
        for start in stride(from: 0, to: bytes.count, by: 97) {
            var copy = bytes
            copy.removeSubrange(start..<min(start + 31, copy.count))
            do {
                _ = try ConfigurationReader.read(text: String(decoding: copy, as: UTF8.self), file: "m.yaml")
            } catch {
                #expect(!error.errors.isEmpty)
                #expect(error.errors.allSatisfy { $0.line > 0 && $0.column > 0 && !$0.message.contains("\n") })
            }
        }
    }
}
