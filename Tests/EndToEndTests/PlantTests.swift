import Foundation
import Reactor
import Testing

/// The checks in Tests/Plant: the real binary among real clients and servers, driven by Python's standard library.
///
/// Each check stands for itself: `MILLGATE=.build/debug/millgate python3 Tests/Plant/proxying.py [check_NAME…]`.
@Suite struct PlantTests {
    static let files = [
        "governed", "badinput", "proxying", "smuggling", "transport", "identity", "rpc", "http2", "tokens",
        "webhooks", "screens", "snippets", "batches", "services", "operations", "mixed", "addon",
    ]

    @Test(arguments: files)
    func everyCheckOfThePlantHolds(file: String) async throws {
        let output = try await Self.python("\(file).py", [])
        let lines = output.text.split(separator: "\n").map(String.init)
        for line in lines where line.hasPrefix("FAIL") { Issue.record("\(file): \(line)") }
        #expect(output.status == 0, "\(output.text.suffix(2_000))")
        #expect(lines.contains { $0.hasPrefix("ok") }, "\(file) has checked nothing: \(output.text.suffix(2_000))")
    }

    /// The long form, with the honest client's p99, is `make attacks`.
    @Test(arguments: ["HTTP/1.1", "HTTP/2", "TCP", "TLS", "upstream"])
    func underAttackEveryHonestRequestIsAnsweredAndTheAttackerIsCutOff(on layer: String) async throws {
        let output = try await Self.python("attacks.py", ["--short", "--on", layer])
        for line in output.text.split(separator: "\n") where line.hasPrefix("FAIL") { Issue.record("\(line)") }
        #expect(output.status == 0, "\(output.text.suffix(2_000))")
        #expect(output.text.contains(" 0 failed, 0 rows do not hold"), "\(output.text.suffix(2_000))")
    }

    /// The long form is `make crash`.
    @Test func killedDuringConfirmationsItLosesNothingAndDoublesNothing() async throws {
        try await Self.expect(
            " acknowledged, 0 lost, 0 doubled", of: "crash.py", ["--kills", "4", "--clients", "4"])
    }

    /// The long form is `make chaos`.
    @Test(arguments: [17, 19], [[], ["--addon"]])
    func throughKillsAndBrokenAnswersOdooHoldsWhatWasAcknowledged(odoo: Int, addon: [String]) async throws {
        // 17 with the addon is 19 with the addon and an older protocol.
        if odoo == 17, !addon.isEmpty { return }
        try await Self.expect(
            " acknowledged, 0 lost, 0 doubled, 0 unknown", of: "chaos.py",
            ["--disturbances", "16", "--clients", "6", "--odoo", "\(odoo)", "--seed", "\(odoo)"] + addon)
    }

    /// The long form is `make duplicates`.
    @Test func sentFiveTimesEveryCallHappensOnce() async throws {
        try await Self.expect(
            " 0 lost, 0 doubled, 0 answered otherwise, 0 unknown", of: "duplicates.py",
            ["--stories", "22", "--kills", "3", "--seed", "1"])
    }

    /// The long form, with the p99 that counts, is `make shift-change`.
    @Test func atShiftChangeEveryCallIsAnsweredOrToldWhenToComeBack() async throws {
        try await Self.expect(
            " 0 neither answered nor refused, 0 doubled", of: "shift.py",
            ["--calls", "100", "--clients", "16", "--factor", "50", "--seed", "1"])
    }

    /// The long form is `make batch-load`.
    @Test func aLargeBatchIsKilledTwiceAndTakesNoMemory() async throws {
        try await Self.expect(
            " 0 lost, 0 doubled; memory ", of: "batch_load.py", ["--mib", "12", "--lines", "240", "--kills", "1"])
    }

    /// The long form is `make storm`.
    @Test func aStormOfDeliveriesLosesNothingAndKeepsTheOrder() async throws {
        try await Self.expect(
            ", 0 missing, 0 out of order, 0 badly signed", of: "storm.py",
            ["--events", "300", "--subscribers", "20", "--kills", "2", "--no-ratio", "--limit", "90"])
    }

    /// The long form is `make storm`.
    @Test func whatWaitsCostsNoTimeAtTheStart() async throws {
        try await Self.expect(
            "10000 waiting: ", of: "pending.py",
            ["--events", "500", "--subscribers", "20", "--seconds", "6", "--started-max", "20"])
    }

    /// The long form is `make idle`.
    @Test func anIdleConnectionCostsLessThanFourKibibytes() async throws {
        try await Self.expect("1500 idle connections", of: "idle.py", ["--count", "1500", "--tls", "0"])
    }

    /// That a script of Tests/Plant succeeds, and says `closing`.
    static func expect(_ closing: String, of script: String, _ arguments: [String]) async throws {
        let output = try await python(script, arguments)
        #expect(output.status == 0, "\(output.text)")
        #expect(output.text.contains(closing), "\(output.text)")
    }

    /// Runs a script of Tests/Plant against the program that was built with this test.
    static func python(_ script: String, _ arguments: [String]) async throws -> (status: Int32, text: String) {
        let path = Millgate.repository.appendingPathComponent("Tests/Plant/\(script)").path
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("plant-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        var python = ChildProcess.Configuration("python3", [path] + arguments)
        python.environment = ["MILLGATE": try Millgate.built().path, "PYTHONDONTWRITEBYTECODE": "1"]
        python.output = file.path
        python.errors = file.path
        // Waits without holding one of the few threads that the other tests run on.
        let end = try await ChildProcess(python).end()
        return (end == .exit(0) ? 0 : 1, String(decoding: try Data(contentsOf: file), as: UTF8.self))
    }
}
