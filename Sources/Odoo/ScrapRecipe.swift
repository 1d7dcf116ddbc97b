import Bytes
import JSON

/// Reports scrap: a `stock.scrap`, made through `load` so that it is made once (recordings 707, 708), then
/// `action_validate`, which has no check of the state and books a second time (128 to 130, 234, 235): it is sent only
/// where the record is a draft.
package struct ScrapRecipe: Hashable, Sendable {
    package var product: Int
    package var quantity: ExactDecimal
    package var location: Int
    package var lot: Int?
    package var order: Int?
    /// `origin`: the reason, for people.
    package var reason: String?

    package static let model = "stock.scrap"

    package init(product: Int, quantity: ExactDecimal, location: Int) {
        self.product = product
        self.quantity = quantity
        self.location = location
    }

    package var row: [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("product_id/.id", JSONValue(product)), ("scrap_qty", JSONValue(quantity)),
            ("location_id/.id", JSONValue(location)),
        ]
        if let lot { row.append(("lot_id/.id", JSONValue(lot))) }
        if let order { row.append(("production_id/.id", JSONValue(order))) }
        if let reason { row.append(("origin", .string(reason))) }
        return row
    }

    package static func validate(_ id: Int) -> OdooCall { .button(model, "action_validate", ids: [id]) }

    /// Recording 130.
    package static func read(_ id: Int) -> OdooCall {
        .read(model, ids: [id], fields: ["name", "state", "scrap_qty", "date_done", "move_ids"])
    }
}
