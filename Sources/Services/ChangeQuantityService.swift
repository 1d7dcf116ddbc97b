import Events
import JSON
import Odoo

/// `production-order.change-quantity`: what a released order is for, with its components.
struct ChangeQuantityService: WalkedWrite {
    let operation = "production-order.change-quantity"
    let endpoints: Set = ["change-quantity"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        let quantity = try run.quantity()
        if !run.hasSent("change") {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            guard order.state.isOpen else {
                throw .order(
                    order, "the quantity of an order changes while it is released",
                    ["released", "in_progress", "to_close"])
            }
            guard quantity > order.produced else {
                throw .order(
                    order, "\(order.produced) are produced already: give more, or close the order",
                    ["released", "in_progress"], reason: "quantity-below-produced")
            }
            if order.quantity == quantity { return .order(order, site, "the order was for \(quantity) already") }
        }
        let after = try await run.together(
            // Transient, and nothing happens by it.
            [.say(ChangeProductionQuantity.wizard(order: order.id, quantity: quantity))],
            last: {
                Effect(
                    name: "change", text: "changing \(order.name) from \(order.quantity) to \(quantity)",
                    call: ChangeProductionQuantity.apply($0.id), intent: ["quantity": JSONValue(quantity)],
                    records: ["\(ProductionOrderRecord.model),\(order.id)"],
                    after: [
                        .expect(
                            ProductionOrderRecord.model, ids: [order.id], [["product_qty", "=", JSONValue(quantity)]],
                            why: "changed")
                    ])
            },
            look: { (_) async throws(ServiceStop) -> Look<ProductionOrderRecord> in
                let now = try await run.order()
                return now.quantity == quantity ? .done(now) : .notDone
            }
        ).found
        return .order(after, site, "\(after.name) is for \(quantity)")
            .telling(.productionOrderChanged(after, site: site, at: run.odoo.wall))
    }
}
