import Bytes
import Contracts
import Events
import JSON
import Odoo

/// `labour.report`: time worked on an operation.
struct ReportLabourService: WalkedWrite {
    let operation = "labour.report"
    let endpoints: Set = ["report"]

    /// Nothing of the operation changes but the sum of its times.
    func records(_ request: AcceptedRequest) -> [String] { [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (operation, order, site) = try await run.permittedWorkOrder()
        let (start, end) = try run.period()
        guard let end else { throw .invalid(Violation(pointer: "/end", "is required")) }
        guard operation.state != "cancel" else {
            throw .conflict(
                "the operation is cancelled", state: "cancelled", allowed: ["waiting", "ready", "in_progress", "done"],
                reason: "operation-closed")
        }
        let reasons = try await run.lossReasons()
        guard let productive = reasons.first(where: { $0.isProductive }) else {
            throw ServiceStop(.refused, .odooRefused(message: "Odoo has no kind of productive time", error: ""))
        }
        var time = ProductivityRecipe(workCenter: operation.workCenter.id, reason: productive.id, start: start)
        time.workOrder = operation.id
        time.end = end
        time.comment = run.request.body["comment"]?.string
        let id = try await run.create(
            ProductivityRecipe.model, time.row, "labour on \(operation.name) of \(order.name)", isLast: true)
        return WriteResult(
            status: 201,
            json: [
                "id": JSONValue(id), "work_order": OdooReference(id: operation.id, name: operation.name).json,
                "production_order": operation.order.json, "work_center": operation.workCenter.json,
                "site": ProductView.text(site), "start": .string(start.rfc3339), "end": .string(end.rfc3339),
                "comment": ProductView.text(time.comment),
            ], records: ["\(ProductivityRecipe.model),\(id)", "\(WorkOrderRecord.model),\(operation.id)"],
            text: "labour on \(operation.name) is booked",
            events: [
                .labourReported(operation, of: order, from: start, to: end, booking: id, site: site, at: run.odoo.wall)
            ])
    }
}

/// `downtime.report`: a work center stood still, or stands still from now on.
struct ReportDowntimeService: WalkedWrite {
    let operation = "downtime.report"
    let endpoints: Set = ["report"]

    func records(_ request: AcceptedRequest) -> [String] { Self.workCenter(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (center, site) = try await run.permittedWorkCenter()
        let (start, end) = try run.period()
        if !run.hasSent("create"), end == nil, center.workingState == "blocked" {
            throw .conflict(
                "a downtime is open already: close it first", state: "blocked", allowed: ["available", "running"],
                reason: "downtime-open")
        }
        let reason = try await reason(run)
        var time = ProductivityRecipe(workCenter: center.id, reason: reason.id, start: start)
        time.end = end
        time.comment = run.request.body["comment"]?.string
        let id = try await run.create(
            ProductivityRecipe.model, time.row, "downtime of \(center.name)", isLast: true)
        return WriteResult(
            status: 201,
            json: [
                "id": JSONValue(id), "work_center": OdooReference(id: center.id, name: center.name).json,
                "site": ProductView.text(site), "reason": .string(reason.name), "start": .string(start.rfc3339),
                "end": ProductionOrderView.time(end), "comment": ProductView.text(time.comment),
            ], records: ["\(ProductivityRecipe.model),\(id)", "\(WorkCenterRecord.model),\(center.id)"],
            text: end == nil ? "\(center.name) stands still" : "a downtime of \(center.name) is booked",
            // What is over by now is no news of the work center.
            events: end == nil
                ? [.workCenter(isUp: false, center, reason: reason.name, site: site, at: start)] : [])
    }

    /// By its name, in the language of the integration user; else the first of its kind.
    private func reason(_ run: WriteRun) async throws(ServiceStop) -> LossReason {
        let reasons = try await run.lossReasons().filter { $0.isManual }
        if let name = run.request.body["reason"]?.string {
            if let reason = reasons.first(where: { $0.name == name }) { return reason }
            throw .invalid(
                Violation(
                    pointer: "/reason",
                    "is not one of Odoo's reasons: \(reasons.map { "`\($0.name)`" }.joined(separator: ", "))"))
        }
        guard let reason = reasons.first(where: { $0.kind == "availability" }) else {
            throw ServiceStop(.refused, .odooRefused(message: "Odoo has no reason for a downtime", error: ""))
        }
        return reason
    }

    static func workCenter(_ request: AcceptedRequest) -> [String] {
        request.id.map { ["\(WorkCenterRecord.model),\($0)"] } ?? []
    }
}

/// `downtime.close`: the work center works again. Where nothing is open it is answered as it is.
struct CloseDowntimeService: WalkedWrite {
    let operation = "downtime.close"
    let endpoints: Set = ["close"]

    func records(_ request: AcceptedRequest) -> [String] { ReportDowntimeService.workCenter(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (center, site) = try await run.permittedWorkCenter()
        let index = try await run.sites.index(run.odoo)
        func result(_ center: WorkCenterRecord) -> WriteResult {
            WriteResult(
                json: ReadWorkCenters.json(center, index), records: ["\(WorkCenterRecord.model),\(center.id)"],
                text: "\(center.name) works")
        }
        if !run.hasSent("unblock"), center.workingState != "blocked" { return result(center) }
        let after = try await run.effect(
            Effect(
                name: "unblock", text: "closing the downtime of \(center.name)",
                call: ProductivityRecipe.unblock(center.id), records: ["\(WorkCenterRecord.model),\(center.id)"])
        ) { () async throws(ServiceStop) -> Look<WorkCenterRecord> in
            guard let now = try await run.odoo.workCenter(center.id) else {
                return .conflict("the work center is gone")
            }
            return now.workingState == "blocked" ? .notDone : .done(now)
        }
        return result(after)
            .telling(.workCenter(isUp: true, after, reason: nil, site: site, at: run.odoo.wall))
    }
}

/// A reason for time of a work center (recording 026).
struct LossReason: Sendable {
    let id: Int
    let name: String
    /// `availability`, `performance`, `quality` or `productive`.
    let kind: String
    /// A person may choose it.
    let isManual: Bool
    var isProductive: Bool { kind == "productive" }
}

extension WriteRun {
    func lossReasons() async throws(ServiceStop) -> [LossReason] {
        try await odoo.records(ProductivityRecipe.reasons) { (record) throws(OdooShapeError) in
            LossReason(
                id: record.id, name: try record.text("name"), kind: try record.string("loss_type") ?? "",
                isManual: try record.bool("manual"))
        }
    }

    /// `start` and `end` of the body; without a start it is when the operation was accepted, which a repetition finds
    /// again.
    func period() throws(ServiceStop) -> (start: WallInstant, end: WallInstant?) {
        let start = try instant("start") ?? acceptedAt
        let end = try instant("end")
        if let end, end < start { throw .invalid(Violation(pointer: "/end", "is before `start`")) }
        return (start, end)
    }
}
