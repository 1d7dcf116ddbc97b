import Bytes

/// Work centers, bills of materials, orders, and the wizards that ask back.
extension Models {
    static func manufacturing(_ version: SandboxVersion) -> [Schema] {
        [
            Schema(
                Model.workcenter, "Work Center", order: "id",
                fields: [
                    Field("name", .char, "Work Center", required: true), Field("code", .char, "Code", indexed: true),
                    Field(
                        "working_state", .selection(workingStates), "Workcenter Status",
                        compute: { .text($0.workingState($1)) }),
                    Field("oee", .number(places: 2), "OEE", compute: { .number($0.oee($1)) }),
                    Field(
                        "blocked_time", .number(places: 2), "Blocked Time",
                        compute: { .number($0.hours($1, productive: false)) }),
                    Field(
                        "productive_time", .number(places: 2), "Productive Time",
                        compute: { .number($0.hours($1, productive: true)) }),
                    Field(
                        "time_efficiency", .number(places: 2), "Time Efficiency", initial: .number(ExactDecimal(100))),
                    Field("time_start", .number(places: 2), "Setup Time"),
                    Field("time_stop", .number(places: 2), "Cleanup Time"),
                    Field("resource_calendar_id", .many2one(Model.calendar), "Working Hours", initial: .link(1)),
                    company, active,
                ]),
            Schema(
                Model.loss, "Workcenter Productivity Losses", order: "sequence, id",
                fields: [
                    Field("name", .char, "Blocking Reason", required: true), Field("sequence", .integer, "Sequence"),
                    Field("loss_type", .selection(lossTypes), "Effectiveness Category"),
                    Field("manual", .boolean, "Is a Blocking Reason"),
                ]),
            Schema(
                Model.bom, "Bill of Material", order: "id",
                fields: [
                    Field("code", .char, "Reference"), active,
                    Field("product_tmpl_id", .many2one(Model.template), "Product", required: true),
                    Field("product_id", .many2one(Model.product), "Product Variant"),
                    quantity("product_qty", "Quantity", required: true, initial: ExactDecimal(1)),
                    Field("product_uom_id", .many2one(Model.unit), "Unit"),
                    Field(
                        "type", .selection([("normal", "Manufacture this product"), ("phantom", "Kit")]), "BoM Type",
                        required: true, initial: .text("normal")),
                    Field(
                        "consumption",
                        .selection([
                            ("flexible", "Allowed"), ("warning", "Allowed with warning"), ("strict", "Blocked"),
                        ]), "Flexible Consumption", required: true, initial: .text("warning")),
                    Field("bom_line_ids", .one2many(Model.bomLine, "bom_id"), "BoM Lines"),
                    Field("operation_ids", .one2many(Model.operation, "bom_id"), "Operations"),
                    Field("byproduct_ids", .one2many(Model.byproduct, "bom_id"), "By-products"),
                    company,
                ],
                display: { engine, id in
                    let product = engine.displayName(Model.template, engine.link(Model.bom, id, "product_tmpl_id") ?? 0)
                    guard let code = engine.stored(Model.bom, id, "code").text else { return .text(product) }
                    return .text("\(code): \(product)")
                }),
            Schema(
                Model.bomLine, "Bill of Material Line", order: "id",
                fields: [
                    Field("bom_id", .many2one(Model.bom), "Parent BoM"),
                    Field("product_id", .many2one(Model.product), "Component", required: true),
                    quantity("product_qty", "Quantity", required: true, initial: ExactDecimal(1)),
                    Field("product_uom_id", .many2one(Model.unit), "Unit"),
                    Field("operation_id", .many2one(Model.operation), "Consumed in Operation"),
                ],
                display: { engine, id in
                    .text(engine.displayName(Model.product, engine.link(Model.bomLine, id, "product_id") ?? 0))
                }),
            Schema(
                Model.byproduct, "Byproduct", order: "id",
                fields: [
                    Field("bom_id", .many2one(Model.bom), "BoM"),
                    Field("product_id", .many2one(Model.product), "By-product", required: true),
                    quantity("product_qty", "Quantity", required: true, initial: ExactDecimal(1)),
                    Field("product_uom_id", .many2one(Model.unit), "Unit"),
                ],
                display: { engine, id in
                    .text(engine.displayName(Model.product, engine.link(Model.byproduct, id, "product_id") ?? 0))
                }),
            Schema(
                Model.operation, "Work Center Usage", order: "bom_id, sequence, id",
                fields: [
                    Field("name", .char, "Operation", required: true),
                    Field("bom_id", .many2one(Model.bom), "Bill of Material"),
                    Field("workcenter_id", .many2one(Model.workcenter), "Work Center", required: true),
                    Field("sequence", .integer, "Sequence", initial: .int(100)),
                    Field(
                        "time_cycle_manual", .number(places: 2), "Manual Duration", initial: .number(ExactDecimal(60))),
                    Field(
                        "time_cycle", .number(places: 2), "Duration",
                        compute: { $0.stored(Model.operation, $1, "time_cycle_manual") }),
                ]),
            production(version),
        ]
    }

    private static func production(_ version: SandboxVersion) -> Schema {
        let lots =
            version.is19
            ? Field("lot_producing_ids", .many2many(Model.lot), "Lot/Serial Numbers")
            : Field("lot_producing_id", .many2one(Model.lot), "Lot/Serial Number")
        return Schema(
            Model.production, version.is19 ? "Manufacturing Order" : "Production Order",
            order: "priority desc, date_start, id",
            fields: [
                Field("name", .char, "Reference", indexed: true),
                Field("priority", .selection([("0", "Normal"), ("1", "Urgent")]), "Priority", initial: .text("0")),
                Field("backorder_sequence", .integer, "Backorder Sequence"),
                Field("origin", .char, "Source", indexed: true),
                Field("product_id", .many2one(Model.product), "Product", required: true),
                quantity("product_qty", "Quantity To Produce", required: true, initial: ExactDecimal(1)),
                Field("product_uom_id", .many2one(Model.unit), "Unit"),
                quantity("qty_producing", "Quantity Producing"),
                quantity("qty_produced", "Quantity Produced", compute: { .number($0.produced($1)) }), lots,
                Field("picking_type_id", .many2one(Model.pickingType), "Operation Type", required: true),
                Field("location_src_id", .many2one(Model.location), "Components Location"),
                Field("location_dest_id", .many2one(Model.location), "Finished Products Location"),
                Field("date_start", .datetime, "Start", required: true), Field("date_finished", .datetime, "End"),
                Field("date_deadline", .datetime, "Deadline"),
                Field("bom_id", .many2one(Model.bom), "Bill of Material"),
                Field("state", .selection(states), "State", readonly: true, initial: .text("draft")),
                Field(
                    "reservation_state", .selection(reservations), "MO Readiness",
                    compute: { .text($0.reservationState($1)).orEmpty }),
                Field("move_raw_ids", .one2many(Model.move, "raw_material_production_id"), "Components"),
                Field("move_finished_ids", .one2many(Model.move, "production_id"), "Finished Products"),
                Field(
                    "finished_move_line_ids", .many2many(Model.moveLine), "Finished Product",
                    compute: { engine, id in
                        .links(
                            engine.links(Model.production, id, "move_finished_ids").flatMap {
                                engine.links(Model.move, $0, "move_line_ids")
                            })
                    }),
                Field("workorder_ids", .one2many(Model.workorder, "production_id"), "Work Orders"),
                Field(
                    "consumption",
                    .selection([("flexible", "Allowed"), ("warning", "Allowed with warning"), ("strict", "Blocked")]),
                    "Consumption", initial: .text("flexible")),
                Field("user_id", .many2one(Model.user), "Responsible"), company,
            ])
    }

    static func execution(_ version: SandboxVersion) -> [Schema] {
        [
            Schema(
                Model.workorder, "Work Order", order: "id",
                fields: [
                    Field("name", .char, "Work Order", required: true),
                    Field(
                        "state", .selection(version.is19 ? workorderStates19 : workorderStates17), "Status",
                        initial: .text("ready")),
                    Field("production_id", .many2one(Model.production), "Manufacturing Order", required: true),
                    Field("workcenter_id", .many2one(Model.workcenter), "Work Center", required: true),
                    Field("operation_id", .many2one(Model.operation), "Operation"),
                    Field(
                        "product_id", .many2one(Model.product), "Product",
                        compute: { engine, id in
                            engine.get(
                                Model.production, engine.link(Model.workorder, id, "production_id") ?? 0, "product_id")
                        }),
                    quantity("qty_producing", "Currently Produced Quantity"), quantity("qty_produced", "Quantity"),
                    quantity(
                        "qty_remaining", "Quantity To Be Produced",
                        compute: { .number($0.remaining(ofWorkorder: $1)) }),
                    Field("duration_expected", .number(places: 2), "Expected Duration"),
                    Field(
                        "duration", .number(places: 2), "Real Duration",
                        compute: { .number($0.duration(ofWorkorder: $1)) }),
                    Field(
                        "is_user_working", .boolean, "Is the Current User Working",
                        compute: { .bool($0.isUserWorking($1)) }),
                    Field(
                        "working_state", .selection(workingStates), "Workcenter Status",
                        compute: { engine, id in
                            .text(engine.workingState(engine.link(Model.workorder, id, "workcenter_id") ?? 0))
                        }),
                    Field("date_start", .datetime, "Start"), Field("date_finished", .datetime, "End"),
                    Field("time_ids", .one2many(Model.productivity, "workorder_id"), "Time"),
                ],
                display: { engine, id in
                    let name = engine.stored(Model.workorder, id, "name").text ?? ""
                    let order = engine.link(Model.workorder, id, "production_id") ?? 0
                    return .text("\(engine.text(Model.production, order, "name")) - \(name)")
                }),
            Schema(
                Model.productivity, "Workcenter Productivity Log", order: "id desc",
                fields: [
                    Field("workcenter_id", .many2one(Model.workcenter), "Work Center", required: true),
                    Field("workorder_id", .many2one(Model.workorder), "Work Order"),
                    Field("loss_id", .many2one(Model.loss), "Loss Reason", required: true),
                    Field(
                        "loss_type", .selection(lossTypes), "Effectiveness",
                        compute: { engine, id in
                            engine.get(Model.loss, engine.link(Model.productivity, id, "loss_id") ?? 0, "loss_type")
                        }),
                    Field("user_id", .many2one(Model.user), "User"), Field("description", .text, "Description"),
                    Field("date_start", .datetime, "Start Date", required: true),
                    Field("date_end", .datetime, "End Date"),
                    Field("duration", .number(places: 2), "Duration", compute: { .number($0.minutes(ofBooking: $1)) }),
                    company,
                ], display: { _, id in .text("\(Model.productivity),\(id)") }),
        ]
    }

    static func wizards() -> [Schema] {
        [
            Schema(
                Model.backorderWizard, "Wizard to mark as done or create back order",
                fields: [
                    Field("mrp_production_ids", .many2many(Model.production), "Production"),
                    Field(
                        "mrp_production_backorder_line_ids",
                        .one2many(Model.backorderWizardLine, "mrp_production_backorder_id"),
                        "Backorder Confirmation Lines"),
                    Field(
                        "show_backorder_lines", .boolean, "Show backorder lines",
                        compute: { engine, id in
                            .bool(
                                engine.links(Model.backorderWizard, id, "mrp_production_backorder_line_ids").count > 1)
                        }),
                ], display: { _, id in .text("\(Model.backorderWizard),\(id)") }),
            Schema(
                Model.backorderWizardLine, "Backorder Confirmation Line",
                fields: [
                    Field("mrp_production_backorder_id", .many2one(Model.backorderWizard), "MO Backorder"),
                    Field("mrp_production_id", .many2one(Model.production), "Manufacturing Order", required: true),
                    Field("to_backorder", .boolean, "To Backorder"),
                ], display: { _, id in .text("\(Model.backorderWizardLine),\(id)") }),
            Schema(
                Model.consumptionWizard, "Wizard in case of consumption in warning/strict",
                fields: [
                    Field("mrp_production_ids", .many2many(Model.production), "Production"),
                    Field(
                        "mrp_consumption_warning_line_ids",
                        .one2many(Model.consumptionWizardLine, "mrp_consumption_warning_id"), "Lines"),
                ], display: { _, id in .text("\(Model.consumptionWizard),\(id)") }),
            Schema(
                Model.consumptionWizardLine, "Line of issue consumption",
                fields: [
                    Field("mrp_consumption_warning_id", .many2one(Model.consumptionWizard), "Parent Wizard"),
                    Field("mrp_production_id", .many2one(Model.production), "Manufacturing Order", required: true),
                    Field("product_id", .many2one(Model.product), "Product", required: true),
                    Field("consumption", .char, "Consumption"), Field("product_uom_id", .many2one(Model.unit), "Unit"),
                    quantity("product_consumed_qty_uom", "Consumed"),
                    quantity("product_expected_qty_uom", "To Consume"),
                ], display: { _, id in .text("\(Model.consumptionWizardLine),\(id)") }),
            Schema(
                Model.changeQuantity, "Change Production Qty",
                fields: [
                    Field("mo_id", .many2one(Model.production), "Manufacturing Order", required: true),
                    quantity("product_qty", "Quantity To Produce", required: true),
                ], display: { _, id in .text("\(Model.changeQuantity),\(id)") }),
        ]
    }

    static let states: [(value: String, label: String)] = [
        ("draft", "Draft"), ("confirmed", "Confirmed"), ("progress", "In Progress"), ("to_close", "To Close"),
        ("done", "Done"), ("cancel", "Cancelled"),
    ]
    private static let reservations: [(value: String, label: String)] = [
        ("confirmed", "Waiting"), ("assigned", "Ready"), ("waiting", "Waiting Another Operation"),
    ]
    private static let workorderStates17: [(value: String, label: String)] = [
        ("pending", "Waiting for another WO"), ("waiting", "Waiting for components"), ("ready", "Ready"),
        ("progress", "In Progress"), ("done", "Finished"), ("cancel", "Cancelled"),
    ]
    private static let workorderStates19: [(value: String, label: String)] = [
        ("blocked", "Blocked"), ("ready", "Ready"), ("progress", "In Progress"), ("done", "Finished"),
        ("cancel", "Cancelled"),
    ]
    private static let workingStates: [(value: String, label: String)] = [
        ("normal", "Normal"), ("blocked", "Blocked"), ("done", "In Progress"),
    ]
    private static let lossTypes: [(value: String, label: String)] = [
        ("availability", "Availability"), ("performance", "Performance"), ("quality", "Quality"),
        ("productive", "Productive"),
    ]
}

extension Value {
    /// An empty text is no text.
    var orEmpty: Value { self == .text("") ? .empty : self }
}
