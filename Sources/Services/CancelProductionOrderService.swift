import Events
import JSON
import Odoo

/// `production-order.cancel`. Of a done order 19 refuses it, and 17 says true and does nothing (recording 085): so the
/// state is read before and after.
struct CancelProductionOrderService: WalkedWrite {
    let operation = "production-order.cancel"
    let endpoints: Set = ["cancel"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        if order.state == .cancel { return .order(order, site, "the order is cancelled") }
        if !run.hasSent("cancel") {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            guard order.state == .draft || order.state.isOpen else {
                throw .order(
                    order, "what is booked is not cancelled", ["draft", "released", "in_progress", "to_close"])
            }
        }
        let after = try await run.effect(
            Effect(
                name: "cancel", text: "cancelling \(order.name)",
                call: .button(ProductionOrderRecord.model, "action_cancel", ids: [order.id]), repeats: true,
                records: ["\(ProductionOrderRecord.model),\(order.id)"])
        ) { () async throws(ServiceStop) -> Look<ProductionOrderRecord> in
            let now = try await run.order()
            switch now.state {
            case .cancel: return .done(now)
            case .done: return .conflict("the order was closed meanwhile")
            case .draft, .confirmed, .progress, .toClose, .other: return .notDone
            }
        }
        return .order(after, site, "\(after.name) is cancelled")
            .telling(.productionOrderCancelled(after, site: site, at: run.odoo.wall))
    }
}

extension ServiceStop {
    /// The order's state does not allow it.
    static func order(
        _ order: ProductionOrderRecord, _ detail: String, _ allowed: [String], reason: String? = nil
    ) -> ServiceStop {
        let reason =
            reason
            ?? {
                switch order.state {
                case .draft: "order-not-released"
                case .confirmed, .progress, .toClose: "order-released"
                case .done: "order-done"
                case .cancel: "order-cancelled"
                case .other: "order-in-unknown-state"
                }
            }()
        return .conflict(detail, state: ProductionOrderView.state(order.state), allowed: allowed, reason: reason)
    }
}

extension WriteResult {
    static func order(_ order: ProductionOrderRecord, _ site: String?, _ text: String) -> WriteResult {
        WriteResult(
            json: ProductionOrderView.json(order, site: site), records: ["\(ProductionOrderRecord.model),\(order.id)"],
            text: text)
    }
}
