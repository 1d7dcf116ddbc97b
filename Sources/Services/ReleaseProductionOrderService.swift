import Contracts
import Events
import JSON
import Odoo
import Policy
import Store

/// `production-order.release`: releases a draft, and reserves its components unless told otherwise.
///
/// Both calls do nothing the second time, so a doubt is resolved by a read and another call.
struct ReleaseProductionOrderService: WriteService {
    let operation = "production-order.release"
    let endpoints: Set = ["release"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func perform(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let order = try await run.order()
        let site = try await run.sites.site(of: order, run.odoo)
        try await run.learnCategory(ofProduct: order.product.id)
        try run.authorize(Resource(site: site))
        switch try plan(order, run) {
        case .alreadyReleased: return .order(order, site, "the order was released already")
        case .call(let call): return try await release(order, call, site, run)
        }
    }

    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult {
        do throws(ServiceStop) {
            let order = try await run.order()
            let site = try await run.sites.site(of: order, run.odoo)
            switch ReleaseProductionOrder.verdict(after: order) {
            case .applied: return released(order, site, run)
            case .conflict(let why): throw run.unknown(canSettle: false, why)
            case .notApplied: return try await perform(run)
            }
        } catch {
            // An earlier call may still be at work: that nothing was done now proves nothing.
            guard error.meaning == .away else { throw error }
            throw run.unknown(canSettle: true, error.cause ?? "it could not be read")
        }
    }

    private func plan(
        _ order: ProductionOrderRecord, _ run: WriteRun
    ) throws(ServiceStop) -> ReleaseProductionOrder.Plan {
        do throws(RecipeRefusal) {
            return try ReleaseProductionOrder.plan(for: order, on: run.odoo.version)
        } catch {
            var stop = ServiceStop(error, state: order.state)
            stop.problem.members["allowed_states"] = ["draft", "released", "in_progress", "to_close"]
            throw stop
        }
    }

    private func release(
        _ order: ProductionOrderRecord, _ call: OdooCall, _ site: String?, _ run: WriteRun
    ) async throws(ServiceStop) -> WriteResult {
        try await run.begin(
            .effect, "releasing \(order.name)", intent: ["order": JSONValue(order.id)],
            records: ["\(ProductionOrderRecord.model),\(order.id)"])
        var doubt: OdooError?
        do throws(OdooError) {
            _ = try await run.odoo.call(call)
        } catch {
            switch error.outcome {
            case .rejected, .notSent: throw ServiceStop(error)
            case .applied: break
            case .unknown: doubt = error
            }
        }
        do throws(ServiceStop) {
            var after = try await run.order()
            switch ReleaseProductionOrder.verdict(after: after) {
            case .applied: break
            case .notApplied:
                guard let doubt else {
                    throw ServiceStop(
                        .refused, .odooRefused(message: "Odoo left the order a draft without a reason", error: ""))
                }
                throw run.unknown(canSettle: true, doubt.description)
            case .conflict(let why): throw run.unknown(canSettle: false, why)
            }
            if run.request.body["reserve_materials"]?.bool ?? true {
                after = try await reserve(after, run)
            }
            return released(after, site, run)
        } catch {
            // The call was sent: what cannot be read now is not known.
            guard error.meaning == .away else { throw error }
            throw run.unknown(canSettle: true, error.cause ?? "it could not be read")
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

    private func released(_ order: ProductionOrderRecord, _ site: String?, _ run: WriteRun) -> WriteResult {
        var done = WriteResult.order(order, site, "the order is released")
        done.events = [.productionOrderReleased(order, site: site, at: run.odoo.wall)]
        return done
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
