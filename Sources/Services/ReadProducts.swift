import JSON
import Odoo
import Policy

/// `product.read`: products, which belong to no site.
struct ReadProducts: ReadService {
    let operation = "product.read"
    let endpoints: Set = ["list", "one"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let resource = Resource()
        let decision = try request.authorize(resource)
        let odoo = try await request.session()
        if request.endpoint == "one" {
            let id = try request.id()
            guard let product = try await odoo.products(ProductRecord.read([id])).first else {
                throw .notFound("product \(id)")
            }
            return ReadResult(
                json: ProductView.json(product), records: ["\(ProductRecord.model),\(id)"], resource: resource,
                decision: decision)
        }
        let page = try ListPage(request)
        let products = try await odoo.products(
            ProductRecord.search(
                code: request.text("code"), storableOnly: request.flag("stored"), on: odoo.version,
                page: OdooPage(after: page.after, limit: page.limit + 1)
            ).adding(try request.changedSince()))
        return ReadResult(
            json: .object(page.json(products, id: \.id, ProductView.json)),
            records: products.prefix(page.limit).map { "\(ProductRecord.model),\($0.id)" }, resource: resource,
            decision: decision)
    }
}

extension OdooSession {
    func products(_ call: OdooCall) async throws(ServiceStop) -> [ProductRecord] {
        try await records(call) { (record) throws(OdooShapeError) in try ProductRecord(record) }
    }
}
