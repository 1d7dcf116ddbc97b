import Bytes
import Contracts
import Events
import JSON
import Odoo

/// `production-order.unbuild`: takes apart what an order has made, once: Odoo validates one unbuild order as often as it is
/// told to and books each time.
struct UnbuildService: WalkedWrite {
    let operation = "production-order.unbuild"
    let endpoints: Set = ["unbuild"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        let quantity = try run.quantity()
        let moves = try await run.places(order.componentMoves + order.finishedMoves)
        let product = moves.first { order.finishedMoves.contains($0.id) && $0.product.id == order.product.id }
        let used = moves.filter { order.componentMoves.contains($0.id) && $0.state == "done" }
        guard let product, let first = used.first else {
            throw .order(order, "only what was made of components can be taken apart", ["done"])
        }
        var lot: LotRecord?
        if let name = run.request.body["lot"]?.string {
            guard let product = try await run.odoo.products(ProductRecord.read([order.product.id])).first else {
                throw .notFound("product \(order.product.id)")
            }
            lot = try await run.lot(name, of: product)
        }
        try await run.lock(
            [StockPlace.key(order.product.id, product.to)] + used.map { StockPlace.key($0.product.id, first.from) })
        if !run.hasSent("create") { try await check(order, quantity, at: product.to, lot, run) }
        let recipe = UnbuildRecipe(order: order, quantity: quantity, from: product.to, to: first.from, lot: lot?.id)
        let text = "taking apart \(quantity) of \(order.name)"
        let (made, done) = try await run.together(
            [.make(UnbuildRecipe.model) { _ in recipe.row }],
            last: {
                Effect(
                    name: "validate", text: text, call: UnbuildRecipe.validate($0.id),
                    after: [.expect(UnbuildRecipe.model, ids: [$0.id], [["state", "=", "done"]], why: "booked")])
            },
            look: { (made) async throws(ServiceStop) -> Look<OdooReference> in
                let read = try await run.odoo.records(UnbuildRecipe.read(made.id)) { (record) throws(OdooShapeError) in
                    (name: try record.text("name"), state: try record.text("state"))
                }
                guard let now = read.first else { return .conflict("the unbuild order \(made.id) is gone") }
                return now.state == "done" ? .done(OdooReference(id: made.id, name: now.name)) : .notDone
            })
        let id = made.id
        return WriteResult(
            status: 201,
            json: [
                "id": JSONValue(id), "name": .string(done.name),
                "production_order": OdooReference(id: order.id, name: order.name).json,
                "product": order.product.json, "quantity": JSONValue(quantity),
                "unit": .string(ProductionOrderView.unit(of: order)), "lot": ProductView.text(lot?.name),
                "site": ProductView.text(site),
            ], records: ["\(ProductionOrderRecord.model),\(order.id)", "\(UnbuildRecipe.model),\(id)"],
            text: "\(quantity) of \(order.name) are taken apart",
            events: [.productionUnbuilt(done, of: order, quantity: quantity, lot: lot, site: site, at: run.odoo.wall)])
    }

    private func check(
        _ order: ProductionOrderRecord, _ quantity: ExactDecimal, at place: Int, _ lot: LotRecord?, _ run: WriteRun
    ) async throws(ServiceStop) {
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        guard order.state == .done else {
            throw .order(order, "what is to be taken apart was made by an order that is done", ["done"])
        }
        var left = order.produced
        let earlier = try await run.odoo.records(UnbuildRecipe.done(of: order.id)) { (record) throws(OdooShapeError) in
            try record.quantity("product_qty")
        }
        for taken in earlier { left = (left - taken) ?? left }
        guard quantity <= left else {
            throw .conflict(
                "\(left) of this order are left", state: "insufficient", allowed: ["sufficient"],
                reason: "more-than-was-made")
        }
        // Else Odoo would ask back, with the record made.
        let there = try await StockPlace.quantity(product: order.product.id, below: place, lot: lot?.id, run.odoo)
        guard there >= quantity else {
            throw .conflict(
                "there are only \(there) in stock", state: "insufficient", allowed: ["sufficient"],
                reason: "insufficient-stock")
        }
    }
}
