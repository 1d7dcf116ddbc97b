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

    /// Where an order takes its components from, and where what it makes goes.
    package static func places(_ moves: [Int]) -> OdooCall {
        .read(
            ComponentMoveRecord.model, ids: moves, fields: ["product_id", "location_id", "location_dest_id", "state"])
    }
}

/// What a move takes, from where to where.
package struct MovePlace: Hashable, Sendable {
    package let id: Int
    package let product: OdooReference
    package let from: Int
    package let to: Int
    package let state: String

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        guard let product = try record.reference("product_id"), let from = try record.reference("location_id"),
            let to = try record.reference("location_dest_id")
        else { throw OdooShapeError(field: "location_id", expected: "a many2one value") }
        self.product = product
        self.from = from.id
        self.to = to.id
        state = try record.text("state")
    }

    /// Nothing will happen to it any more.
    package var isClosed: Bool { state == "done" || state == "cancel" }
}
