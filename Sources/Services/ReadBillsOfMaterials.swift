import JSON

extension RecordRead {
    /// `bill-of-materials.read` (recordings 018 to 020).
    static let billsOfMaterials = RecordRead(
        operation: "bill-of-materials.read", noun: "bill of materials", model: "mrp.bom",
        members: [
            .id, .text("code", "code"), .reference("product", "product_id"),
            .reference("product_template", "product_tmpl_id"), .quantity("quantity", "product_qty"),
            .unit { _ in "product_uom_id" }, .word("kind", "type", kinds),
            .word("consumption", "consumption", consumptions), .changedAt,
        ],
        filters: [
            .equals("code", "code"), .words("kind", "type", kinds),
            // A bill without a variant is for every variant of its template.
            RecordFilter("product") { product in
                [
                    "|", ["product_id", "=", product], "&", ["product_id", "=", false],
                    ["product_tmpl_id.product_variant_ids", "=", product],
                ]
            },
            RecordFilter("product_code") { code in
                [
                    "|", ["product_id.default_code", "=", code], "&", ["product_id", "=", false],
                    ["product_tmpl_id.product_variant_ids.default_code", "=", code],
                ]
            }, .equals("component", "bom_line_ids.product_id"),
        ],
        parts: [
            RecordPart(
                name: "components", model: "mrp.bom.line", parent: "bom_id",
                members: [
                    .id, .reference("product", "product_id"), .quantity("quantity", "product_qty"),
                    .unit { _ in "product_uom_id" }, .reference("operation", "operation_id"),
                ]),
            RecordPart(
                name: "operations", model: "mrp.routing.workcenter", parent: "bom_id",
                members: [
                    .id, .text("name", "name"), .int("sequence", "sequence"),
                    .reference("work_center", "workcenter_id"), .quantity("duration", "time_cycle"),
                ], order: "sequence"),
        ])

    private static let kinds = RecordWords([
        ("normal", "manufacture"), ("phantom", "kit"), ("subcontract", "subcontract"),
    ])
    private static let consumptions = RecordWords([
        ("flexible", "flexible"), ("warning", "warning"), ("strict", "strict"),
    ])
}
