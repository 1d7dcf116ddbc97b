import Bytes
import JSON

/// Confirms production on an order: books what was produced and what it consumed, and closes the order, with the rest
/// in a backorder or given up. Odoo closes an order with every confirmation; a backorder is how it goes on.
///
/// The walk, under a lock on the order:
/// 1. read the order; `plan(for:on:)` refuses, or says what to do;
/// 2. `preparation`: absolute writes that book nothing, harmless to repeat. 18 and 19 set the components themselves
///    (`set_qty_producing`, recordings 19/092 to 094). 17 has no such public method;
/// 3. read the order again; `checkPrepared` compares what Odoo kept: it rounds, and takes a quantity that rounds to
///    zero for "the whole order" (by reading: `_set_quantities`);
/// 4. read the moves; `consumption(of:)` answers the writes that 17 needs (17/092 to 094), and on every version refuses
///    what would silently consume nothing (recording 105, the trap this recipe exists for);
/// 5. write down the intent, then `effect`: the one call that books. A second one would book nothing more but
///    overwrite `date_finished` (090); it is not repeated unless a read shows that it did nothing;
/// 6. read back; `intent.verdict` tells. The answer alone does not: a 200 may be a wizard (077, 095).
/// After a refusal from step 3 on, or a rejection of the effect, `restore` puts `qty_producing` back.
package struct ConfirmProduction: Hashable, Sendable {
    package enum Quantity: Hashable, Sendable {
        /// All that remains.
        case remaining
        case exactly(ExactDecimal)
    }

    /// What becomes of the rest, if there is one.
    package enum Rest: Hashable, Sendable {
        case backorder
        case closeShort
    }

    package var quantity: Quantity
    package var rest: Rest
    /// More than remains is meant, not a slip.
    package var mayExceed: Bool
    /// The lot or serial number of what was made (recordings 117 to 120).
    package var lot: Int?
    /// What was made of by-products, by product; the others in proportion.
    package var byproducts: [Int: ExactDecimal] = [:]

    package init(quantity: Quantity, rest: Rest, mayExceed: Bool = false) {
        self.quantity = quantity
        self.rest = rest
        self.mayExceed = mayExceed
    }

    package struct Plan: Hashable, Sendable {
        package let version: OdooVersion
        package let intent: ConfirmIntent
        /// In this order.
        package let preparation: [OdooCall]
        /// The order, for `checkPrepared` and for the verdict.
        package let read: OdooCall
        /// The moves, for `consumption(of:)`; nil when the order has no components.
        package let movesRead: OdooCall?
        package let effect: OdooCall
        /// Best effort.
        package let restore: OdooCall
        /// Moves of components; the others read are finished moves.
        let components: Set<Int>
        let byproducts: [Int: ExactDecimal]
    }

    package func plan(
        for order: ProductionOrderRecord, on version: OdooVersion
    ) throws(RecipeRefusal) -> Plan {
        guard version.hasWritingRecipes else { throw .unsupportedVersion(version) }
        try Self.checkOpen(order)
        let intent = try intent(for: order)
        let model = ProductionOrderRecord.model
        var values: JSONObject = ["qty_producing": JSONValue(intent.producing)]
        if let lot {
            let field = version.lotProducingField
            values[field] = version.major >= 19 ? [[6, 0, [JSONValue(lot)]]] : JSONValue(lot)
        }
        var preparation: [OdooCall] = [.write(model, ids: [order.id], values)]
        if version.hasSetQuantityProducing {
            preparation.append(.button(model, "set_qty_producing", ids: [order.id]))
        }
        var moves = order.componentMoves
        // The finished move of the product itself follows `qty_producing`; only by-products concern us, and only
        // where `set_qty_producing` does not see to them.
        if !version.hasSetQuantityProducing || !byproducts.isEmpty, order.finishedMoves.count > 1 {
            moves += order.finishedMoves
        }
        return Plan(
            version: version, intent: intent, preparation: preparation,
            read: ProductionOrderRecord.read([order.id], on: version),
            movesRead: moves.isEmpty ? nil : ComponentMoveRecord.read(moves),
            effect: .button(model, "button_mark_done", ids: [order.id], context: Self.context(intent)),
            restore: .write(model, ids: [order.id], ["qty_producing": JSONValue(order.producing)]),
            components: Set(order.componentMoves), byproducts: byproducts)
    }

    private func intent(for order: ProductionOrderRecord) throws(RecipeRefusal) -> ConfirmIntent {
        let remaining = order.remaining
        let confirmed: ExactDecimal
        switch quantity {
        case .remaining:
            guard !remaining.isZero else { throw .nothingRemains }
            confirmed = remaining
        case .exactly(let quantity):
            guard !quantity.isNegative, !quantity.isZero else { throw .quantityNotPositive }
            guard quantity <= remaining || mayExceed else {
                throw .quantityExceedsRemaining(asked: quantity, remaining: remaining)
            }
            confirmed = quantity
        }
        // `qty_producing` counts what is booked already (by reading: Odoo consumes for `qty_producing - qty_produced`).
        guard let producing = order.produced + confirmed else {
            throw .quantityNotKept(asked: confirmed, kept: .zero)
        }
        var left = ConfirmIntent.Rest.nothing
        if let open = remaining - confirmed, !open.isNegative, !open.isZero {
            left = rest == .backorder ? .backorder(open) : .short(open)
        }
        return ConfirmIntent(
            order: order.id, product: order.product.id, name: order.name, quantity: order.quantity,
            produced: order.produced, producing: producing, rest: left)
    }

    /// With these Odoo asks nothing back. Without `mo_ids_to_backorder` the rest is given up (recording 106).
    ///
    /// `skip_redirection` is left out: so the answer is an action that names the backorder (102). With it the answer
    /// would be `true` (104) and the backorder would have to be searched.
    private static func context(_ intent: ConfirmIntent) -> JSONObject {
        var context: JSONObject = ["skip_backorder": true, "skip_consumption": true]
        if case .backorder = intent.rest {
            context["mo_ids_to_backorder"] = [JSONValue(intent.order)]
        }
        return context
    }

    fileprivate static func checkOpen(_ order: ProductionOrderRecord) throws(RecipeRefusal) {
        switch order.state {
        case .confirmed, .progress, .toClose: return
        case .draft: throw .orderNotReleased
        case .done: throw .orderDone
        case .cancel: throw .orderCancelled
        case .other(let state): throw .orderInUnknownState(state)
        }
    }
}

// MARK: - Between preparation and effect

extension ConfirmProduction.Plan {
    /// Whether Odoo kept the quantity, and nobody else touched the order. Takes the answer to `read`.
    package func checkPrepared(_ order: ProductionOrderRecord?) throws(RecipeRefusal) {
        guard let order, order.id == intent.order else { throw .orderChanged }
        try ConfirmProduction.checkOpen(order)
        guard order.produced == intent.produced, order.quantity == intent.quantity else { throw .orderChanged }
        guard order.producing == intent.producing else {
            let kept = (order.producing - intent.produced) ?? order.producing
            throw .quantityNotKept(asked: intent.confirmed, kept: kept)
        }
    }

    /// The writes that the moves still need. Takes the answer to `movesRead`.
    ///
    /// - Parameter entered: moves whose lots the caller has named; they are written apart.
    package func consumption(
        of moves: [ComponentMoveRecord], entered: Set<Int> = []
    ) throws(RecipeRefusal) -> [OdooCall] {
        var calls: [OdooCall] = []
        var unconsumed: [String] = []
        for move in moves where !move.isClosed && !entered.contains(move.id) {
            guard components.contains(move.id) else {
                if move.product.id == intent.product { continue }
                if let made = byproducts[move.product.id] {
                    if !(move.picked && move.quantity == made) { calls.append(set(move, to: made)) }
                } else if !version.hasSetQuantityProducing {
                    calls += try byproduct(move)
                }
                continue
            }
            if move.manualConsumption {
                // Somebody's own figure stands, also zero; Odoo's buttons leave it alone too. Without one nothing
                // would be booked, and the warning about it is switched off.
                if !move.picked && !move.shouldConsume.isZero { unconsumed.append(move.product.name) }
            } else if version.hasSetQuantityProducing {
                let isBooked = move.picked && !move.quantity.isZero
                if !isBooked && !move.shouldConsume.isZero { unconsumed.append(move.product.name) }
            } else if !(move.picked && move.quantity == move.shouldConsume) {
                calls.append(set(move, to: move.shouldConsume))
            }
        }
        if !unconsumed.isEmpty { throw .componentsNotConsumed(unconsumed) }
        return calls
    }

    /// 17 only. The share of the whole that is confirmed now, by reading `_compute_unit_factor`.
    private func byproduct(_ move: ComponentMoveRecord) throws(RecipeRefusal) -> [OdooCall] {
        guard let remaining = intent.quantity - intent.produced,
            let share = Self.share(of: move.demand, intent.confirmed, remaining)
        else { throw .byproductShareInexact(move.product.name) }
        return move.picked && move.quantity == share ? [] : [set(move, to: share)]
    }

    private func set(_ move: ComponentMoveRecord, to quantity: ExactDecimal) -> OdooCall {
        .write(
            ComponentMoveRecord.model, ids: [move.id],
            [version.doneQuantityField: JSONValue(quantity), "picked": true])
    }

    /// `whole * part / total` when it has at most two places, Odoo's default precision; else nil.
    static func share(of whole: ExactDecimal, _ part: ExactDecimal, _ total: ExactDecimal) -> ExactDecimal? {
        guard !total.isZero, let product = whole * part, let hundredfold = product * ExactDecimal(100) else {
            return nil
        }
        // hundredfold / total must be a whole number: bring both to one scale and divide.
        var numerator = Int128(hundredfold.mantissa)
        var denominator = Int128(total.mantissa)
        for _ in 0..<total.scale { numerator *= 10 }
        for _ in 0..<hundredfold.scale { denominator *= 10 }
        guard denominator != 0, numerator % denominator == 0, let hundredths = Int64(exactly: numerator / denominator)
        else { return nil }
        return ExactDecimal(mantissa: hundredths, scale: 2)
    }
}

// MARK: - After the effect

extension ConfirmProduction {
    /// What Odoo answered to `effect`, before the order is read back.
    package enum Answer: Hashable, Sendable {
        /// True, or nothing to say.
        case done
        /// Done, and this is the backorder (recording 102).
        case backorder(id: Int)
        /// Odoo wants a decision first, in a wizard that none of our switches skips (an expired lot, a quality check of
        /// an extension). Mostly nothing is booked: the read tells.
        case wizard(resModel: String)
    }

    package static func answer(_ result: JSONValue?) -> Answer {
        guard let action = OdooAction(result) else { return .done }
        if action.resModel == ProductionOrderRecord.model, let id = action.resID { return .backorder(id: id) }
        // Reports to print and lists to look at have other types or no wizard's model; the read tells.
        guard action.type == "ir.actions.act_window", let resModel = action.resModel,
            resModel != ProductionOrderRecord.model
        else { return .done }
        return .wizard(resModel: resModel)
    }
}
