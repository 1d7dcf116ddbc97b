import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// What several writes read from their body, and the records it names.
extension WriteRun {
    /// The number in the path.
    func pathID() throws(ServiceStop) -> Int {
        guard let id = request.id else { throw .invalid(Violation(.path("id"), "is not an id")) }
        return id
    }

    /// A quantity of the body, by its name.
    func quantity(_ name: String = "quantity") throws(ServiceStop) -> ExactDecimal {
        guard let quantity = request.body[name]?.decimal else {
            throw .invalid(Violation(pointer: "/" + name, "has more digits than can be kept"))
        }
        return quantity
    }

    func instant(_ name: String) throws(ServiceStop) -> WallInstant? {
        guard let text = request.body[name]?.string else { return nil }
        guard let instant = WallInstant(text) else {
            throw .invalid(Violation(pointer: "/" + name, "is beyond the times that can be kept"))
        }
        return instant
    }

    /// The product that the body names by `product` or `product_code`; the unit is checked where one is given.
    func product() async throws(ServiceStop) -> ProductRecord {
        if let namedProduct { return namedProduct }
        let product: ProductRecord
        if let id = request.body["product"]?.int {
            guard let found = try await odoo.products(ProductRecord.read([id])).first else {
                throw .invalid(Violation(pointer: "/product", "there is no product \(id)"))
            }
            product = found
        } else {
            let code = request.body["product_code"]?.string ?? ""
            let found = try await odoo.products(
                ProductRecord.search(code: code, on: odoo.version, page: OdooPage(limit: 2)))
            guard let first = found.first else {
                throw .invalid(Violation(pointer: "/product_code", "no product has the code `\(code)`"))
            }
            guard found.count == 1 else {
                throw .invalid(Violation(pointer: "/product_code", "several products have this code: give `product`"))
            }
            product = first
        }
        let own = product.unit?.name ?? ""
        if let unit = request.body["unit"]?.string, unit != own {
            throw .invalid(Violation(pointer: "/unit", "the product is counted in `\(own)`, not in `\(unit)`"))
        }
        namedProduct = product
        return product
    }

    /// Where the policy decides by the product's category: reads the product of the body before it is asked. Otherwise
    /// whoever may do nothing here is not told what products there are.
    func learnProduct() async throws(ServiceStop) {
        if needsProductCategory { try await learnCategory(ofProduct: try await product().id) }
    }

    /// The site that the body names; without one the only one there is for this caller.
    func site() throws(ServiceStop) -> String? {
        if let site = request.body["site"]?.string { return site }
        let places = sites.names.filter { request.permissions.permits($0) }
        guard places.count <= 1 else {
            throw .invalid(Violation(pointer: "/site", "is required: \(places.sorted().joined(separator: ", "))"))
        }
        return places.first
    }

    /// A place in a warehouse, permitted to the caller: the one the body names, or the stock of a site.
    func location(_ name: String = "location") async throws(ServiceStop) -> (id: Int, site: String?) {
        if let id = request.body[name]?.int {
            let site = try await sites.site(ofLocation: id, odoo)
            try authorize(Resource(site: site))
            return (id, site)
        }
        let site = try site()
        try authorize(Resource(site: site))
        guard let site, let stock = try await sites.index(odoo).stockOfSite[site] else {
            throw .invalid(Violation(pointer: "/" + name, "is required: no site says where"))
        }
        return (stock, site)
    }

    /// The order of the path, permitted to the caller.
    func permittedOrder() async throws(ServiceStop) -> (order: ProductionOrderRecord, site: String?) {
        let order = try await order()
        let site = try await sites.site(of: order, odoo)
        try await learnCategory(ofProduct: order.product.id)
        try authorize(Resource(site: site))
        return (order, site)
    }

    /// The operation of the path, permitted to the caller, with its order.
    func permittedWorkOrder() async throws(ServiceStop) -> (WorkOrderRecord, ProductionOrderRecord, site: String?) {
        let id = try pathID()
        guard let operation = try await workOrder(id) else { throw .notFound("operation \(id)") }
        guard let order = try await odoo.order(operation.order.id) else {
            throw .notFound("production order \(operation.order.id)")
        }
        let site = try await sites.site(of: order, odoo)
        let center = try await odoo.workCenter(operation.workCenter.id)
        try await learnCategory(ofProduct: order.product.id)
        try authorize(Resource(site: site, workCenter: center.map { $0.code ?? $0.name }))
        return (operation, order, site)
    }

    func workOrder(_ id: Int) async throws(ServiceStop) -> WorkOrderRecord? {
        try await workOrders([id]).first
    }

    func workOrders(_ ids: [Int]) async throws(ServiceStop) -> [WorkOrderRecord] {
        if ids.isEmpty { return [] }
        return try await odoo.records(WorkOrderRecord.read(ids)) { (record) throws(OdooShapeError) in
            try WorkOrderRecord(record)
        }
    }

    /// The work center of the path, permitted to the caller.
    func permittedWorkCenter() async throws(ServiceStop) -> (WorkCenterRecord, site: String?) {
        let id = try pathID()
        guard let center = try await odoo.workCenter(id) else { throw .notFound("work center \(id)") }
        let site = try await sites.index(odoo).site(of: center)
        try authorize(Resource(site: site, workCenter: center.code ?? center.name))
        return (center, site)
    }
}

extension OdooSession {
    func workCenter(_ id: Int) async throws(ServiceStop) -> WorkCenterRecord? {
        try await records(WorkCenterRecord.read([id])) { (record) throws(OdooShapeError) in
            try WorkCenterRecord(record)
        }.first
    }
}

extension ServiceStop {
    /// The record's state does not allow it. `reason` is stable, for programs.
    static func conflict(_ detail: String, state: String, allowed: [String], reason: String) -> ServiceStop {
        var problem = Problem.conflictState(detail, state: state, allowed: allowed)
        problem.members["reason"] = .string(reason)
        return ServiceStop(.refused, problem, cause: reason)
    }

    /// Our recipes that write are proved on some versions only.
    static func unproved(_ version: OdooVersion) -> ServiceStop {
        let refusal = RecipeRefusal.unsupportedVersion(version)
        return ServiceStop(.refused, Problem(.notImplemented, refusal.description), cause: refusal.code)
    }
}
