import ArgumentParser
import Bytes
import Foundation
import JSON
import Reactor

struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "Subscribers and deliveries of a running gateway, and a receiver to try them with.",
        discussion: """
            millgate webhook list                             every subscriber, what waits, and why
            millgate webhook add mes.yaml                     register one; its secret is shown once
            millgate webhook test mes-partner                 send something now and see the answer
            millgate webhook tail                             deliveries as they happen
            millgate webhook attempts mes-partner             what failed, with request and response
            millgate webhook dead-letters mes-partner
            millgate webhook redrive mes-partner --since 2h --type 'production-order.*'
            millgate webhook replay mes-partner --since 2026-11-24T06:00:00Z
            millgate webhook rotate mes-partner --overlap 24h
            millgate webhook listen --port 9000 --secret-file secret.txt
            """,
        subcommands: [
            List.self, Add.self, Remove.self, Test.self, Tail.self, WebhookAttempts.self, WebhookDeadLetters.self,
            WebhookRedrive.self, WebhookReplay.self, Rotate.self, Enable.self, Disable.self, WebhookListen.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every subscriber: what it got, what waits, and why.")

        @OptionGroup var gateway: AdminOptions

        func run() async throws {
            let answer = try await gateway.ask("GET", "/webhooks")
            if gateway.json { return print(answer.text) }
            let subscribers = answer["subscribers"]?.array ?? []
            if subscribers.isEmpty { return print("no subscribers") }
            TextTable.print(
                ["SUBSCRIBER", "STATE", "DELIVERED", "FAILED", "BEHIND", "IN RETRY", "DEAD", "WAITS FOR"],
                subscribers.map { one in
                    func number(_ key: String) -> String { one[key]?.int.map(String.init) ?? "-" }
                    return [
                        one["subscriber"]?.string ?? "", one["state"]?.string ?? "", number("delivered"),
                        number("failed"), number("behind"), number("in_retry"), number("dead_letters"),
                        one["waits_for"]?.string ?? "-",
                    ]
                })
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a subscriber, or change one that was registered.",
            discussion: "The document is what a file in policies/subscribers would say.")

        @OptionGroup var gateway: AdminOptions

        @Argument(help: "YAML or JSON; - reads standard input.")
        var file: String

        func run() async throws {
            let text =
                file == "-"
                ? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
                : PrivateFiles.text(file)
            guard let text else { throw failure("\(file): cannot be read", .validationFailure) }
            let body = JSONObject([("document", .string(text)), ("by", .string(gateway.actor))])
            let answer = try await gateway.ask("POST", "/webhooks", body)
            if gateway.json { return print(answer.text) }
            print("registered: \(answer["subscriber"]?.string ?? "")")
            WebhookCommand.showSecret(answer)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a registered subscriber with what waits for it.")

        @OptionGroup var subscriber: SubscriberOptions

        func run() async throws {
            try await subscriber.does("DELETE", "", done: "removed")
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test event past the queue, and show request and answer.")

        @OptionGroup var subscriber: SubscriberOptions

        func run() async throws {
            let answer = try await subscriber.ask("POST", "/test", JSONObject())
            if subscriber.gateway.json { print(answer.text) } else { WebhookCommand.show(answer) }
            if answer["reason"]?.string != "" { throw ExitCode.failure }
        }
    }

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show deliveries as they happen.",
            discussion:
                "The gateway remembers the last 512 of all; what comes faster than that between two looks is left out.")

        @OptionGroup var gateway: AdminOptions

        @Argument(help: "Only this subscriber's.")
        var name: String?

        @Flag(help: "Show what is remembered and end.")
        var once = false

        func run() async throws {
            var after = 0
            while true {
                let filter = name.map { "&subscriber=\($0)" } ?? ""
                let answer = try await gateway.ask("GET", "/webhooks/deliveries?after=\(after)\(filter)")
                for line in answer["deliveries"]?.array ?? [] {
                    after = max(after, line["number"]?.int ?? 0)
                    print(gateway.json ? line.text : Self.text(line))
                }
                fflush(nil)
                if once { return }
                sleep(1)
            }
        }

        private static func text(_ line: JSONValue) -> String {
            let reason = line["reason"]?.string ?? ""
            let outcome = reason.isEmpty ? "\(line["status"]?.int ?? 0)" : reason
            return [
                line["time"]?.string ?? "", line["subscriber"]?.string ?? "", line["type"]?.string ?? "",
                line["subject"]?.string ?? "", "attempt \(line["attempt"]?.int ?? 0)",
                "\(line["milliseconds"]?.int ?? 0) ms", outcome,
            ].joined(separator: "  ")
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new secret, shown once; the old one signs besides it for a while.")

        @OptionGroup var subscriber: SubscriberOptions

        @Option(help: "How long the old secret goes on: 0s, 12h, 7d. (default: webhooks.secret_overlap)")
        var overlap: String?

        @Option(help: "v1: a shared secret. v1a: a key pair, of which the public key is shown.")
        var kind = "v1"

        func run() async throws {
            var body: JSONObject = ["kind": .string(kind)]
            if let overlap {
                body["overlap_seconds"] = JSONValue(Int(try TimeText.duration(overlap) / 1_000_000_000))
            }
            let answer = try await subscriber.ask("POST", "/rotate", body)
            if subscriber.gateway.json { return print(answer.text) }
            WebhookCommand.showSecret(answer)
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve an endpoint again: what waits is due at once.")

        @OptionGroup var subscriber: SubscriberOptions

        func run() async throws {
            try await subscriber.does("POST", "/enable", done: "enabled")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send an endpoint nothing more; its events wait.")

        @OptionGroup var subscriber: SubscriberOptions

        @Option(help: "Why, for whoever reads the list.")
        var reason: String?

        func run() async throws {
            var body = JSONObject()
            if let reason { body["reason"] = .string(reason) }
            try await subscriber.does("POST", "/disable", body, done: "disabled")
        }
    }

    // MARK: Shared

    static func showSecret(_ answer: JSONValue) {
        guard let secret = answer["secret"]?.string else { return }
        print(secret)
        complain("This is shown once: give it to the receiver, and to nobody else.")
    }

    /// One attempt with request and answer.
    static func show(_ attempt: JSONValue) {
        let reason = attempt["reason"]?.string ?? ""
        let status = attempt["status"]?.int.map { "status \($0)" }
        print(
            [
                attempt["time"]?.string ?? "", "attempt \(attempt["attempt"]?.int ?? 0)",
                "\(attempt["milliseconds"]?.int ?? 0) ms", attempt["address"]?.string ?? "",
                reason.isEmpty ? status ?? "" : reason,
            ].filter { !$0.isEmpty }.joined(separator: "  "))
        for key in ["request", "response"] {
            guard let text = attempt[key]?.string, !text.isEmpty else { continue }
            let mark = key == "request" ? "> " : "< "
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) { print(mark + line) }
        }
        print("")
    }
}
