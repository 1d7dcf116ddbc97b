/// What is maintained.
extension Models {
    static func equipment() -> [Schema] {
        [
            Schema(
                Model.equipmentCategory, "Maintenance Equipment Category", order: "name, id",
                fields: [Field("name", .char, "Category Name", required: true), company]),
            Schema(
                Model.maintenanceTeam, "Maintenance Teams", order: "id",
                fields: [Field("name", .char, "Team Name", required: true), company, active]),
            Schema(
                Model.equipment, "Maintenance Equipment", order: "id",
                fields: [
                    Field("name", .char, "Equipment Name", required: true),
                    Field("serial_no", .char, "Serial Number", indexed: true),
                    Field("category_id", .many2one(Model.equipmentCategory), "Equipment Category"),
                    Field("maintenance_team_id", .many2one(Model.maintenanceTeam), "Maintenance Team"), company,
                    active,
                ]),
        ]
    }
}

extension Model {
    static let equipment = "maintenance.equipment"
    static let equipmentCategory = "maintenance.equipment.category"
    static let maintenanceTeam = "maintenance.team"
}
