import Bytes

/// What a new sandbox holds.
package struct SandboxSeed: Sendable {
    private let plant: @Sendable (inout Engine) -> Void

    init(_ plant: @escaping @Sendable (inout Engine) -> Void) { self.plant = plant }

    /// One company, two warehouses, no product.
    package static let empty = SandboxSeed { $0.seedBase() }

    /// Two plants with products, stock and orders.
    package static let demo = SandboxSeed { engine in
        engine.seedBase()
        engine.seedDemo()
    }

    func engine(_ configuration: SandboxConfiguration) -> Engine {
        var engine = Engine(
            version: configuration.version, users: configuration.users, apps: configuration.apps)
        engine.now = Engine.seedInstant
        plant(&engine)
        engine.database.commit()
        return engine
    }
}

/// The ids that every seed has, which are those of the recordings.
struct BaseIDs: Sendable {
    let stock: Int
    let inventory: Int
    let production: Int
    let scrap: Int
    let internalType: Int
    let manufacturing: Int
    let stock2 = 41
    let manufacturing2: Int

    init(_ version: SandboxVersion) {
        stock = version.is19 ? 5 : 8
        inventory = version.is19 ? 13 : 14
        production = 15
        scrap = version.is19 ? 25 : 16
        internalType = version.is19 ? 7 : 5
        manufacturing = version.is19 ? 8 : 7
        manufacturing2 = 16
    }
}

extension Engine {
    /// 2026-11-23 03:45:00, as the recordings' database.
    static let seedInstant = WallInstant(seconds: 1_795_405_500)

    var ids: BaseIDs { BaseIDs(version) }

    /// Seeds do not fail: what they write is known.
    mutating func seed(_ model: String, _ id: Int? = nil, _ row: Row) -> Int {
        var full: Row = [:]
        for field in schema(model)?.fields.values.map({ $0 }) ?? [] where field.compute == nil {
            if case .one2many = field.kind { continue }
            full[field.name] = field.initial ?? field.kind.initial
        }
        full.merge(row) { _, new in new }
        return insert(model, full, id: id)
    }

    mutating func seedBase() {
        _ = seed(Model.company, 1, ["name": .text("My Company")])
        _ = seed(Model.calendar, 1, ["name": .text("Standard 40 hours/week")])
        for (id, name) in [(1, "Units"), (2, "kg"), (3, "m")] {
            _ = seed(Model.unit, id, ["name": .text(name), "rounding": .number(ExactDecimal(mantissa: 1, scale: 2))])
        }
        _ = seed(Model.category, 1, ["name": .text("All")])
        for user in users {
            let partner = seed(
                Model.partner, nil, ["name": .text(user.name), "email": user.email.map { .text($0) } ?? .empty])
            _ = seed(
                Model.user, user.id,
                [
                    "name": .text(user.name), "login": .text(user.login), "partner_id": .link(partner),
                    "email": user.email.map { .text($0) } ?? .empty,
                ])
        }
        seedLosses()
        seedLocations()
        seedWarehouses()
        seedMaintenance()
        seedChatter()
    }

    private mutating func seedLosses() {
        let losses: [(Int, String, String, Bool)] = [
            (1, "Material Availability", "availability", true), (2, "Equipment Failure", "availability", true),
            (3, "Setup and Adjustments", "availability", true), (4, "Reduced Speed", "performance", false),
            (5, "Process Defect", "quality", true), (6, "Reduced Yield", "quality", true),
            (7, "Fully Productive Time", "productive", false),
        ]
        for (id, name, type, manual) in losses {
            _ = seed(
                Model.loss, id,
                [
                    "name": .text(name), "loss_type": .text(type), "manual": .bool(manual),
                    "sequence": .int(id == 7 ? 0 : id),
                ])
        }
    }

    private mutating func seedLocations() {
        let ids = ids
        func place(_ name: String, _ usage: String, _ parent: Int?) -> Row {
            ["name": .text(name), "usage": .text(usage), "location_id": .optional(parent)]
        }
        let virtual: Int? = version.is19 ? nil : 3
        if let virtual { _ = seed(Model.location, virtual, place("Virtual Locations", "view", nil)) }
        let partners: Int? = version.is19 ? nil : 9
        if let partners { _ = seed(Model.location, partners, place("Partners", "view", nil)) }
        _ = seed(Model.location, version.is19 ? 1 : 4, place("Vendors", "supplier", partners))
        _ = seed(Model.location, version.is19 ? 2 : 6, place("Customers", "customer", partners))
        _ = seed(Model.location, 7, place("WH", "view", nil))
        _ = seed(Model.location, ids.stock, place("Stock", "internal", 7))
        _ = seed(Model.location, ids.inventory, place("Inventory adjustment", "inventory", virtual))
        _ = seed(Model.location, ids.production, place("Production", "production", virtual))
        _ = seed(Model.location, ids.scrap, place("Scrap", "inventory", virtual))
        if !version.is19 { set(Model.location, ids.scrap, "scrap_location", .bool(true)) }
        _ = seed(Model.location, 40, place("WH2", "view", nil))
        _ = seed(Model.location, ids.stock2, place("Stock", "internal", 40))
    }

    private mutating func seedWarehouses() {
        let ids = ids
        let suppliers = version.is19 ? 1 : 4
        let customers = version.is19 ? 2 : 6
        for (warehouse, name, code, view, stock, make, move) in [
            (1, "Plant 1", "WH", 7, ids.stock, ids.manufacturing, ids.internalType),
            (2, "Plant 2", "WH2", 40, ids.stock2, ids.manufacturing2, 15),
        ] {
            _ = seed(
                Model.warehouse, warehouse,
                [
                    "name": .text(name), "code": .text(code), "lot_stock_id": .link(stock),
                    "view_location_id": .link(view), "manu_type_id": .link(make),
                    "int_type_id": .link(move),
                ])
            let first = warehouse == 1 ? 1 : 13
            let types: [(Int, String, String, Int?, Int, String)] = [
                (first, "Receipts", "incoming", version.is19 ? suppliers : nil, stock, "IN"),
                (first + 1, "Delivery Orders", "outgoing", stock, customers, "OUT"),
                (move, "Internal Transfers", "internal", stock, stock, "INT"),
                (make, "Manufacturing", "mrp_operation", stock, stock, "MO"),
            ]
            for (id, label, operation, from, to, prefix) in types {
                _ = seed(
                    Model.pickingType, id,
                    [
                        "name": .text(label), "code": .text(operation), "warehouse_id": .link(warehouse),
                        "default_location_src_id": .optional(from), "default_location_dest_id": .link(to),
                        "sequence_code": .text(prefix),
                    ])
            }
        }
    }

    /// A product with its template.
    mutating func seedProduct(
        _ code: String?, _ name: String, id: Int? = nil, template: Int? = nil, unit: Int = 1,
        tracking: String = "none"
    ) -> Int {
        var row: Row = [
            "name": .text(name), "default_code": code.map { .text($0) } ?? .empty, "uom_id": .link(unit),
            "tracking": .text(tracking),
        ]
        if version.is19 {
            row["type"] = .text("consu")
            row["is_storable"] = .bool(true)
        } else {
            row["type"] = .text("product")
            row["detailed_type"] = .text("product")
        }
        row["product_tmpl_id"] = .link(seed(Model.template, template, row))
        return seed(Model.product, id, row)
    }

    mutating func seedBOM(
        _ product: Int, id: Int? = nil, code: String? = nil, lines: [(product: Int, quantity: ExactDecimal)],
        operations: [(name: String, center: Int, minutes: Int)] = [],
        byproducts: [(product: Int, quantity: ExactDecimal)] = []
    ) -> Int {
        let bom = seed(
            Model.bom, id,
            [
                "product_tmpl_id": stored(Model.product, product, "product_tmpl_id"),
                "code": code.map { .text($0) } ?? .empty, "product_uom_id": stored(Model.product, product, "uom_id"),
            ])
        for (i, operation) in operations.enumerated() {
            _ = seed(
                Model.operation, nil,
                [
                    "name": .text(operation.name), "bom_id": .link(bom), "workcenter_id": .link(operation.center),
                    "sequence": .int(10 * (i + 1)), "time_cycle_manual": .number(ExactDecimal(operation.minutes)),
                ])
        }
        for line in lines {
            _ = seed(
                Model.bomLine, nil,
                [
                    "bom_id": .link(bom), "product_id": .link(line.product), "product_qty": .number(line.quantity),
                    "product_uom_id": stored(Model.product, line.product, "uom_id"),
                ])
        }
        for line in byproducts {
            _ = seed(
                Model.byproduct, nil,
                [
                    "bom_id": .link(bom), "product_id": .link(line.product), "product_qty": .number(line.quantity),
                    "product_uom_id": stored(Model.product, line.product, "uom_id"),
                ])
        }
        return bom
    }
}
