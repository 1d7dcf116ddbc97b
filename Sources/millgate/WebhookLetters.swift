import ArgumentParser
import Bytes
import JSON
import Reactor

struct WebhookAttempts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attempts", abstract: "Show what failed lately, with request and response, the newest first.")

    @OptionGroup var subscriber: SubscriberOptions

    @Option(help: "How many; the gateway keeps 200 of each.")
    var limit = 10

    func run() async throws {
        let answer = try await subscriber.ask("GET", "/attempts?limit=\(limit)")
        if subscriber.gateway.json { return print(answer.text) }
        let attempts = answer["attempts"]?.array ?? []
        if attempts.isEmpty { return print("no attempt has failed") }
        for attempt in attempts { WebhookCommand.show(attempt) }
    }
}

struct WebhookDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Show what was given up, why, and the beginning of its data.")

    @OptionGroup var subscriber: SubscriberOptions

    func run() async throws {
        let answer = try await subscriber.ask("GET", "/dead-letters")
        if subscriber.gateway.json { return print(answer.text) }
        let letters = answer["dead_letters"]?.array ?? []
        if letters.isEmpty { return print("no dead letters") }
        TextTable.print(
            ["NUMBER", "TYPE", "SUBJECT", "GIVEN UP", "ATTEMPTS", "REDRIVES", "REASON", "DATA"],
            letters.map { one in
                [
                    one["event_number"]?.int.map(String.init) ?? "", one["type"]?.string ?? "(gone)",
                    one["subject"]?.string ?? "", one["given_up"]?.string ?? "",
                    one["attempts"]?.int.map(String.init) ?? "", one["redrives"]?.int.map(String.init) ?? "",
                    one["reason"]?.string ?? "", one["preview"]?.string ?? "",
                ]
            })
    }
}

struct WebhookRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Send dead letters again: one, by filter, by time, or all.",
        discussion: """
            Options together select what fits all of them. A letter goes at most five times. Where the policy asks for \
            a second person (policies/access/webhooks.yaml) the command prints an approval, which somebody else gives \
            with --approve.
            """)

    @OptionGroup var subscriber: SubscriberOptions

    @Option(help: "One, by its event's number.")
    var number: Int?

    @Option(help: "Given up since this time, or within 15m, 8h.")
    var since: String?

    @Option(help: "Given up before this time.")
    var until: String?

    @Option(help: "Of these events: production-order.*,lot.held")
    var type: String?

    @Option(help: "Whose reason has this in it, such as 'status 500'.")
    var reason: String?

    @Option(help: "Of one aggregate: production-order/26.")
    var subject: String?

    @Flag(help: "All of the subscriber's.")
    var all = false

    @Option(help: "Approve a redrive that somebody else has asked for.")
    var approve: String?

    func run() async throws {
        var body = JSONObject()
        let now = Clock.wall()
        if let number { body["number"] = JSONValue(number) }
        if let since { body["since"] = .string(try TimeText.past(since, now: now).rfc3339) }
        if let until { body["until"] = .string(try TimeText.past(until, now: now).rfc3339) }
        for (key, value) in [("type", type), ("reason", reason), ("subject", subject), ("approve", approve)] {
            if let value { body[key] = .string(value) }
        }
        if all { body["all"] = true }
        let answer = try await subscriber.ask("POST", "/redrive", body)
        if subscriber.gateway.json { return print(answer.text) }
        if let approval = answer["approval"]?.string {
            print("\(answer["letters"]?.int ?? 0) dead letters: \(answer["detail"]?.string ?? "")")
            return print("millgate webhook redrive \(subscriber.name) --approve \(approval) --by SOMEBODY-ELSE")
        }
        print("sent again: \(answer["redriven"]?.int ?? 0)")
        if let detail = answer["detail"]?.string, !detail.isEmpty { print("not sent: \(detail)") }
    }
}

struct WebhookReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send everything from a time or cursor on once more.",
        discussion: "With the same ids: a receiver that keeps them sees the repetitions.")

    @OptionGroup var subscriber: SubscriberOptions

    @Option(help: "Behind this cursor of the feed.")
    var after: Int?

    @Option(help: "What was recorded since this time, or within 15m, 8h.")
    var since: String?

    func validate() throws {
        if (after == nil) == (since == nil) { throw ValidationError("give --after or --since.") }
    }

    func run() async throws {
        var body = JSONObject()
        if let after { body["after"] = JSONValue(after) }
        if let since { body["since"] = .string(try TimeText.past(since, now: Clock.wall()).rfc3339) }
        let answer = try await subscriber.ask("POST", "/replay", body)
        print(subscriber.gateway.json ? answer.text : "sends again what is behind \(answer["after"]?.int ?? 0)")
    }
}
