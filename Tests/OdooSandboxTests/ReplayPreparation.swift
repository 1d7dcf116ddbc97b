import Bytes
import JSON

@testable import OdooSandbox

/// What happened between the recordings and was not recorded: orders made, stock counted, failures provoked.
enum ReplayPreparation {
    static let now = WallInstant(seconds: 1_795_407_140)

    static func configuration(_ version: SandboxVersion) -> SandboxConfiguration {
        var configuration = SandboxConfiguration(version: version, database: "o\(version.rawValue)")
        for i in configuration.users.indices {
            switch configuration.users[i].login {
            case "mes": configuration.users[i].apiKey = "LABKEYMES0000000000000000000000000000000"
            case "limited": configuration.users[i].apiKey = "LABKEYLIMITED000000000000000000000000000"
            default: break
            }
        }
        return configuration
    }

    static func sandbox(_ version: SandboxVersion) -> SandboxOdoo {
        let odoo = SandboxOdoo(configuration: configuration(version))
        odoo.withEngine { engine in
            let country = engine.seed(Model.country, nil, ["name": .text("San Marino")])
            _ = engine.seed(
                Model.partner, nil,
                ["name": .text("Gemini Furniture"), "supplier_rank": .int(2), "country_id": .link(country)])
            engine.set(Model.workcenter, 2, "code", .empty)
            engine.seedBought()
        }
        return odoo
    }

    /// A server that was set up differently for this recording.
    static func own(_ recording: Recording) -> SandboxOdoo? {
        switch recording.number {
        case 32 where !recording.version.is19:
            var configuration = configuration(.v17)
            for i in configuration.users.indices { configuration.users[i].email = nil }
            return SandboxOdoo(configuration: configuration)
        case 221:
            var configuration = configuration(recording.version)
            configuration.upgradesWebSockets = false
            return SandboxOdoo(configuration: configuration)
        default: return nil
        }
    }

    static func prepare(_ recording: Recording, _ odoo: SandboxOdoo) {
        let ids = LabIDs(recording.version)
        switch recording.number {
        case 355, 356:
            odoo.inject(SandboxFault(match: "mrp.production.write", kind: .serializationFailure))
        case 328...: odoo.withEngine { prepareLate(recording.number, &$0, ids) }
        default: odoo.withEngine { prepareEarly(recording.number, &$0, ids) }
        }
    }

    private static func prepareEarly(_ number: Int, _ engine: inout Engine, _ ids: LabIDs) {
        let is19 = engine.version.is19
        switch number {
        case 33:
            for (model, id) in [
                (Model.product, ids.component), (Model.template, ids.template - 1), (Model.bom, 12),
                (Model.workcenter, 5), (Model.quant, is19 ? 96 : 89), (Model.workorder, 6),
            ] { engine.database.setNextID(model, id) }
            engine.database.setSequence("mo.1", 24)
        case 43:
            engine.database.setNextID(Model.production, 26)
            engine.database.setNextID(Model.move, ids.move26)
            engine.now = now
        case 45:
            _ = engine.seedProduct("LABS-407133", "LAB Simple 407133", id: ids.simple)
            _ = engine.seedBOM(ids.serial, id: 13, lines: [(ids.lotPart, ExactDecimal(1))])
            _ = engine.seedBOM(ids.simple, id: 14, lines: [(ids.component, ExactDecimal(2))])
            engine.book(ExactDecimal(200), of: ids.component, at: ids.stock, lot: nil)
            engine.order(27, ids.simple, 1, released: false)
        case 53: engine.database.setNextID(Model.productivity, is19 ? 13 : 14)
        case 59: engine.database.setNextID(Model.productivity, is19 ? 15 : 16)
        case 63: engine.database.setNextID(Model.productivity, is19 ? 17 : 19)
        case 79: engine.database.setNextID(Model.consumptionWizard, 2)
        case 97: engine.database.setNextID(Model.backorderWizard, 2)
        case 132: engine.database.setNextID(Model.scrapWarning, 2)
        case 148: engine.database.setNextID(Model.pickingBackorder, 2)
        case 87: engine.order(28, ids.simple, 4, move: ids.move28)
        case 92: engine.order(29, ids.simple, 5, move: ids.move29)
        case 102: engine.order(31, ids.simple, 5, producing: 2)
        case 104:
            engine.order(33, ids.simple, 5, move: ids.move33)
            engine.set(Model.production, 33, "qty_producing", .number(ExactDecimal(2)))
        case 106: engine.order(35, ids.simple, 5, producing: 3)
        case 108: engine.order(36, ids.simple, 3, move: ids.move36)
        case 112: engine.order(37, ids.serial, 1)
        case 113: engine.database.setNextID(Model.lot, 20)
        case 115: engine.database.setNextID(Model.lot, 22)
        case 116: engine.book(ExactDecimal(10), of: ids.lotPart, at: ids.stock, lot: 20)
        case 117: engine.order(38, ids.serial, 1, move: ids.move38)
        case 121: engine.order(39, ids.serial, 1)
        case 122 where !is19:
            engine.markPicked(39)
        case 127: engine.database.setNextID(Model.scrap, 6)
        case 131: engine.scrap(7, ids, ExactDecimal(99_999))
        case 134:
            // The shortage of recording 133 was made good.
            engine.book(ExactDecimal(100_200), of: ids.component, at: ids.stock, lot: nil)
            engine.order(40, ids.simple, 2)
            engine.database.setNextID(Model.scrap, 8)
        case 136: engine.scrap(9, ids, .zero)
        case 137:
            _ = engine.seed(
                Model.location, ids.shelf,
                ["name": .text("LAB-SHELF-407133"), "usage": .text("internal"), "location_id": .link(ids.stock)])
            engine.database.setNextID(Model.picking, ids.picking)
            engine.database.setNextID(Model.move, ids.pickingMove)
        case 146: engine.transfer(ids.picking + 1, ids)
        case 151: engine.transfer(ids.picking + 3, ids, moved: 1)
        case 153: engine.transfer(ids.picking + 5, ids, moved: 1)
        case 155: engine.transfer(ids.picking + 6, ids, quantity: 0)
        case 231: engine.order(43, ids.simple, 1)
        case 232: engine.order(44, ids.simple, 1)
        case 234: engine.scrap(10, ids, ExactDecimal(1))
        case 308: engine.database.setNextID(Model.production, 45)
        case 319: engine.scrap(12, ids, ExactDecimal(1))
        default: break
        }
    }

    private static func prepareLate(_ number: Int, _ engine: inout Engine, _ ids: LabIDs) {
        let is19 = engine.version.is19
        switch number {
        case 507: engine.order(is19 ? ids.webhookOrder : 49, ids.simple, 1, released: false)
        case 521:
            engine.order(is19 ? 132 : 127, ids.simple, 1)
            engine.order(is19 ? 133 : 128, ids.serial, 1)
        case 701: engine.database.setNextID(Model.production, is19 ? 125 : 120)
        case 719: engine.order(is19 ? 130 : 125, ids.simple, 1, released: false)
        case 751: engine.order(is19 ? 134 : 129, ids.simple, 1, released: false)
        case 723 where is19: engine.order(131, ids.simple, 5)
        case 721 where !is19: engine.order(126, ids.simple, 5)
        default: break
        }
    }
}

/// Ids of the recorded laboratory's records.
struct LabIDs {
    let component: Int
    let lotPart: Int
    let serial: Int
    let simple: Int
    let template: Int
    let stock: Int
    let shelf: Int
    let move26: Int
    let move28: Int
    let move29: Int
    let move33: Int
    let move36: Int
    let move38: Int
    let picking: Int
    let pickingMove: Int
    let webhookOrder: Int

    init(_ version: SandboxVersion) {
        let is19 = version.is19
        component = is19 ? 75 : 59
        lotPart = component + 2
        serial = component + 3
        simple = component + 4
        template = is19 ? 58 : 50
        stock = is19 ? 5 : 8
        shelf = is19 ? 38 : 39
        move26 = is19 ? 172 : 146
        move28 = is19 ? 178 : 152
        move29 = is19 ? 180 : 155
        move33 = is19 ? 188 : 163
        move36 = is19 ? 194 : 169
        move38 = is19 ? 197 : 175
        picking = is19 ? 57 : 31
        pickingMove = is19 ? 211 : 190
        webhookOrder = 54
    }
}

extension Engine {
    /// A supplier's price, two purchase orders and equipment, as the recorded database had.
    fileprivate mutating func seedBought() {
        _ = seed(Model.currency, 1, ["name": .text("USD")])
        let supplier = seed(Model.partner, nil, ["name": .text("Ready Mat")])
        let product = database.ids(Model.product)[0]
        _ = seed(
            Model.supplierInfo, nil,
            [
                "partner_id": .link(supplier), "product_id": .link(product),
                "product_tmpl_id": stored(Model.product, product, "product_tmpl_id"),
            ])
        for state in ["draft", "purchase"] {
            let order = seed(
                Model.purchase, nil,
                [
                    "name": .text("P00012"), "state": .text(state), "partner_id": .link(supplier),
                    "date_order": .text(now.odoo), "date_planned": .text(now.odoo), "picking_type_id": .link(1),
                ])
            _ = seed(
                Model.purchaseLine, nil,
                ["order_id": .link(order), "product_id": .link(product), "product_qty": .number(ExactDecimal(1))])
        }
        for name in ["Internal Maintenance", "Metrology", "Subcontractor"] {
            _ = seed(Model.maintenanceTeam, nil, ["name": .text(name)])
        }
        let category = seed(Model.equipmentCategory, nil, ["name": .text("Monitors")])
        for serial in ["MT/122/11112222", "MT/125/22778837", "MT/127/18291018"] {
            _ = seed(
                Model.equipment, nil,
                [
                    "name": .text("Samsung Monitor 15\""), "serial_no": .text(serial), "category_id": .link(category),
                ])
        }
    }

    /// An order with that id, released, with `producing` set and consumed when given.
    mutating func order(
        _ id: Int, _ product: Int, _ quantity: Int, move: Int? = nil, producing: Int? = nil, released: Bool = true
    ) {
        if let move { database.setNextID(Model.move, move) }
        database.setNextID(Model.production, id)
        do throws(Raised) {
            let made = try create(Model.production, ["product_id": .init(product), "product_qty": .init(quantity)])
            if released { try confirmProduction([made]) }
        } catch {
            assertionFailure(error.message)
        }
        if let producing {
            set(Model.production, id, "qty_producing", .number(ExactDecimal(producing)))
            setQuantityProducing(id)
        }
    }

    mutating func markPicked(_ order: Int) {
        for move in links(Model.production, order, "move_raw_ids") { set(Model.move, move, "picked", .bool(true)) }
    }

    mutating func scrap(_ id: Int, _ ids: LabIDs, _ quantity: ExactDecimal) {
        _ = seed(
            Model.scrap, id,
            [
                "product_id": .link(ids.component), "scrap_qty": .number(quantity), "location_id": .link(ids.stock),
                "scrap_location_id": .optional(scrapLocation),
            ])
    }

    /// A transfer of one move, reserved, with `moved` of it picked.
    mutating func transfer(_ id: Int, _ ids: LabIDs, quantity: Int = 3, moved: Int? = nil) {
        let move = database.tables[Model.move]?.nextID ?? 0
        _ = seed(
            Model.picking, id,
            [
                "name": .text("WH/INT/P\(id)"), "picking_type_id": .link(self.ids.internalType),
                "location_id": .link(ids.stock), "location_dest_id": .link(ids.shelf),
            ])
        _ = seed(
            Model.move, move,
            [
                "name": .text("x"), "product_id": .link(ids.component),
                "product_uom_qty": .number(ExactDecimal(quantity)),
                "location_id": .link(ids.stock), "location_dest_id": .link(ids.shelf), "picking_id": .link(id),
            ])
        confirmMoves([move])
        if let moved {
            setQuantity(ofMove: move, to: ExactDecimal(moved))
            set(Model.move, move, "picked", .bool(true))
        }
    }
}
