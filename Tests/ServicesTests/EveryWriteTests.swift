import Bytes
import JSON
import OdooSandbox
import Testing

@testable import Services

/// What holds for every write: it happens once, whatever becomes of its answers.
@Suite struct EveryWriteTests {
    /// On an Odoo of this version, with the addon or without.
    struct On: Sendable, CustomTestStringConvertible {
        let version: Int
        let addon: Bool
        var testDescription: String { "\(version)" + (addon ? " with the addon" : "") }

        func plant(host: TestHost = TestHost()) throws -> Plant { try Plant(version, addon: addon, host: host) }
        static let all = [17, 19].flatMap { [On(version: $0, addon: false), On(version: $0, addon: true)] }
    }

    static let scenes: [(On, WriteScene)] = On.all.flatMap { on in WriteScene.all.map { (on, $0) } }

    @Test func everyWritingServiceHasAScene() {
        let missing = Bench.contracts.contracts.filter { $0.kind == .write }.filter { contract in
            !WriteScene.all.contains { scene in
                let path = scene.path(1).split(separator: "?")[0]
                guard case .found(let found, _, _) = Bench.contracts.route(method: "POST", path: path) else {
                    return false
                }
                return found.operation == contract.operation
            }
        }
        #expect(missing.map(\.operation) == [])
    }

    @Test(arguments: scenes) func itHappensOnceAndIsReplayedAfterwards(_ on: On, _ scene: WriteScene) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status < 300, "\(answer.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(try await plant.operation(answer)["state"] == "applied")
        for _ in 0..<3 {
            let again = try await scene.send(plant, id, key: "k")
            #expect(again.body == answer.body)
            #expect(again.field("Idempotent-Replayed") == "true")
        }
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    @Test(arguments: scenes) func aLostAnswerOfWhatHappenedIsReadBack(_ on: On, _ scene: WriteScene) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        plant.odoo.sandbox.inject(.init(match: scene.effect, kind: .closeAfterEffect))
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status < 300, "\(answer.text)")
        try await plant.host.idle()
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    /// Nobody can tell it from the above. In the end it is known, and the books agree with what was said.
    @Test(arguments: scenes) func aCallThatWasLostIsSettled(_ on: On, _ scene: WriteScene) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        plant.odoo.sandbox.inject(.init(match: scene.effect, kind: .closeBeforeEffect))
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status < 300 || answer.problem == "outcome-unknown", "\(answer.text)")
        try await plant.host.idle()
        let settled = try await plant.operation(answer)
        #expect(["applied", "settled"].contains(settled["state"]?.string))
        let isDone = settled["answer"]?["status"]?.int.map { $0 < 300 } ?? false
        #expect(try await scene.figure(plant, id) == (isDone ? scene.after(before) : before))
        let again = try await scene.send(plant, id, key: "k")
        #expect(again.status < 300, "\(again.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    @Test(arguments: scenes) func contentionInOdooIsTriedAgain(_ on: On, _ scene: WriteScene) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        plant.odoo.sandbox.inject(.init(match: scene.effect, kind: .serializationFailure, times: 2))
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status < 300, "\(answer.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
    }

    @Test(arguments: scenes) func whereOdooIsAwayNothingHappensAndTheSameKeyWorksLater(
        _ on: On, _ scene: WriteScene
    ) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        plant.odoo.goAway()
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status == 503, "\(answer.text)")
        plant.odoo.goAway(false)
        #expect(try await scene.figure(plant, id) == before)
        #expect(try await scene.send(plant, id, key: "k").status < 300)
        #expect(try await scene.figure(plant, id) == scene.after(before))
    }

    @Test(arguments: scenes) func anotherSitesRecordsAreForbidden(_ on: On, _ scene: WriteScene) async throws {
        let plant = try on.plant()
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        let answer = try await plant.bench.send(
            "POST", scene.path(id), plant.filled(scene.body, id), key: "k", sites: ["plant-9"])
        #expect(answer.status == 403, "\(answer.text)")
        #expect(try await scene.figure(plant, id) == before)
    }
}
