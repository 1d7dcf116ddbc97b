/// What a person at a machine does with an operation: the buttons of `mrp.workorder`, which do nothing where it is so
/// already (recordings 053, 054, 057, 058, 068, 069; the cancellation by reading `mrp_workorder.py`, and tried on 17 and 19).
package enum WorkOrderAction: String, Hashable, Sendable, CaseIterable {
    /// Begins or goes on. Refused on a blocked work center (065) and after the end (070).
    case start
    /// Stops the time of the user.
    case pause
    case finish
    /// It is not done any more, and its time stops, whoever's it is. Of a finished one Odoo would say the same: the service
    /// refuses that.
    case cancel

    /// A second call does nothing, also where the first is late.
    package var repeats: Bool { self == .finish || self == .cancel }

    package func call(_ id: Int) -> OdooCall {
        let method =
            switch self {
            case .start: "button_start"
            case .pause: "button_pending"
            case .finish: "button_finish"
            case .cancel: "action_cancel"
            }
        return .button(WorkOrderRecord.model, method, ids: [id])
    }

    /// Whether the operation is as the button leaves it.
    package func isDone(_ operation: WorkOrderRecord) -> Bool {
        switch self {
        case .start: operation.state == "progress" && operation.isTimed
        case .pause: !operation.isTimed
        case .finish: operation.state == "done"
        case .cancel: operation.state == "cancel"
        }
    }
}
