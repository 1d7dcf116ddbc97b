import JSON
import Odoo

/// A product in the words of the contract.
enum ProductView {
    static func json(_ product: ProductRecord) -> JSONValue {
        [
            "id": JSONValue(product.id), "code": text(product.code), "name": .string(name(of: product)),
            "barcode": text(product.barcode), "unit": .string(product.unit?.name ?? ""),
            "tracking": .string(product.tracking), "changed_at": product.changed.map { .string($0.rfc3339) } ?? .null,
        ]
    }

    /// Odoo's display name without the code that stands in brackets before it.
    static func name(of product: ProductRecord) -> String {
        guard let code = product.code else { return product.name }
        let prefix = "[\(code)] "
        return product.name.hasPrefix(prefix) ? String(product.name.dropFirst(prefix.count)) : product.name
    }

    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}

extension OdooReference {
    /// `{"id": 60, "name": "…"}`.
    var json: JSONValue { ["id": JSONValue(id), "name": .string(name)] }
}
