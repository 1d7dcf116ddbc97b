import Bytes
import JSON
import Odoo
import Testing

@testable import OdooSandbox
@testable import Services

extension WriteScene {
    static let quality: [WriteScene] = [
        WriteScene(
            name: "raise a quality alert", prepare: { try await $0.order("PUMP-100", "released") },
            path: { _ in "/v1/quality-alerts" },
            body: #"{"title": "Burr", "description": "a & b", "production_order": ORDER, "priority": "high"}"#,
            effect: "mail.activity.load",
            figure: { plant, id in
                let activities = try await plant.count(
                    "mail.activity",
                    [["summary", "=", "Burr"], ["res_model", "=", "mrp.production"], ["res_id", "=", .init(id)]])
                let notes = try await plant.notes("mrp.production", id)
                return ((activities * ExactDecimal(10)) ?? .zero) + notes ?? .zero
            }, change: ExactDecimal(11)),
        WriteScene(
            name: "close a quality alert",
            prepare: { plant in
                let order = try await plant.order("PUMP-100", "released")
                let made = try await plant.bench.send(
                    "POST", "/v1/quality-alerts", #"{"title": "Burr", "production_order": \#(order)}"#, key: "raised")
                return try made.json["id"]?.int.unwrapped() ?? 0
            },
            path: { "/v1/quality-alerts/\($0)/close" }, body: #"{"resolution": "deburred"}"#,
            effect: "mail.activity.action_feedback",
            figure: { plant, id in try await plant.count("mail.message", [["body", "=", "deburred"]]) }),
        WriteScene(
            name: "record an inspection", prepare: { try await $0.order("PUMP-100", "released") },
            path: { _ in "/v1/inspections" },
            body: """
                {"characteristic": "Diameter", "result": "fail", "measured": 20.3, "unit": "mm", "note": "worn tool",
                 "production_order": ORDER}
                """, effect: "mrp.production.message_post",
            figure: { plant, id in try await plant.notes("mrp.production", id) }),
        WriteScene(
            name: "put a lot on hold", prepare: { $0.lot() }, path: { "/v1/lots/\($0)/hold" },
            body: #"{"reason": "too moist", "site": "plant-1"}"#, effect: "stock.picking.button_validate",
            figure: { plant, _ in try await plant.lying("PIGMENT", 60) }, change: ExactDecimal(5)),
        WriteScene(
            name: "release a lot",
            prepare: { plant in
                let lot = plant.lot()
                _ = try await plant.bench.send("POST", "/v1/lots/\(lot)/hold", #"{"site": "plant-1"}"#, key: "held")
                return lot
            }, path: { "/v1/lots/\($0)/release" }, body: #"{"site": "plant-1"}"#,
            effect: "stock.picking.button_validate",
            figure: { plant, _ in try await plant.lying("PIGMENT", 60) }, change: ExactDecimal(-5)),
    ]
}

extension Plant {
    /// Notes that a service has posted on a record.
    func notes(_ model: String, _ id: Int) async throws -> ExactDecimal {
        try await count(
            "mail.message",
            [["model", "=", .string(model)], ["res_id", "=", .init(id)], ["body", "like", "[millgate "]])
    }

    /// A lot `B` of which 3 lie in the stock and 2 on a shelf, beside 5 of lot `A`.
    func lot() -> Int {
        let shelf = shelf()
        var id = 0
        odoo.sandbox.withEngine { engine in
            let pigment = engine.seedProduct("PIGMENT", "Pigment", tracking: "lot")
            let other = engine.insert(Model.lot, ["name": .text("A"), "product_id": .link(pigment)])
            id = engine.insert(Model.lot, ["name": .text("B"), "product_id": .link(pigment)])
            engine.book(ExactDecimal(5), of: pigment, at: engine.ids.stock, lot: other)
            engine.book(ExactDecimal(3), of: pigment, at: engine.ids.stock, lot: id)
            engine.book(ExactDecimal(2), of: pigment, at: shelf, lot: id)
        }
        return id
    }

    /// The same plant with an Odoo that has more installed.
    init(_ version: Int, apps: Set<SandboxApp>) throws {
        let host = TestHost()
        var configuration = SandboxConfiguration(version: version == 19 ? .v19 : .v17)
        configuration.apps = apps
        let odoo = SandboxPort(SandboxOdoo(configuration: configuration), now: { host.wall })
        self.init(host: host, odoo: odoo, bench: try Bench(odoo: odoo, host: host))
    }
}

/// Quality where Odoo has an application for it, and where it has not.
@Suite struct QualityTests {
    @Test(arguments: [17, 19]) func withTheQualityApplicationAnAlertIsOneOfItsOwn(_ version: Int) async throws {
        let plant = try Plant(version, apps: [.quality])
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let raised = try await plant.bench.send(
            "POST", "/v1/quality-alerts", #"{"title": "Burr", "priority": "high", "production_order": \#(order)}"#,
            key: "k")
        #expect(raised.status == 201, "\(raised.text)")
        #expect(raised.json["kept_as"] == "quality.alert")
        #expect(raised.json["name"]?.string?.hasPrefix("QA") == true)
        let id = try raised.json["id"]?.int.unwrapped() ?? 0
        let known = try await plant.count(
            "quality.alert", [["title", "=", "Burr"], ["priority", "=", "3"], ["production_id", "=", .init(order)]])
        #expect(known == ExactDecimal(1))
        #expect(try await plant.count("mail.activity", []) == .zero)
        let elsewhere = try await plant.bench.send(
            "POST", "/v1/quality-alerts/\(id)/close", "{}", key: "no", sites: ["plant-2"])
        #expect(elsewhere.status == 403)
        let closed = try await plant.bench.send("POST", "/v1/quality-alerts/\(id)/close", "{}", key: "c")
        #expect(closed.status == 200 && closed.json["state"] == "closed", "\(closed.text)")
        // Closed already: answered as it is, and told to nobody.
        let again = try await plant.bench.send("POST", "/v1/quality-alerts/\(id)/close", "{}", key: "d")
        #expect(again.json["state"] == "closed")
        let told = try await EventTests.log(plant.bench).map(\.event.name)
        #expect(told == ["quality-alert.raised", "quality-alert.closed"])
    }

    @Test(arguments: [17, 19]) func anInspectionIsTheResultOfTheCheckThatWaitsForIt(_ version: Int) async throws {
        let plant = try Plant(version, apps: [.quality])
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        var check = 0
        plant.odoo.sandbox.withEngine { engine in
            check = engine.seed(Model.qualityCheck, nil, ["name": .text("QC1")])
        }
        let body = #"""
            {"characteristic": "Diameter", "result": "pass", "measured": 19.9, "check": \#(check),
             "production_order": \#(order)}
            """#
        plant.odoo.sandbox.inject(.init(match: "quality.check.do_pass", kind: .closeAfterEffect))
        let answer = try await plant.bench.send("POST", "/v1/inspections", body, key: "k")
        #expect(answer.status == 201, "\(answer.text)")
        #expect(answer.json["kept_as"] == "quality.check")
        let known = try await plant.count(
            "quality.check",
            [["quality_state", "=", "pass"], ["measure", "=", JSONValue(ExactDecimal(mantissa: 199, scale: 1))]])
        #expect(known == ExactDecimal(1))
        let other = try await plant.bench.send(
            "POST", "/v1/inspections", body.replacing("pass", with: "fail"), key: "l")
        #expect(other.status == 409 && other.json["reason"] == "check-done", "\(other.text)")
    }

    @Test(arguments: [17, 19]) func withoutTheApplicationThereIsNoCheckToConclude(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let answer = try await plant.bench.send(
            "POST", "/v1/inspections",
            #"{"characteristic": "Diameter", "result": "pass", "check": 1, "production_order": \#(order)}"#, key: "k")
        #expect(answer.status == 409 && answer.json["reason"] == "quality-application-missing", "\(answer.text)")
        #expect(try await plant.notes("mrp.production", order) == .zero)
    }

    /// 17 takes no message of a user without an address (recording 032): the activity is the alert all the same.
    @Test func anAlertStandsWhereOdooTakesNoNote() async throws {
        let host = TestHost()
        var configuration = SandboxConfiguration(version: .v17)
        configuration.users[1].email = nil
        let odoo = SandboxPort(SandboxOdoo(configuration: configuration), now: { host.wall })
        let plant = Plant(host: host, odoo: odoo, bench: try Bench(odoo: odoo, host: host))
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "released")
        let answer = try await plant.bench.send(
            "POST", "/v1/quality-alerts", #"{"title": "Burr", "production_order": \#(order)}"#, key: "k")
        #expect(answer.status == 201, "\(answer.text)")
        #expect(try await plant.count("mail.activity", [["summary", "=", "Burr"]]) == ExactDecimal(1))
        #expect(try await plant.operation(answer)["state"] == "applied")
    }

    @Test(arguments: [17, 19]) func onlyTheLotThatIsNamedIsHeld(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let lot = plant.lot()
        let answer = try await plant.bench.send(
            "POST", "/v1/lots/\(lot)/hold", #"{"reason": "too moist", "site": "plant-1"}"#, key: "k")
        #expect(answer.status == 200 && answer.json["quantity"] == 5, "\(answer.text)")
        #expect(answer.json["location"]?["name"] == "WH/Hold")
        let held = try await plant.count("stock.quant", [["location_id", "=", 60], ["lot_id", "=", .init(lot)]])
        let all = try await plant.count("stock.quant", [["location_id", "=", 60], ["quantity", ">", 0]])
        #expect(held == ExactDecimal(1) && all == ExactDecimal(1))
        // It lies there: nothing is moved, nothing is told.
        let again = try await plant.bench.send(
            "POST", "/v1/lots/\(lot)/hold", #"{"site": "plant-1"}"#, key: "l")
        #expect(again.status == 200 && again.json["transfer"] == .null && again.json["quantity"] == 5)
        #expect(try await EventTests.log(plant.bench).map(\.event.name) == ["lot.held"])
        let free = try await plant.bench.send(
            "POST", "/v1/lots/\(lot)/release", #"{"site": "plant-1"}"#, key: "m")
        #expect(free.status == 200 && free.json["location"]?["name"] == "WH/Stock", "\(free.text)")
        #expect(try await plant.stock("PIGMENT", "plant-1") == ExactDecimal(10))
    }

    @Test func aSiteWithoutAHoldLocationHoldsNothing() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let lot = plant.lot()
        let answer = try await plant.bench.send(
            "POST", "/v1/lots/\(lot)/hold", #"{"site": "plant-2"}"#, key: "k")
        #expect(answer.status == 409 && answer.json["reason"] == "no-hold-location", "\(answer.text)")
    }

    @Test(arguments: [17, 19]) func theProbeSaysWhatIsInstalled(_ version: Int) async throws {
        let plain = try Plant(version)
        defer { plain.bench.remove() }
        let none = try await plain.bench.runner.probe.refresh(plain.bench.world)
        #expect(!none.hasQuality && none.hasMaintenance)
        let full = try Plant(version, apps: [.quality])
        defer { full.bench.remove() }
        #expect(try await full.bench.runner.probe.refresh(full.bench.world).hasQuality)
        #expect(full.bench.runner.probe.known?.version.major == version)
    }
}
