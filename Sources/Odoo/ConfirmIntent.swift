import Bytes
import JSON

/// What a confirmation is about to do, written down before it does it: from this and a read of the order one can tell
/// whether it was done, also after the gateway was killed in the middle.
///
/// The marks: `qty_producing` is set to `producing` first, and stays after the booking; the booking makes the state
/// `done`, `qty_produced` equal to `producing`, and `product_qty` too when a backorder took the rest (recordings 088,
/// 101, 103, 107). Someone who confirms the same quantity by hand at the same moment looks the same; the books are
/// then as they were meant to be.
package struct ConfirmIntent: Hashable, Sendable {
    /// What becomes of the rest.
    package enum Rest: Hashable, Sendable {
        case nothing
        /// A new order over this quantity.
        case backorder(ExactDecimal)
        /// Given up.
        case short(ExactDecimal)
    }

    package let order: Int
    package let product: Int
    /// Before the call. A backorder renames the order.
    package let name: String
    /// `product_qty` before.
    package let quantity: ExactDecimal
    /// `qty_produced` before.
    package let produced: ExactDecimal
    /// `qty_producing` to be set: `produced` and the quantity confirmed now.
    package let producing: ExactDecimal
    package let rest: Rest

    /// Confirmed now.
    package var confirmed: ExactDecimal { (producing - produced) ?? producing }

    /// Whether the order shows the effect.
    package func verdict(_ order: ProductionOrderRecord?) -> RecipeVerdict {
        guard let order, order.id == self.order else { return .conflict("the order is gone") }
        switch order.state {
        case .draft, .confirmed, .progress, .toClose:
            return order.produced == produced
                ? .notApplied : .conflict("\(order.produced) were booked, \(produced) before")
        case .cancel: return .conflict("the order was cancelled")
        case .other(let state): return .conflict("the order is in state `\(state)`")
        case .done: break
        }
        guard order.produced == producing else {
            return .conflict("the order was closed with \(order.produced), not with \(producing)")
        }
        switch rest {
        case .nothing: return .applied
        case .backorder:
            return order.quantity == producing ? .applied : .conflict("the order was closed without a backorder")
        case .short:
            return order.quantity == quantity ? .applied : .conflict("the order was closed with a backorder")
        }
    }
}

// MARK: - The backorder

extension ConfirmIntent {
    /// The orders among which the backorder is, for when Odoo's answer did not say (a lost answer, or another action
    /// in its place). Takes the order as it is after the booking: the common part of the names is read from its new
    /// one, as in recording 101, where `WH/MO/00028` became `-001` and its backorder is `-002`.
    package func backorderSearch(of order: ProductionOrderRecord, on version: OdooVersion) -> OdooCall {
        .searchRead(
            ProductionOrderRecord.model,
            domain: [
                ["product_id", "=", JSONValue(product)], ["name", "ilike", .string(Self.base(of: order.name) + "-")],
            ],
            fields: ProductionOrderRecord.fields(on: version), limit: OdooPage.limitMax, order: "id desc")
    }

    /// The backorder of `order` among the answers to `backorderSearch`: the newest sibling behind it in the chain with
    /// the quantity of the rest. An order that was split beforehand has older siblings, with lower ids.
    package func backorder(
        of order: ProductionOrderRecord, among siblings: [ProductionOrderRecord]
    ) -> ProductionOrderRecord? {
        guard case .backorder(let rest) = rest else { return nil }
        let base = Self.base(of: order.name)
        let candidates = siblings.filter { sibling in
            sibling.id > order.id && sibling.product.id == product
                && sibling.backorderSequence > order.backorderSequence
                && Self.base(of: sibling.name) == base
        }
        // Confirmed on already, it shows what was produced of it instead.
        return candidates.filter { $0.quantity == rest }.max { $0.id < $1.id } ?? candidates.max { $0.id < $1.id }
    }

    /// The name without the place in the chain: Odoo cuts `-` and digits at the end, and appends three digits or more.
    static func base(of name: String) -> String {
        guard let dash = name.lastIndex(of: "-") else { return name }
        let digits = name[name.index(after: dash)...]
        guard digits.utf8.count >= 3, digits.utf8.allSatisfy({ $0 &- 48 < 10 }) else { return name }
        return String(name[..<dash])
    }
}

// MARK: - For the ledger

extension ConfirmIntent {
    package var json: JSONValue {
        var members: JSONObject = [
            "order": JSONValue(order), "product": JSONValue(product), "name": .string(name),
            "quantity": JSONValue(quantity), "produced": JSONValue(produced), "producing": JSONValue(producing),
        ]
        switch rest {
        case .nothing: break
        case .backorder(let rest): members["backorder"] = JSONValue(rest)
        case .short(let rest): members["short"] = JSONValue(rest)
        }
        return .object(members)
    }

    /// Nil when it is not what `json` writes.
    package init?(_ json: JSONValue) {
        guard let order = json["order"]?.int, let product = json["product"]?.int, let name = json["name"]?.string,
            let quantity = json["quantity"]?.decimal, let produced = json["produced"]?.decimal,
            let producing = json["producing"]?.decimal
        else { return nil }
        let rest: Rest
        switch (json["backorder"], json["short"]) {
        case (nil, nil): rest = .nothing
        case (let value?, nil):
            guard let value = value.decimal else { return nil }
            rest = .backorder(value)
        case (nil, let value?):
            guard let value = value.decimal else { return nil }
            rest = .short(value)
        case (_?, _?): return nil
        }
        self.init(
            order: order, product: product, name: name, quantity: quantity, produced: produced, producing: producing,
            rest: rest)
    }
}
