import Events
import JSON
import Odoo

/// `work-order.start`, `work-order.pause`, `work-order.finish`, `work-order.cancel`: what a person does with an operation at
/// a machine.
struct WorkOrderService: WalkedWrite {
    let action: WorkOrderAction
    var operation: String { "work-order." + action.rawValue }
    var endpoints: Set<String> { [action.rawValue] }

    func records(_ request: AcceptedRequest) -> [String] {
        request.id.map { ["\(WorkOrderRecord.model),\($0)"] } ?? []
    }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (found, order, site) = try await run.permittedWorkOrder()
        // It changes the order too: nobody confirms it meanwhile.
        try await run.lock(["\(ProductionOrderRecord.model),\(order.id)"])
        guard let operation = try await run.workOrder(found.id) else { throw .notFound("operation \(found.id)") }
        if !run.hasSent(action.rawValue) {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            if action.isDone(operation) { return result(operation, site, "it was so already") }
            try await guardState(operation, run)
        }
        let after = try await run.perform(action, operation, of: order, as: action.rawValue)
        return result(after, site, "\(action.rawValue) of \(after.name) is done")
            .telling(.workOrder(action, after, of: order, site: site, at: run.odoo.wall))
    }

    private func guardState(_ operation: WorkOrderRecord, _ run: WriteRun) async throws(ServiceStop) {
        let state = ProductionOrderView.state(ofOperation: operation.state)
        switch operation.state {
        case "done", "cancel":
            throw .conflict(
                "the operation is \(operation.state == "done" ? "finished" : "cancelled")", state: state,
                allowed: ["waiting", "ready", "in_progress"], reason: "operation-closed")
        default: break
        }
        if action == .start { try await run.guardWorkCenter(of: operation, state: state) }
    }

    private func result(_ operation: WorkOrderRecord, _ site: String?, _ text: String) -> WriteResult {
        WriteResult(
            json: WorkOrderView.json(operation, site: site), records: ["\(WorkOrderRecord.model),\(operation.id)"],
            text: text)
    }
}

extension WriteRun {
    /// Odoo would refuse the start of an operation in words of its own (recording 065).
    func guardWorkCenter(of operation: WorkOrderRecord, state: String) async throws(ServiceStop) {
        guard try await odoo.workCenter(operation.workCenter.id)?.workingState != "blocked" else {
            throw .conflict(
                "a downtime of the work center is open: close it first", state: state,
                allowed: ["waiting", "ready", "in_progress"], reason: "work-center-blocked")
        }
    }

    /// One operation's button, as the effect `name`; answers the operation as it is then.
    func perform(
        _ action: WorkOrderAction, _ operation: WorkOrderRecord, of order: ProductionOrderRecord, as name: String
    ) async throws(ServiceStop) -> WorkOrderRecord {
        try await effect(
            Effect(
                name: name, text: "\(action.rawValue) \(operation.name) of \(order.name)",
                call: action.call(operation.id), repeats: action.repeats,
                records: ["\(WorkOrderRecord.model),\(operation.id)", "\(ProductionOrderRecord.model),\(order.id)"])
        ) { () async throws(ServiceStop) -> Look<WorkOrderRecord> in
            guard let now = try await workOrder(operation.id) else { return .conflict("the operation is gone") }
            return action.isDone(now) ? .done(now) : .notDone
        }
    }
}

/// An operation of an order in the words of the contract.
enum WorkOrderView {
    static func json(_ operation: WorkOrderRecord, site: String?) -> JSONValue {
        [
            "id": JSONValue(operation.id), "name": .string(operation.name),
            "state": .string(ProductionOrderView.state(ofOperation: operation.state)),
            "timed": .bool(operation.isTimed),
            "production_order": operation.order.json, "work_center": operation.workCenter.json,
            "site": ProductView.text(site), "quantity_produced": JSONValue(operation.produced),
            "quantity_remaining": JSONValue(operation.remaining),
            "duration_expected": JSONValue(operation.durationExpected), "duration": JSONValue(operation.duration),
            "started_at": ProductionOrderView.time(operation.start),
            "finished_at": ProductionOrderView.time(operation.finish),
        ]
    }
}
