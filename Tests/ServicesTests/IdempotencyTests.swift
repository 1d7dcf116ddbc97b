import Bytes
import JSON
import Store
import Testing

@testable import Services

@Suite struct IdempotencyTests {
    // MARK: The field

    @Test(arguments: [
        ("abc", "abc"), ("\"abc\"", "abc"),
        (" \t8e03978e-40d5-43dd-bc93-6894a57f9324 ", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (#""a\"b\\c""#, #"a"b\c"#), (String(repeating: "k", count: 255), String(repeating: "k", count: 255)),
    ]) func aKeyIsTakenQuotedOrNot(_ field: String, _ key: String) throws {
        #expect(try IdempotencyKey(field: field).text == key)
    }

    @Test(arguments: [
        "", "\"\"", " ", "\"abc", "abc\"", "a\"b", "a b", "\"a b\"", "\"a\\x\"", "\"a\\\"", "\u{7F}", "schlüssel",
        "a\nb",
        String(repeating: "k", count: 256), "\"abc\"; p=1",
    ]) func whatIsNoKeyIsRefused(_ field: String) {
        #expect(throws: ServiceStop.self) { try IdempotencyKey(field: field) }
    }

    @Test func laterTriesStandUnderKeysThatNoClientCanSend() throws {
        let key = try IdempotencyKey(field: "abc")
        #expect(key.inLedger(try: 1) == "abc")
        #expect(throws: ServiceStop.self) { try IdempotencyKey(field: key.inLedger(try: 2)) }
    }

    @Test func idsSortByTimeAndAreFitForOdoo() {
        let early = OperationID.make(WallInstant(seconds: 1_795_500_000))
        let late = OperationID.make(WallInstant(seconds: 1_795_500_001))
        #expect(early < late)
        #expect(early.utf8.count == 26)
        #expect(early != OperationID.make(WallInstant(seconds: 1_795_500_000)))
    }

    // MARK: The key of a write

    @Test func aWriteWithoutAKeyIsRefused() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let answer = try await plant.bench.send("POST", "/v1/production-orders/1/confirm", #"{"final": true}"#)
        #expect(answer.status == 400)
        #expect(answer.problem == "idempotency-key-required")
        let bad = try await plant.bench.send("POST", "/v1/production-orders/1/confirm", #"{"final": true}"#, key: "a b")
        #expect(bad.json["violations"]?[0]?["parameter"] == "Idempotency-Key")
        #expect(plant.odoo.methods.isEmpty)
    }

    @Test(arguments: [17, 19]) func theSameRequestIsAnsweredAgainAndDoneOnce(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let first = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        // Other spelling of the same, other quotes.
        let again = try await plant.confirm(id, #"{ "final":false, "quantity": 3.0 }"#, key: "\"k\"")
        #expect(first.status == 200)
        #expect(again.status == 200)
        #expect(again.body == first.body)
        #expect(again.field("Idempotent-Replayed") == "true")
        #expect(again.outcome == .replayed)
        #expect(again.operationID == first.operationID)
        #expect(plant.odoo.effects("button_mark_done") == 1)
    }

    @Test func aCreatedOrderIsAnsweredAgainWithItsLocation() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let body = #"{"product_code": "VALVE-20", "quantity": 2, "site": "plant-1"}"#
        let first = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k")
        let again = try await plant.bench.send("POST", "/v1/production-orders", body, key: "k")
        #expect(again.status == 201)
        #expect(again.field("Location") == first.field("Location"))
        #expect(plant.odoo.effects("load") == 1)
        // A refusal of the record's state is an answer too.
        let id = first.json["id"]?.int ?? 0
        let refused = try await plant.confirm(id, #"{"final": true}"#, key: "r")
        #expect(refused.status == 409)
        _ = try await plant.bench.send("POST", "/v1/production-orders/\(id)/release", key: "release")
        let still = try await plant.confirm(id, #"{"final": true}"#, key: "r")
        #expect(still.status == 409)
        #expect(still.field("Idempotent-Replayed") == "true")
    }

    @Test func aKeyBelongsToItsRequestAndItsCaller() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let other = try await plant.order("VALVE-20", "released")
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 200)
        let body = try await plant.confirm(id, #"{"quantity": 4}"#, key: "k")
        #expect(body.status == 422)
        #expect(body.problem == "idempotency-key-reused")
        #expect(try await plant.confirm(other, #"{"quantity": 3}"#, key: "k").status == 422)
        let stranger = try await plant.bench.send(
            "POST", "/v1/production-orders/\(other)/confirm", #"{"quantity": 3}"#, key: "k", caller: "https://id|other")
        #expect(stranger.status == 200)
        #expect(plant.odoo.effects("button_mark_done") == 2)
    }

    @Test(arguments: [17, 19]) func fiveAtOnceHaveOneEffect(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let answers = try await withThrowingTaskGroup(of: ServiceAnswer.self) { group in
            for _ in 0..<5 {
                group.addTask { try await plant.confirm(id, #"{"quantity": 3}"#, key: "k") }
            }
            var answers: [ServiceAnswer] = []
            for try await answer in group { answers.append(answer) }
            return answers
        }
        #expect(plant.odoo.effects("button_mark_done") == 1)
        for answer in answers {
            #expect([200, 409].contains(answer.status), "\(answer.text)")
            if answer.status == 409 { #expect(answer.problem == "idempotency-in-flight") }
        }
        #expect(answers.contains { $0.outcome == .applied })
        #expect(try await plant.bench.ledger.list().count == 1)
    }

    @Test func anotherBodyInFlightIsAMismatch() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let claim = Claims.Name(caller: "https://id|mes", operation: "production-order.confirm", key: "k")
        _ = plant.bench.runner.claims.take(claim, digest: [1])
        plant.bench.runner.claims.name(claim, operationID: "01JDEXAMPLE00000000000001")
        #expect(try await plant.confirm(1, #"{"final": true}"#, key: "k").status == 422)
    }

    // MARK: What may be sent again

    @Test(arguments: [17, 19]) func a503IsNoLastWord(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.goAway()
        for _ in 0..<3 {
            let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
            #expect(answer.status == 503)
            #expect(answer.field("Retry-After") == "5")
            #expect(answer.outcome == .rejected)
            #expect(try await plant.operation(answer)["state"] == "accepted")
        }
        plant.odoo.goAway(false)
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 200)
        #expect(answer.field("Idempotent-Replayed") == nil)
        #expect(try await plant.bench.ledger.list().count == 1)
        #expect(plant.odoo.effects("button_mark_done") == 1)
    }

    @Test(arguments: [17, 19]) func contentionThatOdooRolledBackIsTriedAgain(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.sandbox.inject(
            .init(match: "mrp.production.button_mark_done", kind: .serializationFailure, times: 2))
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(plant.odoo.effects("button_mark_done") == 1)

        plant.odoo.sandbox.inject(
            .init(match: "mrp.production.button_mark_done", kind: .serializationFailure, times: 3))
        let backorder = answer.json["backorder"]?["id"]?.int ?? 0
        let given = try await plant.confirm(backorder, #"{"quantity": 3}"#, key: "k2")
        #expect(given.status == 503)
        #expect(try await plant.operation(given)["state"] == "rejected")
        #expect(try await UnknownOutcomeTests.producing(backorder, plant) == .zero)
        let again = try await plant.confirm(backorder, #"{"quantity": 3}"#, key: "k2")
        #expect(again.status == 200)
        #expect(again.operationID != given.operationID)
    }

    @Test func whatWasParkedAndNotAskedForAgainIsRejectedAndStaysOpenForTheSameRequest() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        plant.odoo.goAway()
        let parked = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        #expect(try await plant.bench.runner.sweep(plant.bench.world) == 0)
        plant.host.advance(.hours(1))
        #expect(try await plant.bench.runner.sweep(plant.bench.world) == 1)
        #expect(try await plant.operation(parked)["state"] == "rejected")
        plant.odoo.goAway(false)
        #expect(try await plant.confirm(id, #"{"quantity": 3}"#, key: "k").status == 200)
        #expect(try await plant.confirm(id, #"{"quantity": 4}"#, key: "k").status == 422)
    }

    // MARK: Operations

    @Test func anOperationIsSeenByItsCallerAndByThoseWhoMaySeeAll() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", "released")
        let answer = try await plant.confirm(id, #"{"quantity": 3}"#, key: "k")
        let path = "/v1/operations/" + (answer.operationID ?? "")
        let own = try await plant.bench.send("GET", path, sites: ["plant-2"])
        #expect(own.status == 200)
        #expect(own.json["state"] == "applied")
        #expect(own.json["answer"]?["status"] == 200)
        #expect(own.json["answer"]?["body"] == answer.json)
        #expect(own.json["records"]?.array?.count == 2)
        let texts = own.json["steps"]?.array?.compactMap { $0["text"]?.string } ?? []
        #expect(texts.first?.hasPrefix("preparing 3 of WH/MO/") == true)
        #expect(texts.last?.contains("are booked") == true)
        #expect(try await plant.bench.send("GET", path, caller: "https://id|other").status == 200)
        let stranger = try await plant.bench.send("GET", path, caller: "https://id|other", sites: ["plant-1"])
        #expect(stranger.status == 404)
        #expect(try await plant.bench.send("GET", "/v1/operations/01JDNOSUCHOPERATION").status == 404)
    }
}
