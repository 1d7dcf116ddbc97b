/// Releases a draft order: `action_confirm`.
///
/// Harmless to repeat: on a released order it is a no-op (recording 047). On a cancelled one it says true and does
/// nothing (125), hence the guard before and the read after.
package enum ReleaseProductionOrder {
    package enum Plan: Hashable, Sendable {
        case call(OdooCall)
        case alreadyReleased
    }

    package static func plan(
        for order: ProductionOrderRecord, on version: OdooVersion
    ) throws(RecipeRefusal) -> Plan {
        guard version.hasWritingRecipes else { throw .unsupportedVersion(version) }
        switch order.state {
        case .draft: return .call(call(order.id))
        case .confirmed, .progress, .toClose: return .alreadyReleased
        case .done: throw .orderDone
        case .cancel: throw .orderCancelled
        case .other(let state): throw .orderInUnknownState(state)
        }
    }

    package static func call(_ order: Int) -> OdooCall {
        .button(ProductionOrderRecord.model, "action_confirm", ids: [order])
    }

    /// What must be so after the call.
    package static func expected(_ order: Int) -> AddonStep {
        .expect(
            ProductionOrderRecord.model, ids: [order],
            [["state", "in", ["confirmed", "progress", "to_close", "done"]]], why: "released")
    }

    /// Whether the order, read after the call or after an interruption, is released.
    package static func verdict(after order: ProductionOrderRecord?) -> RecipeVerdict {
        guard let order else { return .conflict("the order is gone") }
        switch order.state {
        case .draft: return .notApplied
        case .confirmed, .progress, .toClose, .done: return .applied
        case .cancel: return .conflict("the order was cancelled")
        case .other(let state): return .conflict("the order is in state `\(state)`")
        }
    }
}
