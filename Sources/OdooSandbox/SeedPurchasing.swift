import Bytes

/// Who delivers to the two plants, what is awaited, and what is maintained there.
extension Engine {
    mutating func seedSuppliers(product: (String) -> Int) {
        _ = seed(Model.currency, 1, ["name": .text("USD")])
        let country = seed(Model.country, nil, ["name": .text("Germany"), "code": .text("DE")])
        let foundry = seedSupplier("FOUNDRY", "Foundry Works", country)
        let fasteners = seedSupplier("FASTENERS", "Fasteners & Co", country)
        for (supplier, code, theirs, minimum, days) in [
            (foundry, "CAST-100", "C-100-A", 10, 21), (fasteners, "SCREW-M6", "M6X20", 1_000, 3),
            (fasteners, "SEAL-20", nil, 100, 5),
        ] {
            let product = product(code)
            _ = seed(
                Model.supplierInfo, nil,
                [
                    "partner_id": .link(supplier), "product_tmpl_id": stored(Model.product, product, "product_tmpl_id"),
                    "product_code": theirs.map { .text($0) } ?? .empty, "min_qty": .number(ExactDecimal(minimum)),
                    "price": .number(ExactDecimal(mantissa: 125, scale: 2)), "delay": .int(days),
                ])
        }
        seedPurchase("P00001", foundry, at: 1, state: "purchase", receipt: "pending", [(product("CAST-100"), 40, 0)])
        seedPurchase(
            "P00002", fasteners, at: 1, state: "purchase", receipt: "partial",
            [(product("SCREW-M6"), 5_000, 2_000), (product("SEAL-20"), 500, 500)])
        seedPurchase("P00003", fasteners, at: 13, state: "purchase", receipt: "full", [(product("SCREW-M6"), 100, 100)])
        seedPurchase("P00004", foundry, at: 13, state: "draft", receipt: nil, [(product("CAST-100"), 5, 0)])
    }

    private mutating func seedSupplier(_ code: String, _ name: String, _ country: Int) -> Int {
        seed(
            Model.partner, nil,
            [
                "name": .text(name), "ref": .text(code), "supplier_rank": .int(1), "country_id": .link(country),
                "email": .text("sales@example.com"),
            ])
    }

    private mutating func seedPurchase(
        _ name: String, _ supplier: Int, at type: Int, state: String, receipt: String?,
        _ lines: [(product: Int, ordered: Int, received: Int)]
    ) {
        let planned = Value.text(WallInstant(seconds: 1_796_000_400).odoo)
        let order = seed(
            Model.purchase, nil,
            [
                "name": .text(name), "partner_id": .link(supplier), "picking_type_id": .link(type),
                "state": .text(state), "receipt_status": receipt.map { .text($0) } ?? .empty,
                "date_order": .text(now.odoo), "date_planned": planned,
            ])
        for line in lines {
            _ = seed(
                Model.purchaseLine, nil,
                [
                    "order_id": .link(order), "product_id": .link(line.product),
                    "name": .text(displayName(Model.product, line.product)),
                    "product_qty": .number(ExactDecimal(line.ordered)),
                    "qty_received": .number(ExactDecimal(line.received)),
                    version.is19 ? "product_uom_id" : "product_uom": stored(Model.product, line.product, "uom_id"),
                    "date_planned": planned,
                ])
        }
    }

    mutating func seedEquipment() {
        let category = seed(Model.equipmentCategory, nil, ["name": .text("Machine tools")])
        let team = seed(Model.maintenanceTeam, 1, ["name": .text("Internal Maintenance")])
        for (name, serial) in [("Drilling machine 1", "DM-1"), ("Drilling machine 2", "DM-2"), ("Screwdriver", "SD-7")]
        {
            _ = seed(
                Model.equipment, nil,
                [
                    "name": .text(name), "serial_no": .text(serial), "category_id": .link(category),
                    "maintenance_team_id": serial == "SD-7" ? .empty : .link(team),
                ])
        }
    }
}
