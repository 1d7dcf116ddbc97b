import JSON

extension RecordRead {
    /// `supplier.read`: who delivers what, without prices and people (recordings 023, 024).
    static let suppliers = RecordRead(
        operation: "supplier.read", noun: "supplier", model: "res.partner",
        members: [
            .id, .text("code", "ref"), .text("name", "name"), .reference("country", "country_id"), .changedAt,
        ],
        filters: [.equals("code", "ref"), .equals("name", "name")],
        parts: [
            RecordPart(
                name: "products", model: "product.supplierinfo", parent: "partner_id",
                members: [
                    .reference("product", "product_id"), .reference("product_template", "product_tmpl_id"),
                    .text("supplier_product_code", "product_code"), .quantity("quantity_min", "min_qty"),
                    .int("lead_time_days", "delay"),
                ])
        ],
        // Odoo counts up a partner's rank with each order and bill.
        domain: [["supplier_rank", ">", 0]])
}
