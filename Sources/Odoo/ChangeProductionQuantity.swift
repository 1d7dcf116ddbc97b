import Bytes
import JSON

/// Changes what a released order is for, with its components: the wizard `change.production.qty`, because a plain
/// `write` of `product_qty` is accepted in any state and changes nothing else (recording 084).
package enum ChangeProductionQuantity {
    /// The wizard, which is transient: to make it does no harm (recordings 17/721, 19/723).
    package static func wizard(order: Int, quantity: ExactDecimal) -> OdooCall {
        .create("change.production.qty", [["mo_id": JSONValue(order), "product_qty": JSONValue(quantity)]])
    }

    /// The effect; absolute, the new quantity.
    package static func apply(_ wizard: Int) -> OdooCall {
        .button("change.production.qty", "change_prod_qty", ids: [wizard])
    }

    /// The id in an answer of `create`: a list with one element, or the id itself.
    package static func id(_ result: JSONValue?) throws(OdooShapeError) -> Int {
        guard let id = result?.int ?? result?[0]?.int, id > 0 else {
            throw OdooShapeError(field: "", expected: "the id of a new record")
        }
        return id
    }
}
