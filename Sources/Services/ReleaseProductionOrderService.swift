import Contracts
import Events
import JSON
import Odoo
import Policy

/// `production-order.release`: releases a draft, and reserves its components unless told otherwise.
///
/// Both calls do nothing the second time, so a doubt is resolved by a read and another call.
struct ReleaseProductionOrderService: WalkedWrite {
    let operation = "production-order.release"
    let endpoints: Set = ["release"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        if !run.hasSent("release") {
            guard try isDraft(order, run) else { return .order(order, site, "the order was released already") }
        }
        var after = try await run.effect(
            Effect(
                name: "release", text: "releasing \(order.name)", call: ReleaseProductionOrder.call(order.id),
                repeats: true, intent: ["order": JSONValue(order.id)],
                records: ["\(ProductionOrderRecord.model),\(order.id)"],
                after: [ReleaseProductionOrder.expected(order.id)])
        ) { () async throws(ServiceStop) -> Look<ProductionOrderRecord> in
            let now = try await run.order()
            switch ReleaseProductionOrder.verdict(after: now) {
            case .applied: return .done(now)
            case .notApplied: return .notDone
            case .conflict(let why): return .conflict(why)
            }
        }
        if run.request.body["reserve_materials"]?.bool ?? true { after = try await reserve(after, run) }
        var done = WriteResult.order(after, site, "the order is released")
        done.events = [.productionOrderReleased(after, site: site, at: run.odoo.wall)]
        return done
    }

    private func isDraft(_ order: ProductionOrderRecord, _ run: WriteRun) throws(ServiceStop) -> Bool {
        do throws(RecipeRefusal) {
            if case .call = try ReleaseProductionOrder.plan(for: order, on: run.odoo.version) { return true }
            return false
        } catch {
            var stop = ServiceStop(error, state: order.state)
            stop.problem.members["allowed_states"] = ["draft", "released", "in_progress", "to_close"]
            throw stop
        }
    }

    /// As far as there are components. The release stands, whatever comes of it: how it stands says the answer.
    private func reserve(
        _ order: ProductionOrderRecord, _ run: WriteRun
    ) async throws(ServiceStop) -> ProductionOrderRecord {
        guard order.reservation != "assigned", !order.componentMoves.isEmpty else { return order }
        do throws(OdooError) {
            _ = try await run.odoo.call(.button(ProductionOrderRecord.model, "action_assign", ids: [order.id]))
        } catch {
            await run.journal.tell("the components could not be reserved")
            return order
        }
        return try await run.order()
    }
}

extension WriteRun {
    /// The order of the path.
    func order() async throws(ServiceStop) -> ProductionOrderRecord {
        guard let id = request.id else { throw .invalid(Violation(.path("id"), "is not an id")) }
        guard let order = try await odoo.order(id) else { throw .notFound("production order \(id)") }
        return order
    }
}
