import Bytes
import Foundation
import JSON
import Odoo
import Testing

@testable import OdooSandbox
@testable import Services

extension WriteScene {
    static let warehouse: [WriteScene] = [
        WriteScene(
            name: "consume a component", prepare: { try await $0.order("VALVE-20", "released") },
            path: { "/v1/production-orders/\($0)/consume" }, body: #"{"product_code": "SEAL-20", "quantity": 101}"#,
            effect: "stock.move.write",
            figure: { plant, id in
                try await plant.count(
                    "stock.move",
                    [
                        ["raw_material_production_id", "=", .init(id)], ["quantity", "=", 101], ["picked", "=", true],
                    ])
            }),
        WriteScene(
            name: "consume in addition", prepare: { try await $0.order("VALVE-20", "released") },
            path: { "/v1/production-orders/\($0)/consume" },
            body: #"{"product_code": "SCREW-M6", "quantity": 2, "extra": true}"#, effect: "stock.move.load",
            figure: { plant, id in
                let screw = try await plant.first("product.product", [["default_code", "=", "SCREW-M6"]])
                return try await plant.count(
                    "stock.move", [["raw_material_production_id", "=", .init(id)], ["product_id", "=", .init(screw)]])
            }),
        WriteScene(
            name: "reserve components", prepare: { $0.unreserved() }, path: { "/v1/production-orders/\($0)/reserve" },
            effect: "mrp.production.action_assign",
            figure: { plant, id in
                try await plant.count(
                    "mrp.production", [["id", "=", .init(id)], ["reservation_state", "=", "assigned"]])
            }),
        WriteScene(
            name: "move goods", prepare: { plant in plant.shelf() }, path: { _ in "/v1/transfers" },
            body: #"{"from": FROM, "to": TO, "product_code": "SCREW-M6", "quantity": 3}"#,
            effect: "stock.picking.button_validate", figure: { plant, id in try await plant.lying("SCREW-M6", id) },
            change: ExactDecimal(3)),
        WriteScene(
            name: "validate a part of a transfer",
            prepare: { plant in
                let shelf = plant.shelf()
                let places = #""from": \#(plant.stockPlace), "to": \#(shelf)"#
                let made = try await plant.bench.send(
                    "POST", "/v1/transfers",
                    "{\(places), " + #""product_code": "SCREW-M6", "quantity": 5, "complete": false}"#, key: "planned")
                return try made.json["id"]?.int.unwrapped() ?? 0
            },
            path: { "/v1/transfers/\($0)/validate" }, body: #"{"lines": [{"product": SCREW, "quantity": 2}]}"#,
            effect: "stock.picking.button_validate",
            figure: { plant, id in
                try await plant.count(
                    "stock.picking", [["backorder_id", "=", .init(id)], ["state", "=", "assigned"]])
            }),
        WriteScene(
            name: "count stock", path: { _ in "/v1/inventory/counts" },
            body: #"{"product_code": "LEG-STEEL", "quantity": 99990, "site": "plant-1"}"#,
            effect: "stock.quant.action_apply_inventory",
            figure: { plant, _ in try await plant.stock("LEG-STEEL", "plant-1") }, change: ExactDecimal(-10)),
        WriteScene(
            name: "create a lot", prepare: { $0.tracked() }, path: { _ in "/v1/lots" },
            body: #"{"product_code": "LOTTED", "name": "L-1", "site": "plant-1"}"#, effect: "stock.lot.load",
            figure: { plant, _ in try await plant.count("stock.lot", [["name", "=", "L-1"]]) }),
    ]
}

extension Plant {
    /// A released order whose components came after its release.
    func unreserved() -> Int {
        var order = 0
        odoo.sandbox.withEngine { engine in
            let glue = engine.seedProduct("GLUE", "Glue")
            let kit = engine.seedProduct("KIT", "Kit")
            let bom = engine.seedBOM(kit, lines: [(glue, ExactDecimal(2))])
            engine.seedOrder(kit, bom, 4, at: engine.ids.manufacturing, released: true)
            order = engine.database.ids(Model.production).last ?? 0
            engine.book(ExactDecimal(100), of: glue, at: engine.ids.stock, lot: nil)
        }
        return order
    }

    var stockPlace: Int { odoo.sandbox.configuration.version == .v19 ? 5 : 8 }

    /// `PRODUCT(CODE)` becomes the product's id.
    private func named(_ body: String) -> String {
        var parts = body.components(separatedBy: "PRODUCT(")
        var filled = parts.removeFirst()
        for part in parts {
            let code = part.prefix { $0 != ")" }
            filled += "\(product(String(code)))" + part.dropFirst(code.count + 1)
        }
        return filled
    }

    /// Looked up in the sandbox itself: also while Odoo is away.
    func product(_ code: String) -> Int {
        var found = 0
        odoo.sandbox.withEngine { engine in
            let products = engine.database.tables["product.product"]?.rows.keys.sorted() ?? []
            found = products.first { engine.text("product.product", $0, "default_code") == code } ?? 0
        }
        return found
    }

    /// A shelf in the stock of plant 1.
    ///
    /// The type of internal transfers is archived, as in an Odoo where storage locations were never turned on.
    func shelf() -> Int {
        var id = 0
        odoo.sandbox.withEngine { engine in
            engine.set(Model.pickingType, engine.ids.internalType, "active", .bool(false))
            id = engine.seed(
                Model.location, 90,
                ["name": .text("Shelf"), "usage": .text("internal"), "location_id": .link(engine.ids.stock)])
        }
        return id
    }

    /// A product that is told apart by lots.
    func tracked() -> Int {
        var id = 0
        odoo.sandbox.withEngine { id = $0.seedProduct("LOTTED", "Lotted", tracking: "lot") }
        return id
    }

    /// What lies in one place.
    func lying(_ code: String, _ place: Int) async throws -> ExactDecimal {
        let product = try await first("product.product", [["default_code", "=", .string(code)]])
        let found = try await odoo.call(
            .searchRead(
                "stock.quant", domain: [["product_id", "=", .init(product)], ["location_id", "=", .init(place)]],
                fields: ["quantity"]), admission: .realtime, deadline: nil)
        return found?[0]?["quantity"]?.decimal ?? .zero
    }

    /// The body of a scene with the ids of this plant.
    func filled(_ body: String, _ id: Int) -> String {
        let body = named(body).replacing("ORDER", with: "\(id)")
        guard body.contains("FROM") || body.contains("SCREW}") || body.contains("SCREW,") else { return body }
        // Looked up in the sandbox itself: the body is made also while Odoo is away.
        var screw = 0
        odoo.sandbox.withEngine { engine in
            let products = engine.database.tables["product.product"]?.rows.keys.sorted() ?? []
            screw = products.first { engine.text("product.product", $0, "default_code") == "SCREW-M6" } ?? 0
        }
        return body.replacing("FROM", with: "\(stockPlace)").replacing("TO", with: "\(id)")
            .replacing("SCREW,", with: "\(screw),")
    }
}
