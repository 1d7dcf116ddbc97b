import JSON

/// A confirmation as one request of the addon.
extension ConfirmProduction.Plan {
    /// Where one finds the answer to `effect` among the results.
    package struct Program: Hashable, Sendable {
        package let steps: [AddonStep]
        package let effect: Int
    }

    /// Everything, where nothing must be read in between: 18 and 19 set the components themselves, and guards say of each
    /// what `consumption(of:)` would refuse. Nil where a figure must be computed from a read: on 17, and with by-products.
    package var whole: Program? {
        guard version.hasSetQuantityProducing, byproducts.isEmpty else { return nil }
        var steps = preparation.map { AddonStep.call($0) } + [prepared]
        if !components.isEmpty { steps.append(consumed) }
        return booking(after: steps)
    }

    /// The booking alone, of what is prepared.
    ///
    /// - Parameter writes: what the moves still need.
    package func booking(with writes: [OdooCall]) -> Program {
        booking(after: writes.map { AddonStep.call($0) } + [prepared])
    }

    private func booking(after steps: [AddonStep]) -> Program {
        Program(steps: steps + [.call(effect, noWizard: true), booked], effect: steps.count)
    }

    /// As `checkPrepared` has it.
    private var prepared: AddonStep {
        .expect(
            ProductionOrderRecord.model, ids: [intent.order],
            [
                ["state", "in", ["confirmed", "progress", "to_close"]],
                ["qty_produced", "=", JSONValue(intent.produced)],
                ["product_qty", "=", JSONValue(intent.quantity)], ["qty_producing", "=", JSONValue(intent.producing)],
            ], why: "prepared")
    }

    /// Something is booked of each component of which something should be, or somebody has entered a figure.
    private var consumed: AddonStep {
        .expect(
            ComponentMoveRecord.model, ids: components.sorted(),
            [
                "|", ["state", "in", ["done", "cancel"]], "|", ["should_consume_qty", "=", 0], "&",
                ["picked", "=", true],
                "|", ["manual_consumption", "=", true], ["quantity", "!=", 0],
            ], why: "consumed")
    }

    /// As `ConfirmIntent.verdict` has it.
    private var booked: AddonStep {
        var conditions: [JSONValue] = [["state", "=", "done"], ["qty_produced", "=", JSONValue(intent.producing)]]
        switch intent.rest {
        case .nothing: break
        case .backorder: conditions.append(["product_qty", "=", JSONValue(intent.producing)])
        case .short: conditions.append(["product_qty", "=", JSONValue(intent.quantity)])
        }
        return .expect(ProductionOrderRecord.model, ids: [intent.order], conditions, why: "booked")
    }
}
