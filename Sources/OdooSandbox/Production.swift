import Bytes
import JSON

/// Production orders up to the moment they are closed.
///
/// ```
/// draft → confirmed → progress → to_close → done
///    └──────────────────┴─ cancel
/// ```
/// Everything between `confirmed` and `done` follows from work orders, `qty_producing` and the moves.
extension Engine {
    // MARK: - Creation

    mutating func prepareProduction(_ row: inout Row, given: JSONObject) throws(Raised) {
        let quantity = row["product_qty"]?.number ?? .zero
        if given.contains("product_qty"), !quantity.isPositive {
            throw .validation("The operation cannot be completed: The quantity to produce must be positive!")
        }
        if row["picking_type_id"] ?? .empty == .empty {
            let type = database.ids(Model.pickingType).first { text(Model.pickingType, $0, "code") == "mrp_operation" }
            row["picking_type_id"] = .optional(type)
        }
        let type = row["picking_type_id"]?.link ?? 0
        if row["location_src_id"] ?? .empty == .empty {
            row["location_src_id"] = stored(Model.pickingType, type, "default_location_src_id")
        }
        if row["location_dest_id"] ?? .empty == .empty {
            row["location_dest_id"] = stored(Model.pickingType, type, "default_location_dest_id")
        }
        if row["date_start"] ?? .empty == .empty { row["date_start"] = .text(now.odoo) }
        guard let product = row["product_id"]?.link else { return }
        if row["product_uom_id"] ?? .empty == .empty { row["product_uom_id"] = unit(of: .link(product)) }
        if !given.contains("bom_id") { row["bom_id"] = .optional(bom(for: product)) }
        if let bom = row["bom_id"]?.link { row["consumption"] = stored(Model.bom, bom, "consumption") }
        if let name = row["name"]?.text {
            try checkName(name, except: nil)
        } else {
            row["name"] = .text(nextName(pickingType: type))
        }
    }

    /// `WH/MO/00025`.
    private mutating func nextName(pickingType: Int) -> String {
        let warehouse = link(Model.pickingType, pickingType, "warehouse_id") ?? 0
        let code = text(Model.warehouse, warehouse, "code")
        let digits = String(database.next("mo.\(warehouse)"))
        return "\(code)/MO/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    private func checkName(_ name: String, except: Int?) throws(Raised) {
        let holders = database.tables[Model.production]?.holders(of: .text(name), in: "name") ?? []
        if holders.contains(where: { $0 != except }) {
            throw .validation("The operation cannot be completed: Reference must be unique per Company!")
        }
    }

    mutating func createdProduction(_ id: Int, given: JSONObject) throws(Raised) {
        if !given.contains("move_raw_ids") { makeComponentMoves(id) }
        makeFinishedMove(id)
        makeWorkorders(id)
        // 17 says in which work order a component is used: the last (recording 17/051).
        if !version.is19, let last = links(Model.production, id, "workorder_ids").last {
            for move in links(Model.production, id, "move_raw_ids") {
                set(Model.move, move, "workorder_id", .link(last))
            }
        }
        schedule(id)
    }

    private mutating func makeComponentMoves(_ id: Int) {
        guard let bom = link(Model.production, id, "bom_id") else { return }
        let quantity = number(Model.production, id, "product_qty")
        let base = number(Model.bom, bom, "product_qty")
        for line in links(Model.bom, bom, "bom_line_ids") {
            guard let product = link(Model.bomLine, line, "product_id") else { continue }
            // Components are rounded up: half a screw is a screw.
            let demand = number(Model.bomLine, line, "product_qty").share(quantity, of: base, rounding: .up)
            insertMove(
                product, demand, from: link(Model.production, id, "location_src_id"), to: location(usage: "production"),
                ["raw_material_production_id": .link(id), "bom_line_id": .link(line)])
        }
    }

    private mutating func makeFinishedMove(_ id: Int) {
        guard let product = link(Model.production, id, "product_id") else { return }
        insertMove(
            product, number(Model.production, id, "product_qty"), from: location(usage: "production"),
            to: link(Model.production, id, "location_dest_id"), ["production_id": .link(id)])
        guard let bom = link(Model.production, id, "bom_id") else { return }
        for line in links(Model.bom, bom, "byproduct_ids") {
            guard let product = link(Model.byproduct, line, "product_id") else { continue }
            let demand = number(Model.byproduct, line, "product_qty")
                .share(number(Model.production, id, "product_qty"), of: number(Model.bom, bom, "product_qty"))
            insertMove(
                product, demand, from: location(usage: "production"),
                to: link(Model.production, id, "location_dest_id"),
                ["production_id": .link(id), "byproduct_id": .link(line)])
        }
    }

    private mutating func insertMove(
        _ product: Int, _ demand: ExactDecimal, from: Int?, to: Int?, _ more: [String: Value]
    ) {
        var row: Row = [
            "name": .text(displayName(Model.product, product)), "product_id": .link(product),
            "product_uom": unit(of: .link(product)), "product_uom_qty": .number(demand), "quantity": .number(.zero),
            "picked": .bool(false), "state": .text("draft"), "date": .text(now.odoo), "location_id": .optional(from),
            "location_dest_id": .optional(to), "manual_consumption": .bool(false), "company_id": .link(1),
        ]
        row.merge(more) { _, new in new }
        _ = insert(Model.move, row)
    }

    private mutating func schedule(_ id: Int) {
        guard stored(Model.production, id, "date_finished") == .empty,
            let start = WallInstant(text(Model.production, id, "date_start"))
        else { return }
        var minutes = ExactDecimal.zero
        for order in links(Model.production, id, "workorder_ids") {
            minutes = minutes.adding(number(Model.workorder, order, "duration_expected"))
        }
        let whole = minutes.isZero ? 60 : Int64(minutes.rounded(places: 0).mantissa)
        set(Model.production, id, "date_finished", .text((start + .minutes(whole)).odoo))
    }

    // MARK: - Writing

    mutating func willWriteProduction(_ id: Int, _ changes: inout [String: Value]) throws(Raised) {
        if let name = changes["name"]?.text { try checkName(name, except: id) }
        if let quantity = changes["product_qty"], !quantity.number.isPositive {
            throw .validation("The operation cannot be completed: The quantity to produce must be positive!")
        }
    }

    /// A draft's moves follow its quantity. Of a done order any figure is accepted and nothing follows (recording 084).
    mutating func writtenProduction(_ id: Int, _ changes: [String: Value]) {
        if changes["product_qty"] != nil, state(Model.production, id) == "draft" {
            for move in links(Model.production, id, "move_raw_ids") + links(Model.production, id, "move_finished_ids") {
                database.delete(Model.move, move)
            }
            makeComponentMoves(id)
            makeFinishedMove(id)
        }
        updateState(ofProduction: id)
    }

    mutating func willUnlinkProduction(_ id: Int) throws(Raised) {
        if state(Model.production, id) == "done" {
            throw .user(
                version.is19
                    ? "You cannot cancel a manufacturing order that is already done."
                    : "Cannot delete a manufacturing order in done state.")
        }
        try cancelProduction([id])
        for move in links(Model.production, id, "move_raw_ids") + links(Model.production, id, "move_finished_ids") {
            database.delete(Model.move, move)
        }
        for order in links(Model.production, id, "workorder_ids") { database.delete(Model.workorder, order) }
    }

    // MARK: - States

    func produced(_ id: Int) -> ExactDecimal {
        let product = link(Model.production, id, "product_id")
        var total = ExactDecimal.zero
        for move in links(Model.production, id, "move_finished_ids")
        where state(Model.move, move) == "done" && link(Model.move, move, "product_id") == product {
            total = total.adding(number(Model.move, move, "quantity"))
        }
        return total
    }

    /// `should_consume_qty`: the move's share for what is being produced.
    func shouldConsume(_ move: Int) -> ExactDecimal {
        guard let order = link(Model.move, move, "raw_material_production_id") else { return .zero }
        let producing = number(Model.production, order, "qty_producing").subtracting(produced(order))
        return share(ofMove: move, order, producing)
    }

    func share(ofMove move: Int, _ order: Int, _ quantity: ExactDecimal) -> ExactDecimal {
        number(Model.move, move, "product_uom_qty").share(quantity, of: number(Model.production, order, "product_qty"))
    }

    func reservationState(_ id: Int) -> String {
        if ["draft", "done", "cancel"].contains(state(Model.production, id)) { return "" }
        let moves = links(Model.production, id, "move_raw_ids").filter { state(Model.move, $0) != "cancel" }
        if moves.isEmpty { return "" }
        return moves.allSatisfy { ["assigned", "done"].contains(state(Model.move, $0)) } ? "assigned" : "confirmed"
    }

    /// Odoo's `_compute_state`, for orders that are released and open.
    mutating func updateState(ofProduction id: Int) {
        guard ["confirmed", "progress", "to_close"].contains(state(Model.production, id)) else { return }
        let workorders = links(Model.production, id, "workorder_ids").map { state(Model.workorder, $0) }
        let producing = number(Model.production, id, "qty_producing")
        let isPicked = links(Model.production, id, "move_raw_ids").contains { flag(Model.move, $0, "picked") }
        let next: String
        if !workorders.isEmpty, workorders.allSatisfy({ ["done", "cancel"].contains($0) }) {
            next = "to_close"
        } else if workorders.isEmpty, producing >= number(Model.production, id, "product_qty") {
            next = "to_close"
        } else if workorders.contains(where: { ["progress", "done"].contains($0) }) || !producing.isZero || isPicked {
            next = "progress"
        } else {
            next = "confirmed"
        }
        set(Model.production, id, "state", .text(next))
    }

    // MARK: - Actions

    /// Releases drafts; says true to everything else and does nothing (recordings 047, 125).
    mutating func confirmProduction(_ ids: [Int]) throws(Raised) {
        try require(Model.production, ids)
        for id in ids where state(Model.production, id) == "draft" {
            set(Model.production, id, ["state": .text("confirmed")])
            confirmMoves(links(Model.production, id, "move_raw_ids"))
            for move in links(Model.production, id, "move_finished_ids") {
                set(Model.move, move, ["state": .text("confirmed")])
            }
            updateWorkorders(of: id)
            updateState(ofProduction: id)
        }
    }

    mutating func assignProduction(_ ids: [Int]) throws(Raised) {
        try require(Model.production, ids)
        for id in ids {
            for move in links(Model.production, id, "move_raw_ids") { reserve(move) }
            updateWorkorders(of: id)
        }
    }

    /// Of a done order: 19 refuses, 17 says true and does nothing (recording 085).
    mutating func cancelProduction(_ ids: [Int]) throws(Raised) {
        try require(Model.production, ids)
        for id in ids {
            if state(Model.production, id) == "done" {
                if version.is19 { throw .user("You cannot cancel a manufacturing order that is already done.") }
                continue
            }
            cancelMoves(links(Model.production, id, "move_raw_ids") + links(Model.production, id, "move_finished_ids"))
            for order in links(Model.production, id, "workorder_ids") where state(Model.workorder, order) != "done" {
                set(Model.workorder, order, ["state": .text("cancel")])
            }
            set(Model.production, id, ["state": .text("cancel")])
        }
    }

    /// The components follow `qty_producing` (recordings 092 to 094). What a person set by hand stays.
    mutating func setQuantityProducing(_ id: Int) {
        if text(Model.product, link(Model.production, id, "product_id") ?? 0, "tracking") == "serial" {
            set(Model.production, id, "qty_producing", .number(ExactDecimal(1)))
        }
        for move in links(Model.production, id, "move_raw_ids") where isOpen(move) {
            if flag(Model.move, move, "manual_consumption"), flag(Model.move, move, "picked") { continue }
            // 17 leaves components with lots to the person (recordings 17/112, 17/118, 17/521).
            if !version.is19, isTracked(move) { continue }
            let quantity = shouldConsume(move)
            setQuantity(ofMove: move, to: quantity)
            if quantity.isPositive { set(Model.move, move, "picked", .bool(true)) }
        }
        // 19 sees to by-products too; on 17 they are the caller's (by reading: `_set_qty_producing`).
        if version.is19 {
            let quantity = number(Model.production, id, "product_qty")
            let producing = number(Model.production, id, "qty_producing").subtracting(produced(id))
            for move in links(Model.production, id, "move_finished_ids")
            where isOpen(move) && link(Model.move, move, "byproduct_id") != nil && !flag(Model.move, move, "picked") {
                let made = number(Model.move, move, "product_uom_qty").share(producing, of: quantity)
                setQuantity(ofMove: move, to: made)
                if made.isPositive { set(Model.move, move, "picked", .bool(true)) }
            }
        }
        updateState(ofProduction: id)
    }

    /// Whether the move's product has lots or serial numbers.
    func isTracked(_ move: Int) -> Bool {
        text(Model.product, link(Model.move, move, "product_id") ?? 0, "tracking") != "none"
    }
}
