import Bytes
import Events
import JSON
import Odoo
import Store

/// Times at work centers, which say when an operation is worked on and when a work center stands still.
///
/// A timer is a productive time that is made when it begins and gets its end later; what somebody enters afterwards has
/// both from the start and is labour. Time without an operation that is open is a downtime (recordings 062 to 067).
struct WatchedTimes: WatchedModel {
    let model = ProductivityRecipe.model
    let fields = ["workcenter_id", "workorder_id", "loss_id", "loss_type", "date_start", "date_end"]
    let open: [JSONValue]? = [["date_end", "=", false]]

    /// How long after its start a timer's record is made, at most.
    private static let timerDelayMax: Nanoseconds = .seconds(5)

    private struct Row {
        let id: Int
        let center: Int
        let operation: Int?
        let reason: String?
        let kind: String
        let start: WallInstant
        let end: WallInstant?
        let made: WallInstant

        init(_ record: OdooRecord) throws(OdooShapeError) {
            guard let start = try record.instant("date_start"), let made = try record.instant("create_date"),
                let center = try record.reference("workcenter_id")
            else { throw OdooShapeError(field: "date_start", expected: "there") }
            id = record.id
            self.center = center.id
            operation = try record.reference("workorder_id")?.id
            reason = try record.reference("loss_id")?.name
            kind = try record.string("loss_type") ?? ""
            self.start = start
            end = try record.instant("date_end")
            self.made = made
        }
    }

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: try record.instant("date_end") == nil ? "open" : "closed")
    }

    func locks(_ record: OdooRecord) throws(OdooShapeError) -> [String] {
        var locks = ["\(model),\(record.id)"]
        if let center = try record.reference("workcenter_id") { locks.append("\(WorkCenterRecord.model),\(center.id)") }
        if let operation = try record.reference("workorder_id") {
            locks.append("\(WorkOrderRecord.model),\(operation.id)")
        }
        return locks
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        let row = try change.read { (record) throws(OdooShapeError) in try Row(record) }
        // Time that went on too long is split when it ends: the second part is of the kind `performance`.
        if row.kind == "productive" || row.kind == "performance" { return try await ofOperation(row, change) }
        return try await ofCenter(row, change)
    }

    private func ofOperation(_ row: Row, _ change: WatchedChange) async throws -> [BusinessEvent] {
        guard let id = row.operation, let operation = try await change.workOrder(id),
            let order = try await change.odoo.order(operation.order.id)
        else { return [] }
        let site = try await change.sites.site(of: order, change.odoo)
        var events: [BusinessEvent] = []
        if change.isNew {
            guard row.kind == "productive" else { return [] }
            if let end = row.end, row.made - row.start > Self.timerDelayMax {
                return [
                    .labourReported(
                        operation, of: order, from: row.start, to: end, booking: row.id, site: site, at: change.time)
                ]
            }
            if try await !isTimed(id, at: row.start, besides: row.id, change) {
                events.append(.workOrder(.start, operation, of: order, site: site, at: row.start))
            }
        }
        if let end = row.end, !["done", "cancel"].contains(operation.state),
            try await !isTimed(id, at: end, besides: row.id, change)
        {
            events.append(.workOrder(.pause, operation, of: order, site: site, at: end))
        }
        return events
    }

    /// Whether somebody else's timer ran then.
    private func isTimed(
        _ operation: Int, at time: WallInstant, besides id: Int, _ change: WatchedChange
    ) async throws(ServiceStop) -> Bool {
        let others = OdooCall.searchRead(
            model,
            domain: [
                ["workorder_id", "=", JSONValue(operation)], ["id", "!=", JSONValue(id)],
                ["loss_id.loss_type", "=", "productive"], ["date_start", "<=", .string(time.odoo)], "|",
                ["date_end", "=", false], ["date_end", ">", .string(time.odoo)],
            ], fields: ["id"], limit: 1)
        return try await !change.odoo.records(others) { $0.id }.isEmpty
    }

    private func ofCenter(_ row: Row, _ change: WatchedChange) async throws -> [BusinessEvent] {
        // What is over when it is entered is no news of the work center.
        guard change.isNew == (row.end == nil), let center = try await change.odoo.workCenter(row.center) else {
            return []
        }
        let isUp = row.end != nil
        if isUp, center.workingState == "blocked" { return [] }
        let site = try await change.sites.index(change.odoo).site(of: center)
        return [
            .workCenter(
                isUp: isUp, center, reason: isUp ? nil : row.reason, site: site, at: row.end ?? row.start)
        ]
    }
}
