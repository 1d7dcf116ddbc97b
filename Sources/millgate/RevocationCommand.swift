import ArgumentParser
import Bytes
import JSON
import Reactor

struct RevocationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocation",
        abstract: "Call tokens back, on a running gateway.",
        discussion: """
            millgate revocation add --jti 3f1c --issuer https://id.plant.example --reason "laptop stolen"
            millgate revocation add --subject anna --issuer https://id.plant.example --issued-before now
            millgate revocation list
            millgate revocation remove 'subject|https://id.plant.example|anna'

            When `add` returns, the entry is on the disk and no event loop accepts the token any more.
            """,
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a token, or all tokens of a subject, of a client or of an issuer.")

        @OptionGroup var gateway: AdminOptions

        @Option(help: "One token, by its `jti`; or a client certificate, by its serial number.")
        var jti: String?

        @Option(help: "All tokens of a subject.")
        var subject: String?

        @Option(help: "All tokens of a client (`client_id` or `azp`).")
        var client: String?

        @Option(help: "The issuer. Alone, with --issued-before: all its tokens. (default: any issuer)")
        var issuer: String?

        @Option(help: "Only tokens issued before this time (RFC 3339), or before now.")
        var issuedBefore: String?

        @Option(help: "Forget the entry at this time (RFC 3339), or after a time such as 8h. (default: never)")
        var expires: String?

        @Option(help: "Why, for whoever reads the list.")
        var reason = ""

        func validate() throws {
            if [jti, subject, client].compactMap(\.self).count > 1 {
                throw ValidationError("give one of --jti, --subject and --client.")
            }
            if jti == nil, subject == nil, client == nil, issuer == nil {
                throw ValidationError("give --jti, --subject, --client or --issuer.")
            }
        }

        func run() async throws {
            var body = JSONObject()
            for (kind, value) in [("jti", jti), ("subject", subject), ("client", client)] {
                guard let value else { continue }
                body["kind"] = .string(kind)
                body["value"] = .string(value)
            }
            if body.isEmpty { body["kind"] = "issuer" }
            if let issuer { body["issuer"] = .string(issuer) }
            if let issuedBefore { body["issued_before"] = .string(issuedBefore) }
            if let expires { body["expires"] = .string(try Self.time(expires)) }
            body["reason"] = .string(reason)
            body["by"] = .string(gateway.actor)
            let answer = try await gateway.ask("POST", "/identity/revocations", body)
            print(gateway.json ? answer.text : "revoked: \(answer["key"]?.string ?? "")")
        }

        /// A time, or now and so long.
        private static func time(_ text: String) throws -> String {
            if WallInstant(rfc3339: text) != nil { return text }
            return (Clock.wall() + (try TimeText.duration(text))).rfc3339
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what is revoked.")

        @OptionGroup var gateway: AdminOptions

        func run() async throws {
            let answer = try await gateway.ask("GET", "/identity/revocations")
            if gateway.json { return print(answer.text) }
            let entries = answer["revocations"]?.array ?? []
            if entries.isEmpty { return print("nothing is revoked") }
            TextTable.print(
                ["KEY", "ISSUED BEFORE", "EXPIRES", "SINCE", "BY", "REASON"],
                entries.map { entry in
                    ["key", "issued_before", "expires", "created_at", "by", "reason"].map { entry[$0]?.string ?? "-" }
                })
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a revocation back.")

        @OptionGroup var gateway: AdminOptions

        @Argument(help: "The entry's key, as `list` shows it.")
        var key: String

        func run() async throws {
            let body = JSONObject([("key", .string(key)), ("by", .string(gateway.actor))])
            let answer = try await gateway.ask("DELETE", "/identity/revocations", body)
            print(gateway.json ? answer.text : "no longer revoked: \(key)")
        }
    }
}
