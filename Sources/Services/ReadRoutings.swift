extension RecordRead {
    /// `routing.read`: the operations of every bill of materials, as a list of their own (recording 020).
    static let routings = RecordRead(
        operation: "routing.read", noun: "routing operation", model: "mrp.routing.workcenter",
        members: [
            .id, .text("name", "name"), .reference("bill_of_materials", "bom_id"), .int("sequence", "sequence"),
            .reference("work_center", "workcenter_id"), .quantity("duration", "time_cycle"), .changedAt,
        ],
        filters: [.equals("bill_of_materials", "bom_id"), .equals("work_center", "workcenter_id")])
}
