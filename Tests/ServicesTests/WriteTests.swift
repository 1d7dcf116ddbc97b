import Bytes
import JSON
import Testing

@testable import Services

/// The three writes on the sandbox, as 17 and as 19.
@Suite struct WriteTests {
    @Test(arguments: [17, 19]) func anOrderIsCreatedReleasedAndConfirmedInTwoParts(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let bench = plant.bench
        let before = try await plant.stock("VALVE-20", "plant-2")
        let seals = try await plant.stock("SEAL-20", "plant-2")

        let created = try await bench.send(
            "POST", "/v1/production-orders",
            """
            {"product_code": "VALVE-20", "quantity": 7.5, "site": "plant-2", "external_reference": "P-1",
             "planned_start": "2026-12-01T08:00:00+02:00"}
            """, key: "create-1")
        #expect(created.status == 201, "\(created.text)")
        #expect(created.outcome == .applied)
        let id = try created.json["id"]?.int.unwrapped() ?? 0
        #expect(created.field("Location") == "/v1/production-orders/\(id)")
        #expect(created.json["state"] == "draft")
        #expect(created.json["site"] == "plant-2")
        #expect(created.json["planned_start"] == "2026-12-01T06:00:00.000Z")
        #expect(created.json["quantity"]?.decimal == ExactDecimal("7.5"))
        #expect(created.json["external_reference"] == "P-1")

        let released = try await bench.send("POST", "/v1/production-orders/\(id)/release", key: "release-1")
        #expect(released.status == 200, "\(released.text)")
        #expect(released.json["state"] == "released")
        #expect(released.json["material_availability"] == "available")

        let partial = try await plant.confirm(id, #"{"quantity": 2.5, "unit": "Units"}"#, key: "confirm-1")
        #expect(partial.status == 200, "\(partial.text)")
        #expect(partial.json["quantity_confirmed"]?.decimal == ExactDecimal("2.5"))
        #expect(partial.json["order"]?["state"] == "done")
        let backorder = try partial.json["backorder"]?["id"]?.int.unwrapped() ?? 0
        #expect(backorder != id)
        #expect(partial.json["backorder"]?["quantity"]?.decimal == ExactDecimal("5"))
        #expect(partial.records == ["mrp.production,\(id)", "mrp.production,\(backorder)"])

        let final = try await plant.confirm(backorder, #"{"final": true}"#, key: "confirm-2")
        #expect(final.status == 200, "\(final.text)")
        #expect(final.json["backorder"] == .null)
        #expect(final.json["quantity_confirmed"]?.decimal == ExactDecimal("5"))

        #expect(try await plant.stock("VALVE-20", "plant-2") == (before + ExactDecimal("7.5").unwrapped()))
        #expect(try await plant.stock("SEAL-20", "plant-2") == (seals - ExactDecimal(15)))
        #expect(bench.audit.intents.map(\.operation).count == 4)
        #expect(plant.bench.runner.gate.heldCount == 0)
        #expect(plant.bench.runner.claims.count == 0)
    }

    @Test(arguments: [17, 19]) func aRestIsGivenUpWhereTheConfirmationIsFinal(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let answer = try await plant.confirm(id, #"{"quantity": 12, "final": true}"#, key: "k")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["backorder"] == .null)
        #expect(answer.json["order"]?["quantity_produced"]?.decimal == ExactDecimal(12))
        #expect(answer.json["order"]?["quantity"]?.decimal == ExactDecimal(20))
    }

    @Test(arguments: [17, 19]) func aFinalConfirmationMayAskForABackorder(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("CHAIR-01", "released")
        let answer = try await plant.confirm(
            id, #"{"quantity": 5, "final": true, "remainder": "backorder"}"#, key: "k")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["backorder"]?["quantity"]?.decimal == ExactDecimal(7))
    }

    @Test(arguments: [17, 19]) func moreThanRemainsIsRefusedUnlessItIsMeant(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let refused = try await plant.confirm(id, #"{"quantity": 21}"#, key: "k1")
        #expect(refused.status == 409)
        #expect(refused.json["reason"] == "quantity-exceeds-remaining")
        #expect(refused.json["state"] == "released")
        #expect(plant.odoo.effects("button_mark_done") == 0)
        #expect(!plant.odoo.methods.contains("mrp.production.write"))
        let meant = try await plant.confirm(id, #"{"quantity": 21, "allow_excess": true}"#, key: "k2")
        #expect(meant.status == 200, "\(meant.text)")
        #expect(meant.json["order"]?["quantity_produced"]?.decimal == ExactDecimal(21))
    }

    @Test(arguments: [17, 19]) func aRecordsStateIsAConflict(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let draft = try await plant.order("PUMP-100", "draft")
        let early = try await plant.confirm(draft, #"{"final": true}"#, key: "k1")
        #expect(early.status == 409)
        #expect(early.problem == "conflict-state")
        #expect(early.json["state"] == "draft")
        #expect(early.json["allowed_states"] == ["released", "in_progress", "to_close"])
        #expect(early.outcome == .rejected)
        #expect(try await plant.operation(early)["state"] == "rejected")

        let open = try await plant.order("PUMP-100", "released")
        #expect(try await plant.confirm(open, #"{"final": true}"#, key: "k2").status == 200)
        let late = try await plant.confirm(open, #"{"final": true}"#, key: "k3")
        #expect(late.status == 409)
        #expect(late.json["state"] == "done")
        #expect(try await plant.bench.send("POST", "/v1/production-orders/\(open)/release", key: "k4").status == 409)
        #expect(plant.odoo.effects("button_mark_done") == 1)
    }

    @Test(arguments: [17, 19]) func aReleasedOrderIsAnsweredAsItIs(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let answer = try await plant.bench.send("POST", "/v1/production-orders/\(id)/release", key: "k")
        #expect(answer.status == 200)
        #expect(plant.odoo.effects("action_confirm") == 0)
        #expect(plant.bench.audit.intents.isEmpty)
        #expect(try await plant.operation(answer)["state"] == "applied")
    }

    @Test func whatIsNotThereIsNotFoundAndOfAnotherSiteForbidden() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        #expect(try await plant.confirm(9_999, #"{"final": true}"#, key: "k1").status == 404)
        let id = try await plant.order("PUMP-100", "released")
        let path = "/v1/production-orders/\(id)/confirm"
        let answer = try await plant.bench.send("POST", path, #"{"final": true}"#, key: "k2", sites: ["plant-2"])
        #expect(answer.status == 403)
        #expect(answer.json["operation"] == "production-order.confirm")
        #expect(answer.outcome == .refused)
        #expect(plant.odoo.effects("button_mark_done") == 0)
        #expect(plant.bench.audit.intents.isEmpty)
        // Permitted meanwhile: the same request is decided anew.
        let again = try await plant.bench.send("POST", path, #"{"final": true}"#, key: "k2", sites: ["plant-1"])
        #expect(again.status == 200)
    }

    @Test func aCreateNeedsASiteWhereThereAreSeveral() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let body = #"{"product_code": "VALVE-20", "quantity": 1}"#
        let several = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k1")
        #expect(several.status == 400)
        #expect(several.json["violations"]?[0]?["pointer"] == "/site")
        let one = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k2", sites: ["plant-2"])
        #expect(one.status == 201, "\(one.text)")
        #expect(one.json["site"] == "plant-2")
        let elsewhere = try await plant.bench.send(
            "POST", "/v1/production-orders", #"{"product_code": "VALVE-20", "quantity": 1, "site": "plant-1"}"#,
            key: "k3", sites: ["plant-2"])
        #expect(elsewhere.status == 403)
    }

    @Test(arguments: [
        (#"{"product_code": "NOTHING", "quantity": 1, "site": "plant-1"}"#, "/product_code"),
        (#"{"product": 99999, "quantity": 1, "site": "plant-1"}"#, "/product"),
        (#"{"product_code": "VALVE-20", "quantity": 1, "unit": "kg", "site": "plant-1"}"#, "/unit"),
        (#"{"product_code": "VALVE-20", "quantity": 0, "site": "plant-1"}"#, "/quantity"),
        (#"{"product_code": "VALVE-20", "quantity": "1", "site": "plant-1"}"#, "/quantity"),
    ]) func aCreateThatMakesNoSenseIsAViolation(_ body: String, _ pointer: String) async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let answer = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k")
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["violations"]?[0]?["pointer"]?.string == pointer)
        #expect(plant.odoo.effects("load") == 0)
    }

    @Test func bodiesThatAreNoneAreRefusedWithAllTheirFaults() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let path = "/v1/production-orders/1/confirm"
        func send(_ body: String, type: String? = "application/json") async throws -> ServiceAnswer {
            try await plant.bench.send("POST", path, body, key: "k") { $0.contentType = type }
        }
        let many = try await send(#"{"quantity": -1, "colour": "red", "final": "yes"}"#)
        #expect(many.status == 400)
        #expect((many.json["violations"]?.array?.count ?? 0) >= 3)
        #expect(try await send("{").status == 400)
        let twice = try await send(#"{"quantity": 1, "quantity": 2}"#)
        #expect(twice.status == 400)
        #expect(twice.json["violations"]?[0]?["pointer"] == "/quantity")
        #expect(try await send(#"{"quantity": 1}"#, type: "text/plain").status == 415)
        #expect(try await send(#"{"quantity": 1}"#, type: nil).status == 415)
        #expect(try await send(#"{"quantity": 1}"#, type: "application/json; charset=utf-16").status == 415)
        #expect(try await send("").status == 400)
        #expect(plant.odoo.methods.isEmpty)
    }

    @Test(arguments: [17, 19]) func odoosRefusalOfAWriteIsA422AndNothingIsLeftBehind(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        // The audit log is down: nothing is sent.
        plant.bench.audit.refuse()
        let unaudited = try await plant.confirm(id, #"{"quantity": 1}"#, key: "k")
        #expect(unaudited.status == 503)
        #expect(unaudited.problem == "audit-unavailable")
        #expect(plant.odoo.effects("write") == 0)
        plant.bench.audit.refuse(false)
        #expect(try await plant.confirm(id, #"{"quantity": 1}"#, key: "k").status == 200)
    }
}
