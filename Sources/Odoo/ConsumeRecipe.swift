import Bytes
import JSON

/// Material consumption: how much of a component goes into an order, as an absolute figure on its `stock.move`
/// (recordings 108, 109, 111), and a component that the order does not have (110).
package enum ConsumeRecipe {
    /// `manual_consumption` keeps the figure when the order's quantity is set (by reading: `_set_qty_producing` leaves
    /// such moves alone).
    package static func set(_ move: Int, to quantity: ExactDecimal, on version: OdooVersion) -> OdooCall {
        .write(
            ComponentMoveRecord.model, ids: [move],
            [version.doneQuantityField: JSONValue(quantity), "picked": true, "manual_consumption": true])
    }

    package static func extra(
        order: Int, product: Int, name: String, quantity: ExactDecimal, from: Int, to: Int, on version: OdooVersion
    ) -> [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("raw_material_production_id/.id", JSONValue(order)), ("product_id/.id", JSONValue(product)),
            ("product_uom_qty", JSONValue(quantity)), ("location_id/.id", JSONValue(from)),
            ("location_dest_id/.id", JSONValue(to)),
        ]
        if version.major < 19 { row.append(("name", .string(name))) }
        return row
    }

    /// Where an order takes its components from, and where what it consumes goes.
    package static func places(_ moves: [Int]) -> OdooCall {
        .read(ComponentMoveRecord.model, ids: moves, fields: ["location_id", "location_dest_id"])
    }
}
