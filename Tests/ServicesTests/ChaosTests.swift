import Bytes
import Foundation
import JSON
import Odoo
import OdooSandbox
import Store
import Synchronization
import Testing

@testable import Services

/// Every writing service under everything at once: processes that die at any step, answers that are lost before or after
/// the effect, Odoo's own failures, and requests that are sent several times at the same moment, also across restarts.
///
/// A round takes one scene through three lives of a process, then lets one live on and repeats the request. What Odoo has
/// in the end must be what was acknowledged. A round is made of its number: `MILLGATE_CHAOS_SEED=7
/// MILLGATE_CHAOS_ROUNDS=1` plays one again (but for the order in which tasks run). `make chaos` plays 1,000.
@Suite struct ChaosTests {
    struct Tally: Sendable {
        var acknowledged = 0
        var lost = 0
        var doubled = 0
        var unknown = 0
        var refused = 0
        var deaths = 0
        var faults = 0

        var text: String {
            "\(acknowledged) acknowledged, \(lost) lost, \(doubled) doubled, \(unknown) unknown "
                + "(\(refused) refused, \(deaths) deaths, \(faults) faults)"
        }
    }

    @Test func whatWasAcknowledgedIsThereOnce() async throws {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["MILLGATE_CHAOS_ROUNDS"].flatMap { UInt64($0) } ?? 50
        let seed = environment["MILLGATE_CHAOS_SEED"].flatMap { UInt64($0) } ?? 1
        var tally = Tally()
        for round in seed..<seed + rounds { try await play(round, &tally) }
        print("chaos, rounds \(seed) to \(seed + rounds - 1): \(tally.text)")
        #expect(tally.lost == 0 && tally.doubled == 0 && tally.unknown == 0)
        #expect(tally.acknowledged > 0)
    }

    private func play(_ seed: UInt64, _ tally: inout Tally) async throws {
        var chance = CrashTests.Chance(seed)
        func draw(_ below: UInt64) -> Int { Int(chance.next() % below) }
        let scene = WriteScene.all[draw(UInt64(WriteScene.all.count))]
        let first = try Plant(draw(2) == 0 ? 17 : 19, addon: draw(2) == 0)
        defer { first.bench.remove() }
        let id = try await scene.prepare(first)
        let before = try await scene.figure(first, id)
        let call = (path: scene.path(id), body: first.filled(scene.body, id))
        await first.bench.close()

        let faults: [SandboxFault.Kind] = [
            .closeBeforeEffect, .closeAfterEffect, .html502, .serializationFailure, .http500,
        ]
        var hasAcknowledged = false
        for _ in 0..<3 {
            for _ in 0..<draw(3) {
                tally.faults += 1
                let match = draw(2) == 0 ? scene.effect : "*"
                first.odoo.sandbox.inject(
                    SandboxFault(
                        match: match, kind: faults[draw(UInt64(faults.count))], times: 1 + draw(2), every: 1 + draw(4)))
            }
            let death = Death(at: 1 + draw(24), draw(2) == 0 ? .before : .after)
            let life = try Life(first, death)
            let (died, acknowledged) = try await life.run(call, times: 1 + draw(5))
            if died { tally.deaths += 1 }
            hasAcknowledged = hasAcknowledged || acknowledged
        }
        _ = first.odoo.sandbox.answer(
            SandboxRequest(method: "DELETE", path: "/sandbox/faults"), now: first.host.wall)

        let bench = try Bench(odoo: first.odoo, host: first.host, directory: first.bench.directory)
        let last = Plant(host: first.host, odoo: first.odoo, bench: bench)
        _ = try await bench.runner.recover(bench.world, audit: bench.audit)
        try await first.host.idle()
        let times = 1 + draw(5)
        let answers = try await withThrowingTaskGroup(of: ServiceAnswer.self) { group in
            for _ in 0..<times {
                group.addTask { try await bench.send("POST", call.path, call.body, key: "k") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await first.host.idle()
        let final = try await bench.send("POST", call.path, call.body, key: "k")
        let after = try await scene.figure(last, id)
        let isDone = final.status < 300 || answers.contains { $0.status < 300 } || hasAcknowledged
        let note = "round \(seed): \(scene.name), \(before) to \(after), \(final.status) \(final.text)"
        if final.status < 300 { tally.acknowledged += 1 } else { tally.refused += 1 }
        let open = try await bench.ledger.list().filter { ![.applied, .rejected, .settled].contains($0.state) }
        if !open.isEmpty {
            tally.unknown += 1
            Issue.record("unknown in \(note)")
        } else if isDone, after == before, scene.after(before) != before {
            tally.lost += 1
            Issue.record("lost in \(note)")
        } else if after != (isDone ? scene.after(before) : before) {
            tally.doubled += 1
            Issue.record("not what was said in \(note)")
        }
        #expect(bench.runner.gate.heldCount == 0 && bench.runner.claims.count == 0)
        await bench.close()
    }

    /// One process, until it dies or has nothing left to do.
    private struct Life {
        let bench: Bench
        let death: Death

        init(_ plant: Plant, _ death: Death) throws {
            self.death = death
            bench = try Bench(
                odoo: MortalOdoo(odoo: plant.odoo, death: death), host: TestHost(since: plant.host),
                directory: plant.bench.directory, ledger: { MortalLedger(ledger: $0, death: death) })
        }

        /// - Returns: whether it died, and whether a client was told that it is done.
        func run(_ call: (path: String, body: String), times: Int) async throws -> (Bool, Bool) {
            let box = Acknowledged()
            let calls = try (0..<times).map { _ in try bench.call("POST", call.path, call.body, key: "k") }
            let work = Task { [bench] in
                _ = try await bench.runner.recover(bench.world, audit: bench.audit)
                await withTaskGroup(of: Void.self) { group in
                    for call in calls {
                        group.addTask { if await bench.runner.answer(call).status < 300 { box.note() } }
                    }
                }
                try await bench.host.idle()
            }
            let ended = OneShot<Bool>()
            Task {
                _ = await work.result
                ended.fill(false)
            }
            let watch = Task { [death] in
                while !death.isDead, !Task.isCancelled { try? await Task.sleep(for: .microseconds(200)) }
                if death.isDead { ended.fill(true) }
            }
            let died = await ended.value()
            watch.cancel()
            await bench.close()
            return (died, box.isNoted)
        }
    }

    private final class Acknowledged: Sendable {
        private let state = Mutex(false)
        func note() { state.withLock { $0 = true } }
        var isNoted: Bool { state.withLock { $0 } }
    }
}
