import ArgumentParser
import Bytes
import Identity
import JSON
import Reactor

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Service accounts of the built-in token service, on a running gateway.",
        discussion: """
            millgate account add mes --role mes --expires 365d       prints the secret, once
            millgate account add wms --role wms --jwks wms.jwks      private_key_jwt
            millgate account add robot --role operator --certificate robot.pem
            millgate account list
            millgate account rotate mes                              the old secret stays good until --drop-old
            millgate account disable mes                             and its tokens are called back
            """,
        subcommands: [Add.self, List.self, Rotate.self, Disable.self])

    struct CredentialOptions: ParsableArguments {
        @Option(help: "A JWK set with the account's public keys, for private_key_jwt.")
        var jwks: String?

        @Option(help: "The account's client certificate (PEM), for tls_client_auth.")
        var certificate: String?

        func validate() throws {
            if jwks != nil, certificate != nil { throw ValidationError("give one of --jwks and --certificate.") }
        }

        func add(to body: inout JSONObject) throws {
            if let jwks {
                guard let value = PrivateFiles.bytes(jwks).flatMap({ try? JSONValue.parse($0) }) else {
                    throw failure("\(jwks): no JSON")
                }
                body["jwks"] = value["keys"] == nil ? .object(JSONObject([("keys", [value])])) : value
            }
            if let certificate {
                let pem = PrivateFiles.text(certificate) ?? ""
                let der = DevelopmentPKI.Identity(certificatePEM: pem, privatePEM: "").der
                guard let read = try? ClientCertificate(der: der) else {
                    throw failure("\(certificate): no certificate in PEM")
                }
                body["certificate_thumbprint"] = .string(read.thumbprint)
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account. Without --jwks or --certificate it gets a secret, shown once.")

        @OptionGroup var gateway: AdminOptions
        @OptionGroup var credential: CredentialOptions

        @Argument(help: "The account's id: `client_id`, and `sub` of its tokens.")
        var id: String

        @Option(help: "A role for the claim `roles` of its tokens; may be repeated.")
        var role: [String] = []

        @Option(help: "A scope that it may ask for; may be repeated.")
        var scope: [String] = []

        @Option(help: "From then on it gets no tokens: RFC 3339, or after a time such as 90d. (default: never)")
        var expires: String?

        func run() async throws {
            var body = JSONObject([
                ("id", .string(id)), ("roles", .array(role.map { .string($0) })),
                ("scopes", .array(scope.map { .string($0) })), ("by", .string(gateway.actor)),
            ])
            if let expires {
                let time =
                    WallInstant(rfc3339: expires) == nil
                    ? (Clock.wall() + (try TimeText.duration(expires))).rfc3339 : expires
                body["expires"] = .string(time)
            }
            try credential.add(to: &body)
            AccountCommand.show(try await gateway.ask("POST", "/identity/accounts", body), gateway, "added")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the accounts, when they expire and were last used.")

        @OptionGroup var gateway: AdminOptions

        func run() async throws {
            let answer = try await gateway.ask("GET", "/identity/accounts")
            if gateway.json { return print(answer.text) }
            let accounts = answer["accounts"]?.array ?? []
            if accounts.isEmpty { return print("no accounts") }
            TextTable.print(
                ["ID", "METHOD", "ROLES", "EXPIRES", "LAST USED", "STATE"],
                accounts.map { account in
                    let roles = account["roles"]?.array?.compactMap(\.string).joined(separator: ",") ?? ""
                    return [
                        account["id"]?.string ?? "", account["method"]?.string ?? "", roles.isEmpty ? "-" : roles,
                        account["expires"]?.string ?? "never", account["last_used"]?.string ?? "never",
                        account["disabled"]?.bool == true ? "disabled" : "active",
                    ]
                })
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account a new secret, keys or certificate.",
            discussion: "The old secret stays good beside the new one until the next rotation, or until --drop-old.")

        @OptionGroup var gateway: AdminOptions
        @OptionGroup var credential: CredentialOptions

        @Argument(help: "The account's id.")
        var id: String

        @Flag(help: "The old secret is good no more.")
        var dropOld = false

        func run() async throws {
            var body = JSONObject([("id", .string(id)), ("by", .string(gateway.actor)), ("drop_old", .bool(dropOld))])
            try credential.add(to: &body)
            AccountCommand.show(try await gateway.ask("POST", "/identity/accounts/rotate", body), gateway, "rotated")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account no more tokens, and call back those that it has.")

        @OptionGroup var gateway: AdminOptions

        @Argument(help: "The account's id.")
        var id: String

        @Flag(help: "The other way round: it gets tokens again.")
        var enable = false

        func run() async throws {
            let body = JSONObject([("id", .string(id)), ("by", .string(gateway.actor))])
            let path = "/identity/accounts/" + (enable ? "enable" : "disable")
            AccountCommand.show(try await gateway.ask("POST", path, body), gateway, enable ? "enabled" : "disabled")
        }
    }

    private static func show(_ answer: JSONValue, _ gateway: AdminOptions, _ verb: String) {
        if gateway.json { return print(answer.text) }
        print("account \(answer["id"]?.string ?? "") \(verb) (\(answer["method"]?.string ?? ""))")
        if let secret = answer["secret"]?.string { print("secret, shown only now: \(secret)") }
    }
}
