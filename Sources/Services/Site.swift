/// A site (a plant) of the configuration, and what of Odoo belongs to it.
package struct Site: Sendable, Hashable {
    /// As policies and callers name it, `plant-1`.
    package var name: String
    /// `code` of its `stock.warehouse`, `WH`.
    package var warehouse: String
    /// Its work centers, by code or, where they have none, by name: Odoo assigns work centers to no warehouse.
    package var workCenters: [String]
    /// Where lots lie that are on hold, by Odoo's full name of the location, `WH/Hold`; nil where none can be held.
    package var holdLocation: String?

    package init(name: String, warehouse: String, workCenters: [String] = [], holdLocation: String? = nil) {
        self.name = name
        self.warehouse = warehouse
        self.workCenters = workCenters
        self.holdLocation = holdLocation
    }
}
