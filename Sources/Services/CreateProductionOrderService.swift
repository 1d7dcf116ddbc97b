import Bytes
import Contracts
import JSON
import Odoo
import Policy
import Store

/// `production-order.create`: through `load` under an external id made of the operation's id, so that any repetition
/// finds the order that is there.
struct CreateProductionOrderService: WriteService {
    let operation = "production-order.create"
    let endpoints: Set = ["create"]

    /// Most loads of one external id against another at the same moment. Default 4.
    private static let loadsMax = 4

    /// Nothing is there to lock; the claim on the key keeps two of one operation apart.
    func records(_ request: AcceptedRequest) -> [String] { [] }

    func perform(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let index = try await run.sites.index(run.odoo)
        let site = try site(run)
        try run.authorize(Resource(site: site))
        let product = try await product(run)
        if let unit = run.request.body["unit"]?.string, unit != product.unit?.name {
            throw .invalid(
                Violation(pointer: "/unit", "the product is counted in `\(product.unit?.name ?? "")`, not in `\(unit)`")
            )
        }
        var order = try order(run, product: product.id)
        if let site {
            guard let type = index.productionTypes[site]?.first else {
                throw .invalid(Violation(pointer: "/site", "nothing is made at `\(site)`"))
            }
            order.pickingType = type
        }
        return try await create(order, run, mayBeDone: false)
    }

    /// The same load again, with what was decided then.
    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult {
        let intent = steps.lazy.reversed().compactMap { JournalStep($0.text).intent }.first
        guard let intent, let product = intent["product"]?.int else {
            throw run.unknown(canSettle: false, "the intent cannot be read")
        }
        var order = try order(run, product: product)
        order.pickingType = intent["picking_type"]?.int
        return try await create(order, run, mayBeDone: true)
    }

    // MARK: What to create

    private func site(_ run: WriteRun) throws(ServiceStop) -> String? {
        if let site = run.request.body["site"]?.string { return site }
        let permissions = run.request.permissions
        let places = run.sites.names.filter { permissions.permits($0) }
        guard places.count <= 1 else {
            throw .invalid(Violation(pointer: "/site", "is required: \(places.sorted().joined(separator: ", "))"))
        }
        return places.first
    }

    private func product(_ run: WriteRun) async throws(ServiceStop) -> ProductRecord {
        if let id = run.request.body["product"]?.int {
            guard let product = try await run.odoo.products(ProductRecord.read([id])).first else {
                throw .invalid(Violation(pointer: "/product", "there is no product \(id)"))
            }
            return product
        }
        let code = run.request.body["product_code"]?.string ?? ""
        let found = try await run.odoo.products(
            ProductRecord.search(code: code, on: run.odoo.version, page: OdooPage(limit: 2)))
        guard let product = found.first else {
            throw .invalid(Violation(pointer: "/product_code", "no product has the code `\(code)`"))
        }
        guard found.count == 1 else {
            throw .invalid(Violation(pointer: "/product_code", "several products have this code: give `product`"))
        }
        return product
    }

    private func order(_ run: WriteRun, product: Int) throws(ServiceStop) -> CreateProductionOrder {
        let body = run.request.body
        guard let quantity = body["quantity"]?.decimal else {
            throw .invalid(Violation(pointer: "/quantity", "has more digits than can be kept"))
        }
        guard let externalID = OdooExternalID(module: "millgate", name: "op_" + run.operationID) else {
            throw ServiceStop(.refused, Problem(.internal, "the operation's id is no external id"))
        }
        var order = CreateProductionOrder(externalID: externalID, product: product, quantity: quantity)
        order.billOfMaterials = body["bill_of_materials"]?.int
        order.origin = body["external_reference"]?.string
        order.start = try Self.instant(body, "planned_start")
        order.deadline = try Self.instant(body, "deadline")
        return order
    }

    private static func instant(_ body: JSONValue, _ name: String) throws(ServiceStop) -> WallInstant? {
        guard let text = body[name]?.string else { return nil }
        guard let instant = WallInstant(text) else {
            throw .invalid(Violation(pointer: "/" + name, "is beyond the times that can be kept"))
        }
        return instant
    }

    // MARK: The effect

    /// - Parameter mayBeDone: an earlier load of this operation was sent.
    private func create(
        _ order: CreateProductionOrder, _ run: WriteRun, mayBeDone: Bool
    ) async throws(ServiceStop) -> WriteResult {
        let call: OdooCall
        do throws(RecipeRefusal) {
            call = try order.call(on: run.odoo.version)
        } catch {
            throw ServiceStop(error, state: .draft)
        }
        var intent: JSONObject = [
            "product": JSONValue(order.product), "external_id": .string(order.externalID.description),
        ]
        if let type = order.pickingType { intent["picking_type"] = JSONValue(type) }
        try await run.begin(.effect, "creating the order", intent: .object(intent))
        let id = try await load(call, run, mayBeDone: mayBeDone)
        do throws(ServiceStop) {
            guard let made = try await run.odoo.order(id) else {
                throw run.unknown(canSettle: false, "the order \(id) is gone")
            }
            let site = try await run.sites.site(of: made, run.odoo)
            return WriteResult(
                status: 201, json: ProductionOrderView.json(made, site: site),
                records: ["\(ProductionOrderRecord.model),\(id)"], text: "\(made.name) is created")
        } catch {
            // It is there; the answer can be made later.
            if case .unknown = error.meaning { throw error }
            throw run.unknown(canSettle: true, error.cause ?? "it could not be read")
        }
    }

    private func load(_ call: OdooCall, _ run: WriteRun, mayBeDone: Bool) async throws(ServiceStop) -> Int {
        var mayBeDone = mayBeDone
        var pause = OdooSession.pauseMax
        var tries = 1
        while true {
            var doubt = "others load at the same time"
            switch await outcome(call, run, lastTry: tries >= Self.loadsMax) {
            case .success(.created(let id)): return id
            case .success(.again): break
            case .success(.refused(let messages)):
                let text = messages.map(\.text).joined(separator: "\n")
                throw ServiceStop(
                    .refused, .odooRefused(message: text.isEmpty ? nil : text, error: "load"), cause: text)
            case .failure(let error):
                switch error.outcome {
                case .unknown, .applied: mayBeDone = true
                case .notSent where mayBeDone: break
                case .notSent, .rejected: throw ServiceStop(error)
                }
                doubt = error.description
            }
            if tries >= Self.loadsMax || run.odoo.remaining.map({ $0 < pause }) == true {
                throw run.unknown(canSettle: true, doubt)
            }
            await run.odoo.world.host.sleep(Nanoseconds.random(in: 0...pause))
            tries += 1
            pause *= 2
        }
    }

    private func outcome(
        _ call: OdooCall, _ run: WriteRun, lastTry: Bool
    ) async -> Result<CreateProductionOrder.Outcome, OdooError> {
        let result: JSONValue?
        do throws(OdooError) {
            result = try await run.odoo.call(call)
        } catch {
            return .failure(error)
        }
        do throws(OdooShapeError) {
            return .success(try CreateProductionOrder.outcome(of: result, lastTry: lastTry))
        } catch {
            return .failure(error.asOdooError)
        }
    }
}
