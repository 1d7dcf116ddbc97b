import Bytes
import Contracts
import Events
import JSON
import Odoo
import Policy
import Store

/// `production-order.create`: through `load` under an external id made of the operation's id, so that any repetition
/// finds the order that is there.
struct CreateProductionOrderService: WriteService {
    let operation = "production-order.create"
    let endpoints: Set = ["create"]

    /// Nothing is there to lock; the claim on the key keeps two of one operation apart.
    func records(_ request: AcceptedRequest) -> [String] { [] }

    func perform(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let index = try await run.sites.index(run.odoo)
        let site = try run.site()
        try await run.learnProduct()
        try run.authorize(Resource(site: site))
        let product = try await run.product()
        var order = try order(run, product: product.id)
        if let site {
            guard let type = index.productionTypes[site]?.first else {
                throw .invalid(Violation(pointer: "/site", "nothing is made at `\(site)`"))
            }
            order.pickingType = type
        }
        return try await create(order, run)
    }

    /// The same load again, with what was decided then.
    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult {
        let intents = steps.lazy.reversed().compactMap { JournalStep($0.text).intent }
        guard let intent = intents.first(where: { $0["product"] != nil }), let product = intent["product"]?.int else {
            throw run.unknown(canSettle: false, "the intent cannot be read")
        }
        var order = try order(run, product: product)
        order.pickingType = intent["picking_type"]?.int
        run.recall(steps)
        return try await create(order, run)
    }

    // MARK: What to create

    private func order(_ run: WriteRun, product: Int) throws(ServiceStop) -> CreateProductionOrder {
        let body = run.request.body
        let quantity = try run.quantity()
        var order = CreateProductionOrder(externalID: try run.externalID(), product: product, quantity: quantity)
        order.billOfMaterials = body["bill_of_materials"]?.int
        order.origin = body["external_reference"]?.string
        order.start = try run.instant("planned_start")
        order.deadline = try run.instant("deadline")
        return order
    }

    // MARK: The effect

    private func create(_ order: CreateProductionOrder, _ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let call: OdooCall
        do throws(RecipeRefusal) {
            call = try order.call(on: run.odoo.version)
        } catch {
            throw ServiceStop(error, state: .draft)
        }
        var intent: JSONObject = ["product": JSONValue(order.product)]
        if let type = order.pickingType { intent["picking_type"] = JSONValue(type) }
        let id = try await run.create(call, "creating the order", step: "create", as: order.externalID, intent)
        do throws(ServiceStop) {
            guard let made = try await run.odoo.order(id) else {
                throw run.unknown(canSettle: false, "the order \(id) is gone")
            }
            let site = try await run.sites.site(of: made, run.odoo)
            return WriteResult(
                status: 201, json: ProductionOrderView.json(made, site: site),
                records: ["\(ProductionOrderRecord.model),\(id)"], text: "\(made.name) is created",
                events: [.productionOrderCreated(made, site: site, at: run.odoo.wall)])
        } catch {
            // It is there; the answer can be made later.
            if case .unknown = error.meaning { throw error }
            throw run.unknown(canSettle: true, error.cause ?? "it could not be read")
        }
    }
}
