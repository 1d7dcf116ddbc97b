import Bytes
import JSON

/// Scrap. It has no state check: validated twice it books twice, and the record still says "done" (recordings 128 to
/// 130).
extension Engine {
    mutating func prepareScrap(_ row: inout Row) throws(Raised) {
        if row["location_id"] ?? .empty == .empty {
            if let order = row["production_id"]?.link {
                let isDone = state(Model.production, order) == "done"
                row["location_id"] = stored(Model.production, order, isDone ? "location_dest_id" : "location_src_id")
            } else if let warehouse = database.ids(Model.warehouse).first {
                row["location_id"] = stored(Model.warehouse, warehouse, "lot_stock_id")
            }
        }
        if row["scrap_location_id"] ?? .empty == .empty { row["scrap_location_id"] = .optional(scrapLocation) }
        if row["product_uom_id"] ?? .empty == .empty { row["product_uom_id"] = unit(of: row["product_id"]) }
    }

    /// `action_validate`: asks back where there is too little (recording 131).
    mutating func validateScrap(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.scrap, ids)
        for id in ids {
            let quantity = number(Model.scrap, id, "scrap_qty")
            guard quantity.isPositive else { throw .user("You can only enter positive quantities.") }
            guard let product = link(Model.scrap, id, "product_id"), let location = link(Model.scrap, id, "location_id")
            else { continue }
            var there = ExactDecimal.zero
            for quant in quants(of: product)
            where isWithin(Model.location, link(Model.quant, quant, "location_id") ?? 0, location) {
                there = there.adding(number(Model.quant, quant, "quantity"))
            }
            if there < quantity { return insufficient(id, product, location, quantity) }
        }
        return try doScrap(ids)
    }

    private func insufficient(_ id: Int, _ product: Int, _ location: Int, _ quantity: ExactDecimal) -> JSONValue {
        let unit = displayName(Model.unit, link(Model.product, product, "uom_id") ?? 0)
        return [
            "name": .string(displayName(Model.product, product) + ": Insufficient Quantity To Scrap"),
            "view_mode": "form", "res_model": .string(Model.scrapWarning),
            "view_id": JSONValue(version.is19 ? 1030 : 972), "type": "ir.actions.act_window",
            "context": [
                "default_product_id": JSONValue(product), "default_location_id": JSONValue(location),
                "default_scrap_id": JSONValue(id), "default_quantity": quantity.json,
                "default_product_uom_name": .string(unit),
            ],
            "target": "new",
        ]
    }

    mutating func doScrap(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.scrap, ids)
        for id in ids {
            guard let product = link(Model.scrap, id, "product_id"), let from = link(Model.scrap, id, "location_id"),
                let to = link(Model.scrap, id, "scrap_location_id")
            else { continue }
            if text(Model.scrap, id, "name") == "New" {
                let digits = String(database.next("scrap"))
                let name = "SP/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
                set(Model.scrap, id, "name", .text(name))
            }
            let quantity = number(Model.scrap, id, "scrap_qty")
            let lot = link(Model.scrap, id, "lot_id")
            finishMove(
                makeMove(
                    of: product, quantity, lot: lot, from: from, to: to,
                    [
                        "name": stored(Model.scrap, id, "name"), "scrap_id": .link(id),
                        "origin": stored(Model.scrap, id, "origin"),
                    ]))
            set(Model.scrap, id, ["state": .text("done"), "date_done": .text(now.odoo)])
        }
        return true
    }

    /// `stock.warn.insufficient.qty.scrap.action_done`.
    mutating func scrapAnyway(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.scrapWarning, ids)
        return try doScrap(ids.compactMap { link(Model.scrapWarning, $0, "scrap_id") })
    }
}
