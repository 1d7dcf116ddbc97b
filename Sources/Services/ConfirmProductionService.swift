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
        if run.hasAddon, input.components.isEmpty, let program = plan.whole {
            let booked = try await book(program, "whole", isPrepared: false, plan, settlement, run)
            if let booked { return booked }
        }
        try await run.begin(
            .preparing, "preparing \(plan.intent.confirmed) of \(order.name)", intent: settlement.json,
            records: ["\(ProductionOrderRecord.model),\(order.id)"])
        do throws(ServiceStop) {
            let writes = try await prepare(plan, input, run)
            if run.hasAddon {
                let booked = try await book(
                    plan.booking(with: writes), "book", isPrepared: true, plan, settlement, run)
                if let booked { return booked }
            }
            for call in writes { _ = try await run.odoo.result(call) }
            try await run.begin(.effect, "booking \(plan.intent.confirmed) of \(order.name)", intent: settlement.json)
        } catch {
            // What may be booked is left as it is.
            if case .unknown = error.meaning { throw error }
            // Nothing is booked.
            await settlement.restore(run)
            throw error
        }
        return try await book(plan, settlement, run)
    }

    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult {
        var last: Last?
        for step in steps {
            let line = JournalStep(step.text)
            guard let phase = line.phase, let json = line.intent, let settlement = ConfirmSettlement(json) else {
                continue
            }
            last = Last(
                phase: phase, settlement: settlement, time: step.time,
                request: json["request"] == nil ? nil : json["step"]?.string, effect: json["effect"]?.int)
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
        run.recall(steps)
        if let name = last.request, run.request(of: name) != nil {
            switch try await run.askAgain(name) {
            case .done(let results):
                return try await last.settlement.settle(
                    run, sentAt: last.time, mayStillRun: false,
                    answer: ConfirmProduction.answer(
                        last.effect.flatMap { results.indices.contains($0) ? results[$0] : nil }))
            case .refused(let error):
                await last.settlement.restore(run)
                throw Self.refusal(error, last.settlement, run)
            case nil:
                await last.settlement.restore(run)
                throw ConfirmSettlement.notBooked("the request was closed before it was carried out")
            case .left: break
            }
        }
        return try await last.settlement.settle(run, sentAt: last.time, mayStillRun: true)
    }

    /// The last line of the journal that says what was sent.
    private struct Last {
        let phase: JournalStep.Phase
        let settlement: ConfirmSettlement
        let time: WallInstant
        /// The step that went through the addon, and where its results have the answer to the booking.
        let request: String?
        let effect: Int?
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

    // MARK: Through the addon

    /// Books by one request; nil where it must be gone on without: a guard has found what the reads between the steps
    /// say more exactly, or there is no addon any more. Nothing was done then.
    private func book(
        _ program: ConfirmProduction.Plan.Program, _ name: String, isPrepared: Bool, _ plan: ConfirmProduction.Plan,
        _ settlement: ConfirmSettlement, _ run: WriteRun
    ) async throws(ServiceStop) -> WriteResult? {
        var intent = settlement.json.object ?? JSONObject()
        intent["effect"] = JSONValue(program.effect)
        let sentAt = run.odoo.wall
        let end = try await run.throughAddon(
            name, [], "booking \(plan.intent.confirmed) of \(plan.intent.name)", program.steps, intent: intent,
            records: ["\(ProductionOrderRecord.model),\(plan.intent.order)"])
        switch end {
        case .done(let results):
            let answer = results.indices.contains(program.effect) ? results[program.effect] : nil
            return try await settlement.settle(
                run, sentAt: sentAt, mayStillRun: false, answer: ConfirmProduction.answer(answer))
        case .refused(let error):
            if !isPrepared, OdooAddon.Refusal(error) == .expectationFailed { return nil }
            throw Self.refusal(error, settlement, run)
        case .left: return run.hasSent(name) ? try await settlement.settle(run, sentAt: sentAt, mayStillRun: true) : nil
        }
    }

    /// Nothing was booked, and that is certain.
    private static func refusal(_ error: OdooError, _ settlement: ConfirmSettlement, _ run: WriteRun) -> ServiceStop {
        switch OdooAddon.Refusal(error) {
        case .expectationFailed:
            return ConfirmSettlement.notBooked("the order was changed meanwhile (\(error.message))")
        default: return run.refusal(error)
        }
    }

    // MARK: Steps

    /// Everything before the booking.
    ///
    /// - Returns: writes on the moves that are still to be sent.
    private func prepare(
        _ plan: ConfirmProduction.Plan, _ input: ConfirmInput, _ run: WriteRun
    ) async throws(ServiceStop) -> [OdooCall] {
        for call in plan.preparation { _ = try await run.odoo.result(call) }
        let prepared = try await run.odoo.orders(plan.read).first
        do throws(RecipeRefusal) {
            try plan.checkPrepared(prepared)
        } catch {
            throw ServiceStop(error, state: prepared?.state ?? .cancel)
        }
        guard let read = plan.movesRead else { return [] }
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
        return writes
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
