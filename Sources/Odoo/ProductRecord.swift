import Bytes
import JSON

/// A `product.product`: one variant, what stock and orders refer to.
package struct ProductRecord: Hashable, Sendable {
    package let id: Int
    /// `default_code`, the internal reference.
    package let code: String?
    package let name: String
    package let barcode: String?
    package let unit: OdooReference?
    /// `none`, `lot` or `serial`.
    package let tracking: String
    package let changed: WallInstant?

    package static let model = "product.product"
    static let fields = ["id", "default_code", "display_name", "barcode", "uom_id", "tracking", "write_date"]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        code = try record.string("default_code")
        name = try record.text("display_name")
        barcode = try record.string("barcode")
        unit = try record.reference("uom_id")
        tracking = try record.text("tracking")
        changed = try record.instant("write_date")
    }

    /// Products by internal reference and by whether their stock is counted (recordings 015, 301).
    package static func search(
        code: String? = nil, storableOnly: Bool = false, on version: OdooVersion, page: OdooPage
    ) -> OdooCall {
        var domain: [JSONValue] = []
        if let code { domain.append(["default_code", "=", .string(code)]) }
        if storableOnly { domain.append(version.storableCondition) }
        return page.call(model, domain: domain, fields: fields)
    }

    package static func read(_ ids: [Int]) -> OdooCall { .read(model, ids: ids, fields: fields) }
}
