/// What a person at a machine does with an operation: the buttons of `mrp.workorder`, which do nothing where it is so
/// already (recordings 053, 054, 057, 058, 068, 069).
package enum WorkOrderAction: String, Hashable, Sendable, CaseIterable {
    /// Begins or goes on. Refused on a blocked work center (065) and after the end (070).
    case start
    /// Stops the time of the user.
    case pause
    case finish

    package func call(_ id: Int) -> OdooCall {
        let method =
            switch self {
            case .start: "button_start"
            case .pause: "button_pending"
            case .finish: "button_finish"
            }
        return .button(WorkOrderRecord.model, method, ids: [id])
    }

    /// Whether the operation is as the button leaves it.
    package func isDone(_ operation: WorkOrderRecord) -> Bool {
        switch self {
        case .start: operation.state == "progress" && operation.isTimed
        case .pause: !operation.isTimed
        case .finish: operation.state == "done"
        }
    }
}
