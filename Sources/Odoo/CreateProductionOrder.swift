import Bytes
import JSON

/// Creates a production order, once: through `load` with an external id, which finds the order when it is repeated
/// (recordings 709, 710), where `create` would make a second one.
///
/// Repeating also writes the fields again. So the call is repeated only while its own operation is unsettled: nobody
/// else knows the order yet.
package struct CreateProductionOrder: Hashable, Sendable {
    package var externalID: OdooExternalID
    package var product: Int
    /// In the product's unit.
    package var quantity: ExactDecimal
    /// Nil lets Odoo choose.
    package var billOfMaterials: Int?
    /// Nil means now.
    package var start: WallInstant?
    package var deadline: WallInstant?
    package var origin: String?
    /// The operation type, hence the warehouse; nil for the company's first.
    package var pickingType: Int?

    package init(externalID: OdooExternalID, product: Int, quantity: ExactDecimal) {
        self.externalID = externalID
        self.product = product
        self.quantity = quantity
    }

    /// The call, to be repeated while `OdooLoadOutcome` says `again`, and after any fault: it is idempotent.
    package func call(on version: OdooVersion) throws(RecipeRefusal) -> OdooCall {
        guard version.hasWritingRecipes else { throw .unsupportedVersion(version) }
        guard !quantity.isNegative, !quantity.isZero else { throw .quantityNotPositive }
        var row: [(field: String, value: JSONValue)] = [
            ("id", .string(externalID.description)), ("product_id/.id", JSONValue(product)),
            ("product_qty", JSONValue(quantity)),
        ]
        if let billOfMaterials { row.append(("bom_id/.id", JSONValue(billOfMaterials))) }
        if let origin, !origin.isEmpty { row.append(("origin", .string(origin))) }
        if let start { row.append(("date_start", .string(start.odoo))) }
        if let deadline { row.append(("date_deadline", .string(deadline.odoo))) }
        if let pickingType { row.append(("picking_type_id/.id", JSONValue(pickingType))) }
        return .load(ProductionOrderRecord.model, fields: row.map(\.field), rows: [row.map(\.value)])
    }
}
