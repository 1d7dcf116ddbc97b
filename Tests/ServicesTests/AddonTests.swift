import Bytes
import JSON
import Limits
import Odoo
import OdooSandbox
import Synchronization
import Testing

@testable import Services

/// Writes through the addon: carried out once and at once known, and as safe where the addon comes and goes.
@Suite struct AddonTests {
    /// Reads, and what books nothing and may be repeated or left.
    static let harmless: Set<String> = [
        "read", "search_read", "search_count", "fields_get", "get_metadata", "about", "write", "set_qty_producing",
        "action_assign",
    ]

    static let scenes: [(Int, WriteScene)] = [17, 19].flatMap { version in WriteScene.all.map { (version, $0) } }

    @Test(arguments: scenes) func nothingIsBookedBesideTheAddon(_ version: Int, _ scene: WriteScene) async throws {
        let plant = try Plant(version, addon: true)
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = plant.odoo.methods.count
        #expect(try await scene.send(plant, id, key: "k").status < 300)
        let sent = plant.odoo.methods[before...]
        #expect(sent.contains("millgate.request.perform"))
        let beside = sent.filter { method in
            // A wizard and what was counted: they say what is wanted, and do nothing.
            !["change.production.qty.create", "stock.quant.create"].contains(method) && !method.hasPrefix("millgate.")
                && !Self.harmless.contains(method.split(separator: ".").last.map(String.init) ?? "")
        }
        #expect(beside.isEmpty, "\(beside)")
    }

    /// Without the addon nobody could tell, and would wait for `callRunsMax`.
    @Test(arguments: scenes) func aLostAnswerIsAskedForAgainAtOnce(_ version: Int, _ scene: WriteScene) async throws {
        let plant = try Plant(version, addon: true)
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        plant.odoo.sandbox.inject(.init(match: "millgate.request.perform", kind: .closeBeforeEffect))
        let began = plant.host.wall
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status < 300, "\(answer.text)")
        #expect(plant.host.wall - began < .seconds(5))
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(try await plant.operation(answer)["state"] == "applied")
    }

    /// What comes late finds that it was done.
    @Test(arguments: [17, 19]) func aRepetitionAnswersWhatWasAnsweredAndARefusalClosesTheID(_ version: Int) async throws
    {
        let plant = try Plant(version, addon: true)
        defer { plant.bench.remove() }
        func call(_ call: OdooCall) async throws -> JSONValue? {
            try await plant.odoo.call(call, admission: .standard, deadline: nil)
        }
        func refusal(_ wanted: OdooAddon.Refusal, _ asked: OdooCall) async {
            do {
                _ = try await plant.odoo.call(asked, admission: .standard, deadline: nil)
                Issue.record("it was answered")
            } catch {
                #expect(OdooAddon.Refusal(error) == wanted, "\(error)")
                #expect(error.outcome == .rejected)
            }
        }
        let row: [JSONValue] = ["millgate.op_1", "CHAIR"]
        let program = AddonReference.program([
            .call(.load("maintenance.request", fields: ["id", "name"], rows: [row])),
            .call(.write("maintenance.request", ids: [AddonReference.placeholder(ofStep: 0)], ["priority": "3"])),
            .expect(
                "maintenance.request", ids: [AddonReference.placeholder(ofStep: 0)], [["priority", "=", "3"]], why: "w"),
        ])
        let first = try AddonAnswer(try await call(OdooAddon.perform("op.1", program)))
        let again = try AddonAnswer(try await call(OdooAddon.perform("op.1", program)))
        #expect(!first.isAgain && again.isAgain && first.results == again.results)
        #expect(AddonReference.id(of: first.results.first) != nil)
        #expect(plant.odoo.sandbox.effects(of: "maintenance.request.load") == 1)
        await refusal(
            .requestMismatch,
            OdooAddon.perform("op.1", AddonReference.program([.call(.load("stock.lot", fields: [], rows: []))])))
        #expect(try await call(OdooAddon.close("op.1"))?["closed"] == false)
        #expect(try await call(OdooAddon.close("op.2"))?["closed"] == true)
        await refusal(.requestClosed, OdooAddon.perform("op.2", program))
        let count = try await plant.count("maintenance.request", [])
        let wrong = AddonReference.program([
            .call(.load("maintenance.request", fields: ["id", "name"], rows: [["millgate.op_3", "CHAIR"]])),
            .expect(
                "maintenance.request", ids: [AddonReference.placeholder(ofStep: 0)], [["priority", "=", "1"]], why: "w"),
        ])
        await refusal(.expectationFailed, OdooAddon.perform("op.3", wrong))
        #expect(try await plant.count("maintenance.request", []) == count)
    }

    // MARK: The addon comes and goes

    /// The same Odoo without the addon, or with it.
    struct Switched: PassingPort {
        let odoo: SandboxPort
        let isThere: Switch

        func call(
            _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
        ) async throws(OdooError) -> JSONValue? {
            if call.model == OdooAddon.model, !isThere.value {
                // As `/jsonrpc` says of any unknown model (recording 166), and JSON-2 (325).
                throw OdooError(
                    name: odoo.sandbox.configuration.version == .v19
                        ? "werkzeug.exceptions.NotFound" : "odoo.exceptions.UserError",
                    message: "Object millgate.request doesn't exist")
            }
            return try await odoo.call(call, admission: admission, deadline: deadline)
        }
    }

    final class Switch: Sendable {
        private let state = Mutex(true)
        var value: Bool { state.withLock { $0 } }
        func turn(_ on: Bool) { state.withLock { $0 = on } }
    }

    private func switched(_ version: Int) throws -> (plant: Plant, addon: Switch) {
        let host = TestHost()
        let port = SandboxPort(version, addon: true, host: host)
        let addon = Switch()
        let bench = try Bench(odoo: Switched(odoo: port, isThere: addon), host: host)
        bench.runner.probe.note(
            OdooApps(
                version: OdooVersion(major: version), addon: OdooAddon(version: "1.0.0", protocolVersion: 1)),
            at: host.monotonic + -OdooProbe.ageMax)
        return (Plant(host: host, odoo: port, bench: bench), addon)
    }

    @Test(arguments: scenes) func whereItIsGoneTheSameIsDoneWithoutIt(_ version: Int, _ scene: WriteScene) async throws
    {
        let (plant, addon) = try switched(version)
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        // The gateway does not know yet.
        addon.turn(false)
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status < 300, "\(answer.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(plant.bench.runner.probe.known?.addon == nil)
        #expect(try await plant.operation(answer)["state"] == "applied")
    }

    /// It was sent through the addon, nobody heard the answer, and then the addon was removed, and perhaps came back.
    @Test(arguments: scenes, [true, false]) func whatBeganWithItIsSettledWithoutIt(
        _ on: (Int, WriteScene), _ happened: Bool
    ) async throws {
        let (version, scene) = on
        let (plant, addon) = try switched(version)
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        plant.odoo.sandbox.inject(
            .init(match: "millgate.request.perform", kind: happened ? .closeAfterEffect : .closeBeforeEffect, times: 4))
        let answer = try await scene.send(plant, id, key: "k")
        #expect(answer.status == 504, "\(answer.text)")
        addon.turn(false)
        try await plant.host.idle()
        if version == 17 { addon.turn(true) }
        let settled = try await plant.operation(answer)
        #expect(settled["state"] == "settled", "\(settled.text)")
        let again = try await scene.send(plant, id, key: "k")
        #expect(again.status < 300, "\(again.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
        #expect(plant.bench.runner.gate.heldCount == 0)
    }

    /// As after a start, when nobody knows of the addon yet: what a chain makes is sent as without it, and its last step,
    /// a moment later, through it. That request is another than the one for the whole chain.
    @Test(arguments: scenes) func whatLearnsOfItOnTheWayIsSettledThroughIt(_ version: Int, _ scene: WriteScene)
        async throws
    {
        let host = TestHost()
        let port = SandboxPort(version, addon: true, host: host)
        let lesson = Lesson()
        let bench = try Bench(odoo: Learning(odoo: port, lesson: lesson), host: host)
        let plant = Plant(host: host, odoo: port, bench: bench)
        defer { plant.bench.remove() }
        let probe = bench.runner.probe
        let without = OdooApps(version: OdooVersion(major: version))
        let with = OdooApps(
            version: OdooVersion(major: version), addon: OdooAddon(version: "1.0.0", protocolVersion: 1))
        probe.note(without, at: host.monotonic)
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        lesson.give { probe.note(with, at: host.monotonic) }
        port.sandbox.inject(.init(match: "millgate.request.perform", kind: .closeAfterEffect, times: 4))
        let answer = try await scene.send(plant, id, key: "k")
        try await host.idle()
        let again = try await scene.send(plant, id, key: "k")
        #expect(again.status < 300, "\(answer.text) \(again.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
    }

    final class Lesson: Sendable {
        private let state = Mutex<(@Sendable () -> Void)?>(nil)
        func give(_ lesson: @escaping @Sendable () -> Void) { state.withLock { $0 = lesson } }
        func learn() { state.withLock { $0 }?() }
    }

    /// Learns of the addon once something was loaded.
    struct Learning: PassingPort {
        let odoo: SandboxPort
        let lesson: Lesson

        func call(
            _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
        ) async throws(OdooError) -> JSONValue? {
            let result = try await odoo.call(call, admission: admission, deadline: deadline)
            if call.method == "load" { lesson.learn() }
            return result
        }
    }

    @Test(arguments: scenes) func whatBeganWithoutItIsSettledWithoutIt(_ version: Int, _ scene: WriteScene) async throws
    {
        let (plant, addon) = try switched(version)
        defer { plant.bench.remove() }
        let id = try await scene.prepare(plant)
        let before = try await scene.figure(plant, id)
        addon.turn(false)
        plant.bench.runner.probe.note(OdooApps(version: OdooVersion(major: version)), at: plant.host.monotonic)
        plant.odoo.sandbox.inject(.init(match: scene.effect, kind: .closeAfterEffect))
        plant.odoo.sandbox.inject(.init(match: scene.effect, kind: .closeBeforeEffect))
        let answer = try await scene.send(plant, id, key: "k")
        addon.turn(true)
        _ = try await plant.bench.runner.probe.refresh(plant.bench.world)
        try await plant.host.idle()
        let again = try await scene.send(plant, id, key: "k")
        #expect(again.status < 300, "\(answer.text) \(again.text)")
        #expect(try await scene.figure(plant, id) == scene.after(before))
    }

    @Test func theProbeFindsItAndWhatSpeaksAnotherProtocolIsLeftAlone() async throws {
        let (plant, addon) = try switched(19)
        defer { plant.bench.remove() }
        let probe = plant.bench.runner.probe
        #expect(try await probe.refresh(plant.bench.world).addon?.isUsable == true)
        addon.turn(false)
        #expect(try await probe.refresh(plant.bench.world).addon == nil)
        #expect(OdooAddon(["version": "2.0.0", "protocol": 2, "days": 90])?.isUsable == false)
        #expect(OdooAddon(["version": "2.0.0"]) == nil)
        #expect(try await OdooProbe(usesAddon: false).refresh(Plant(19, addon: true).bench.world).addon == nil)
    }

    /// A user outside of the group is as one without an addon.
    @Test(arguments: [SandboxVersion.v17, .v19]) func whoMayNotUseItWritesWithoutIt(_ version: SandboxVersion)
        async throws
    {
        var configuration = SandboxConfiguration(version: version)
        configuration.apps.insert(.addon)
        configuration.users.swapAt(1, 2)
        let host = TestHost()
        let port = SandboxPort(SandboxOdoo(configuration: configuration), now: { host.wall })
        let apps = try await OdooProbe().refresh(ServiceWorld(odoo: port, host: host))
        #expect(apps.addon == nil)
    }
}
