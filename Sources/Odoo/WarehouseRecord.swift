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
    /// The operation type of its internal transfers, which is archived where storage locations or more steps than one
    /// were never turned on: a search for types does not find it then. Other types of code `internal` are steps of
    /// receipts and deliveries.
    package let internalType: OdooReference?

    package static let model = "stock.warehouse"
    static let fields = ["id", "name", "code", "company_id", "lot_stock_id", "int_type_id"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        code = try record.text("code")
        company = try record.reference("company_id")
        stock = try record.reference("lot_stock_id")
        internalType = try record.reference("int_type_id")
    }

    /// All warehouses the user may see.
    package static let search: OdooCall = .searchRead(
        model, domain: [], fields: fields, limit: OdooPage.limitMax, order: "id")
}
