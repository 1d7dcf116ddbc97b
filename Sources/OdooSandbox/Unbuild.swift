import Bytes
import JSON

/// Unbuild orders. Like scrap they have no state check: validated twice they book twice (by reading: `mrp_unbuild.py`).
extension Engine {
    mutating func prepareUnbuild(_ row: inout Row) {
        let digits = String(database.next("unbuild"))
        row["name"] = .text("UB/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits)
        if let order = row["mo_id"]?.link {
            for field in ["product_id", "bom_id", "product_uom_id"] where row[field] ?? .empty == .empty {
                row[field] = stored(Model.production, order, field)
            }
        }
    }

    mutating func validateUnbuild(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.unbuild, ids)
        for id in ids {
            guard let product = link(Model.unbuild, id, "product_id"),
                let place = link(Model.unbuild, id, "location_id")
            else { continue }
            let quantity = number(Model.unbuild, id, "product_qty")
            let lot = link(Model.unbuild, id, "lot_id")
            let there = quants(of: product)
                .filter { link(Model.quant, $0, "location_id") == place && link(Model.quant, $0, "lot_id") == lot }
                .reduce(ExactDecimal.zero) { $0.adding(availableQuantity(ofQuant: $1)) }
            if there < quantity {
                return [
                    "name": .string(displayName(Model.product, product) + ": Insufficient Quantity To Unbuild"),
                    "view_mode": "form", "res_model": "stock.warn.insufficient.qty.unbuild",
                    "type": "ir.actions.act_window", "target": "new",
                    "context": ["default_unbuild_id": JSONValue(id), "default_quantity": quantity.json],
                ]
            }
            try unbuild(id, product, quantity, at: place, lot)
        }
        return true
    }

    private mutating func unbuild(
        _ id: Int, _ product: Int, _ quantity: ExactDecimal, at place: Int, _ lot: Int?
    ) throws(Raised) {
        if text(Model.product, product, "tracking") != "none", lot == nil {
            throw .user("You should provide a lot number for the final product.")
        }
        guard let order = link(Model.unbuild, id, "mo_id"), state(Model.production, order) == "done" else {
            throw .user("You cannot unbuild a undone manufacturing order.")
        }
        let whole = number(Model.production, order, "product_qty")
        let production = location(usage: "production") ?? 0
        let back = link(Model.unbuild, id, "location_dest_id") ?? place
        book(quantity.negated, of: product, at: place, lot: lot)
        book(quantity, of: product, at: production, lot: lot)
        for move in links(Model.production, order, "move_raw_ids") where state(Model.move, move) == "done" {
            for line in lines(move) {
                guard let component = link(Model.moveLine, line, "product_id") else { continue }
                let share = number(Model.moveLine, line, "quantity").share(quantity, of: whole)
                let its = link(Model.moveLine, line, "lot_id")
                book(share.negated, of: component, at: production, lot: its)
                book(share, of: component, at: back, lot: its)
            }
        }
        set(Model.unbuild, id, ["state": .text("done")])
    }
}
