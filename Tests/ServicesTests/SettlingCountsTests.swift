import Bytes
import JSON
import OdooSandbox
import Testing

@testable import Services
@testable import Store

/// How unknown outcomes are counted, and what is said of those that are there.
@Suite struct SettlingCountsTests {
    private static let order = #"{"product_code": "VALVE-20", "quantity": 3, "site": "plant-1"}"#

    private func endings(_ plant: Plant, _ operation: String) -> [SettlingCounts.Ending: Int] {
        plant.bench.runner.settling.counts.endings[operation] ?? [:]
    }

    /// Most of the tests' unknowns end at once: time is skipped.
    private func create(_ plant: Plant) async throws -> ServiceAnswer {
        let answer = try await plant.bench.send("POST", "/v1/production-orders", Self.order, key: "k")
        try await plant.host.idle()
        return answer
    }

    @Test func anEffectThatIsFoundLaterIsCompleted() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: .closeAfterEffect))
        plant.odoo.sandbox.inject(.init(match: "mrp.production.search_read", kind: .closeBeforeEffect, times: 8))
        #expect(try await create(plant).status == 504)
        #expect(endings(plant, "production-order.create") == [.completed: 1])
        #expect(plant.odoo.sandbox.effects(of: "mrp.production.load") == 1)
        #expect(try await plant.bench.runner.unknowns().operations.isEmpty)
    }

    @Test func anEffectThatIsNotThereIsSentAgainAndItsTimeIsObserved() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: .closeBeforeEffect))
        #expect(try await create(plant).status == 504)
        #expect(endings(plant, "production-order.create") == [.repeated: 1])
        let counts = plant.bench.runner.settling.counts
        // Believed after 150 s, seen by a look up to half a minute later.
        #expect(counts.durations.reduce(0, +) == 1)
        #expect(counts.durationSum > .seconds(100) && counts.durationSum < .seconds(200), "\(counts.durationSum)")
        let bucket = try #require(counts.durations.firstIndex(of: 1))
        #expect(counts.durationSum <= SettlingCounts.bounds[bucket])
        #expect(bucket == 0 || counts.durationSum > SettlingCounts.bounds[bucket - 1])
    }

    @Test(arguments: [17, 19]) func aConfirmationThatWasNotBookedIsRestored(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.button_mark_done", kind: .closeBeforeEffect))
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 504)
        try await plant.host.idle()
        #expect(endings(plant, "production-order.confirm") == [.restored: 1])
    }

    @Test func whatIsRefusedWhenItIsSentAgainIsRefused() async throws {
        let host = TestHost(skips: false)
        let plant = try Plant(19, host: host)
        defer { plant.bench.remove() }
        plant.odoo.sandbox.inject(.init(match: "stock.lot.load", kind: .closeBeforeEffect))
        let product = plant.tracked()
        let body = #"{"product": \#(product), "name": "BY-HAND", "site": "plant-1"}"#
        let answer = try await UnknownOutcomeTests.drive(host, .milliseconds(500)) {
            try await plant.bench.send("POST", "/v1/lots", body, key: "k")
        }
        #expect(answer.status == 504, "\(answer.text)")
        // Somebody makes the lot by hand meanwhile: a second one of its name cannot be.
        _ = try await plant.odoo.call(
            .create("stock.lot", [["name": "BY-HAND", "product_id": JSONValue(product)]]), admission: .standard,
            deadline: nil)
        let report = try await plant.bench.runner.unknowns()
        #expect(report.operations["lot.create"]?.count == 1)
        #expect(report.forPerson.count == 0, "the gateway still looks")
        try await UnknownOutcomeTests.drive(host, .seconds(2)) { try await host.idle() }
        #expect(endings(plant, "lot.create") == [.refused: 1])
        #expect(try await plant.bench.runner.unknowns().operations.isEmpty)
    }

    @Test func whatWaitsForAPersonIsSeenWithItsAgeAndAfterARestartToo() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let bench = plant.bench
        plant.odoo.sandbox.inject(.init(match: "mrp.production.load", kind: .closeAfterEffect))
        plant.odoo.sandbox.inject(.init(match: "mrp.production.search_read", kind: .closeBeforeEffect, times: 0))
        let began = plant.host.wall
        let id = try #require(try await create(plant).operationID)
        #expect(endings(plant, "production-order.create") == [.handedOver: 1])
        #expect(bench.runner.settling.counts.durations.reduce(0, +) == 0, "it is not settled")
        func check(_ runner: ServiceRunner) async throws -> UnknownReport {
            let report = try await runner.unknowns()
            #expect(report.operations.keys.sorted() == ["production-order.create"])
            #expect(report.operations["production-order.create"] == report.forPerson)
            #expect(report.forPerson.count == 1)
            return report
        }
        let before = try await check(bench.runner)
        let since = try #require(before.forPerson.since)
        // From when it became unknown, however often it was looked into since.
        #expect(since >= began && since - began < .seconds(60))
        #expect(plant.host.wall - since > bench.runner.configuration.settleTimeMax - .seconds(60))
        await bench.close()

        let second = try Bench(odoo: plant.odoo, host: plant.host, directory: bench.directory)
        #expect(try await check(second.runner).forPerson.since == since)
        let found = try await second.runner.recover(second.world, audit: second.audit)
        #expect(found.unknown == 1)
        try await plant.host.idle()
        #expect(try await check(second.runner).forPerson.since == since)
        let settled = try await second.runner.settle(
            id, applied: true, by: "anna", because: "seen in Odoo", now: plant.host.wall)
        guard case .settled = settled else { return #expect(Bool(false), "\(settled)") }
        #expect(try await second.runner.unknowns().operations.isEmpty)
        let counts = second.runner.settling.counts
        #expect(counts.endings["production-order.create"]?[.byPerson] == 1)
        #expect(counts.durations.reduce(0, +) == 1 && counts.durationSum == plant.host.wall - since)
        await second.close()
    }

    /// Several effects of one operation: the second, sent when the first was found, is no repetition.
    @Test func onlyWhatWasSentBeforeCountsAsSentAgain() {
        func steps(_ lines: [(OperationState, String)]) -> [OperationStep] {
            lines.enumerated().map { number, line in
                OperationStep(
                    number: number, time: TestHost().wall, state: line.0,
                    text: JournalStep(text: "", phase: .effect, intent: ["step": .string(line.1)]).stored)
            }
        }
        typealias Ending = SettlingCounts.Ending
        #expect(Ending(foundAfter: steps([(.dispatched, "create")])) == .completed)
        #expect(Ending(foundAfter: steps([(.dispatched, "create"), (.unknown, "validate")])) == .completed)
        #expect(Ending(foundAfter: steps([(.dispatched, "create"), (.dispatched, "create")])) == .completed)
        #expect(
            Ending(foundAfter: steps([(.dispatched, "create"), (.unknown, "validate"), (.unknown, "validate")]))
                == .repeated)
        #expect(Ending(foundAfter: steps([(.dispatched, "create"), (.unknown, "create")])) == .repeated)
    }
}
