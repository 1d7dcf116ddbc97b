import Bytes
import JSON

/// Takes apart what an order has made: an `mrp.unbuild`, made through `load`, then `action_validate`, which like scrap has
/// no check of the state and books a second time. (By reading, `mrp_unbuild.py` of 16 to 19; not recorded.)
package struct UnbuildRecipe: Hashable, Sendable {
    package var order: ProductionOrderRecord
    package var quantity: ExactDecimal
    /// Where the product lies.
    package var from: Int
    /// Where the components go.
    package var to: Int
    package var lot: Int?

    package static let model = "mrp.unbuild"

    package init(order: ProductionOrderRecord, quantity: ExactDecimal, from: Int, to: Int, lot: Int? = nil) {
        self.order = order
        self.quantity = quantity
        self.from = from
        self.to = to
        self.lot = lot
    }

    package var row: [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("mo_id/.id", JSONValue(order.id)), ("product_id/.id", JSONValue(order.product.id)),
            ("product_qty", JSONValue(quantity)), ("location_id/.id", JSONValue(from)),
            ("location_dest_id/.id", JSONValue(to)),
        ]
        if let bom = order.billOfMaterials { row.append(("bom_id/.id", JSONValue(bom.id))) }
        if let unit = order.unit { row.append(("product_uom_id/.id", JSONValue(unit.id))) }
        if let lot { row.append(("lot_id/.id", JSONValue(lot))) }
        return row
    }

    package static func validate(_ id: Int) -> OdooCall { .button(model, "action_validate", ids: [id]) }

    package static func read(_ id: Int) -> OdooCall {
        .read(model, ids: [id], fields: ["name", "state", "product_qty"])
    }

    /// What was taken apart of an order already.
    package static func done(of order: Int) -> OdooCall {
        .searchRead(
            model, domain: [["mo_id", "=", JSONValue(order)], ["state", "=", "done"]], fields: ["product_qty"],
            limit: OdooPage.limitMax)
    }
}
