import Bytes
import Events
import JSON
import Odoo
import Store

/// Scrap: that it was booked.
struct WatchedScrap: WatchedModel {
    let model = ScrapRecipe.model
    let fields = [
        "name", "state", "product_id", "product_uom_id", "lot_id", "scrap_qty", "origin", "production_id",
        "location_id",
    ]
    let open: [JSONValue]? = [["state", "=", "draft"]]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: try record.text("state"))
    }

    func locks(_ record: OdooRecord) throws(OdooShapeError) -> [String] {
        var locks = ["\(model),\(record.id)"]
        if let order = try record.reference("production_id") {
            locks.append("\(ProductionOrderRecord.model),\(order.id)")
        }
        if let product = try record.reference("product_id"), let place = try record.reference("location_id") {
            locks.append(StockPlace.key(product.id, place.id))
        }
        return locks
    }

    private struct Row {
        let reference: OdooReference
        let isDone: Bool
        let product: OdooReference?
        let unit: OdooReference?
        let lot: OdooReference?
        let quantity: ExactDecimal
        let reason: String?
        let order: OdooReference?
        let place: OdooReference?

        init(_ record: OdooRecord) throws(OdooShapeError) {
            reference = OdooReference(id: record.id, name: try record.text("name"))
            isDone = try record.text("state") == "done"
            product = try record.reference("product_id")
            unit = try record.reference("product_uom_id")
            lot = try record.reference("lot_id")
            quantity = try record.quantity("scrap_qty")
            reason = try record.string("origin")
            order = try record.reference("production_id")
            place = try record.reference("location_id")
        }
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        let row = try change.read { (record) throws(OdooShapeError) in try Row(record) }
        guard row.isDone, let product = try await change.product(row.product) else { return [] }
        var order: ProductionOrderRecord?
        if let id = row.order?.id { order = try await change.odoo.order(id) }
        var site: String?
        if let place = row.place { site = try await change.sites.site(ofLocation: place.id, change.odoo) }
        return [
            .scrapReported(
                row.reference, of: product, quantity: row.quantity, unit: row.unit ?? product.unit, lot: row.lot,
                reason: row.reason, order: order, site: site, at: change.time)
        ]
    }
}

/// Counted stock: a move between a place and an inventory loss that belongs to no scrap, transfer or order is what Odoo
/// books for a count.
///
/// What was known before the count is what is there now, less what the count booked: exact unless something else was
/// booked there since.
struct WatchedAdjustments: WatchedModel {
    let model = ComponentMoveRecord.model
    let fields = ["product_id", "location_id", "location_dest_id"]
    let domain: [JSONValue] = [
        ["state", "=", "done"], ["scrap_id", "=", false], ["picking_id", "=", false],
        ["raw_material_production_id", "=", false], ["production_id", "=", false], "|",
        ["location_id.usage", "=", "inventory"], ["location_dest_id.usage", "=", "inventory"],
    ]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: "done")
    }

    /// Of both places: which of them is ours, a look at them says.
    func locks(_ record: OdooRecord) throws(OdooShapeError) -> [String] {
        guard let product = try record.reference("product_id") else { return [] }
        let places = [try record.reference("location_id"), try record.reference("location_dest_id")]
        return places.compactMap { $0 }.map { StockPlace.key(product.id, $0.id) }
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        guard change.isNew else { return [] }
        let (product, from, to) = try change.read { (record) throws(OdooShapeError) in
            (
                try record.reference("product_id"), try record.reference("location_id"),
                try record.reference("location_dest_id")
            )
        }
        guard let product = try await change.product(product), let from, let to else { return [] }
        let places = try await change.odoo.records(
            .read("stock.location", ids: [from.id, to.id], fields: ["display_name", "usage"])
        ) { (record) throws(OdooShapeError) in
            (
                reference: OdooReference(id: record.id, name: try record.text("display_name")),
                isOurs: try record.string("usage") != "inventory"
            )
        }
        guard let place = places.first(where: \.isOurs)?.reference else { return [] }
        let site = try await change.sites.site(ofLocation: place.id, change.odoo)
        let lines = try await change.odoo.records(MoveLineRecord.search(moves: [change.record.id])) {
            (record) throws(OdooShapeError) in try MoveLineRecord(record)
        }
        let there = try await StockPlace.quants(product: product.id, below: place.id, change.odoo)
        return lines.filter { !$0.quantity.isZero }.compactMap { line in
            var now = ExactDecimal.zero
            for quant in there where quant.location.id == place.id && quant.lot?.id == line.lot?.id {
                now = (now + quant.quantity) ?? now
            }
            let before = to.id == place.id ? now - line.quantity : now + line.quantity
            return before.map {
                .inventoryAdjusted(product, at: place, lot: line.lot, from: $0, to: now, site: site, at: change.time)
            }
        }
    }
}

extension WatchedChange {
    /// Nil where there is none any more.
    fileprivate func product(_ reference: OdooReference?) async throws(ServiceStop) -> ProductRecord? {
        guard let reference else { return nil }
        return try await odoo.records(ProductRecord.read([reference.id])) { (record) throws(OdooShapeError) in
            try ProductRecord(record)
        }.first
    }
}
