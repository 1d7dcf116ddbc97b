import Bytes
import JSON

/// A `maintenance.request`, made through `load` (recordings 159, 705, 706).
package struct MaintenanceRecipe: Hashable, Sendable {
    package var title: String
    /// `corrective` or `preventive`.
    package var kind: String
    /// `0` to `3`.
    package var priority: String?
    /// Becomes HTML in Odoo; escaped here.
    package var description: String?
    package var scheduled: WallInstant?
    package var equipment: Int?

    package static let model = "maintenance.request"

    package init(title: String, kind: String) {
        self.title = title
        self.kind = kind
    }

    package var row: [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("name", .string(title)), ("maintenance_type", .string(kind)),
        ]
        if let priority { row.append(("priority", .string(priority))) }
        if let description { row.append(("description", .string(OdooHTML.paragraphs([description])))) }
        if let scheduled { row.append(("schedule_date", .string(scheduled.odoo))) }
        if let equipment { row.append(("equipment_id/.id", JSONValue(equipment))) }
        return row
    }

    /// Where requests end: stages that say `done`, in their order (recording 157).
    package static let stages: OdooCall = .searchRead(
        "maintenance.stage", domain: [], fields: ["id", "name", "done"], limit: OdooPage.limitMax,
        order: "sequence, id")

    /// Recording 161.
    package static func close(_ id: Int, stage: Int) -> OdooCall {
        .write(model, ids: [id], ["stage_id": JSONValue(stage)])
    }

    /// Recording 158.
    package static func equipment(_ id: Int) -> OdooCall {
        .read("maintenance.equipment", ids: [id], fields: ["id", "name", "serial_no"])
    }
}

/// A `maintenance.request` as it is (recording 160).
package struct MaintenanceRecord: Hashable, Sendable {
    package let id: Int
    package let title: String
    package let kind: String
    package let stage: OdooReference?
    package let equipment: OdooReference?

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        title = try record.text("name")
        kind = try record.string("maintenance_type") ?? ""
        stage = try record.reference("stage_id")
        equipment = try record.reference("equipment_id")
    }

    package static func read(_ id: Int) -> OdooCall {
        .read(
            MaintenanceRecipe.model, ids: [id], fields: ["name", "maintenance_type", "stage_id", "equipment_id"])
    }
}
