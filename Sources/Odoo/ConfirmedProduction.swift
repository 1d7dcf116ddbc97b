import Bytes

/// What a confirmation has led to, for the answer, the audit entry and the event.
package struct ConfirmedProduction: Hashable, Sendable {
    /// As read back; renamed when there is a backorder.
    package let order: ProductionOrderRecord
    /// What this confirmation booked.
    package let confirmed: ExactDecimal
    /// The order over the rest; nil when there is none, or when it could not be told.
    package let backorder: ProductionOrderRecord?
    /// The quantity that was given up.
    package let closedShort: ExactDecimal?

    package init(_ intent: ConfirmIntent, order: ProductionOrderRecord, backorder: ProductionOrderRecord?) {
        self.order = order
        self.backorder = backorder
        confirmed = intent.confirmed
        if case .short(let rest) = intent.rest { closedShort = rest } else { closedShort = nil }
    }
}
