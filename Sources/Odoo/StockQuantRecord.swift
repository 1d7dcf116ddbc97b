import Bytes
import JSON

/// A `stock.quant`: how much of a product lies in one place.
package struct StockQuantRecord: Hashable, Sendable {
    package let id: Int
    package let product: OdooReference
    package let location: OdooReference
    package let lot: OdooReference?
    package let quantity: ExactDecimal
    package let reserved: ExactDecimal
    /// What is neither reserved nor owed; may be negative.
    package let available: ExactDecimal

    package static let model = "stock.quant"
    static let fields = [
        "product_id", "location_id", "lot_id", "quantity", "reserved_quantity", "available_quantity",
    ]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        guard let product = try record.reference("product_id"), let location = try record.reference("location_id")
        else { throw OdooShapeError(field: "product_id", expected: "a many2one value") }
        self.product = product
        self.location = location
        lot = try record.reference("lot_id")
        quantity = try record.quantity("quantity")
        reserved = try record.quantity("reserved_quantity")
        available = try record.quantity("available_quantity")
    }

    /// Stock in our own places (`usage` internal), of some products, below a location where one is given
    /// (recording 040).
    package static func search(products: [Int], below location: Int? = nil, page: OdooPage) -> OdooCall {
        var domain: [JSONValue] = []
        switch products.count {
        case 0: break
        case 1: domain.append(["product_id", "=", JSONValue(products[0])])
        default: domain.append(["product_id", "in", .array(products.map { JSONValue($0) })])
        }
        domain.append(["location_id.usage", "=", "internal"])
        if let location { domain.append(["location_id", "child_of", JSONValue(location)]) }
        return page.call(model, domain: domain, fields: fields)
    }
}
