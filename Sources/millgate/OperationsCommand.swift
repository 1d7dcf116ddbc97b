import ArgumentParser
import JSON

struct OperationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations",
        abstract: "See which writes are stuck and why, on a running gateway, and say what became of them.",
        discussion: """
            millgate operations list                        writes of which nobody knows whether they happened
            millgate operations show 01JD…                  what was asked, what was sent, what was found
            millgate operations settle 01JD… --applied --reason "stands in Odoo as WH/MO/00031"

            Look into Odoo first. Whoever repeats the request with its key gets 409 with `applied` and the records; what
            was not applied may be asked for with a new key.
            """,
        subcommands: [List.self, Show.self, Settle.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show operations in a state, oldest first.")

        @OptionGroup var gateway: AdminOptions

        @Option(help: "accepted, dispatched, applied, rejected, unknown or settled.")
        var state = "unknown"

        @Option(help: "Behind the operation of this number.")
        var after = 0

        func run() async throws {
            let answer = try await gateway.ask("GET", "/operations?state=\(state)&after=\(after)")
            if gateway.json { return print(answer.text) }
            let entries = answer["operations"]?.array ?? []
            if entries.isEmpty { return print("no operation is \(state)") }
            TextTable.print(
                ["ID", "OPERATION", "ABOUT", "SINCE", "LOOKED INTO", "WHY"],
                entries.map { entry in
                    ["id", "operation", "resource", "accepted_at"].map { entry[$0]?.string ?? "-" }
                        + [entry["is_examined"] == true ? "yes" : "no", entry["why"]?.string ?? "-"]
                })
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one operation with its whole journal.")

        @OptionGroup var gateway: AdminOptions

        @Argument(help: "The operation's id.")
        var id: String

        func run() async throws {
            let answer = try await gateway.ask("GET", "/operations/\(id)")
            if gateway.json { return print(answer.text) }
            for name in ["id", "operation", "state", "caller", "accepted_at", "resource"] {
                print("\(name): \(answer[name]?.string ?? "-")")
            }
            print("records: " + (answer["records"]?.array ?? []).compactMap(\.string).joined(separator: " "))
            print("request: \(answer["request"]?.text ?? "-")")
            for step in answer["steps"]?.array ?? [] {
                print("\(step["time"]?.string ?? "")  \(step["state"]?.string ?? "")  \(step["text"]?.string ?? "")")
            }
        }
    }

    struct Settle: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what became of an operation.")

        @OptionGroup var gateway: AdminOptions

        @Argument(help: "The operation's id.")
        var id: String

        @Flag(inversion: .prefixedNo, help: "It was done, or it was not.")
        var applied: Bool

        @Option(help: "How you know, for the journal and the audit log.")
        var reason: String

        func run() async throws {
            let body = JSONObject([
                ("applied", .bool(applied)), ("by", .string(gateway.actor)), ("reason", .string(reason)),
            ])
            let answer = try await gateway.ask("POST", "/operations/\(id)/settle", body)
            print(gateway.json ? answer.text : "settled: \(id) was \(applied ? "" : "not ")done")
        }
    }
}
