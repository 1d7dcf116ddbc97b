import Bytes
import JSON

/// An `mrp.workorder`: one operation of a production order at one work center.
package struct WorkOrderRecord: Hashable, Sendable {
    package let id: Int
    package let name: String
    /// `ready`, `progress`, `done`, `cancel`, and before them `pending`, `waiting` (17) or `blocked` (19).
    package let state: String
    package let order: OdooReference
    package let workCenter: OdooReference
    package let producing: ExactDecimal
    package let produced: ExactDecimal
    package let remaining: ExactDecimal
    /// Minutes.
    package let durationExpected: ExactDecimal
    /// Minutes.
    package let duration: ExactDecimal
    package let start: WallInstant?
    package let finish: WallInstant?
    /// A timer of the calling user runs; false where it was not read (recording 056).
    package let isTimed: Bool

    package static let model = "mrp.workorder"
    static let fields = [
        "id", "name", "state", "production_id", "workcenter_id", "qty_producing", "qty_produced", "qty_remaining",
        "duration_expected", "duration", "date_start", "date_finished",
    ]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        state = try record.text("state")
        guard let order = try record.reference("production_id"),
            let workCenter = try record.reference("workcenter_id")
        else { throw OdooShapeError(field: "production_id", expected: "a many2one value") }
        self.order = order
        self.workCenter = workCenter
        producing = try record.quantity("qty_producing")
        produced = try record.quantity("qty_produced")
        remaining = try record.quantity("qty_remaining")
        durationExpected = try record.quantity("duration_expected")
        duration = try record.quantity("duration")
        start = try record.instant("date_start")
        finish = try record.instant("date_finished")
        isTimed = record.fields["is_user_working"]?.bool ?? false
    }

    /// The work orders of some production orders, at most `OdooPage.limitMax` (recordings 022, 052).
    package static func search(orders: [Int]) -> OdooCall {
        .searchRead(
            model, domain: [["production_id", "in", .array(orders.map { JSONValue($0) })]], fields: fields,
            limit: OdooPage.limitMax, order: "id")
    }

    package static func read(_ ids: [Int]) -> OdooCall {
        .read(model, ids: ids, fields: fields + ["is_user_working"])
    }
}
