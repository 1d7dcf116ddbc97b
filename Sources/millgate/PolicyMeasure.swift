import ArgumentParser
import Bytes
import Identity
import JSON
import Policy
import PolicyTools
import Reactor

struct PolicyMeasure: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Say how long decisions take with these policies.",
        discussion: """
            Example: millgate policy measure --decisions 1000000

            Callers of each role ask for each operation at each site that rules name, in turn, on one thread. The first
            round, in which memory is fetched, is not counted.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "How many decisions.")
    var decisions = 200_000

    func run() throws {
        let loaded = try options.load()
        let questions = PolicyQuestions(loaded.policy, sites: loaded.sites, now: Clock.wall())
        _ = questions.ask(min(decisions, questions.count))
        let start = Clock.monotonic()
        let allowed = questions.ask(decisions)
        let nanoseconds = Clock.monotonic() - start
        print(
            "\(loaded.policy.rules.count) rules, \(questions.count) questions, \(decisions) decisions: "
                + "\(nanoseconds / Int64(max(1, decisions))) ns each, \(allowed) allowed")
    }
}
