/// The states of `mrp.production` (recording 028).
package enum ProductionState: Hashable, Sendable, CustomStringConvertible {
    case draft
    case confirmed
    /// Something was produced or consumed, nothing booked.
    case progress
    /// All is produced, nothing booked.
    case toClose
    case done
    case cancel
    /// From an extension of Odoo; no recipe touches such an order.
    case other(String)

    package init(_ text: String) {
        switch text {
        case "draft": self = .draft
        case "confirmed": self = .confirmed
        case "progress": self = .progress
        case "to_close": self = .toClose
        case "done": self = .done
        case "cancel": self = .cancel
        default: self = .other(text)
        }
    }

    package var description: String {
        switch self {
        case .draft: "draft"
        case .confirmed: "confirmed"
        case .progress: "progress"
        case .toClose: "to_close"
        case .done: "done"
        case .cancel: "cancel"
        case .other(let text): text
        }
    }

    /// Released and not closed: production may be confirmed.
    package var isOpen: Bool {
        switch self {
        case .confirmed, .progress, .toClose: true
        case .draft, .done, .cancel, .other: false
        }
    }
}
