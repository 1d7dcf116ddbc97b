import ArgumentParser
import Bytes
import Foundation
import Gateway
import Identity
import JSON
import Policy
import PolicyTools
import Reactor

struct PolicyExplain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what the policy decides, and why.",
        discussion: """
            Examples: millgate policy explain --token certs/dev/tokens/operator.jwt --operation inventory.read --site plant-1
                      millgate policy explain --claims '{"roles":["operator"],"site":"plant-1"}' \\
                        --operation production-order.confirm --site plant-1 --input '{"quantity":5}'

            Every rule that speaks of the operation is listed with the reason why it applies or not; the one that decides is
            marked. A token is read, not verified: `millgate token inspect --config` verifies. Exit code 0 when it is
            allowed, 1 when not.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "A token, or a file with one.")
    var token: String?
    @Option(help: "The caller's claims, as a JSON object.")
    var claims: String?
    @Option(help: "Subject, where there is no token.")
    var sub: String?
    @Option(help: "Issuer, where there is no token. (default: the first of the configuration)")
    var issuer: String?
    @Option(help: "Client id, where there is no token.")
    var clientID: String?
    @Flag(help: "The connection has a client certificate.")
    var clientCertificate = false
    @Option(help: "What is asked for: a business operation, proxy.ROUTE or odoo.rpc:MODEL.METHOD.")
    var operation: String
    @Option(help: "Site of the record.")
    var site: String?
    @Option(help: "Work center of the record.")
    var workCenter: String?
    @Option(help: "Warehouse of the record. (default: that of the site)")
    var warehouse: String?
    @Option(help: "Product category of the record.")
    var productCategory: String?
    @Option(help: "The request's input, as a JSON object.")
    var input = "{}"
    @Option(help: "When, as 2026-11-25T10:00:00Z. (default: now)")
    var at: String?
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if (token == nil) == (claims == nil && sub == nil && clientID == nil) {
            throw ValidationError("give either --token, or --claims, --sub or --client-id.")
        }
    }

    func run() throws {
        let loaded = try options.load()
        if loaded.policy.catalog[operation] == nil, !RPCOperation.isOperation(operation) {
            complain("note: the policy knows no operation '\(operation)'")
        }
        guard let asked = try? JSONValue.parse(input), asked.object != nil else {
            throw failure("--input is not a JSON object", .validationFailure)
        }
        var facts = RequestFacts(now: Clock.wall(), hasClientCertificate: clientCertificate)
        if let at {
            guard let instant = WallInstant(at) else {
                throw failure("--at is a time such as 2026-11-25T10:00:00Z", .validationFailure)
            }
            facts.now = instant
        }
        let derivation = loaded.policy.explain(
            try principal(loaded), operation: operation,
            resource: Resource(
                site: site, workCenter: workCenter,
                warehouse: warehouse ?? loaded.configuration.sites.first { $0.name == site }?.warehouse,
                productCategory: productCategory),
            input: asked, facts: facts)
        print(json ? derivation.json.text : derivation.text)
        if !derivation.decision.isPermitted { throw ExitCode.failure }
    }

    private func principal(_ loaded: PolicyOptions.Loaded) throws -> Principal {
        var found = JSONObject()
        if let token {
            found = try Self.claims(of: token)
        } else if let claims {
            guard let object = (try? JSONValue.parse(claims))?.object else {
                throw failure("--claims is not a JSON object", .validationFailure)
            }
            found = object
        }
        let first = loaded.configuration.identity.issuers.first?.issuer
        let client = clientID ?? found["client_id"]?.string ?? found["azp"]?.string
        return Principal(
            subject: sub ?? found["sub"]?.string ?? client ?? "somebody",
            issuer: issuer ?? found["iss"]?.string ?? first ?? PolicyTestFile.issuerDefault, clientID: client,
            claims: found, expires: WallInstant(nanoseconds: .max),
            authentication: .bearer(keyID: nil, algorithm: .es256))
    }

    private static func claims(of token: String) throws -> JSONObject {
        let text = (PrivateFiles.text(token) ?? token).trimmingCharacters(in: .whitespacesAndNewlines)
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3,
            let claims = Base64URL.decode(String(parts[1])).flatMap({ try? JSONValue.parse($0) })?.object
        else { throw failure("--token is neither a token nor a file with one") }
        return claims
    }
}

struct PolicyWhoCan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "who-can",
        abstract: "Say who may do an operation, and where.",
        discussion: "Example: millgate policy who-can production-order.release plant-1")

    @OptionGroup var options: PolicyOptions
    @Argument(help: "The operation.")
    var operation: String
    @Argument(help: "Only these sites.")
    var sites: [String] = []
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let loaded = try options.load()
        guard loaded.policy.catalog[operation] != nil || RPCOperation.isOperation(operation) else {
            throw failure("the policy knows no operation '\(operation)'")
        }
        let who = WhoCan(
            loaded.policy, operation: operation, sites: sites, known: loaded.sites, now: Clock.wall())
        print(json ? who.json.text : who.text)
    }
}

struct PolicyDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say who gains and who loses what by a change of the policies.",
        discussion: """
            Example: millgate policy diff policies ../next/policies

            Both policies are asked everything at which a decision of either can turn: each operation, each kind of caller
            and each two of them, each site, and both sides of each constant in a condition. Exit code 1 when something
            changes, so that a pipeline can stop for a person to look; 0 when nothing does.
            """)

    @OptionGroup var options: PolicyOptions
    @Argument(help: "Directory of the policies as they are.")
    var old: String
    @Argument(help: "Directory of the policies as they would be.")
    var new: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let before = try options.load(old)
        let after = try options.load(new)
        let diff = PolicyDiff(before.policy, after.policy, sites: after.sites, now: Clock.wall())
        print(json ? diff.json.text : diff.text)
        if !diff.changes.isEmpty { throw ExitCode.failure }
    }
}

struct PolicyReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Say which recorded decisions would come out otherwise under other policies.",
        discussion: """
            Example: millgate policy replay --audit var/audit ../next/policies

            Each decision of the audit log is made again, with the claims and the input that stand there. Exit code 1 when
            one would change.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "Directory of the audit log.")
    var audit = "var/audit"
    @Argument(help: "Directory of the policies as they would be.")
    var new: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let loaded = try options.load(new)
        var replay = PolicyReplay(
            loaded.policy,
            warehouses: Dictionary(loaded.configuration.sites.map { ($0.name, $0.warehouse) }) { first, _ in first })
        var tail = AuditTail(audit)
        do {
            try tail.forEachNew { replay.take($0) }
        } catch {
            throw failure("\(audit): cannot be read; is it the directory of an audit log?")
        }
        print(json ? replay.json.text : replay.text)
        if replay.changedCount > 0 { throw ExitCode.failure }
    }
}
