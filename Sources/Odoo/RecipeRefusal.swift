import Bytes

/// Why a recipe does not do what it was asked, found before anything is booked. Closed; `code` is stable and goes to
/// callers, `description` says what to do about it.
package enum RecipeRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case unsupportedVersion(OdooVersion)
    /// `button_mark_done` would book a draft too (recording 045): an order is released first.
    case orderNotReleased
    case orderDone
    /// `action_confirm` on it says true and does nothing (recording 125).
    case orderCancelled
    case orderInUnknownState(String)
    /// The order changed between our first look at it and the booking.
    case orderChanged
    case quantityNotPositive
    case nothingRemains
    case quantityExceedsRemaining(asked: ExactDecimal, remaining: ExactDecimal)
    /// Odoo rounds to the unit's precision, or allows one piece with a serial number: it did not keep the quantity.
    case quantityNotKept(asked: ExactDecimal, kept: ExactDecimal)
    /// Nothing would be booked for these components, by name.
    case componentsNotConsumed([String])
    /// On 17 the share of a by-product has more places than Odoo keeps.
    case byproductShareInexact(String)

    package var code: String {
        switch self {
        case .unsupportedVersion: "odoo-version-unsupported"
        case .orderNotReleased: "order-not-released"
        case .orderDone: "order-done"
        case .orderCancelled: "order-cancelled"
        case .orderInUnknownState: "order-in-unknown-state"
        case .orderChanged: "order-changed"
        case .quantityNotPositive: "quantity-not-positive"
        case .nothingRemains: "nothing-remains"
        case .quantityExceedsRemaining: "quantity-exceeds-remaining"
        case .quantityNotKept: "quantity-not-kept"
        case .componentsNotConsumed: "components-not-consumed"
        case .byproductShareInexact: "byproduct-share-inexact"
        }
    }

    package var description: String {
        switch self {
        case .unsupportedVersion(let version):
            "this service is not proved on Odoo \(version); 17 to 19 are supported"
        case .orderNotReleased: "the order is a draft: release it first"
        case .orderDone: "the order is done"
        case .orderCancelled: "the order is cancelled"
        case .orderInUnknownState(let state): "the order is in state `\(state)`, which is not known here"
        case .orderChanged: "the order was changed by somebody else meanwhile: read it again"
        case .quantityNotPositive: "the quantity must be greater than zero"
        case .nothingRemains: "nothing remains to be produced: give the quantity"
        case .quantityExceedsRemaining(let asked, let remaining):
            "the quantity \(asked) is more than the \(remaining) that remain: allow over-production explicitly"
        case .quantityNotKept(let asked, let kept):
            "Odoo made \(kept) of the quantity \(asked): use the precision of the order's unit"
        case .componentsNotConsumed(let names):
            "no consumption would be booked for \(names.joined(separator: ", ")): enter it in Odoo first"
        case .byproductShareInexact(let name):
            "the share of the by-product \(name) cannot be booked exactly: confirm the order in Odoo"
        }
    }
}
