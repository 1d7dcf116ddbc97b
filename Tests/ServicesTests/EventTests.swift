import Bytes
import Events
import Foundation
import JSON
import Store
import Testing

@testable import Services

/// What governed services tell.
@Suite struct EventTests {
    static let catalogue: EventCatalogue = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("policies/events")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let files = names.filter { $0.hasSuffix(".yaml") }.map { name in
            (
                path: "policies/events/" + name,
                text: (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
            )
        }
        do { return try EventCatalogue.load(files: files) } catch { fatalError("\(error)") }
    }()

    /// All events, each held against its schema and against the contract of what caused it.
    static func log(_ bench: Bench) async throws -> [RecordedEvent] {
        let events = try await bench.ledger.events(after: 0, limit: 1_000)
        for event in events {
            let version = try #require(catalogue[event.event.name]?[version: event.event.version])
            #expect(version.violations(event.event.data).isEmpty, "\(event.event.name) \(event.event.data.text)")
            #expect(!event.event.id.isEmpty && event.event.correlationID == "4bf92f3577b34da6a3ce929d0e0e4736")
            let cause = try #require(try await bench.ledger.operation(event.event.causationID ?? ""))
            let contract = try #require(Bench.contracts[cause.request.operation])
            #expect(contract.events.contains(event.event.name) || event.event.name.hasPrefix("operation."))
        }
        #expect(Set(events.map(\.event.id)).count == events.count)
        return events
    }

    @Test(arguments: [17, 19]) func theLifeOfAnOrderIsToldInOrderAndOnce(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let created = try await plant.bench.send(
            "POST", "/v1/production-orders", #"{"product_code": "VALVE-20", "quantity": 7.5, "site": "plant-2"}"#,
            key: "create-1")
        let id = try created.json["id"]?.int.unwrapped() ?? 0
        // Repeated with the same key, and released a second time with another: nothing happens, nothing is told.
        for key in ["release-1", "release-1", "release-2"] {
            #expect(try await plant.bench.send("POST", "/v1/production-orders/\(id)/release", key: key).status == 200)
        }
        let partial = try await plant.confirm(id, #"{"quantity": 2.5}"#, key: "confirm-1")
        let backorder = try partial.json["backorder"]?["id"]?.int.unwrapped() ?? 0
        _ = try await plant.confirm(backorder, #"{"final": true}"#, key: "confirm-2")

        let events = try await Self.log(plant.bench)
        let order = events.filter { $0.event.subject == "production-order/\(id)" }
        #expect(
            order.map(\.event.name) == [
                "production-order.created", "production-order.released", "production-order.started",
                "production.confirmed", "material.consumed", "material.consumed", "finished-goods.reported",
                "production-order.completed",
            ])
        let rest = events.filter { $0.event.subject == "production-order/\(backorder)" }
        #expect(
            rest.map(\.event.name) == [
                "production-order.created", "production-order.released", "production-order.started",
                "production.confirmed", "material.consumed", "material.consumed", "finished-goods.reported",
                "production-order.completed",
            ])
        #expect(order.count + rest.count == events.count)
        for list in [order, rest] { #expect(list.map(\.sequence) == Array(1...Int64(list.count))) }
        #expect(events.allSatisfy { $0.event.site == "plant-2" })
        #expect(order[3].event.data["quantity_confirmed"]?.decimal == ExactDecimal("2.5"))
        #expect(order[3].event.data["backorder"]?["id"]?.int == backorder)
        #expect(rest[0].event.data["backorder_of"]?["id"]?.int == id)
        #expect(rest[3].event.data["quantity_remaining"]?.decimal == .zero)
    }

    @Test func refusalsAreNotEvents() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let created = try await plant.bench.send(
            "POST", "/v1/production-orders", #"{"product_code": "VALVE-20", "quantity": 1, "site": "plant-2"}"#,
            key: "c")
        let draft = try created.json["id"]?.int.unwrapped() ?? 0
        let refused = try await plant.confirm(draft, #"{"quantity": 1}"#, key: "k")
        #expect(refused.status == 409, "\(refused.text)")
        #expect(try await plant.bench.send("POST", "/v1/production-orders/99999/release", key: "r").status == 404)
        #expect(try await Self.log(plant.bench).map(\.event.name) == ["production-order.created"])
    }

    @Test func anUnknownOutcomeIsToldAndSoIsItsSettling() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(.init(match: "mrp.production.button_mark_done", kind: .closeBeforeEffect))
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 504)
        try await plant.host.idle()
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 200)
        let events = try await Self.log(plant.bench)
        #expect(
            events.map(\.event.name).prefix(3) == [
                "operation.needs-attention", "operation.settled", "production-order.started",
            ])
        #expect(events[0].event.subject == "operation/" + (answer.operationID ?? ""))
        #expect(events[0].event.data["can_settle"] == true)
        #expect(events[1].event.data["applied"] == false && events[1].sequence == 2)
        #expect(events.filter { $0.event.name == "production.confirmed" }.count == 1)
    }

    // MARK: The feed

    private func page(_ bench: Bench, _ query: String, for names: Set<String>? = nil) async throws -> JSONValue {
        let answer = try await bench.send("GET", "/v1/events\(query)") { call in
            call.permits = { operation, resource in
                Bench.decide(resource, names == nil || names?.contains(operation) == true ? nil : [])
            }
        }
        return answer.json
    }

    private func told(_ id: String, _ name: String = "lot.held", site: String? = "plant-1") -> BusinessEvent {
        BusinessEvent(
            id: id, name: name, subject: "lot/1", site: site, time: WallInstant(seconds: 1_795_500_000), data: [:])
    }

    @Test func theFeedGivesPagesBehindACursor() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        try await plant.bench.ledger.append((1...5).map { told("e\($0)") } + [told("other", "lot.released")])
        let first = try await page(plant.bench, "?limit=2")
        #expect(first["events"]?.array?.compactMap { $0["id"]?.string } == ["e1", "e2"])
        #expect(first["has_more"] == true)
        let cursor = try #require(first["cursor"]?.string)
        let second = try await page(plant.bench, "?after=\(cursor)&type=lot.held")
        #expect(second["events"]?.array?.compactMap { $0["id"]?.string } == ["e3", "e4", "e5"])
        #expect(second["cursor"] == "6" && second["has_more"] == false)
        #expect(try await page(plant.bench, "?after=latest")["events"]?.array?.isEmpty == true)
    }

    @Test func nobodySeesEventsThatThePolicyDoesNotLetItReceive() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        try await plant.bench.ledger.append([told("a"), told("b", "lot.released"), told("c")])
        let seen = try await page(plant.bench, "", for: ["event.lot.released"])
        #expect(seen["events"]?.array?.compactMap { $0["id"]?.string } == ["b"])
        // The cursor is behind what was not shown, so that it is not looked at again.
        #expect(seen["cursor"] == "3")
        let nothing = try await plant.bench.send("GET", "/v1/events") { $0.permits = nil }
        #expect(nothing.json["events"]?.array?.isEmpty == true)
    }

    @Test func aPollWaitsForTheNextEvent() async throws {
        let host = TestHost(skips: false)
        let plant = try Plant(19, host: host)
        defer { plant.bench.remove() }
        let bench = plant.bench
        async let waiting = page(bench, "?after=latest&wait=30")
        try await Task.sleep(for: .milliseconds(50))
        try await bench.ledger.append([told("late")])
        #expect(try await waiting["events"]?.array?.compactMap { $0["id"]?.string } == ["late"])
        async let empty = page(bench, "?after=latest&wait=30")
        try await Task.sleep(for: .milliseconds(50))
        for _ in 0..<20 {
            host.advance(.seconds(31))
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try await empty["events"]?.array?.isEmpty == true)
    }

    @Test func aCursorBeyondWhatIsKeptIsRefusedAndNotPassedOver() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        try await plant.bench.ledger.append((1...4).map { told("e\($0)") })
        try await plant.bench.ledger.purgeEvents(
            recordedBefore: WallInstant(nanoseconds: .max), bytesMax: .max, upTo: 3)
        let refused = try await plant.bench.send("GET", "/v1/events?after=1")
        #expect(refused.status == 410 && refused.problem == "cursor-expired")
        #expect(refused.json["oldest_cursor"] == "3")
        #expect(try await page(plant.bench, "?after=3")["events"]?.array?.count == 1)
        #expect(try await page(plant.bench, "")["events"]?.array?.count == 1)
        for query in ["?type=Lot", "?after=x", "?since=yesterday", "?limit=0"] {
            #expect(try await plant.bench.send("GET", "/v1/events\(query)").status == 400, "\(query)")
        }
    }
}
