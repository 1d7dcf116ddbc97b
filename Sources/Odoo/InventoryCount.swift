import Bytes
import JSON

/// A count of stock: in inventory mode `stock.quant.create` finds the quant of product, place and lot or makes one, and
/// sets what was counted; `action_apply_inventory` books the difference (recordings 038, 039). Both are absolute.
package enum InventoryCount {
    package static func count(product: Int, location: Int, lot: Int?, quantity: ExactDecimal) -> OdooCall {
        var values: JSONObject = [
            "product_id": JSONValue(product), "location_id": JSONValue(location),
            "inventory_quantity": JSONValue(quantity),
        ]
        if let lot { values["lot_id"] = JSONValue(lot) }
        return OdooCall(
            model: StockQuantRecord.model, method: "create",
            positional: [OdooCall.Argument("vals_list", [.object(values)])], context: ["inventory_mode": true])
    }

    package static func apply(_ quant: Int) -> OdooCall {
        .button(StockQuantRecord.model, "action_apply_inventory", ids: [quant])
    }
}
