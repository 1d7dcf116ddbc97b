import JSON
import Odoo

/// `production-order.reserve`: reserves the components of a released order as far as there are any. Odoo says true even
/// where it reserved nothing (recording 048): how it stands says the answer.
struct ReserveMaterialsService: WalkedWrite {
    let operation = "production-order.reserve"
    let endpoints: Set = ["reserve"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        if !run.hasSent("reserve") {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            guard order.state.isOpen else {
                throw .order(
                    order, "components are reserved for released orders", ["released", "in_progress", "to_close"])
            }
        }
        if order.reservation == "assigned" || order.componentMoves.isEmpty {
            return .order(order, site, "nothing is left to reserve")
        }
        let after = try await run.effect(
            Effect(
                name: "reserve", text: "reserving for \(order.name)",
                call: .button(ProductionOrderRecord.model, "action_assign", ids: [order.id]), repeats: true,
                records: ["\(ProductionOrderRecord.model),\(order.id)"])
        ) { () async throws(ServiceStop) -> Look<ProductionOrderRecord> in
            let order = try await run.order()
            // Where there are too few components it shows less, or nothing: then it counts that Odoo has answered.
            return run.isAnswered || order.reservation == "assigned" ? .done(order) : .notDone
        }
        return .order(after, site, "reserved as far as there are components")
    }
}
