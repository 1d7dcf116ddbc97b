import JSON

/// A result of type `ir.actions.…`: Odoo would open something on a screen.
///
/// It may mean "not done, decide first" (a wizard: `mrp.consumption.warning`, recording 077;
/// `mrp.production.backorder`, 095), or "done, look here" (the backorder, 102). `resModel` tells, and the record read
/// back proves. 19 sends more members than 17: these four are common.
package struct OdooAction: Hashable, Sendable {
    /// `ir.actions.act_window`, `ir.actions.client`, …
    package let type: String
    package let resModel: String?
    /// The record to open; nil for a wizard, where Odoo says 0.
    package let resID: Int?
    /// For the wizard's `create` and its buttons.
    package let context: JSONObject

    /// Nil when the result is no action.
    package init?(_ result: JSONValue?) {
        guard let result, let type = result["type"]?.string, type.hasPrefix("ir.actions.") else { return nil }
        self.type = type
        resModel = result["res_model"]?.string
        resID = result["res_id"]?.int.flatMap { $0 > 0 ? $0 : nil }
        context = result["context"]?.object ?? JSONObject()
    }
}
