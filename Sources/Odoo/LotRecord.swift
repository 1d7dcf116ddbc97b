import Bytes
import JSON

/// A `stock.lot`: a lot, or one piece with a serial number.
package struct LotRecord: Hashable, Sendable {
    package let id: Int
    package let name: String
    package let product: OdooReference
    /// On hand in all.
    package let quantity: ExactDecimal
    /// Where all of it lies; nil when it lies in several places or in none.
    package let location: OdooReference?
    package let reference: String?
    package let changed: WallInstant?

    package static let model = "stock.lot"
    static let fields = ["id", "name", "product_id", "product_qty", "location_id", "ref", "write_date"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        guard let product = try record.reference("product_id") else {
            throw OdooShapeError(field: "product_id", expected: "a many2one value")
        }
        self.product = product
        quantity = try record.quantity("product_qty")
        location = try record.reference("location_id")
        reference = try record.string("ref")
        changed = try record.instant("write_date")
    }

    package static func read(_ ids: [Int]) -> OdooCall { .read(model, ids: ids, fields: fields) }

    /// Recording 116.
    package static func search(name: String? = nil, product: Int? = nil, page: OdooPage) -> OdooCall {
        var domain: [JSONValue] = []
        if let name { domain.append(["name", "=", .string(name)]) }
        if let product { domain.append(["product_id", "=", JSONValue(product)]) }
        return page.call(model, domain: domain, fields: fields)
    }

    /// The fields of a new one, for `load`; 17 wants the company (recording 17/113).
    package static func row(
        name: String, product: Int, company: Int?, on version: OdooVersion
    ) -> [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("name", .string(name)), ("product_id/.id", JSONValue(product)),
        ]
        if let company, version.major < 18 { row.append(("company_id/.id", JSONValue(company))) }
        return row
    }
}
