import Bytes
import Contracts
import Documents
import JSON
import Odoo
import OdooSandbox
import Testing

@testable import Services

/// A site's own simple services: a contract with a recipe, and no code.
@Suite struct SiteServiceTests {
    /// The contract of one own service; `recipe` and `body` are what is particular about it.
    static func contract(
        _ operation: String, path: String, recipe: String, body: String = "", response: String
    ) throws -> Contract {
        let hasRecord = path.contains("{id}")
        let text = """
            operation: \(operation)
            title: Own
            description: Own.
            kind: write
            admission: standard
            deadline: 60s
            idempotency: As its recipe says.
            odoo: []
            recipe:
            \(recipe.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
            endpoints:
              - name: do
                method: POST
                path: \(path)
                summary: Does it.
            \(hasRecord ? "    path_parameters: [{name: id, description: Id., schema: {type: integer, minimum: 1}}]" : "")
            \(body.isEmpty ? "" : "    body: {schema: {type: object, additionalProperties: false, properties: {\(body)}}}")
                response: {schema: {type: object, additionalProperties: false, properties: {\(response)}}}
                examples: [{summary: One, \(hasRecord ? "path: {id: 1}, " : "")\(body.isEmpty ? "" : "body: {}, ")response: {}}]
            """
        let set = try ContractSet.load(files: [("policies/services/\(operation).yaml", text)])
        return try #require(set.contracts.first)
    }

    static let answer = "{id: id, origin: reference}"
    static let members = "id: {type: integer}, reference: {type: [string, \"null\"]}"

    /// Own services, each with the product and state of the order it is tried on (empty for none), a body, the method of
    /// Odoo that has the effect, and a field that shows it.
    struct Case: Sendable, CustomTestStringConvertible {
        let operation: String
        let path: String
        let recipe: String
        var members = ""
        var body = ""
        var state = "draft"
        let effect: String
        let shown: (field: String, value: JSONValue)
        var testDescription: String { operation }

        func contract() throws -> Contract {
            try SiteServiceTests.contract(
                operation, path: path, recipe: recipe, body: members, response: SiteServiceTests.members)
        }
    }

    static let cases = [
        Case(
            operation: "order-reference.set", path: "/v1/own/{id}/reference",
            recipe: """
                model: mrp.production
                strategy: absolute
                record: id
                values: {origin: reference}
                guard: {field: state, values: [draft, confirmed]}
                site: {operation_type: picking_type_id}
                answer: \(answer)
                """, members: "reference: {type: string, minLength: 1, maxLength: 40}",
            body: #"{"reference": "OWN-1"}"#, effect: "mrp.production.write", shown: ("origin", "OWN-1")),
        Case(
            operation: "order-own.release", path: "/v1/own/{id}/release",
            recipe: """
                model: mrp.production
                strategy: call
                method: action_confirm
                record: id
                guard: {field: state, values: [draft]}
                done: {field: state, values: [confirmed, progress]}
                repeats: true
                site: {operation_type: picking_type_id}
                answer: \(answer)
                """, effect: "mrp.production.action_confirm", shown: ("state", "confirmed")),
    ]

    static let all = [17, 19].flatMap { version in cases.map { (version, $0) } }

    func send(_ plant: Plant, _ own: Case, _ id: Int, key: String, sites: Set<String>? = nil) async throws
        -> ServiceAnswer
    {
        let contract = try own.contract()
        plant.bench.runner.adopt(try ContractSet.load(files: []))
        return try await plant.bench.send(
            "POST", "/v1/production-orders/\(id)/cancel", own.body, key: key, sites: sites
        ) {
            $0.contract = contract
            $0.endpoint = contract.endpoints[0]
        }
    }

    func shown(_ plant: Plant, _ own: Case, _ id: Int) async throws -> Bool {
        let read = try await plant.odoo.call(
            .read("mrp.production", ids: [id], fields: [own.shown.field]), admission: .realtime, deadline: nil)
        return read?[0]?[own.shown.field] == own.shown.value
    }

    @Test(arguments: all) func itHappensOnceAndIsReplayed(_ version: Int, _ own: Case) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let id = try await plant.order("PUMP-100", own.state)
        #expect(try await !shown(plant, own, id))
        let done = try await send(plant, own, id, key: "k")
        #expect(done.status == 200, "\(done.text)")
        #expect(done.json["id"]?.int == id)
        #expect(try await shown(plant, own, id))
        let again = try await send(plant, own, id, key: "k")
        #expect(again.body == done.body && again.field("Idempotent-Replayed") == "true")
        #expect(plant.odoo.sandbox.state["calls"]?[own.effect]?.int == 1)
        // Another key finds that it is so already.
        #expect(try await send(plant, own, id, key: "k2").status == 200)
        #expect(plant.odoo.sandbox.state["calls"]?[own.effect]?.int == 1)
    }

    @Test(arguments: all) func aLostAnswerIsReadBack(_ version: Int, _ own: Case) async throws {
        for fault in [SandboxFault.Kind.closeAfterEffect, .closeBeforeEffect] {
            let plant = try Plant(version)
            defer { plant.bench.remove() }
            let id = try await plant.order("PUMP-100", own.state)
            plant.odoo.sandbox.inject(.init(match: own.effect, kind: fault))
            var answer = try await send(plant, own, id, key: "k")
            try await plant.host.idle()
            if answer.status == 504 { answer = try await send(plant, own, id, key: "k") }
            let state = try await plant.operation(answer)["state"]?.string
            // What is said agrees with what is there.
            #expect(try await shown(plant, own, id) == (answer.status == 200), "\(fault) \(state ?? "") \(answer.text)")
            #expect(plant.bench.runner.gate.heldCount == 0)
        }
    }

    @Test func aGuardAndASiteStandBeforeIt() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let own = Self.cases[0]
        let id = try await plant.order("PUMP-100", "draft")
        #expect(try await send(plant, own, id, key: "k1", sites: ["plant-2"]).status == 403)
        _ = try await plant.odoo.call(
            .button("mrp.production", "action_cancel", ids: [id]), admission: .realtime, deadline: nil)
        let refused = try await send(plant, own, id, key: "k2")
        #expect(refused.status == 409 && refused.json["state"] == "cancel", "\(refused.text)")
        #expect(try await !shown(plant, own, id))
        #expect(try await send(plant, own, 999_999, key: "k3").status == 404)
    }

    @Test func aRecordIsMadeOnceWithReferences() async throws {
        let contract = try Self.contract(
            "label.create", path: "/v1/own",
            recipe: """
                model: stock.lot
                strategy: create
                values: {name: name, product_id/.id: product}
                answer: {id: id, name: name, product_id: product}
                """,
            body: "name: {type: string, maxLength: 20}, product: {type: integer}, site: {type: string, maxLength: 20}",
            response: "id: {type: integer}, name: {type: string}, product: {type: object}")
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let product = plant.tracked()
        plant.odoo.sandbox.inject(.init(match: "stock.lot.load", kind: .closeAfterEffect))
        let made = try await plant.bench.send(
            "POST", "/v1/lots", #"{"name": "OWN-7", "product": \#(product), "site": "plant-1"}"#, key: "k"
        ) {
            $0.contract = contract
            $0.endpoint = contract.endpoints[0]
        }
        #expect(made.status == 201 && made.json["name"] == "OWN-7", "\(made.text)")
        #expect(made.json["product"]?["id"]?.int == product)
        #expect(try await plant.count("stock.lot", [["name", "=", "OWN-7"]]) == ExactDecimal(1))
    }

    @Test func whatARecipeGetsWrongIsSaidAtItsLine() {
        let table: [(recipe: String, message: String)] = [
            (
                "model: m\nstrategy: absolute\nrecord: id\nvalues: {origin: refrence}\nanswer: {id: id, origin: reference}",
                "the body has no member 'refrence'"
            ),
            (
                "model: m\nstrategy: absolute\nrecord: no\nvalues: {origin: reference}\nanswer: {id: id, origin: reference}",
                "'record' is an integer parameter of the path"
            ),
            (
                "model: m\nstrategy: call\nrecord: id\nmethod: go\nanswer: {id: id, origin: reference}",
                "missing key 'done': by what one sees that the method was carried out"
            ),
            (
                "model: m\nstrategy: call\nrecord: id\nmethod: _go\ndone: {field: s, values: [x]}\n"
                    + "answer: {id: id, origin: reference}", "Odoo's private methods cannot be called"
            ),
            (
                "model: m\nstrategy: absolute\nrecord: id\nvalues: {origin: reference}\nanswer: {id: id}",
                "the response's member 'reference' comes from no field"
            ),
        ]
        for (recipe, message) in table {
            do {
                _ = try Self.contract(
                    "own.set", path: "/v1/own/{id}", recipe: recipe, body: "reference: {type: string, maxLength: 9}",
                    response: Self.members)
                Issue.record("taken: \(recipe)")
            } catch let error as DocumentErrors {
                #expect(error.errors.map(\.message).contains(message), "\(error)")
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
