import Bytes
import JSON

/// `button_mark_done`: the one call that books production, with the questions it asks back and the traps it has.
///
/// - On a draft it works too (recording 045); on a done order it says true again, overwrites `date_finished` and books
///   nothing (089 to 091).
/// - What was not picked is cancelled without a word: with `qty_producing` written alone nothing is consumed (105).
/// - Without `mo_ids_to_backorder` the rest is given up (106, 107).
extension Engine {
    mutating func markDone(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.production, ids)
        for id in ids { try prepareToClose(id) }
        if !contextFlag("skip_consumption") {
            let issues = ids.flatMap { consumptionIssues(of: $0) }
            if !issues.isEmpty { return consumptionAction(ids, issues) }
        }
        if !contextFlag("skip_backorder") {
            let short = ids.filter { rest(of: $0).isPositive }
            if !short.isEmpty { return backorderAction(ids, short) }
        }
        let toBackorder = Set(contextIDs("mo_ids_to_backorder"))
        var backorders: [Int] = []
        for id in ids {
            let isClosed = ["done", "cancel"].contains(state(Model.production, id))
            if !isClosed {
                finishWorkorders(links(Model.production, id, "workorder_ids"))
                if toBackorder.contains(id), rest(of: id).isPositive { backorders.append(split(id)) }
                post(id)
            }
            // By reading: a cancelled order becomes "done" too, with nothing booked.
            set(
                Model.production, id,
                ["state": .text("done"), "date_finished": .text(now.odoo), "priority": .text("0")])
        }
        try assignProduction(backorders)
        if backorders.isEmpty || contextFlag("skip_redirection") { return true }
        return redirection(to: backorders)
    }

    /// `product_qty - qty_producing`, never negative.
    private func rest(of id: Int) -> ExactDecimal {
        let rest = number(Model.production, id, "product_qty").subtracting(
            number(Model.production, id, "qty_producing"))
        return rest.isNegative ? .zero : rest
    }

    // MARK: - Before

    private mutating func prepareToClose(_ id: Int) throws(Raised) {
        if state(Model.production, id) == "draft" { try confirmProduction([id]) }
        if ["done", "cancel"].contains(state(Model.production, id)) { return }
        try checkSerial(id)
        if number(Model.production, id, "qty_producing").isZero {
            // Nothing was said: the whole order is meant.
            let all = number(Model.production, id, "product_qty").subtracting(produced(id))
            set(Model.production, id, "qty_producing", .number(all))
            generateLot(id)
            setQuantityProducing(id)
        }
        if !number(Model.production, id, "qty_producing").isPositive {
            throw .user("The quantity to produce must be positive!")
        }
        try checkComponentLots(id)
        try checkFinishedLot(id)
    }

    /// By reading: `stock.move.line._action_done` wants a lot on each line of a product that has them.
    private func checkFinishedLot(_ id: Int) throws(Raised) {
        guard let product = link(Model.production, id, "product_id"),
            text(Model.product, product, "tracking") != "none", producingLots(id).isEmpty
        else { return }
        throw .user("You need to supply a Lot/Serial Number for product:\n- \(displayName(Model.product, product))")
    }

    private var lotField: String { version.is19 ? "lot_producing_ids" : "lot_producing_id" }

    func producingLots(_ id: Int) -> [Int] {
        let value = get(Model.production, id, lotField)
        return value.link.map { [$0] } ?? value.links
    }

    private mutating func generateLot(_ id: Int) {
        guard let product = link(Model.production, id, "product_id"),
            text(Model.product, product, "tracking") != "none", producingLots(id).isEmpty
        else { return }
        let digits = String(database.next("lot"))
        let name = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
        let lot = insert(Model.lot, ["name": .text(name), "product_id": .link(product)])
        set(Model.production, id, lotField, version.is19 ? .links([lot]) : .link(lot))
    }

    /// A serial number is produced once (recordings 121, 122): the write passes, this does not.
    private func checkSerial(_ id: Int) throws(Raised) {
        guard let product = link(Model.production, id, "product_id"),
            text(Model.product, product, "tracking") == "serial"
        else { return }
        for lot in producingLots(id) {
            let isUsed = database.referrers(Model.moveLine, "lot_id", to: lot).contains { line in
                guard let move = link(Model.moveLine, line, "move_id"), state(Model.move, move) == "done" else {
                    return false
                }
                return link(Model.move, move, "production_id") != nil
            }
            guard isUsed else { continue }
            let name = displayName(Model.product, product)
            throw .user(
                version.is19
                    ? "Serial number(s) for product \(name) already produced"
                    : "This serial number for product \(name) has already been produced")
        }
    }

    private func checkComponentLots(_ id: Int) throws(Raised) {
        var names: [String] = []
        for move in links(Model.production, id, "move_raw_ids") where isOpen(move) && isTracked(move) {
            let isPicked = flag(Model.move, move, "picked")
            let lacksLot = lines(move).contains { link(Model.moveLine, $0, "lot_id") == nil }
            guard version.is19 ? isPicked && lacksLot : !isPicked || lacksLot,
                let product = link(Model.move, move, "product_id")
            else { continue }
            names.append(displayName(Model.product, product))
        }
        if names.isEmpty { return }
        throw .user(
            version.is19
                ? "You need to supply a Lot/Serial Number for product:\n- " + names.joined(separator: "\n- ")
                : "You need to supply Lot/Serial Number for products and 'consume' them:\n  - "
                    + names.joined(separator: "\n  - "))
    }

    struct ConsumptionIssue {
        var order: Int
        var product: Int
        var consumed: ExactDecimal
        var expected: ExactDecimal
    }

    /// Where the picked quantities are not what the bill of materials says (recording 077). Compared with the bill, not
    /// with the moves, so that a second call on a done order asks again (082).
    private func consumptionIssues(of id: Int) -> [ConsumptionIssue] {
        guard text(Model.production, id, "consumption") != "flexible",
            let bom = link(Model.production, id, "bom_id"), state(Model.production, id) != "cancel"
        else { return [] }
        let quantity = number(Model.production, id, "product_qty")
        let producing = number(Model.production, id, "qty_producing")
        var expected: [(product: Int, quantity: ExactDecimal)] = []
        for line in links(Model.bom, bom, "bom_line_ids") {
            guard let product = link(Model.bomLine, line, "product_id") else { continue }
            let whole = number(Model.bomLine, line, "product_qty")
                .share(quantity, of: number(Model.bom, bom, "product_qty"), rounding: .up)
            let share = whole.share(producing, of: quantity)
            if let i = expected.firstIndex(where: { $0.product == product }) {
                expected[i].quantity = expected[i].quantity.adding(share)
            } else {
                expected.append((product, share))
            }
        }
        var issues: [ConsumptionIssue] = []
        for (product, wanted) in expected {
            var consumed = ExactDecimal.zero
            for move in links(Model.production, id, "move_raw_ids")
            where link(Model.move, move, "product_id") == product && flag(Model.move, move, "picked") {
                consumed = consumed.adding(number(Model.move, move, "quantity"))
            }
            if consumed != wanted {
                issues.append(ConsumptionIssue(order: id, product: product, consumed: consumed, expected: wanted))
            }
        }
        return issues
    }

    // MARK: - The booking

    private mutating func post(_ id: Int) {
        for move in links(Model.production, id, "move_raw_ids") where isOpen(move) {
            if flag(Model.move, move, "picked"), filled(move).isPositive {
                finishMove(move)
            } else {
                cancelMoves([move])
            }
        }
        let made = number(Model.production, id, "qty_producing").subtracting(produced(id))
        let product = link(Model.production, id, "product_id")
        for move in links(Model.production, id, "move_finished_ids")
        where isOpen(move) && link(Model.move, move, "byproduct_id") != nil {
            // Not picked it is cancelled, as a component is (105).
            if flag(Model.move, move, "picked"), filled(move).isPositive { finishMove(move) }
        }
        for move in links(Model.production, id, "move_finished_ids") where isOpen(move) {
            guard link(Model.move, move, "product_id") == product, made.isPositive else {
                cancelMoves([move])
                continue
            }
            setQuantity(ofMove: move, to: made)
            if let lot = producingLots(id).first {
                for line in lines(move) { set(Model.moveLine, line, "lot_id", .link(lot)) }
            }
            finishMove(move)
        }
    }

    /// The rest becomes an order of its own; the first one is renamed (recording 101): `WH/MO/00028` is `-001`, the
    /// new one `-002`.
    private mutating func split(_ id: Int) -> Int {
        let quantity = number(Model.production, id, "product_qty")
        let producing = number(Model.production, id, "qty_producing")
        let rest = quantity.subtracting(producing)
        let root = stored(Model.production, id, "_root") == .empty ? id : stored(Model.production, id, "_root").int
        let sequence = max(1, stored(Model.production, root, "_sequence").int) + 1
        set(Model.production, root, "_sequence", .int(sequence))
        var name = text(Model.production, id, "name")
        if stored(Model.production, id, "backorder_sequence").int == 0 {
            set(
                Model.production, id,
                ["name": .text(Self.name(name, 1)), "backorder_sequence": .int(1)])
        } else if let dash = name.lastIndex(of: "-") {
            name = String(name[..<dash])
        }
        var row = database.row(Model.production, id) ?? [:]
        row["name"] = .text(Self.name(name, sequence))
        row["backorder_sequence"] = .int(sequence)
        row["_root"] = .int(root)
        row["_sequence"] = nil
        row["product_qty"] = .number(rest)
        row["qty_producing"] = .number(.zero)
        row["state"] = .text("confirmed")
        row[lotField] = version.is19 ? .links([]) : .empty
        let backorder = insert(Model.production, row)
        splitMoves(of: id, to: backorder, producing, quantity)
        set(Model.production, id, ["product_qty": .number(producing)])
        makeWorkorders(backorder)
        updateWorkorders(of: backorder)
        return backorder
    }

    private static func name(_ base: String, _ sequence: Int) -> String {
        let digits = String(sequence)
        return base + "-" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    private mutating func splitMoves(
        of id: Int, to backorder: Int, _ producing: ExactDecimal, _ quantity: ExactDecimal
    ) {
        for field in ["raw_material_production_id", "production_id"] {
            for move in database.referrers(Model.move, field, to: id) where isOpen(move) {
                let demand = number(Model.move, move, "product_uom_qty")
                let kept = demand.share(producing, of: quantity)
                let left = demand.subtracting(kept)
                if left.isPositive, var row = database.row(Model.move, move) {
                    row[field] = .link(backorder)
                    row["product_uom_qty"] = .number(left)
                    row["quantity"] = .number(.zero)
                    row["picked"] = .bool(false)
                    row["state"] = .text("confirmed")
                    row["workorder_id"] = .empty
                    row["manual_consumption"] = .bool(false)
                    _ = insert(Model.move, row)
                }
                set(Model.move, move, ["product_uom_qty": .number(kept)])
                if !flag(Model.move, move, "picked"), filled(move) > kept { setQuantity(ofMove: move, to: kept) }
            }
        }
    }
}
