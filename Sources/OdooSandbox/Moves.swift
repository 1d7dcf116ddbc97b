import Bytes
import JSON

/// Stock moves: a demand, lines that fill it, and the moment they are booked.
///
/// ```
/// draft → confirmed → partially_available → assigned → done
///              └────────────── cancel ◀──────────┘
/// ```
/// A line's `_reserved` is how much of it is reserved on the quant of its place.
extension Engine {
    func isOpen(_ move: Int) -> Bool { !["done", "cancel"].contains(state(Model.move, move)) }

    mutating func prepareMove(_ row: inout Row) throws(Raised) {
        if row["product_uom"] ?? .empty == .empty { row["product_uom"] = unit(of: row["product_id"]) }
        if row["date"] ?? .empty == .empty { row["date"] = .text(now.odoo) }
        // 17 requires a name (recording 110), except where Odoo makes the move itself.
        if let order = row["raw_material_production_id"]?.link {
            row["reference"] = stored(Model.production, order, "name")
            if row["location_id"] ?? .empty == .empty {
                row["location_id"] = stored(Model.production, order, "location_src_id")
            }
            if row["location_dest_id"] ?? .empty == .empty {
                row["location_dest_id"] = .optional(location(usage: "production"))
            }
        }
        if let picking = row["picking_id"]?.link, row["name"] ?? .empty == .empty {
            row["name"] = .text(displayName(Model.product, row["product_id"]?.link ?? 0))
            row["reference"] = stored(Model.picking, picking, "name")
        }
    }

    /// A move added to a released order is released at once (recording 110).
    mutating func createdMove(_ id: Int, given: JSONObject) {
        if let order = link(Model.move, id, "raw_material_production_id"),
            !["draft", "done", "cancel"].contains(state(Model.production, order))
        {
            confirmMoves([id])
        }
        if let quantity = given["quantity"]?.decimal { setQuantity(ofMove: id, to: quantity) }
    }

    mutating func writtenMove(_ id: Int, _ changes: [String: Value]) {
        if changes["product_uom_qty"] != nil, isOpen(id) { updateMoveState(id) }
        if let order = link(Model.move, id, "raw_material_production_id") { updateState(ofProduction: order) }
    }

    func checkMoveIsOpen(_ id: Int) throws(Raised) {
        guard isOpen(id) else {
            throw .user("The sandbox does not correct quantities of moves that are done or cancelled.")
        }
    }

    // MARK: - Filling

    func lines(_ move: Int) -> [Int] { database.referrers(Model.moveLine, "move_id", to: move) }

    func filled(_ move: Int) -> ExactDecimal {
        lines(move).reduce(.zero) { $0.adding(number(Model.moveLine, $1, "quantity")) }
    }

    mutating func confirmMoves(_ moves: [Int]) {
        for move in moves where state(Model.move, move) == "draft" {
            set(Model.move, move, ["state": .text("confirmed")])
            if let order = link(Model.move, move, "raw_material_production_id"),
                let type = link(Model.production, order, "picking_type_id"),
                text(Model.pickingType, type, "reservation_method") != "at_confirm"
            {
                continue
            }
            reserve(move)
        }
    }

    /// Reserves what is missing and there, oldest stock first.
    mutating func reserve(_ move: Int) {
        guard isOpen(move), state(Model.move, move) != "draft", !flag(Model.move, move, "picked") else { return }
        let missing = number(Model.move, move, "product_uom_qty").subtracting(filled(move))
        if missing.isPositive { _ = reserve(missing, for: move) }
        updateMoveState(move)
    }

    /// Returns what could not be had.
    private mutating func reserve(_ wanted: ExactDecimal, for move: Int) -> ExactDecimal {
        guard let product = link(Model.move, move, "product_id"), let source = link(Model.move, move, "location_id")
        else { return wanted }
        if isVirtual(source) {
            addLine(move, product, at: source, lot: nil, wanted, reserved: .zero)
            return .zero
        }
        var missing = wanted
        let places = quants(of: product)
            .filter { isWithin(Model.location, link(Model.quant, $0, "location_id") ?? 0, source) }
            .sorted { text(Model.quant, $0, "in_date") < text(Model.quant, $1, "in_date") }
        for quant in places where missing.isPositive {
            let there = availableQuantity(ofQuant: quant)
            guard there.isPositive, let location = link(Model.quant, quant, "location_id") else { continue }
            let taken = min(there, missing)
            changeReserved(quant, by: taken)
            addLine(move, product, at: location, lot: link(Model.quant, quant, "lot_id"), taken, reserved: taken)
            missing = missing.subtracting(taken)
        }
        return missing
    }

    private mutating func addLine(
        _ move: Int, _ product: Int, at location: Int, lot: Int?, _ quantity: ExactDecimal, reserved: ExactDecimal
    ) {
        for line in lines(move)
        where link(Model.moveLine, line, "location_id") == location && link(Model.moveLine, line, "lot_id") == lot {
            let sum = number(Model.moveLine, line, "quantity").adding(quantity)
            set(Model.moveLine, line, "quantity", .number(sum))
            let total = stored(Model.moveLine, line, "_reserved").number.adding(reserved)
            set(Model.moveLine, line, "_reserved", .number(total))
            return
        }
        _ = insert(
            Model.moveLine,
            [
                "move_id": .link(move), "product_id": .link(product), "location_id": .link(location),
                "location_dest_id": stored(Model.move, move, "location_dest_id"), "lot_id": .optional(lot),
                "product_uom_id": unit(of: .link(product)), "quantity": .number(quantity),
                "_reserved": .number(reserved),
            ])
    }

    /// An absolute quantity, as a client writes it: reserved as far as there is stock, and the rest taken all the same.
    mutating func setQuantity(ofMove move: Int, to quantity: ExactDecimal) {
        let current = filled(move)
        if quantity < current {
            reduce(move, by: current.subtracting(quantity))
        } else if quantity > current {
            let missing = reserve(quantity.subtracting(current), for: move)
            if missing.isPositive, let product = link(Model.move, move, "product_id"),
                let source = link(Model.move, move, "location_id")
            {
                addLine(move, product, at: source, lot: nil, missing, reserved: .zero)
            }
        }
        updateMoveState(move)
    }

    private mutating func reduce(_ move: Int, by amount: ExactDecimal) {
        var rest = amount
        for line in lines(move).reversed() where rest.isPositive {
            let quantity = number(Model.moveLine, line, "quantity")
            let taken = min(quantity, rest)
            let kept = quantity.subtracting(taken)
            let reserved = stored(Model.moveLine, line, "_reserved").number
            if reserved > kept { release(line, reserved.subtracting(kept)) }
            if kept.isZero {
                database.delete(Model.moveLine, line)
            } else {
                set(Model.moveLine, line, "quantity", .number(kept))
            }
            rest = rest.subtracting(taken)
        }
    }

    private mutating func release(_ line: Int, _ amount: ExactDecimal) {
        let rest = stored(Model.moveLine, line, "_reserved").number.subtracting(amount)
        set(Model.moveLine, line, "_reserved", .number(rest))
        guard let product = link(Model.moveLine, line, "product_id"),
            let location = link(Model.moveLine, line, "location_id"),
            let quant = quant(product, at: location, lot: link(Model.moveLine, line, "lot_id"))
        else { return }
        changeReserved(quant, by: amount.negated)
    }

    // MARK: - Lines that a client writes

    /// Reserved as far as there is stock of the lot in the place.
    mutating func createdLine(_ line: Int) {
        guard let move = link(Model.moveLine, line, "move_id") else { return }
        if stored(Model.moveLine, line, "product_uom_id") == .empty {
            set(Model.moveLine, line, "product_uom_id", unit(of: stored(Model.moveLine, line, "product_id")))
        }
        reserveAgain(line: line)
        updateMoveState(move)
    }

    mutating func reserveAgain(line: Int) {
        let reserved = stored(Model.moveLine, line, "_reserved").number
        if reserved.isPositive { release(line, reserved) }
        guard let move = link(Model.moveLine, line, "move_id"), isOpen(move),
            let product = link(Model.moveLine, line, "product_id"),
            let location = link(Model.moveLine, line, "location_id"), !isVirtual(location),
            let quant = quant(product, at: location, lot: link(Model.moveLine, line, "lot_id"))
        else { return }
        let there = availableQuantity(ofQuant: quant)
        let taken = min(there.isNegative ? .zero : there, number(Model.moveLine, line, "quantity"))
        changeReserved(quant, by: taken)
        set(Model.moveLine, line, "_reserved", .number(taken))
    }

    mutating func willUnlinkLine(_ line: Int) throws(Raised) {
        if let move = link(Model.moveLine, line, "move_id"), state(Model.move, move) == "done" {
            throw .user(
                "You can not delete product moves if the picking is done. You can only correct the done quantities.")
        }
        let reserved = stored(Model.moveLine, line, "_reserved").number
        if reserved.isPositive { release(line, reserved) }
    }

    mutating func updateMoveState(_ move: Int) {
        let filled = filled(move)
        set(Model.move, move, "quantity", .number(filled))
        guard isOpen(move), state(Model.move, move) != "draft" else { return }
        let demand = number(Model.move, move, "product_uom_qty")
        let state = filled >= demand ? "assigned" : filled.isPositive ? "partially_available" : "confirmed"
        set(Model.move, move, "state", .text(state))
    }

    // MARK: - Ending

    mutating func cancelMoves(_ moves: [Int]) {
        for move in moves where isOpen(move) {
            reduce(move, by: filled(move))
            set(Model.move, move, ["state": .text("cancel"), "quantity": .number(.zero), "picked": .bool(false)])
        }
    }

    /// A move that Odoo makes by itself and books at once.
    mutating func makeMove(
        of product: Int, _ quantity: ExactDecimal, lot: Int?, from: Int, to: Int, _ more: [String: Value]
    ) -> Int {
        let own: [String: Value] = [
            "product_id": .link(product), "product_uom": unit(of: .link(product)), "product_uom_qty": .number(quantity),
            "state": .text("confirmed"), "location_id": .link(from), "location_dest_id": .link(to),
            "company_id": .link(1),
        ]
        let move = insert(Model.move, own.merging(more) { $1 })
        _ = insert(
            Model.moveLine,
            [
                "move_id": .link(move), "product_id": .link(product), "location_id": .link(from),
                "location_dest_id": .link(to), "lot_id": .optional(lot), "quantity": .number(quantity),
            ])
        return move
    }

    /// Books the lines from place to place, and closes the move.
    mutating func finishMove(_ move: Int) {
        for line in lines(move) {
            guard let product = link(Model.moveLine, line, "product_id"),
                let from = link(Model.moveLine, line, "location_id"),
                let to = link(Model.moveLine, line, "location_dest_id")
            else { continue }
            let quantity = number(Model.moveLine, line, "quantity")
            let reserved = stored(Model.moveLine, line, "_reserved").number
            if reserved.isPositive { release(line, reserved) }
            let lot = link(Model.moveLine, line, "lot_id")
            book(quantity.negated, of: product, at: from, lot: lot)
            book(quantity, of: product, at: to, lot: lot)
        }
        set(
            Model.move, move,
            [
                "state": .text("done"), "picked": .bool(true), "date": .text(now.odoo),
                "quantity": .number(filled(move)),
            ])
    }
}
