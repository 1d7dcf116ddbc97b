import JSON

/// A `stock.warehouse`: a site, as far as Odoo knows sites.
package struct WarehouseRecord: Hashable, Sendable {
    package let id: Int
    package let name: String
    /// The short name, `WH`, which begins the names of its orders.
    package let code: String
    package let company: OdooReference?
    /// The location that holds its stock.
    package let stock: OdooReference?

    package static let model = "stock.warehouse"
    static let fields = ["id", "name", "code", "company_id", "lot_stock_id"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        code = try record.text("code")
        company = try record.reference("company_id")
        stock = try record.reference("lot_stock_id")
    }

    /// All warehouses the user may see.
    package static let search: OdooCall = .searchRead(
        model, domain: [], fields: fields, limit: OdooPage.limitMax, order: "id")
}
