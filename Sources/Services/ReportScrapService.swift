import Bytes
import Events
import JSON
import Odoo

/// `scrap.report`: takes scrap out of stock, once: Odoo validates one record as often as it is told to and books each
/// time.
struct ReportScrapService: WalkedWrite {
    let operation = "scrap.report"
    let endpoints: Set = ["report"]

    func records(_ request: AcceptedRequest) -> [String] {
        request.body["production_order"]?.int.map { ["\(ProductionOrderRecord.model),\($0)"] } ?? []
    }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        try await run.learnProduct()
        let place = try await run.location()
        let product = try await run.product()
        var scrap = ScrapRecipe(product: product.id, quantity: try run.quantity(), location: place.id)
        scrap.reason = run.request.body["reason"]?.string
        scrap.order = run.request.body["production_order"]?.int
        var lot: OdooReference?
        if let name = run.request.body["lot"]?.string {
            lot = OdooReference(id: try await run.lot(name, of: product).id, name: name)
            scrap.lot = lot?.id
        }
        var order: ProductionOrderRecord?
        if let id = scrap.order { order = try await run.odoo.order(id) }
        try await run.lock([StockPlace.key(product.id, place.id)])
        if !run.hasSent("create") {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            if let order = scrap.order { try await check(order, place.site, run) }
            // Else Odoo would ask back, with the record made (recording 131).
            let there = try await StockPlace.quantity(product: product.id, below: place.id, lot: scrap.lot, run.odoo)
            guard there >= scrap.quantity else {
                throw .conflict(
                    "there are only \(there): correct the stock first", state: "insufficient", allowed: ["sufficient"],
                    reason: "insufficient-stock")
            }
        }
        let text = "scrapping \(scrap.quantity) of \(product.name)"
        let row = scrap.row
        let (made, done) = try await run.together(
            [.make(ScrapRecipe.model) { _ in row }],
            last: {
                Effect(
                    name: "validate", text: text, call: ScrapRecipe.validate($0.id),
                    after: [.expect(ScrapRecipe.model, ids: [$0.id], [["state", "=", "done"]], why: "booked")])
            },
            look: { (made) async throws(ServiceStop) -> Look<OdooRecord> in
                let read = try await run.odoo.records(ScrapRecipe.read(made.id)) { $0 }
                guard let record = read.first else { return .conflict("the scrap \(made.id) is gone") }
                return record.fields["state"] == "done" ? .done(record) : .notDone
            })
        let id = made.id
        return WriteResult(
            status: 201,
            json: [
                "id": JSONValue(id), "name": .string((try? done.text("name")) ?? ""),
                "product": OdooReference(id: product.id, name: product.name).json,
                "quantity": JSONValue(scrap.quantity), "unit": .string(product.unit?.name ?? ""),
                "site": ProductView.text(place.site), "reason": ProductView.text(scrap.reason),
                "production_order": scrap.order.map { JSONValue($0) } ?? .null,
                "booked_at": ProductionOrderView.time((try? done.instant("date_done")) ?? nil),
            ], records: ["\(ScrapRecipe.model),\(id)"], text: "\(scrap.quantity) of \(product.name) are scrapped",
            events: [
                .scrapReported(
                    OdooReference(id: id, name: (try? done.text("name")) ?? ""), of: product,
                    quantity: scrap.quantity, unit: product.unit, lot: lot, reason: scrap.reason, order: order,
                    site: place.site,
                    at: run.odoo.wall)
            ])
    }

    private func check(_ id: Int, _ site: String?, _ run: WriteRun) async throws(ServiceStop) {
        guard let order = try await run.odoo.order(id) else {
            throw .invalid(.init(pointer: "/production_order", "there is no production order \(id)"))
        }
        guard try await run.sites.site(of: order, run.odoo) == site else {
            throw .invalid(.init(pointer: "/production_order", "the order is made at another site"))
        }
        guard order.state != .draft, order.state != .cancel else {
            throw .order(
                order, "scrap belongs to an order that is released", ["released", "in_progress", "to_close", "done"])
        }
    }
}
