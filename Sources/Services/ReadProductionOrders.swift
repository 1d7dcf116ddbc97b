import Contracts
import JSON
import Odoo
import Policy

/// `production-order.read`: orders of the sites that the caller may see; one order with its operations.
struct ReadProductionOrders: ReadService {
    let operation = "production-order.read"
    let endpoints: Set = ["list", "one"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        if request.endpoint == "one" { return try await one(request) }
        return try await list(request)
    }

    private func one(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let id = try request.id()
        let odoo = try await request.session()
        guard let order = try await odoo.order(id) else { throw .notFound("production order \(id)") }
        let site = try await request.sites.site(of: order, odoo)
        let resource = Resource(site: site)
        let decision = try request.authorize(resource)
        let operations =
            order.workOrders.isEmpty
            ? []
            : try await odoo.records(WorkOrderRecord.search(orders: [id])) { (record) throws(OdooShapeError) in
                try WorkOrderRecord(record)
            }
        return ReadResult(
            json: ProductionOrderView.json(order, site: site, operations: operations),
            records: ["\(ProductionOrderRecord.model),\(id)"], resource: resource, decision: decision)
    }

    private func list(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let scope = try request.scope()
        let page = try ListPage(request)
        let odoo = try await request.session()
        let index = try await request.sites.index(odoo)
        let (filter, conditions) = Self.filter(request, site: scope.site, index)
        let orders = try await odoo.orders(
            ProductionOrderRecord.search(
                filter, on: odoo.version, page: OdooPage(after: page.after, limit: page.limit + 1)
            ).adding(conditions + (try request.changedSince())))
        return ReadResult(
            json: .object(page.json(orders, id: \.id) { ProductionOrderView.json($0, site: index.site(of: $0)) }),
            records: orders.prefix(page.limit).map { "\(ProductionOrderRecord.model),\($0.id)" },
            resource: scope.resource, decision: scope.decision)
    }

    private static func filter(
        _ request: ReadRequest, site: String?, _ index: SiteIndex
    ) -> (ProductionOrderRecord.Filter, conditions: [JSONValue]) {
        var filter = ProductionOrderRecord.Filter()
        var conditions: [JSONValue] = []
        filter.name = request.text("name")
        filter.origin = request.text("external_reference")
        filter.product = request.int("product")
        filter.workCenter = request.int("work_center")
        if let code = request.text("product_code") {
            conditions.append(["product_id.default_code", "=", .string(code)])
        }
        if let words = request.input.query["state"]?.array?.compactMap(\.string), !words.isEmpty {
            let known = words.compactMap { ProductionOrderView.state($0) }
            if known.count == words.count {
                filter.states = known
            } else {
                // `other` is every state that is not named here.
                let all = ["draft", "released", "in_progress", "to_close", "done", "cancelled"]
                let left = all.filter { !words.contains($0) }.compactMap { ProductionOrderView.state($0) }
                conditions.append(["state", "not in", .array(left.map { .string($0.description) })])
            }
        }
        if let site {
            filter.pickingTypes = index.pickingTypes(of: [site])
        } else if !request.permissions.elsewhere {
            filter.pickingTypes = index.pickingTypes(of: request.permissions.permitted)
        } else if !request.permissions.forbidden.isEmpty {
            let hidden = index.pickingTypes(of: request.permissions.forbidden)
            conditions.append(["picking_type_id", "not in", .array(hidden.map { JSONValue($0) })])
        }
        return (filter, conditions)
    }
}
