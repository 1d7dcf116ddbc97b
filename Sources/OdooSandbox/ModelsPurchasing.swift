import Bytes

/// What suppliers deliver and what was ordered from them: read by the gateway, made by the seed or by hand.
extension Models {
    static func purchasing(_ version: SandboxVersion) -> [Schema] {
        [
            Schema(Model.currency, "Currency", fields: [Field("name", .char, "Currency", required: true)]),
            Schema(
                Model.supplierInfo, "Supplier Pricelist", order: "id",
                fields: [
                    Field("partner_id", .many2one(Model.partner), "Vendor", required: true),
                    Field("product_tmpl_id", .many2one(Model.template), "Product Template"),
                    Field("product_id", .many2one(Model.product), "Product Variant"),
                    Field("product_code", .char, "Vendor Product Code"),
                    quantity("min_qty", "Quantity", required: true), Field("price", .number(places: 2), "Price"),
                    Field("currency_id", .many2one(Model.currency), "Currency", initial: .link(1)),
                    Field("delay", .integer, "Delivery Lead Time", required: true, initial: .int(1)), company,
                ],
                display: { engine, id in
                    .text(engine.displayName(Model.partner, engine.link(Model.supplierInfo, id, "partner_id") ?? 0))
                }),
            Schema(
                Model.purchase, "Purchase Order", order: "id desc",
                fields: [
                    Field("name", .char, "Order Reference", indexed: true),
                    Field("state", .selection(purchaseStates(version)), "Status", initial: .text("draft")),
                    Field("partner_id", .many2one(Model.partner), "Vendor", required: true),
                    Field("date_order", .datetime, "Order Deadline"),
                    Field("date_planned", .datetime, "Expected Arrival"),
                    Field("amount_total", .number(places: 2), "Total"),
                    Field("currency_id", .many2one(Model.currency), "Currency", initial: .link(1)),
                    Field("order_line", .one2many(Model.purchaseLine, "order_id"), "Order Lines"),
                    Field("picking_ids", .many2many(Model.picking), "Receptions"),
                    Field("picking_type_id", .many2one(Model.pickingType), "Deliver To", required: true),
                    Field(
                        "receipt_status",
                        .selection([
                            ("pending", "Not Received"), ("partial", "Partially Received"), ("full", "Fully Received"),
                        ]), "Receipt Status"), company,
                ]),
            Schema(
                Model.purchaseLine, "Purchase Order Line", order: "order_id, id",
                fields: [
                    Field("name", .text, "Description"),
                    Field("order_id", .many2one(Model.purchase), "Order Reference", required: true),
                    Field("product_id", .many2one(Model.product), "Product"),
                    quantity("product_qty", "Quantity", required: true),
                    quantity("qty_received", "Received Qty"),
                    // Renamed with 19 (by its source).
                    Field(
                        version.is19 ? "product_uom_id" : "product_uom", .many2one(Model.unit), "Unit of Measure"),
                    Field("price_unit", .number(places: 2), "Unit Price"),
                    Field("date_planned", .datetime, "Expected Arrival"), company,
                ]),
        ]
    }

    private static func purchaseStates(_ version: SandboxVersion) -> [(value: String, label: String)] {
        let common = [
            ("draft", "RFQ"), ("sent", "RFQ Sent"), ("to approve", "To Approve"), ("purchase", "Purchase Order"),
        ]
        return common + (version.is19 ? [] : [("done", "Locked")]) + [("cancel", "Cancelled")]
    }
}

extension Model {
    static let currency = "res.currency"
    static let supplierInfo = "product.supplierinfo"
    static let purchase = "purchase.order"
    static let purchaseLine = "purchase.order.line"
}
