/// What an operation is about to touch, as far as rules can tell resources apart.
package struct Resource: Sendable, Hashable {
    /// What rules can tell resources apart by.
    package enum Attribute: String, Sendable, CaseIterable {
        case site
        case workCenter = "work_center"
        case warehouse
        case productCategory = "product_category"
    }

    /// The plant it belongs to; nil when it belongs to none. Only rules for all sites speak of what has no site.
    package var site: String?
    /// The work center (`mrp.workcenter`) it is done at; nil when there is none.
    package var workCenter: String?
    /// The short name of the warehouse (`stock.warehouse`).
    package var warehouse: String?
    /// The complete name of the product's category (`product.category`), `All / Saleable`.
    package var productCategory: String?

    package init(
        site: String? = nil, workCenter: String? = nil, warehouse: String? = nil, productCategory: String? = nil
    ) {
        self.site = site
        self.workCenter = workCenter
        self.warehouse = warehouse
        self.productCategory = productCategory
    }
}
