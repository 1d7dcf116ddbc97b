import Bytes
import JSON

/// A `stock.move` of a production order, as a confirmation needs it.
package struct ComponentMoveRecord: Hashable, Sendable {
    package let id: Int
    package let product: OdooReference
    /// `product_uom_qty`: demand for the whole order.
    package let demand: ExactDecimal
    /// `quantity`: reserved, or once `picked` the quantity that will be booked.
    package let quantity: ExactDecimal
    /// Only a picked quantity is booked. (Recording 105: a move that is not picked is cancelled, without a word.)
    package let picked: Bool
    package let state: String
    /// The bill of materials wants this component's quantity entered by hand.
    package let manualConsumption: Bool
    /// What `qty_producing` calls for, by Odoo's own rounding to the move's unit; follows a write of `qty_producing` at
    /// once (recordings 17/093, 19/094).
    package let shouldConsume: ExactDecimal

    package static let model = "stock.move"
    static let fields = [
        "product_id", "product_uom_qty", "quantity", "picked", "state", "manual_consumption", "should_consume_qty",
    ]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        guard let product = try record.reference("product_id") else {
            throw OdooShapeError(field: "product_id", expected: "a many2one value")
        }
        self.product = product
        demand = try record.quantity("product_uom_qty")
        quantity = try record.quantity("quantity")
        picked = try record.bool("picked")
        state = try record.text("state")
        manualConsumption = try record.bool("manual_consumption")
        shouldConsume = try record.quantity("should_consume_qty")
    }

    package static func list(_ result: JSONValue?) throws(OdooShapeError) -> [ComponentMoveRecord] {
        var moves: [ComponentMoveRecord] = []
        for record in try OdooRecord.list(result) { moves.append(try ComponentMoveRecord(record)) }
        return moves
    }

    /// Recording 051.
    package static func read(_ ids: [Int]) -> OdooCall { .read(model, ids: ids, fields: fields) }

    /// Nothing will happen to it any more.
    package var isClosed: Bool { state == "done" || state == "cancel" }
}
