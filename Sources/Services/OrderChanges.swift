import Bytes
import Events
import Odoo
import Store

/// What a change of a production order means, from how it was seen before to how it is now. Pure.
///
/// The keys of the events see to it that what a governed service has told already is not told again.
struct OrderChanges {
    /// Nil for an order that was never seen.
    var before: WatchStore.Seen?
    /// It was made since watching began.
    var isNew: Bool
    let order: ProductionOrderRecord
    let site: String?
    let time: WallInstant

    /// How far along the life of an order a state is; a cancelled one has left it.
    private static func rank(_ state: ProductionState) -> Int? {
        switch state {
        case .draft: 0
        case .confirmed: 1
        case .progress: 2
        case .toClose: 3
        case .done: 4
        case .cancel, .other: nil
        }
    }

    var events: [BusinessEvent] {
        // Made before anybody watched, and closed by then: what it has gone through is history.
        guard before != nil || isNew else { return [] }
        var events: [BusinessEvent] = []
        if before == nil { events.append(.productionOrderCreated(order, site: site, at: time)) }
        let old = before.map { ProductionState($0.state) } ?? .draft
        let produced = before.flatMap { ExactDecimal($0.produced) } ?? .zero
        if order.state == .cancel {
            if old != .cancel { events.append(.productionOrderCancelled(order, site: site, at: time)) }
            return events
        }
        guard let from = Self.rank(old), let to = Self.rank(order.state) else { return events }
        if from < 1, to >= 1 { events.append(.productionOrderReleased(order, site: site, at: time)) }
        let more = order.produced - produced
        if from < 2, to >= 2 || produced.isZero && !order.produced.isZero {
            events.append(.productionOrderStarted(order, site: site, at: time))
        }
        if let more, !more.isZero, !more.isNegative {
            events.append(.productionConfirmed(order, confirmed: more, site: site, at: time))
            events.append(.finishedGoodsReported(order, quantity: more, site: site, at: time))
        }
        if from < 4, to == 4 { events.append(.productionOrderCompleted(order, site: site, at: time)) }
        return events
    }
}
