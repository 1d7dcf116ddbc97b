import Bytes
import JSON

/// Transfers, in their simplest form: confirm, reserve, validate, with or without a backorder.
extension Engine {
    mutating func preparePicking(_ row: inout Row) throws(Raised) {
        if row["scheduled_date"] ?? .empty == .empty { row["scheduled_date"] = .text(now.odoo) }
        if let name = row["name"]?.text {
            if !(database.tables[Model.picking]?.holders(of: .text(name), in: "name") ?? []).isEmpty {
                throw .validation("The operation cannot be completed: Reference must be unique per company!")
            }
            return
        }
        row["name"] = .text(nextPickingName(row["picking_type_id"]?.link ?? 0))
    }

    private mutating func nextPickingName(_ type: Int) -> String {
        let warehouse = link(Model.pickingType, type, "warehouse_id") ?? 0
        let code = text(Model.warehouse, warehouse, "code")
        let prefix = stored(Model.pickingType, type, "sequence_code").text ?? "INT"
        let digits = String(database.next("picking.\(type)"))
        return "\(code)/\(prefix)/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    func pickingState(_ id: Int) -> String {
        let states = links(Model.picking, id, "move_ids").map { state(Model.move, $0) }
        if states.isEmpty || states.contains("draft") { return "draft" }
        let open = states.filter { $0 != "cancel" }
        if open.isEmpty { return "cancel" }
        if open.allSatisfy({ $0 == "done" }) { return "done" }
        if open.contains(where: { $0 == "assigned" || $0 == "partially_available" || $0 == "done" }) {
            return "assigned"
        }
        return "confirmed"
    }

    mutating func confirmPickings(_ ids: [Int]) throws(Raised) {
        try require(Model.picking, ids)
        for id in ids { confirmMoves(links(Model.picking, id, "move_ids")) }
    }

    mutating func assignPickings(_ ids: [Int]) throws(Raised) {
        try require(Model.picking, ids)
        try confirmPickings(ids)
        for id in ids { for move in links(Model.picking, id, "move_ids") { reserve(move) } }
    }

    mutating func cancelPickings(_ ids: [Int]) throws(Raised) {
        try require(Model.picking, ids)
        for id in ids { cancelMoves(links(Model.picking, id, "move_ids")) }
    }

    /// `button_validate`. Validated again: 19 says true, 17 refuses (recording 144).
    mutating func validatePickings(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.picking, ids)
        let open = ids.filter { pickingState($0) != "done" }
        if open.isEmpty, version.is19 { return true }
        try confirmPickings(open)
        for id in ids {
            let moves = links(Model.picking, id, "move_ids").filter { isOpen($0) }
            if moves.allSatisfy({ filled($0).isZero }) { throw .user(nothingToMove) }
        }
        let short = open.filter { isShort($0) }
        if !short.isEmpty, !contextFlag("skip_backorder") { return backorderQuestion(open, short) }
        let dropped = contextIDs("picking_ids_not_to_backorder")
        for id in open { transfer(id, keepsRest: !dropped.contains(id)) }
        return true
    }

    private var nothingToMove: String {
        version.is19
            ? "Transfer trouble alert! Validating a zero quantity transfer? You're not moving invisible goods around "
                + "are you?\nSet some quantities and let's get moving!"
            : "You cannot validate a transfer if no quantities are reserved. To force the transfer, encode quantities."
    }

    /// What counts: the picked moves, or all when nobody picked.
    private func counted(_ id: Int) -> [Int] {
        let moves = links(Model.picking, id, "move_ids").filter { isOpen($0) }
        let picked = moves.filter { flag(Model.move, $0, "picked") }
        return picked.isEmpty ? moves : picked
    }

    private func isShort(_ id: Int) -> Bool {
        let counted = counted(id)
        let moves = links(Model.picking, id, "move_ids").filter { isOpen($0) }
        return counted.count < moves.count
            || counted.contains { filled($0) < number(Model.move, $0, "product_uom_qty") }
    }

    private mutating func transfer(_ id: Int, keepsRest: Bool) {
        let counted = Set(counted(id))
        var rest: [Row] = []
        for move in links(Model.picking, id, "move_ids") where isOpen(move) {
            let demand = number(Model.move, move, "product_uom_qty")
            let moved = counted.contains(move) ? filled(move) : .zero
            if demand > moved, var row = database.row(Model.move, move) {
                row["product_uom_qty"] = .number(demand.subtracting(moved))
                row["quantity"] = .number(.zero)
                row["picked"] = .bool(false)
                row["state"] = .text("confirmed")
                rest.append(row)
                if moved.isPositive { set(Model.move, move, "product_uom_qty", .number(moved)) }
            }
            if moved.isPositive {
                finishMove(move)
            } else {
                cancelMoves([move])
            }
        }
        set(Model.picking, id, ["date_done": .text(now.odoo)])
        guard keepsRest, !rest.isEmpty, var row = database.row(Model.picking, id) else { return }
        row["name"] = .text(nextPickingName(row["picking_type_id"]?.link ?? 0))
        row["backorder_id"] = .link(id)
        row["date_done"] = .empty
        let backorder = insert(Model.picking, row)
        for var row in rest {
            row["picking_id"] = .link(backorder)
            reserve(insert(Model.move, row))
        }
    }

    private func backorderQuestion(_ ids: [Int], _ short: [Int]) -> JSONValue {
        let view = JSONValue(version.is19 ? 1022 : 964)
        var context = context
        context["button_validate_picking_ids"] = .array(ids.map { JSONValue($0) })
        context["default_show_transfers"] = .bool(ids.count > 1)
        context["default_pick_ids"] = .array(short.map { [4, JSONValue($0)] })
        return [
            "name": "Create Backorder?", "type": "ir.actions.act_window", "view_mode": "form",
            "res_model": .string(Model.pickingBackorder), "views": [[view, "form"]], "view_id": view, "target": "new",
            "context": .object(context),
        ]
    }

    /// `process`, and `process_cancel_backorder` which drops the rest.
    mutating func processPickings(_ wizards: [Int], keepsRest: Bool) throws(Raised) -> JSONValue {
        try require(Model.pickingBackorder, wizards)
        let ids = wizards.flatMap { links(Model.pickingBackorder, $0, "pick_ids") }
        let dropped: JSONValue? = keepsRest ? nil : .array(ids.map { JSONValue($0) })
        return try with(context: [("skip_backorder", true), ("picking_ids_not_to_backorder", dropped)]) {
            engine throws(Raised) in try engine.validatePickings(ids)
        }
    }
}
