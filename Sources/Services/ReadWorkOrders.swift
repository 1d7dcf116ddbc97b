extension RecordRead {
    /// `work-order.read`: the operations of production orders, for who works at a work center (recording 022).
    static let workOrders = RecordRead(
        operation: "work-order.read", noun: "work order", model: "mrp.workorder",
        members: [
            .id, .text("name", "name"), .word("state", "state", states),
            .reference("production_order", "production_id"), .reference("product", "product_id"),
            .reference("work_center", "workcenter_id"), .site, .quantity("quantity_produced", "qty_produced"),
            .quantity("quantity_remaining", "qty_remaining"), .quantity("duration_expected", "duration_expected"),
            .quantity("duration", "duration"), .time("started_at", "date_start"),
            .time("finished_at", "date_finished"), .changedAt,
        ],
        filters: [
            .equals("production_order", "production_id"), .equals("work_center", "workcenter_id"),
            .words("state", "state", states),
        ], placement: .productionOrder("production_id"))

    /// Before `ready`, 17 tells apart what 19 calls blocked.
    private static let states = RecordWords([
        ("pending", "waiting"), ("waiting", "waiting"), ("blocked", "waiting"), ("ready", "ready"),
        ("progress", "in_progress"), ("done", "done"), ("cancel", "cancelled"),
    ])
}
