import Bytes
import JSON

/// Products, bills of materials, lots.
extension Engine {
    /// A product comes with its template, and the other way round.
    mutating func prepareProduct(_ row: inout Row, given: JSONObject) {
        // 17 calls it `detailed_type`, and both say the same.
        if !version.is19 {
            if given.contains("detailed_type") {
                row["type"] = row["detailed_type"]
            } else if given.contains("type") {
                row["detailed_type"] = row["type"]
            }
        }
        guard row["product_tmpl_id"] ?? .empty == .empty else { return }
        var template = row
        template["product_tmpl_id"] = nil
        row["product_tmpl_id"] = .link(insert(Model.template, template))
    }

    mutating func prepareBOM(_ row: inout Row) {
        if row["product_tmpl_id"] ?? .empty == .empty, let product = row["product_id"]?.link {
            row["product_tmpl_id"] = stored(Model.product, product, "product_tmpl_id")
        }
        if row["product_uom_id"] ?? .empty == .empty, let template = row["product_tmpl_id"]?.link {
            row["product_uom_id"] = stored(Model.template, template, "uom_id")
        }
    }

    func createdBOM(_ id: Int) {}

    /// The bill that Odoo finds for a product: of the variant first, then of the template.
    func bom(for product: Int) -> Int? {
        let template = link(Model.product, product, "product_tmpl_id")
        let candidates = database.ids(Model.bom).filter {
            flag(Model.bom, $0, "active") && text(Model.bom, $0, "type") == "normal"
        }
        return candidates.first { link(Model.bom, $0, "product_id") == product }
            ?? candidates.first {
                link(Model.bom, $0, "product_id") == nil && link(Model.bom, $0, "product_tmpl_id") == template
            }
    }

    /// Lots are unique by name and product (recording 114).
    func prepareLot(_ row: inout Row) throws(Raised) {
        guard let name = row["name"]?.text, let product = row["product_id"]?.link else { return }
        for id in database.tables[Model.lot]?.holders(of: .text(name), in: "name") ?? []
        where link(Model.lot, id, "product_id") == product {
            let label = displayName(Model.product, product)
            if version.is19 {
                throw .validation(
                    "The combination of lot/serial number and product must be unique within a company including "
                        + "when no company is defined.\nThe following combinations contain duplicates:\n"
                        + " - Product: \(label), Lot/Serial Number: \(name)")
            }
            throw .validation(
                "The combination of serial number and product must be unique across a company.\nFollowing "
                    + "combination contains duplicates:\n - Product: \(label), Serial Number: \(name)")
        }
    }
}
