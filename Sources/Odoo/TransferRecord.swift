import Bytes
import JSON

/// A `stock.picking`: a receipt, a delivery or a transfer between our own places.
package struct TransferRecord: Hashable, Sendable {
    package let id: Int
    package let name: String
    /// `draft`, `waiting`, `confirmed`, `assigned`, `done`, `cancel`.
    package let state: String
    package let type: OdooReference?
    package let source: OdooReference
    package let destination: OdooReference
    package let origin: String?
    package let moves: [Int]
    package let finish: WallInstant?

    package static let model = "stock.picking"
    package static let fields = [
        "id", "name", "state", "picking_type_id", "location_id", "location_dest_id", "origin", "move_ids", "date_done",
    ]

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        state = try record.text("state")
        type = try record.reference("picking_type_id")
        guard let source = try record.reference("location_id"),
            let destination = try record.reference("location_dest_id")
        else { throw OdooShapeError(field: "location_id", expected: "a many2one value") }
        self.source = source
        self.destination = destination
        origin = try record.string("origin")
        moves = try record.ids("move_ids")
        finish = try record.instant("date_done")
    }

    package static func read(_ ids: [Int]) -> OdooCall { .read(model, ids: ids, fields: fields) }
}

/// Transfers, step by step (recordings 137 to 155).
package enum TransferRecipe {
    /// The transfer itself, for `load`, without its line: lines in the same row would be added again by a repetition.
    package static func row(
        type: Int, from: Int, to: Int, origin: String?
    ) -> [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("picking_type_id/.id", JSONValue(type)), ("location_id/.id", JSONValue(from)),
            ("location_dest_id/.id", JSONValue(to)),
        ]
        if let origin { row.append(("origin", .string(origin))) }
        return row
    }

    /// Its line; 17 wants a description (recording 17/137).
    package static func line(
        transfer: Int, product: Int, name: String, quantity: ExactDecimal, from: Int, to: Int, on version: OdooVersion
    ) -> [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("picking_id/.id", JSONValue(transfer)), ("product_id/.id", JSONValue(product)),
            ("product_uom_qty", JSONValue(quantity)), ("location_id/.id", JSONValue(from)),
            ("location_dest_id/.id", JSONValue(to)),
        ]
        if version.major < 19 { row.append(("name", .string(name))) }
        return row
    }

    /// Confirms and reserves: both do nothing the second time (138 to 140).
    package static func assign(_ id: Int) -> OdooCall { .button(TransferRecord.model, "action_assign", ids: [id]) }
    package static func confirm(_ id: Int) -> OdooCall { .button(TransferRecord.model, "action_confirm", ids: [id]) }

    /// The effect. `skip_backorder` makes the rest a transfer of its own, unless told otherwise (151 to 154). Done
    /// again 19 says true, 17 refuses (144).
    package static func validate(_ id: Int, keepsRest: Bool) -> OdooCall {
        var context: JSONObject = ["skip_backorder": true]
        if !keepsRest { context["picking_ids_not_to_backorder"] = [JSONValue(id)] }
        return .button(TransferRecord.model, "button_validate", ids: [id], context: context)
    }

    /// The transfer that took over the rest (152).
    package static func backorders(of id: Int) -> OdooCall {
        .searchRead(
            TransferRecord.model, domain: [["backorder_id", "=", JSONValue(id)]], fields: TransferRecord.fields,
            limit: 2, order: "id desc")
    }

    /// What is moved of a line; absolute (146).
    package static func set(_ move: Int, to quantity: ExactDecimal, on version: OdooVersion) -> OdooCall {
        .write(
            ComponentMoveRecord.model, ids: [move],
            [version.doneQuantityField: JSONValue(quantity), "picked": true])
    }
}
