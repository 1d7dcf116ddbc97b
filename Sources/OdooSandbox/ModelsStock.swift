import Bytes

/// Locations, stock, moves and transfers.
extension Models {
    static func stock(_ version: SandboxVersion) -> [Schema] {
        var location: [Field] = [
            Field("name", .char, "Location Name", required: true),
            Field(
                "complete_name", .char, "Full Location Name", compute: { .text($0.locationName($1)) }),
            Field("usage", .selection(usages), "Location Type", required: true, initial: .text("internal")),
            Field("location_id", .many2one(Model.location), "Parent Location"), company, active,
        ]
        if !version.is19 { location.append(Field("scrap_location", .boolean, "Is a Scrap Location?")) }
        return [
            Schema(
                Model.location, "Inventory Locations", order: "id", fields: location,
                display: { .text($0.locationName($1)) }),
            Schema(
                Model.warehouse, "Warehouse", order: "id",
                fields: [
                    Field("name", .char, "Warehouse", required: true),
                    Field("code", .char, "Short Name", required: true),
                    company, Field("lot_stock_id", .many2one(Model.location), "Location Stock"),
                    Field("view_location_id", .many2one(Model.location), "View Location"),
                    Field("manu_type_id", .many2one(Model.pickingType), "Manufacturing Operation Type"),
                    Field("int_type_id", .many2one(Model.pickingType), "Internal Type"), active,
                ]),
            Schema(
                Model.pickingType, "Picking Type", order: "id",
                fields: [
                    Field("name", .char, "Operation Type", required: true),
                    Field("code", .selection(operationCodes), "Type of Operation", required: true),
                    Field("warehouse_id", .many2one(Model.warehouse), "Warehouse"),
                    Field("default_location_src_id", .many2one(Model.location), "Source Location"),
                    Field("default_location_dest_id", .many2one(Model.location), "Destination Location"),
                    Field(
                        "create_backorder", .selection([("ask", "Ask"), ("always", "Always"), ("never", "Never")]),
                        "Create Backorder", initial: .text("ask")),
                    Field(
                        "reservation_method",
                        .selection([("at_confirm", "At Confirmation"), ("manual", "Manually"), ("by_date", "Before")]),
                        "Reservation Method", initial: .text("at_confirm")),
                    Field("sequence_code", .char, "Sequence Prefix"), company, active,
                ]),
            Schema(
                Model.quant, "Quants", order: "in_date, id",
                fields: [
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    Field("location_id", .many2one(Model.location), "Location", required: true),
                    Field("lot_id", .many2one(Model.lot), "Lot/Serial Number"),
                    quantity("quantity", "Quantity"), quantity("reserved_quantity", "Reserved Quantity"),
                    quantity(
                        "available_quantity", "Available Quantity",
                        compute: { .number($0.availableQuantity(ofQuant: $1)) }),
                    quantity("inventory_quantity", "Counted Quantity"),
                    Field("in_date", .datetime, "Incoming Date"), company,
                ],
                display: { engine, id in
                    .text(engine.displayName(Model.product, engine.link(Model.quant, id, "product_id") ?? 0))
                }),
            Schema(
                Model.lot, "Lot/Serial", order: "name, id",
                fields: [
                    Field("name", .char, "Lot/Serial Number", required: true, indexed: true),
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    Field("company_id", .many2one(Model.company), "Company"), Field("ref", .char, "Internal Reference"),
                    quantity("product_qty", "On Hand Quantity", compute: { .number($0.onHand(lot: $1)) }),
                    Field(
                        "location_id", .many2one(Model.location), "Location",
                        compute: { .optional($0.location(ofLot: $1)) }),
                ]),
            Schema(
                Model.move, "Stock Move", order: "id",
                fields: [
                    Field("name", .char, "Description", required: !version.is19),
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    Field("product_uom", .many2one(Model.unit), "Unit"),
                    quantity("product_uom_qty", "Demand"),
                    quantity("quantity", "Quantity", compute: nil),
                    Field("picked", .boolean, "Picked"),
                    Field(
                        "state", .selection(moveStates), "Status", readonly: true, indexed: true,
                        initial: .text("draft")),
                    Field("date", .datetime, "Date Scheduled"),
                    Field("location_id", .many2one(Model.location), "Source Location", required: true),
                    Field("location_dest_id", .many2one(Model.location), "Destination Location", required: true),
                    Field("move_line_ids", .one2many(Model.moveLine, "move_id"), "Move lines"),
                    Field("manual_consumption", .boolean, "Manual Consumption"),
                    quantity("should_consume_qty", "Quantity To Consume", compute: { .number($0.shouldConsume($1)) }),
                    Field("bom_line_id", .many2one(Model.bomLine), "BoM Line"),
                    Field("raw_material_production_id", .many2one(Model.production), "Production Order for components"),
                    Field("production_id", .many2one(Model.production), "Production Order for finished products"),
                    Field("byproduct_id", .many2one(Model.byproduct), "By-products"),
                    Field("workorder_id", .many2one(Model.workorder), "Work Order To Consume"),
                    Field("picking_id", .many2one(Model.picking), "Transfer"),
                    Field("scrap_id", .many2one(Model.scrap), "Scrap operation"),
                    Field("origin", .char, "Source Document"), Field("reference", .char, "Reference"), company,
                ],
                display: { engine, id in
                    .text(engine.displayName(Model.product, engine.link(Model.move, id, "product_id") ?? 0))
                }),
            Schema(
                Model.moveLine, "Product Moves (Stock Move Line)", order: "id",
                fields: [
                    Field("move_id", .many2one(Model.move), "Stock Operation"),
                    Field("product_id", .many2one(Model.product), "Product"),
                    Field("lot_id", .many2one(Model.lot), "Lot/Serial Number"), quantity("quantity", "Quantity"),
                    Field("product_uom_id", .many2one(Model.unit), "Unit"),
                    Field("location_id", .many2one(Model.location), "From"),
                    Field("location_dest_id", .many2one(Model.location), "To"),
                    Field(
                        "picked", .boolean, "Picked",
                        compute: { engine, id in
                            .bool(engine.flag(Model.move, engine.link(Model.moveLine, id, "move_id") ?? 0, "picked"))
                        }),
                    Field(
                        "state", .selection(moveStates), "Status",
                        compute: { engine, id in
                            engine.get(Model.move, engine.link(Model.moveLine, id, "move_id") ?? 0, "state")
                        }),
                ],
                display: { engine, id in
                    .text(engine.displayName(Model.product, engine.link(Model.moveLine, id, "product_id") ?? 0))
                }),
        ]
    }

    static func transfers(_ version: SandboxVersion) -> [Schema] {
        [
            Schema(
                Model.scrap, "Scrap", order: "id desc",
                fields: [
                    Field("name", .char, "Reference", readonly: true, initial: .text("New")),
                    Field("origin", .char, "Source Document"),
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    Field("product_uom_id", .many2one(Model.unit), "Unit"),
                    Field("lot_id", .many2one(Model.lot), "Lot/Serial"),
                    quantity("scrap_qty", "Quantity", required: true, initial: ExactDecimal(1)),
                    Field(
                        "state", .selection([("draft", "Draft"), ("done", "Done")]), "Status", readonly: true,
                        initial: .text("draft")),
                    Field("date_done", .datetime, "Date", readonly: true),
                    Field("location_id", .many2one(Model.location), "Source Location", required: true),
                    Field("scrap_location_id", .many2one(Model.location), "Scrap Location", required: true),
                    Field("production_id", .many2one(Model.production), "Manufacturing Order"),
                    Field("workorder_id", .many2one(Model.workorder), "Work Order"),
                    Field("move_ids", .one2many(Model.move, "scrap_id"), "Move"), company,
                ]),
            Schema(
                Model.scrapWarning, "Warn Insufficient Scrap Quantity", order: "id",
                fields: [
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    Field("location_id", .many2one(Model.location), "Location", required: true),
                    Field("scrap_id", .many2one(Model.scrap), "Scrap"), quantity("quantity", "Quantity"),
                    Field("product_uom_name", .char, "Unit"),
                ]),
            Schema(
                Model.picking, "Transfer", order: "id desc",
                fields: [
                    Field("name", .char, "Reference", indexed: true), Field("origin", .char, "Source Document"),
                    Field("state", .selection(pickingStates), "Status", compute: { .text($0.pickingState($1)) }),
                    Field("picking_type_id", .many2one(Model.pickingType), "Operation Type", required: true),
                    Field("location_id", .many2one(Model.location), "Source Location", required: true),
                    Field("location_dest_id", .many2one(Model.location), "Destination Location", required: true),
                    Field("partner_id", .many2one(Model.partner), "Contact"),
                    Field("backorder_id", .many2one(Model.picking), "Back Order of"),
                    Field("scheduled_date", .datetime, "Scheduled Date"),
                    Field("date_done", .datetime, "Date of Transfer"),
                    Field("move_ids", .one2many(Model.move, "picking_id"), "Stock moves"),
                    Field(
                        "move_line_ids", .many2many(Model.moveLine), "Operations",
                        compute: { engine, id in
                            .links(
                                engine.links(Model.picking, id, "move_ids").flatMap {
                                    engine.links(Model.move, $0, "move_line_ids")
                                })
                        }), company,
                ]),
            Schema(
                Model.pickingBackorder, "Backorder Confirmation", order: "id",
                fields: [
                    Field("pick_ids", .many2many(Model.picking), "Pick"),
                    Field("show_transfers", .boolean, "Show Transfers"),
                ], display: { _, id in .text("\(Model.pickingBackorder),\(id)") }),
        ]
    }

    static let usages: [(value: String, label: String)] = [
        ("supplier", "Vendor"), ("view", "Virtual"), ("internal", "Internal"), ("customer", "Customer"),
        ("inventory", "Inventory Loss"), ("production", "Production"), ("transit", "Transit"),
    ]
    static let operationCodes: [(value: String, label: String)] = [
        ("incoming", "Receipt"), ("outgoing", "Delivery"), ("internal", "Internal Transfer"),
        ("mrp_operation", "Manufacturing"),
    ]
    static let moveStates: [(value: String, label: String)] = [
        ("draft", "New"), ("waiting", "Waiting Another Move"), ("confirmed", "Waiting"),
        ("partially_available", "Partially Available"), ("assigned", "Available"), ("done", "Done"),
        ("cancel", "Cancelled"),
    ]
    static let pickingStates: [(value: String, label: String)] = [
        ("draft", "Draft"), ("waiting", "Waiting Another Operation"), ("confirmed", "Waiting"), ("assigned", "Ready"),
        ("done", "Done"), ("cancel", "Cancelled"),
    ]
}
