import Bytes

/// The models of the sandbox, and those every Odoo has.
enum Models {
    static func all(_ version: SandboxVersion, _ apps: Set<SandboxApp> = []) -> [Schema] {
        base() + chatter() + (apps.contains(.quality) ? quality() : []) + (apps.contains(.addon) ? addon() : [])
            + product(version) + stock(version)
            + transfers(version) + manufacturing(version)
            + execution(version) + wizards() + purchasing(version) + equipment()
            + maintenance(version)
    }

    private static func base() -> [Schema] {
        [
            Schema(Model.company, "Companies", fields: [Field("name", .char, "Company Name", required: true)]),
            Schema(
                Model.country, "Country",
                fields: [Field("name", .char, "Country Name"), Field("code", .char, "Country Code")]),
            Schema(Model.calendar, "Resource Working Time", fields: [Field("name", .char, "Name", required: true)]),
            Schema(
                Model.partner, "Contact", order: "name, id",
                fields: [
                    Field("name", .char, "Name"), Field("ref", .char, "Reference"), Field("vat", .char, "Tax ID"),
                    Field("email", .char, "Email"), Field("supplier_rank", .integer, "Supplier Rank"),
                    Field("country_id", .many2one(Model.country), "Country"), active,
                ]),
            Schema(
                Model.user, "User", order: "name, login",
                fields: [
                    Field("name", .char, "Name"), Field("login", .char, "Login", required: true, indexed: true),
                    Field("email", .char, "Email"), Field("partner_id", .many2one(Model.partner), "Related Partner"),
                    company, active,
                ]),
            Schema(Model.apiKey, "Users API Keys", fields: [Field("name", .char, "Description", required: true)]),
            Schema(
                Model.externalID, "Model Data", order: "module, model, name",
                fields: [
                    Field("module", .char, "Module"), Field("name", .char, "External Identifier", indexed: true),
                    Field("model", .char, "Model Name"), Field("res_id", .integer, "Record ID", indexed: true),
                ]),
        ]
    }

    static var active: Field { Field("active", .boolean, "Active", initial: .bool(true)) }
    static var company: Field { Field("company_id", .many2one(Model.company), "Company", initial: .link(1)) }

    /// Quantities have two places, as Odoo's decimal accuracy for product units says by default.
    static func quantity(
        _ name: String, _ label: String, required: Bool = false, initial: ExactDecimal? = nil,
        compute: Field.Compute? = nil
    ) -> Field {
        Field(
            name, .number(places: 2), label, required: required, initial: initial.map { .number($0) },
            compute: compute)
    }

    // MARK: - Products

    private static func product(_ version: SandboxVersion) -> [Schema] {
        let type: [Field] =
            version.is19
            ? [
                Field(
                    "type", .selection([("consu", "Goods"), ("service", "Service"), ("combo", "Combo")]),
                    "Product Type", initial: .text("consu")),
                Field("is_storable", .boolean, "Track Inventory"),
            ]
            : [
                Field("type", .selection(types17), "Type", initial: .text("consu")),
                Field("detailed_type", .selection(types17), "Product Type", initial: .text("consu")),
            ]
        let common: [Field] =
            [
                Field("name", .char, "Name", required: true),
                Field("default_code", .char, "Internal Reference", indexed: true),
                Field("barcode", .char, "Barcode", indexed: true),
                Field("uom_id", .many2one(Model.unit), "Unit", required: true, initial: .link(1)),
                Field("categ_id", .many2one(Model.category), "Product Category", initial: .link(1)),
                Field("tracking", .selection(trackings), "Tracking", required: true, initial: .text("none")),
                Field("standard_price", .number(places: 2), "Cost"),
                Field("list_price", .number(places: 2), "Sales Price", initial: .number(ExactDecimal(1))),
                Field("company_id", .many2one(Model.company), "Company"), active,
            ] + type
        let stock: [Field] = [
            quantity("qty_available", "Quantity On Hand", compute: { .number($0.onHand($1)) }),
            quantity("free_qty", "Free To Use Quantity", compute: { .number($0.free($1)) }),
            quantity("incoming_qty", "Incoming", compute: { .number($0.underway($1, incoming: true)) }),
            quantity("outgoing_qty", "Outgoing", compute: { .number($0.underway($1, incoming: false)) }),
            quantity(
                "virtual_available", "Forecasted Quantity",
                compute: { engine, id in
                    let incoming = engine.underway(id, incoming: true)
                    return .number(
                        engine.onHand(id).adding(incoming).subtracting(engine.underway(id, incoming: false)))
                }),
        ]
        return [
            Schema(
                Model.unit, "Product Unit of Measure", order: "id",
                fields: [
                    Field("name", .char, "Unit of Measure", required: true),
                    Field("rounding", .number(places: 5), "Rounding"),
                    Field("factor", .number(places: 6), "Ratio", initial: .number(ExactDecimal(1))), active,
                ]),
            Schema(
                Model.category, "Product Category", order: "id",
                fields: [
                    Field("name", .char, "Name", required: true),
                    Field("parent_id", .many2one(Model.category), "Parent Category"),
                    Field("complete_name", .char, "Complete Name", compute: categoryName),
                ], display: categoryName),
            Schema(
                Model.template, version.is19 ? "Product" : "Product Template", order: "name, id",
                fields: common + [
                    Field("product_variant_ids", .one2many(Model.product, "product_tmpl_id"), "Products")
                ], display: coded(Model.template)),
            Schema(
                Model.product, "Product Variant", order: "default_code, name, id",
                fields: common + stock + [
                    Field("product_tmpl_id", .many2one(Model.template), "Product Template", required: true)
                ], display: coded(Model.product)),
        ]
    }

    private static let types17: [(value: String, label: String)] = [
        ("consu", "Consumable"), ("service", "Service"), ("product", "Storable Product"),
    ]
    static let trackings: [(value: String, label: String)] = [
        ("serial", "By Unique Serial Number"), ("lot", "By Lots"), ("none", "By Quantity"),
    ]

    /// `All / Furniture`: what a category is called everywhere, with those that it lies in (`_rec_name` of Odoo's
    /// `product.category` is `complete_name`).
    private static let categoryName: Field.Compute = { engine, id in
        var names: [String] = []
        var next: Int? = id
        while let category = next, names.count < 16 {
            names.insert(engine.stored(Model.category, category, "name").text ?? "", at: 0)
            next = engine.link(Model.category, category, "parent_id")
        }
        return .text(names.joined(separator: " / "))
    }

    /// `[CODE] Name`.
    private static func coded(_ model: String) -> Field.Compute {
        { engine, id in
            let name = engine.stored(model, id, "name").text ?? ""
            guard let code = engine.stored(model, id, "default_code").text else { return .text(name) }
            return .text("[\(code)] \(name)")
        }
    }
}
