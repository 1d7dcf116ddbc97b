import Events
import JSON
import Odoo

/// `production-order.start`, `production-order.pause`, `production-order.finish`: an order as one piece of work, for a plant
/// that does not report its operations one by one. Odoo has no such buttons of an order: these are the buttons of its
/// operations.
struct OrderWorkService: WalkedWrite {
    let action: WorkOrderAction
    var operation: String { "production-order." + action.rawValue }
    var endpoints: Set<String> { [action.rawValue] }

    // Whoever changes an operation locks its order too.
    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        let operations = try await run.workOrders(order.workOrders)
        let parts = parts(of: operations, run)
        if !parts.contains(where: { run.hasSent(step($0)) }) {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            try guardState(order, operations)
            if parts.isEmpty { return .order(order, site, "it was so already") }
            if action == .start {
                try await run.guardWorkCenter(of: parts[0], state: ProductionOrderView.state(order.state))
            }
        }
        var events: [BusinessEvent] = []
        for part in parts {
            let after = try await run.perform(action, part, of: order, as: step(part))
            events.append(.workOrder(action, after, of: order, site: site, at: run.odoo.wall))
        }
        let after = try await run.order()
        if action == .start { events.insert(.productionOrderStarted(after, site: site, at: run.odoo.wall), at: 0) }
        var result = WriteResult.order(after, site, "\(action.rawValue) of \(after.name) is done")
        result.events = events
        return result
    }

    /// The operations whose button is pressed, each a step of its own: Odoo's pause of several ends the time of one
    /// (`end_previous` of `mrp_workorder.py`). Also those that an earlier try has sent.
    private func parts(of operations: [WorkOrderRecord], _ run: WriteRun) -> [WorkOrderRecord] {
        guard action == .start else {
            return operations.filter { run.hasSent(step($0)) || !action.isDone($0) && $0.state != "cancel" }
        }
        let sent = operations.filter { run.hasSent(step($0)) }
        if !sent.isEmpty || operations.contains(where: action.isDone) { return sent }
        return Self.next(of: operations).map { [$0] } ?? []
    }

    private func step(_ operation: WorkOrderRecord) -> String { "\(action.rawValue)-\(operation.id)" }

    private static func isClosed(_ operation: WorkOrderRecord) -> Bool {
        operation.state == "done" || operation.state == "cancel"
    }

    /// What is begun goes on before something else is begun; what is ready comes before what waits for another.
    private static func next(of operations: [WorkOrderRecord]) -> WorkOrderRecord? {
        let open = operations.filter { !isClosed($0) }.sorted { $0.id < $1.id }
        return open.first { $0.state == "progress" } ?? open.first { $0.state == "ready" } ?? open.first
    }

    private func guardState(_ order: ProductionOrderRecord, _ operations: [WorkOrderRecord]) throws(ServiceStop) {
        let allowed = ["released", "in_progress", "to_close"]
        switch order.state {
        case .confirmed, .progress, .toClose: break
        // All that it had to do is done: a pause or an end finds nothing left.
        case .done where action != .start: return
        case .draft, .done, .cancel, .other:
            throw .order(order, "there is no work on it", allowed)
        }
        guard !operations.isEmpty else {
            throw .order(
                order, "the order has no operations: its confirmations tell how far it is", allowed,
                reason: "no-operations")
        }
        guard action != .start || operations.contains(where: { !Self.isClosed($0) }) else {
            throw .order(order, "all its operations are finished", allowed, reason: "operations-closed")
        }
    }
}
