import ArgumentParser
import Audit
import Bytes
import Foundation
import Gateway
import Reactor
import Services
import Store
import Trials

struct ServicesTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Try every service on an Odoo whose database may be dirtied, and print a row for each.",
        discussion: """
            Example: millgate services test --odoo http://127.0.0.1:8069 --database scratch --login admin --key-file admin.key

            Makes products, a bill of materials, work centers and stock of its own, calls each service as a client would, \
            calls it again with the same key, and looks in Odoo whether it happened once. Everything that it makes is \
            named TRIAL-… and stays: give it a scratch database, never the plant's. The user must be allowed to make \
            products, bills of materials, work centers and locations (an administrator of inventory and manufacturing). \
            Exit code 1 where one fails or has no trial.

            With --lose-answers the services never hear Odoo's answer to a call that books something: each has to find \
            out what became of it, and must still come to the same answer, and to one effect.

            Where Odoo has the addon millgate the writes go through it; --no-addon tries them without.
            """)

    @OptionGroup var odoo: ServicesOdoo
    @Flag(help: "Throw away Odoo's answers to all calls that book something.")
    var loseAnswers = false
    @Flag(inversion: .prefixedNo, help: "Write through the addon, where Odoo has it.")
    var addon = true

    func run() async throws {
        let contracts = try odoo.contracts()
        let home = try ReactorHandle.start(index: 0) { _ in }
        let world = ServiceWorld(
            odoo: try odoo.caller(on: home),
            host: ReactorHost(home, monotonic: { Clock.monotonic() }, wall: { Clock.wall() }))
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("millgate-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: directory) }
        let ledger = try Ledger(directory: directory.path)
        let run = String(Clock.wall().nanoseconds / 1_000_000, radix: 36)
        let trials: TrialRun
        do throws(TrialFailure) {
            trials = try await TrialRun.prepare(
                run: run, losesAnswers: loseAnswers, usesAddon: addon, contracts: contracts, ledger: ledger,
                world: world,
                sha256: { AuditDigest(of: $0.span).bytes })
        } catch {
            await ledger.close()
            throw failure("the trial cannot begin: \(error)")
        }
        let through = trials.addon.map { ", through the addon \($0.version)" } ?? ""
        print("Odoo \(trials.version), database \(odoo.database), run \(run)\(through)")
        var rows: [TrialRow] = []
        await trials.run { row in
            print(row.text)
            fflush(nil)
            rows.append(row)
        }
        await ledger.close()
        func count(_ verdict: TrialRow.Verdict) -> Int { rows.count { $0.verdict == verdict } }
        let (passed, failed, missing) = (count(.passed), count(.failed), count(.missing))
        print("\(rows.count) services: \(passed) ok, \(failed) failed, \(missing) without a trial")
        if let lost = trials.answersLost { print("\(lost) calls were carried out whose answers were thrown away") }
        if passed < rows.count { throw ExitCode.failure }
    }
}
