import Bytes

/// Maintenance requests and unbuild orders.
extension Models {
    static func maintenance(_ version: SandboxVersion) -> [Schema] {
        [
            Schema(
                Model.maintenanceStage, "Maintenance Stage", order: "sequence, id",
                fields: [
                    Field("name", .char, "Name", required: true), Field("sequence", .integer, "Sequence"),
                    Field("done", .boolean, "Request Done"),
                ]),
            Schema(
                Model.maintenance, "Maintenance Request", order: "id desc",
                fields: [
                    Field("name", .char, "Subjects", required: true),
                    Field("description", .text, "Description"),
                    Field(
                        "maintenance_type", .selection([("corrective", "Corrective"), ("preventive", "Preventive")]),
                        "Maintenance Type", initial: .text("corrective")),
                    Field(
                        "priority", .selection([("0", "Very Low"), ("1", "Low"), ("2", "Normal"), ("3", "High")]),
                        "Priority"),
                    Field(
                        "kanban_state",
                        .selection([
                            ("normal", "In Progress"), ("blocked", "Blocked"), ("done", "Ready for next stage"),
                        ]),
                        "Kanban State", initial: .text("normal")),
                    Field("stage_id", .many2one(Model.maintenanceStage), "Stage", initial: .link(1)),
                    Field("request_date", .date, "Request Date"), Field("close_date", .date, "Close Date"),
                    Field("schedule_date", .datetime, "Scheduled Date"),
                    Field("maintenance_team_id", .many2one(Model.maintenanceTeam), "Team", initial: .link(1)),
                    Field("equipment_id", .many2one(Model.equipment), "Equipment"), company,
                ]),
            Schema(
                Model.unbuild, "Unbuild Order", order: "id desc",
                fields: [
                    Field("name", .char, "Reference", readonly: true),
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    quantity("product_qty", "Quantity", required: true, initial: ExactDecimal(1)),
                    Field("product_uom_id", .many2one(Model.unit), "Unit of Measure", required: true),
                    Field("bom_id", .many2one(Model.bom), "Bill of Material"),
                    Field("mo_id", .many2one(Model.production), "Manufacturing Order"),
                    Field("lot_id", .many2one(Model.lot), "Lot/Serial Number"),
                    Field("location_id", .many2one(Model.location), "Source Location", required: true),
                    Field("location_dest_id", .many2one(Model.location), "Destination Location", required: true),
                    Field(
                        "state", .selection([("draft", "Draft"), ("done", "Done")]), "Status", initial: .text("draft")),
                    company,
                ]),
        ]
    }
}

extension Engine {
    /// As the recordings' database has them (157, 159).
    mutating func seedMaintenance() {
        for (id, name, done) in [
            (1, "New Request", false), (2, "In Progress", false), (3, "Repaired", true), (4, "Scrap", true),
        ] {
            _ = seed(
                Model.maintenanceStage, id, ["name": .text(name), "sequence": .int(id), "done": .bool(done)])
        }
        database.setNextID(Model.maintenance, 7)
    }

    mutating func prepareMaintenance(_ row: inout Row) {
        if row["request_date"] ?? .empty == .empty { row["request_date"] = .text(String(now.odoo.prefix(10))) }
    }

    mutating func writtenMaintenance(_ id: Int, _ changes: [String: Value]) {
        guard let stage = changes["stage_id"]?.link else { return }
        let isDone = flag(Model.maintenanceStage, stage, "done")
        set(Model.maintenance, id, "close_date", isDone ? .text(String(now.odoo.prefix(10))) : .empty)
    }
}
