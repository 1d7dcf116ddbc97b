import JSON

/// A `stock.picking.type`: an operation type. A production order has one of code `mrp_operation`, and belongs through
/// it to a warehouse.
package struct PickingTypeRecord: Hashable, Sendable {
    package let id: Int
    package let name: String
    /// `incoming`, `outgoing`, `internal`, `mrp_operation`, …
    package let code: String
    /// Nil on types that no warehouse owns.
    package let warehouse: OdooReference?

    package static let model = "stock.picking.type"
    static let fields = ["id", "name", "code", "warehouse_id"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        code = try record.text("code")
        warehouse = try record.reference("warehouse_id")
    }

    /// All operation types the user may see (recording 027).
    package static let search: OdooCall = .searchRead(
        model, domain: [], fields: fields, limit: OdooPage.limitMax, order: "id")
}
