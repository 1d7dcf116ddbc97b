import Bytes
import Contracts
import JSON
import Odoo
import Policy
import Store

/// `production-order.confirm`: the recipe of `ConfirmProduction`, walked step by step.
///
/// Odoo would book again or overwrite what it has: the effect is sent once. What became of it is read from the order
/// (`ConfirmSettlement`).
struct ConfirmProductionService: WriteService {
    let operation = "production-order.confirm"
    let endpoints: Set = ["confirm"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func perform(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let order = try await run.order()
        let site = try await run.sites.site(of: order, run.odoo)
        try await run.learnCategory(ofProduct: order.product.id)
        try run.authorize(Resource(site: site))
        if let unit = run.request.body["unit"]?.string, unit != ProductionOrderView.unit(of: order) {
            throw .invalid(
                Violation(
                    pointer: "/unit",
                    "the order is in `\(ProductionOrderView.unit(of: order))`, not in `\(unit)`"))
        }
        var recipe = Self.recipe(run.request.body)
        func plan() throws(ServiceStop) -> ConfirmProduction.Plan {
            do throws(RecipeRefusal) {
                return try recipe.plan(for: order, on: run.odoo.version)
            } catch {
                throw ServiceStop(error, state: order.state)
            }
        }
        // What is refused anyway is refused before anything is read for it, or a lot is made.
        _ = try plan()
        let input = try await ConfirmInput.read(order, run)
        recipe.byproducts = input.byproducts
        if let lot = input.lot { recipe.lot = try await lot.id(run, confirmed: try plan().intent.confirmed) }
        let plan = try plan()
        let settlement = ConfirmSettlement(intent: plan.intent, producing: order.producing)
        try await run.begin(
            .preparing, "preparing \(plan.intent.confirmed) of \(order.name)", intent: settlement.json,
            records: ["\(ProductionOrderRecord.model),\(order.id)"])
        do throws(ServiceStop) {
            try await prepare(plan, input, run)
            try await run.begin(.effect, "booking \(plan.intent.confirmed) of \(order.name)", intent: settlement.json)
        } catch {
            // Nothing is booked.
            await settlement.restore(run)
            throw error
        }
        return try await book(plan, settlement, run)
    }

    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult {
        var last: (phase: JournalStep.Phase, settlement: ConfirmSettlement, time: WallInstant)?
        for step in steps {
            let line = JournalStep(step.text)
            guard let phase = line.phase, let json = line.intent, let settlement = ConfirmSettlement(json) else {
                continue
            }
            last = (phase, settlement, step.time)
        }
        guard let last else {
            // All that was sent is the lot, which is no booking: the next try finds it by its name.
            throw ConfirmSettlement.notBooked("the gateway stopped before anything was booked")
        }
        if last.phase == .preparing {
            // The effect was never sent: this line would be followed by another.
            await last.settlement.restore(run)
            throw ConfirmSettlement.notBooked("the gateway stopped before anything was booked")
        }
        return try await last.settlement.settle(run, sentAt: last.time, mayStillRun: true)
    }

    static func recipe(_ body: JSONValue) -> ConfirmProduction {
        let isFinal = body["final"]?.bool ?? false
        let rest: ConfirmProduction.Rest
        switch body["remainder"]?.string {
        case "backorder": rest = .backorder
        case "close": rest = .closeShort
        default: rest = isFinal ? .closeShort : .backorder
        }
        return ConfirmProduction(
            quantity: body["quantity"]?.decimal.map { .exactly($0) } ?? .remaining, rest: rest,
            mayExceed: body["allow_excess"]?.bool ?? false)
    }

    // MARK: Steps

    private func prepare(
        _ plan: ConfirmProduction.Plan, _ input: ConfirmInput, _ run: WriteRun
    ) async throws(ServiceStop) {
        for call in plan.preparation { _ = try await run.odoo.result(call) }
        let prepared = try await run.odoo.orders(plan.read).first
        do throws(RecipeRefusal) {
            try plan.checkPrepared(prepared)
        } catch {
            throw ServiceStop(error, state: prepared?.state ?? .cancel)
        }
        guard let read = plan.movesRead else { return }
        let moves = try await run.odoo.records(read) { (record) throws(OdooShapeError) in
            try ComponentMoveRecord(record)
        }
        var writes: [OdooCall]
        do throws(RecipeRefusal) {
            writes = try plan.consumption(of: moves, entered: Set(input.components.map(\.move.id)))
        } catch {
            throw ServiceStop(error, state: prepared?.state ?? .confirmed)
        }
        if !input.components.isEmpty {
            // After the preparation: it reserves, and may have chosen other lots.
            let lines = try await run.lines(of: input.components.map(\.move.id))
            writes += input.components.map {
                LotConsumption.set($0.move, to: $0.shares, instead: lines, on: run.odoo.version)
            }
        }
        for call in writes { _ = try await run.odoo.result(call) }
    }

    private func book(
        _ plan: ConfirmProduction.Plan, _ settlement: ConfirmSettlement, _ run: WriteRun
    ) async throws(ServiceStop) -> WriteResult {
        let sentAt = run.odoo.wall
        let result: JSONValue?
        do throws(OdooError) {
            result = try await run.odoo.call(plan.effect)
        } catch {
            switch error.outcome {
            case .rejected, .notSent:
                await settlement.restore(run)
                throw ServiceStop(error)
            case .unknown(let mayStillRun):
                return try await settlement.settle(run, sentAt: sentAt, mayStillRun: mayStillRun)
            case .applied: result = nil
            }
        }
        return try await settlement.settle(
            run, sentAt: sentAt, mayStillRun: false, answer: ConfirmProduction.answer(result))
    }
}
