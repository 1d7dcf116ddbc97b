/// A site (a plant) of the configuration, and what of Odoo belongs to it.
package struct Site: Sendable, Hashable {
    /// As policies and callers name it, `plant-1`.
    package var name: String
    /// `code` of its `stock.warehouse`, `WH`.
    package var warehouse: String
    /// Its work centers, by code or, where they have none, by name: Odoo assigns work centers to no warehouse.
    package var workCenters: [String]

    package init(name: String, warehouse: String, workCenters: [String] = []) {
        self.name = name
        self.warehouse = warehouse
        self.workCenters = workCenters
    }
}
