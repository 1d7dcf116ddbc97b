import JSON

extension RecordRead {
    /// `purchase-order.read`: what was ordered and is awaited (recording 025). `receipt_status`, `picking_type_id` and
    /// the lines' unit are by Odoo's source: no recording holds them.
    static let purchaseOrders = RecordRead(
        operation: "purchase-order.read", noun: "purchase order", model: "purchase.order",
        members: [
            .id, .text("name", "name"), .word("state", "state", states), .reference("supplier", "partner_id"), .site,
            .word("receipt", "receipt_status", receipts), .time("ordered_at", "date_order"),
            .time("planned_at", "date_planned"), .changedAt,
        ],
        filters: [
            .equals("name", "name"), .equals("supplier", "partner_id"), .words("state", "state", states),
            .equals("product", "order_line.product_id"),
            RecordFilter("awaited") { awaited in
                guard awaited == true else { return [] }
                return [["state", "=", "purchase"], ["receipt_status", "in", ["pending", "partial"]]]
            },
        ],
        parts: [
            RecordPart(
                name: "lines", model: "purchase.order.line", parent: "order_id",
                members: [
                    .id, .reference("product", "product_id"), .quantity("quantity", "product_qty"),
                    .quantity("quantity_received", "qty_received"),
                    .unit { $0.major >= 19 ? "product_uom_id" : "product_uom" }, .time("planned_at", "date_planned"),
                ])
        ], placement: .operationType("picking_type_id"))

    private static let states = RecordWords([
        ("draft", "draft"), ("sent", "sent"), ("to approve", "to_approve"), ("purchase", "ordered"), ("done", "locked"),
        ("cancel", "cancelled"),
    ])
    private static let receipts = RecordWords([("pending", "none"), ("partial", "partial"), ("full", "full")])
}
