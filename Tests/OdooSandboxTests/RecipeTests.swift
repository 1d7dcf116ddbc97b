import Bytes
import JSON
import Odoo
import Testing

@testable import OdooSandbox

/// The gateway's own recipes, played to the sandbox over both protocols.
@Suite struct RecipeTests {
    struct Door: CustomTestStringConvertible {
        let version: SandboxVersion
        let isJSON2: Bool
        var testDescription: String { "\(version.rawValue) over \(isJSON2 ? "/json/2" : "/jsonrpc")" }
    }

    static let doors = [
        Door(version: .v17, isJSON2: false), Door(version: .v19, isJSON2: false), Door(version: .v19, isJSON2: true),
    ]

    struct Plant {
        let client: SandboxClient
        let endpoint: OdooEndpoint
        let version: OdooVersion

        init(_ door: Door) {
            client = SandboxClient(door.version)
            version = OdooVersion(major: door.version.rawValue)
            let database = client.odoo.configuration.database
            endpoint = OdooEndpoint(
                credentials: door.isJSON2
                    ? .json2(database: database, key: "sandbox-key")
                    : .jsonRPC(database: database, user: client.mes, secret: "mes-pw"),
                context: OdooContext(companies: [1]))
        }

        func run(_ call: OdooCall) throws -> JSONValue? {
            let request = endpoint.request(for: call, id: 7)
            let answer = client.odoo.answer(
                SandboxRequest(method: request.method, path: request.path, fields: request.fields, body: request.body),
                now: client.now)
            let response = OdooResponse(
                status: answer.status,
                contentType: answer.fields.first { $0.name == "Content-Type" }?.value, body: answer.body)
            return try endpoint.result(of: response, id: 7).get()
        }

        func order(_ id: Int) throws -> ProductionOrderRecord {
            let found = try ProductionOrderRecord.list(
                run(ProductionOrderRecord.read([id], on: version)), on: version)
            return try #require(found.first)
        }

        /// As the service walks it.
        func confirm(_ recipe: ConfirmProduction, _ id: Int) throws -> JSONValue? {
            let plan = try recipe.plan(for: order(id), on: version)
            for call in plan.preparation { _ = try run(call) }
            try plan.checkPrepared(ProductionOrderRecord.list(run(plan.read), on: version).first)
            if let read = plan.movesRead {
                for call in try plan.consumption(of: ComponentMoveRecord.list(run(read))) { _ = try run(call) }
            }
            let result = try run(plan.effect)
            #expect(plan.intent.verdict(try order(id)) == .applied)
            return result
        }

        func created(_ quantity: ExactDecimal, _ name: String) throws -> Int {
            let external = try #require(OdooExternalID(module: OdooExternalID.gateway, name: name))
            let recipe = CreateProductionOrder(
                externalID: external, product: try client.product("VALVE-20"), quantity: quantity)
            let result = try run(try recipe.call(on: version))
            guard case .created(let id) = try OdooLoadOutcome(of: result, lastTry: false) else {
                Issue.record("not created: \(result?.text ?? "")")
                return 0
            }
            return id
        }
    }

    @Test(arguments: doors)
    func anOrderIsCreatedOnceReleasedAndConfirmedInTwoSteps(door: Door) throws {
        let plant = Plant(door)
        let id = try plant.created(ExactDecimal(mantissa: 75, scale: 1), "op_1")
        #expect(try plant.created(ExactDecimal(mantissa: 75, scale: 1), "op_1") == id)
        guard case .call(let release) = try ReleaseProductionOrder.plan(for: plant.order(id), on: plant.version) else {
            Issue.record("not a draft")
            return
        }
        _ = try plant.run(release)
        #expect(ReleaseProductionOrder.verdict(after: try plant.order(id)) == .applied)

        let partial = ConfirmProduction(
            quantity: .exactly(ExactDecimal(mantissa: 25, scale: 1)), rest: .backorder)
        let answer = try plant.confirm(partial, id)
        guard case .backorder(let backorder) = ConfirmProduction.answer(answer) else {
            Issue.record("no backorder in \(answer?.text ?? "nothing")")
            return
        }
        #expect(try plant.order(backorder).quantity == ExactDecimal(5))
        _ = try plant.confirm(ConfirmProduction(quantity: .remaining, rest: .backorder), backorder)
        #expect(try plant.client.onHand("VALVE-20", at: "WH/Stock") == ExactDecimal(mantissa: 175, scale: 1))
        #expect(try plant.client.onHand("SEAL-20", at: "WH/Stock") == ExactDecimal(99_985))
    }

    @Test(arguments: doors)
    func closingShortGivesTheRestUp(door: Door) throws {
        let plant = Plant(door)
        let id = try plant.client.released("VALVE-20", 10)
        _ = try plant.confirm(ConfirmProduction(quantity: .exactly(ExactDecimal(4)), rest: .closeShort), id)
        let order = try plant.order(id)
        #expect(order.state == .done)
        #expect(order.quantity == ExactDecimal(10))
        #expect(order.produced == ExactDecimal(4))
        #expect(try plant.client.onHand("BALL-20", at: "WH/Stock") == ExactDecimal(99_996))
    }

    @Test(arguments: doors)
    func contentionInLoadIsAnAnswerThatSaysAgain(door: Door) throws {
        let plant = Plant(door)
        plant.client.odoo.inject(SandboxFault(match: "mrp.production.load", kind: .serializationFailure))
        let external = try #require(OdooExternalID(module: OdooExternalID.gateway, name: "op_2"))
        let recipe = CreateProductionOrder(
            externalID: external, product: try plant.client.product("VALVE-20"), quantity: ExactDecimal(1))
        let call = try recipe.call(on: plant.version)
        #expect(try OdooLoadOutcome(of: plant.run(call), lastTry: false) == .again)
        guard case .created = try OdooLoadOutcome(of: plant.run(call), lastTry: false) else {
            Issue.record("not created at the second try")
            return
        }
    }

    @Test(arguments: doors)
    func everyReadOfTheGatewayIsUnderstood(door: Door) throws {
        let plant = Plant(door)
        let version = plant.version
        let page = OdooPage(limit: 50)
        #expect(
            try OdooRecord.list(plant.run(WarehouseRecord.search)).map { try WarehouseRecord($0).code } == [
                "WH", "WH2",
            ])
        let types = try OdooRecord.list(plant.run(PickingTypeRecord.search)).map { try PickingTypeRecord($0) }
        #expect(types.filter { $0.code == "mrp_operation" }.count == 2)
        let products = try OdooRecord.list(
            plant.run(ProductRecord.search(storableOnly: true, on: version, page: page))
        ).map { try ProductRecord($0) }
        #expect(products.count == 11)
        let centers = try OdooRecord.list(plant.run(WorkCenterRecord.search(code: "DRILL-2", page: page)))
        #expect(try centers.map { try WorkCenterRecord($0).name } == ["Drill 2"])
        let seal = try plant.client.product("SEAL-20")
        let stock = try OdooRecord.list(plant.run(StockQuantRecord.search(products: [seal], page: page)))
        #expect(try stock.map { try StockQuantRecord($0).quantity } == [ExactDecimal(100_000), ExactDecimal(100_000)])
        let available = try OdooRecord.list(plant.run(ProductAvailability.read(products: [seal])))
        let seals = try ProductAvailability(try #require(available.first))
        #expect(seals.onHand == ExactDecimal(200_000))
        #expect(seals.free == ExactDecimal(199_900))
        #expect(seals.outgoing == ExactDecimal(100))

        var filter = ProductionOrderRecord.Filter()
        filter.states = [.draft]
        let drafts = try ProductionOrderRecord.list(
            plant.run(ProductionOrderRecord.search(filter, on: version, page: page)), on: version)
        #expect(drafts.map(\.name) == ["WH/MO/00003", "WH/MO/00004", "WH2/MO/00003"])
        filter = ProductionOrderRecord.Filter()
        filter.workCenter = try OdooRecord.list(plant.run(WorkCenterRecord.search(code: "ASSEMBLY-2", page: page)))[0]
            .id
        let tables = try ProductionOrderRecord.list(
            plant.run(ProductionOrderRecord.search(filter, on: version, page: page)), on: version)
        #expect(tables.map(\.name) == ["WH2/MO/00001"])
        let work = try OdooRecord.list(plant.run(WorkOrderRecord.search(orders: tables.map(\.id))))
        #expect(try work.map { try WorkOrderRecord($0).name } == ["Assembly"])
    }
}
