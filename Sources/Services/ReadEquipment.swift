extension RecordRead {
    /// `equipment.read`: what is maintained (recording 158).
    static let equipment = RecordRead(
        operation: "equipment.read", noun: "equipment", model: "maintenance.equipment",
        members: [
            .id, .text("name", "name"), .text("serial_number", "serial_no"), .reference("category", "category_id"),
            .reference("maintenance_team", "maintenance_team_id"), .changedAt,
        ],
        filters: [.equals("serial_number", "serial_no"), .equals("category", "category_id")])
}
