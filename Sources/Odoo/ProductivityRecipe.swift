import Bytes
import JSON

/// Time at a work center, `mrp.workcenter.productivity`: labour on an operation, or a downtime. Made through `load`,
/// because `create` books it a second time (recordings 712, 713).
package struct ProductivityRecipe: Hashable, Sendable {
    package var workCenter: Int
    package var workOrder: Int?
    /// A reason of `mrp.workcenter.productivity.loss`: its kind makes it labour or downtime (recording 026).
    package var reason: Int
    package var start: WallInstant
    /// Nil is an open downtime: the work center is blocked until it is closed (recordings 063, 064).
    package var end: WallInstant?
    package var comment: String?

    package static let model = "mrp.workcenter.productivity"
    package static let reasonModel = "mrp.workcenter.productivity.loss"

    package init(workCenter: Int, reason: Int, start: WallInstant) {
        self.workCenter = workCenter
        self.reason = reason
        self.start = start
    }

    package var row: [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("workcenter_id/.id", JSONValue(workCenter)), ("loss_id/.id", JSONValue(reason)),
            ("date_start", .string(start.odoo)),
        ]
        if let workOrder { row.append(("workorder_id/.id", JSONValue(workOrder))) }
        if let end { row.append(("date_end", .string(end.odoo))) }
        if let comment { row.append(("description", .string(comment))) }
        return row
    }

    /// Recording 062.
    package static func read(_ id: Int) -> OdooCall {
        .read(
            model, ids: [id],
            fields: ["workcenter_id", "workorder_id", "loss_id", "loss_type", "duration", "date_start", "date_end"])
    }

    /// Reasons for lost time, and the one for productive time (recording 026).
    package static let reasons: OdooCall = .searchRead(
        reasonModel, domain: [], fields: ["id", "name", "loss_type", "manual"], limit: OdooPage.limitMax, order: "id")

    /// Ends what blocks the work center; a `UserError` where nothing does (recordings 066, 067).
    package static func unblock(_ workCenter: Int) -> OdooCall {
        .button(WorkCenterRecord.model, "unblock", ids: [workCenter])
    }
}
