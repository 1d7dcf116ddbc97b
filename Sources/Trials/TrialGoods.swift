import JSON
import Odoo

/// What a trial works with, made anew for each run, under names that no other run has.
struct TrialGoods: Sendable {
    /// The first warehouse, which is the trial's site.
    let warehouse: WarehouseRecord
    let stock: Int
    /// A place inside the stock.
    let shelf: Int
    /// A place beside the stock, for what is on hold, and its full name.
    let hold: (id: Int, name: String)
    /// Counted, without lots: the component of both products.
    let component: Int
    let lotted: Int
    /// Made of two components, without operations.
    let plain: Int
    /// Made of two components in two operations.
    let worked: Int
    /// Where the operation is done, and one that may stand still.
    let workCenter: (id: Int, code: String)
    let spare: (id: Int, code: String)

    static func make(_ plant: TrialPlant) async throws(TrialFailure) -> TrialGoods {
        let run = plant.run
        let found = try await plant.odoo(WarehouseRecord.search)
        guard let record = found?[0] else { throw TrialFailure("there is no warehouse, or this user sees none") }
        let warehouse: WarehouseRecord
        do throws(OdooShapeError) {
            warehouse = try WarehouseRecord(OdooRecord(record))
        } catch {
            throw TrialFailure("\(error)")
        }
        guard let stock = warehouse.stock?.id else { throw TrialFailure("the warehouse has no stock location") }
        func product(_ name: String, tracking: String = "none") async throws(TrialFailure) -> Int {
            var values: JSONObject = [
                "name": .string("Trial \(name) \(run)"), "default_code": .string("TRIAL-\(run)-\(name)"),
                "tracking": .string(tracking), "type": "consu",
            ]
            // Whether stock is counted is said otherwise since 18.
            if plant.version.major >= 18 {
                values["is_storable"] = true
            } else {
                values["type"] = "product"
                values["detailed_type"] = "product"
            }
            return try await plant.create("product.product", values)
        }
        func center(_ name: String) async throws(TrialFailure) -> (id: Int, code: String) {
            let code = "TRIAL-\(run)-\(name)"
            return (try await plant.create("mrp.workcenter", ["name": .string(code), "code": .string(code)]), code)
        }
        let component = try await product("COMPONENT")
        let workCenter = try await center("W")
        /// A product with a bill of materials, and the operations that are named.
        func made(_ name: String, operations: [String] = []) async throws(TrialFailure) -> Int {
            let id = try await product(name)
            let read = try await plant.odoo(.read("product.product", ids: [id], fields: ["product_tmpl_id"]))
            guard let template = read?[0]?["product_tmpl_id"]?[0] else {
                throw TrialFailure("a product has no template")
            }
            let bill = try await plant.create("mrp.bom", ["product_tmpl_id": template, "product_qty": 1])
            _ = try await plant.create(
                "mrp.bom.line",
                ["bom_id": JSONValue(bill), "product_id": JSONValue(component), "product_qty": 2])
            for operation in operations {
                _ = try await plant.create(
                    "mrp.routing.workcenter",
                    [
                        "name": .string(operation), "bom_id": JSONValue(bill),
                        "workcenter_id": JSONValue(workCenter.id), "time_cycle_manual": 5,
                    ])
            }
            return id
        }
        let parents = try await plant.odoo(.read("stock.location", ids: [stock], fields: ["location_id"]))
        let place = try await plant.create(
            "stock.location",
            [
                "name": .string("TRIAL-HOLD-\(run)"), "usage": "internal",
                "location_id": parents?[0]?["location_id"]?[0] ?? false,
            ])
        let places = try await plant.odoo(.read("stock.location", ids: [place], fields: ["complete_name"]))
        return TrialGoods(
            warehouse: warehouse, stock: stock,
            shelf: try await plant.create(
                "stock.location",
                ["name": .string("TRIAL-\(run)"), "usage": "internal", "location_id": JSONValue(stock)]),
            hold: (place, places?[0]?["complete_name"]?.string ?? ""), component: component,
            lotted: try await product("LOTTED", tracking: "lot"),
            plain: try await made("PLAIN"), worked: try await made("WORKED", operations: ["Work", "Check"]),
            workCenter: workCenter, spare: try await center("SPARE"))
    }
}
