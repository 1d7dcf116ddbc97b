import Bytes
import JSON
import Odoo
import Testing

@testable import OdooSandbox
@testable import Services

extension WriteScene {
    /// Products that are told apart by lot, by-products, and what is taken apart again.
    static let lots: [WriteScene] = [
        WriteScene(
            name: "confirm a lot made of lots", prepare: { $0.paint() },
            path: { "/v1/production-orders/\($0)/confirm" },
            body: """
                {"quantity": 3, "lot": "P-1", "by_products": [{"product": PRODUCT(SLUDGE), "quantity": 7}],
                 "components": [{"product": PRODUCT(PIGMENT), "lots": [{"lot": "B", "quantity": 3}]}]}
                """, effect: "mrp.production.button_mark_done",
            figure: { plant, _ in
                let paint = try await plant.lying("PAINT", plant.stockPlace)
                let sludge = try await plant.lying("SLUDGE", plant.stockPlace)
                return ((paint * ExactDecimal(100)) ?? .zero) + sludge ?? .zero
            }, change: ExactDecimal(307)),
        WriteScene(
            name: "consume by lot", prepare: { $0.paint() }, path: { "/v1/production-orders/\($0)/consume" },
            body: """
                {"product_code": "PIGMENT", "quantity": 4,
                 "lots": [{"lot": "A", "quantity": 1}, {"lot": "B", "quantity": 3}]}
                """, effect: "stock.move.write",
            figure: { plant, _ in
                let lot = try await plant.first("stock.lot", [["name", "=", "B"]])
                return try await plant.count(
                    "stock.move.line", [["lot_id", "=", .init(lot)], ["quantity", "=", 3]])
            }),
        WriteScene(
            name: "take a product apart",
            prepare: { plant in
                let id = try await plant.order("VALVE-20", "released")
                _ = try await plant.confirm(id, #"{"quantity": 5}"#, key: "made")
                return id
            },
            path: { "/v1/production-orders/\($0)/unbuild" }, body: #"{"quantity": 2}"#,
            effect: "mrp.unbuild.action_validate",
            figure: { plant, _ in try await plant.stock("VALVE-20", "plant-1") }, change: ExactDecimal(-2)),
    ]

    static let upkeep: [WriteScene] = [
        WriteScene(
            name: "request maintenance", path: { _ in "/v1/maintenance-requests" },
            body: #"{"title": "Leaks", "priority": "high", "equipment": 2, "description": "a & b", "site": "plant-1"}"#,
            effect: "maintenance.request.load",
            figure: { plant, _ in
                try await plant.count(
                    "maintenance.request",
                    [["name", "=", "Leaks"], ["priority", "=", "3"], ["equipment_id", "=", 2]])
            }),
        WriteScene(
            name: "close a maintenance request",
            prepare: { plant in
                let made = try await plant.bench.send(
                    "POST", "/v1/maintenance-requests", #"{"title": "Leaks", "site": "plant-1"}"#, key: "asked")
                return try made.json["id"]?.int.unwrapped() ?? 0
            },
            path: { "/v1/maintenance-requests/\($0)/close" }, body: "{}", effect: "maintenance.request.write",
            figure: { plant, id in
                try await plant.count("maintenance.request", [["id", "=", .init(id)], ["close_date", "!=", false]])
            }),
    ]
}

extension Plant {
    /// An order over 4 `PAINT`, which has lots, of 1 `PIGMENT` each, with 5 in lot A and 5 in lot B, and of 2 `WATER`;
    /// with 2 `SLUDGE` each as a by-product.
    func paint(tracking: String = "lot") -> Int {
        var order = 0
        odoo.sandbox.withEngine { engine in
            let pigment = engine.seedProduct("PIGMENT", "Pigment", tracking: "lot")
            let water = engine.seedProduct("WATER", "Water")
            let sludge = engine.seedProduct("SLUDGE", "Sludge")
            let paint = engine.seedProduct("PAINT", "Paint", tracking: tracking)
            for name in ["A", "B"] {
                let lot = engine.insert(Model.lot, ["name": .text(name), "product_id": .link(pigment)])
                engine.book(ExactDecimal(5), of: pigment, at: engine.ids.stock, lot: lot)
            }
            engine.book(ExactDecimal(100), of: water, at: engine.ids.stock, lot: nil)
            let bom = engine.seedBOM(
                paint, lines: [(pigment, ExactDecimal(1)), (water, ExactDecimal(2))],
                byproducts: [(sludge, ExactDecimal(2))])
            engine.seedOrder(paint, bom, 4, at: engine.ids.manufacturing, released: true)
            order = engine.database.ids(Model.production).last ?? 0
        }
        return order
    }

    /// On hand of a lot.
    func lying(lot: String) -> ExactDecimal {
        var sum = ExactDecimal.zero
        odoo.sandbox.withEngine { engine in
            for id in engine.database.ids(Model.lot) where engine.text(Model.lot, id, "name") == lot {
                sum = sum.adding(engine.onHand(lot: id))
            }
        }
        return sum
    }
}
