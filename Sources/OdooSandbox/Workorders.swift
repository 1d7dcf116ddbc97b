import Bytes
import JSON

/// Work orders, their timers, and work centers.
///
/// ```
/// 17: pending → ready → progress → done        19: blocked → ready → progress → done
/// ```
extension Engine {
    mutating func makeWorkorders(_ order: Int) {
        guard let bom = link(Model.production, order, "bom_id") else { return }
        let quantity = number(Model.production, order, "product_qty")
        let operations = links(Model.bom, bom, "operation_ids").sorted {
            let a = stored(Model.operation, $0, "sequence").int
            let b = stored(Model.operation, $1, "sequence").int
            return a == b ? $0 < $1 : a < b
        }
        var isFirst = true
        for operation in operations {
            guard let center = link(Model.operation, operation, "workcenter_id") else { continue }
            let cycle = number(Model.operation, operation, "time_cycle_manual")
            let efficiency = number(Model.workcenter, center, "time_efficiency")
            let minutes = cycle.share(quantity, of: ExactDecimal(1)).share(ExactDecimal(100), of: efficiency)
                .adding(number(Model.workcenter, center, "time_start"))
                .adding(number(Model.workcenter, center, "time_stop"))
            _ = insert(
                Model.workorder,
                [
                    "name": stored(Model.operation, operation, "name"), "production_id": .link(order),
                    "workcenter_id": .link(center), "operation_id": .link(operation),
                    "state": .text(isFirst ? firstState(order) : version.is19 ? "blocked" : "pending"),
                    "duration_expected": .number(minutes), "qty_producing": .number(.zero),
                    "qty_produced": .number(.zero),
                ])
            isFirst = false
        }
    }

    /// 17 distinguishes waiting for components (recordings 17/022, 17/052).
    private func firstState(_ order: Int) -> String {
        version.is19 || reservationState(order) == "assigned" ? "ready" : "waiting"
    }

    /// The first open work order is ready; those behind it wait.
    mutating func updateWorkorders(of order: Int) {
        let open = links(Model.production, order, "workorder_ids")
            .filter { !["progress", "done", "cancel"].contains(state(Model.workorder, $0)) }
        let isRunning = links(Model.production, order, "workorder_ids")
            .contains { state(Model.workorder, $0) == "progress" }
        for (i, workorder) in open.enumerated() {
            let behind = version.is19 ? "blocked" : "pending"
            set(Model.workorder, workorder, "state", .text(i == 0 && !isRunning ? firstState(order) : behind))
        }
    }

    func remaining(ofWorkorder id: Int) -> ExactDecimal {
        let order = link(Model.workorder, id, "production_id") ?? 0
        let rest = number(Model.production, order, "product_qty").subtracting(
            number(Model.workorder, id, "qty_produced"))
        return rest.isNegative ? .zero : rest
    }

    // MARK: - Buttons

    /// 19 answers nothing, 17 true (recording 053).
    mutating func startWorkorders(_ ids: [Int]) throws(Raised) {
        try require(Model.workorder, ids)
        for id in ids {
            let center = link(Model.workorder, id, "workcenter_id") ?? 0
            if ["done", "cancel"].contains(state(Model.workorder, id)) {
                throw .user("You cannot start a work order that is already done or cancelled")
            }
            if workingState(center) == "blocked" {
                throw .user("Please unblock the work center to start the work order.")
            }
            if openTimers(id).contains(where: { link(Model.productivity, $0, "user_id") == user.id }) { continue }
            startTimer(id, center)
            set(Model.workorder, id, ["state": .text("progress")])
            if stored(Model.workorder, id, "date_start") == .empty {
                set(Model.workorder, id, "date_start", .text(now.odoo))
            }
            try startProducing(id)
        }
    }

    /// The first start says how much is being produced, on the order too (recordings 056, 073).
    private mutating func startProducing(_ id: Int) throws(Raised) {
        guard let order = link(Model.workorder, id, "production_id") else { return }
        if number(Model.workorder, id, "qty_producing").isZero {
            set(Model.workorder, id, "qty_producing", .number(remaining(ofWorkorder: id)))
        }
        if state(Model.production, order) == "draft" { try confirmProduction([order]) }
        let producing = number(Model.workorder, id, "qty_producing")
        if number(Model.production, order, "qty_producing") != producing {
            set(Model.production, order, ["qty_producing": .number(producing), "date_start": .text(now.odoo)])
            setQuantityProducing(order)
        }
        updateState(ofProduction: order)
    }

    private mutating func startTimer(_ id: Int, _ center: Int) {
        let loss = database.ids(Model.loss).first { text(Model.loss, $0, "loss_type") == "productive" }
        _ = insert(
            Model.productivity,
            [
                "workcenter_id": .link(center), "workorder_id": .link(id), "loss_id": .optional(loss),
                "user_id": .link(user.id), "date_start": .text(now.odoo), "company_id": .link(1),
            ])
    }

    private func openTimers(_ id: Int) -> [Int] {
        database.referrers(Model.productivity, "workorder_id", to: id)
            .filter { stored(Model.productivity, $0, "date_end") == .empty }
    }

    mutating func pauseWorkorders(_ ids: [Int]) throws(Raised) {
        try require(Model.workorder, ids)
        for id in ids {
            for timer in openTimers(id) where link(Model.productivity, timer, "user_id") == user.id {
                set(Model.productivity, timer, ["date_end": .text(now.odoo)])
            }
        }
    }

    mutating func finishWorkorders(_ ids: [Int]) {
        for id in ids where !["done", "cancel"].contains(state(Model.workorder, id)) {
            for timer in openTimers(id) { set(Model.productivity, timer, ["date_end": .text(now.odoo)]) }
            let order = link(Model.workorder, id, "production_id") ?? 0
            var made = number(Model.workorder, id, "qty_producing")
            if made.isZero { made = number(Model.production, order, "qty_producing") }
            if made.isZero { made = remaining(ofWorkorder: id) }
            if stored(Model.workorder, id, "date_start") == .empty {
                set(Model.workorder, id, "date_start", .text(now.odoo))
            }
            set(
                Model.workorder, id,
                ["state": .text("done"), "qty_produced": .number(made), "date_finished": .text(now.odoo)])
            updateWorkorders(of: order)
            updateState(ofProduction: order)
        }
    }

    /// Whatever their state: Odoo does not ask.
    mutating func cancelWorkorders(_ ids: [Int]) {
        for id in ids where state(Model.workorder, id) != "cancel" {
            for timer in openTimers(id) { set(Model.productivity, timer, ["date_end": .text(now.odoo)]) }
            set(Model.workorder, id, ["state": .text("cancel")])
            let order = link(Model.workorder, id, "production_id") ?? 0
            updateWorkorders(of: order)
            updateState(ofProduction: order)
        }
    }

    // MARK: - Work centers

    /// An open booking of lost time blocks the center (recordings 063 to 067).
    func workingState(_ center: Int) -> String {
        let open = openBookings(center)
        guard let last = open.last else { return "normal" }
        return isProductive(last) ? "done" : "blocked"
    }

    private func openBookings(_ center: Int) -> [Int] {
        database.referrers(Model.productivity, "workcenter_id", to: center)
            .filter { stored(Model.productivity, $0, "date_end") == .empty }
    }

    private func isProductive(_ booking: Int) -> Bool {
        ["productive", "performance"].contains(text(Model.productivity, booking, "loss_type"))
    }

    mutating func unblock(_ ids: [Int]) throws(Raised) {
        try require(Model.workcenter, ids)
        for id in ids {
            guard workingState(id) == "blocked" else { throw .user("It has already been unblocked.") }
            for booking in openBookings(id) { set(Model.productivity, booking, ["date_end": .text(now.odoo)]) }
        }
    }

    mutating func prepareProductivity(_ row: inout Row, given: JSONObject) {
        if row["date_start"] ?? .empty == .empty { row["date_start"] = .text(now.odoo) }
        if row["user_id"] ?? .empty == .empty { row["user_id"] = .link(user.id) }
    }

    func minutes(ofBooking id: Int) -> ExactDecimal {
        guard let from = WallInstant(text(Model.productivity, id, "date_start")),
            let to = WallInstant(text(Model.productivity, id, "date_end"))
        else { return .zero }
        return ExactDecimal(Int(to.seconds - from.seconds)).share(ExactDecimal(1), of: ExactDecimal(60))
    }

    func duration(ofWorkorder id: Int) -> ExactDecimal {
        database.referrers(Model.productivity, "workorder_id", to: id)
            .reduce(.zero) { $0.adding(minutes(ofBooking: $1)) }
    }

    func isUserWorking(_ id: Int) -> Bool {
        openTimers(id).contains { link(Model.productivity, $0, "user_id") == user.id }
    }

    func hours(_ center: Int, productive: Bool) -> ExactDecimal {
        database.referrers(Model.productivity, "workcenter_id", to: center)
            .filter { (text(Model.productivity, $0, "loss_type") == "productive") == productive }
            .reduce(ExactDecimal.zero) { $0.adding(minutes(ofBooking: $1)) }
            .share(ExactDecimal(1), of: ExactDecimal(60))
    }

    func oee(_ center: Int) -> ExactDecimal {
        let productive = hours(center, productive: true)
        let all = productive.adding(hours(center, productive: false))
        return productive.share(ExactDecimal(100), of: all)
    }
}
