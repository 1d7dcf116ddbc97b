import Bytes
import JSON

/// Answers that are questions: a window that Odoo's own client would open. "200 with a dictionary" means not done yet
/// (recordings 077, 095), or, with `res_model` the order itself, done with a backorder (099).
extension Engine {
    /// The action as it is stored in the database, read as a whole: 19 has more members than 17.
    private func storedAction(
        id: (Int, Int), name: String, xmlID: String, resModel: String, context: JSONObject
    ) -> JSONValue {
        let is19 = version.is19
        var action: [(String, JSONValue)] = [
            ("id", JSONValue(is19 ? id.1 : id.0)), ("name", .string(name)), ("type", "ir.actions.act_window"),
            ("xml_id", .string(xmlID)), ("help", false), ("binding_model_id", false), ("binding_type", "action"),
            ("binding_view_types", "list,form"), ("display_name", .string(name)), ("view_id", false),
            ("domain", false), ("context", .object(context)), ("res_id", 0), ("res_model", .string(resModel)),
            ("target", "new"), ("view_mode", "form"), ("mobile_view_mode", "kanban"), ("views", [[false, "form"]]),
            ("limit", 80), (is19 ? "group_ids" : "groups_id", []), ("search_view_id", false), ("filter", false),
        ]
        if is19 { action += [("path", false), ("embedded_action_ids", []), ("cache", true)] }
        return .object(JSONObject(action))
    }

    func consumptionAction(_ ids: [Int], _ issues: [ConsumptionIssue]) -> JSONValue {
        let lines = issues.map { issue -> JSONValue in
            let unit = link(Model.product, issue.product, "uom_id") ?? 0
            let line: JSONValue = [
                "mrp_production_id": JSONValue(issue.order), "product_id": JSONValue(issue.product),
                "consumption": .string(text(Model.production, issue.order, "consumption")),
                "product_uom_id": JSONValue(unit), "product_consumed_qty_uom": issue.consumed.json,
                "product_expected_qty_uom": issue.expected.json,
            ]
            return [0, 0, line]
        }
        var context = carriedContext()
        context["default_mrp_production_ids"] = .array(ids.map { JSONValue($0) })
        context["default_mrp_consumption_warning_line_ids"] = .array(lines)
        context["form_view_ref"] = false
        return storedAction(
            id: (432, 470), name: "Consumption Warning", xmlID: "mrp.action_mrp_consumption_warning",
            resModel: Model.consumptionWizard, context: context)
    }

    func backorderAction(_ ids: [Int], _ short: [Int]) -> JSONValue {
        let name =
            version.is19 ? "You produced less than the initial demand" : "You produced less than initial demand"
        var context = carriedContext()
        context["always_backorder_mo_ids"] = []
        context["default_mrp_production_ids"] = .array(ids.map { JSONValue($0) })
        context["default_mrp_production_backorder_line_ids"] = .array(
            short.map { [0, 0, .object(["mrp_production_id": JSONValue($0), "to_backorder": true])] })
        return storedAction(
            id: (431, 469), name: name, xmlID: "mrp.action_mrp_production_backorder",
            resModel: Model.backorderWizard, context: context)
    }

    /// "Done, look at the backorder" (recordings 099, 102).
    func redirection(to backorders: [Int]) -> JSONValue {
        var context = JSONObject()
        for (key, value) in self.context.members
        where !key.hasPrefix("default_") && !["always_backorder_mo_ids", "form_view_ref"].contains(key) {
            context[key] = key.hasPrefix("skip_") ? false : value
        }
        context["mo_ids_to_backorder"] = .null
        var action: [(String, JSONValue)] = [
            ("res_model", .string(Model.production)), ("type", "ir.actions.act_window"), ("context", .object(context)),
        ]
        if backorders.count == 1 {
            action += [("views", [[false, "form"]]), ("view_mode", "form"), ("res_id", JSONValue(backorders[0]))]
        } else {
            action += [
                ("name", "Backorder MO"), ("views", [[false, "list"], [false, "form"]]), ("view_mode", "list,form"),
                ("domain", [["id", "in", .array(backorders.map { JSONValue($0) })]]),
            ]
        }
        return .object(JSONObject(action))
    }

    /// What the caller's context adds to a question's.
    private func carriedContext() -> JSONObject {
        JSONObject(
            context.members.filter { $0.key.hasPrefix("skip_") || $0.key == "mo_ids_to_backorder" }.map {
                ($0.key, $0.value)
            })
    }

    // MARK: - The answers to the questions

    mutating func confirmConsumption(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.consumptionWizard, ids)
        let orders = ids.flatMap { links(Model.consumptionWizard, $0, "mrp_production_ids") }
        if ids.contains(where: isStrict), user.rights != .administrator {
            throw .user("Some of your components are not consumed as the bill of materials says.")
        }
        return try with(context: [("skip_consumption", true)]) { engine throws(Raised) in
            try engine.markDone(orders)
        }
    }

    private func isStrict(_ wizard: Int) -> Bool {
        links(Model.consumptionWizard, wizard, "mrp_consumption_warning_line_ids")
            .contains { text(Model.consumptionWizardLine, $0, "consumption") == "strict" }
    }

    /// `action_backorder`: what is ticked gets a backorder, the rest is closed short.
    mutating func makeBackorders(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.backorderWizard, ids)
        let ticked = ids.flatMap { links(Model.backorderWizard, $0, "mrp_production_backorder_line_ids") }
            .filter { flag(Model.backorderWizardLine, $0, "to_backorder") }
            .compactMap { link(Model.backorderWizardLine, $0, "mrp_production_id") }
        return try close(ids, backordering: .array(ticked.map { JSONValue($0) }))
    }

    /// `action_close_mo`.
    mutating func closeShort(_ ids: [Int]) throws(Raised) -> JSONValue {
        try require(Model.backorderWizard, ids)
        return try close(ids, backordering: nil)
    }

    private mutating func close(_ ids: [Int], backordering: JSONValue?) throws(Raised) -> JSONValue {
        let orders = ids.flatMap { links(Model.backorderWizard, $0, "mrp_production_ids") }
        return try with(context: [("skip_backorder", true), ("mo_ids_to_backorder", backordering)]) {
            engine throws(Raised) in try engine.markDone(orders)
        }
    }

    /// `change.production.qty`: the released order's quantity, and its moves with it.
    mutating func changeQuantity(_ ids: [Int]) throws(Raised) {
        try require(Model.changeQuantity, ids)
        for id in ids {
            guard let order = link(Model.changeQuantity, id, "mo_id") else { continue }
            let old = number(Model.production, order, "product_qty")
            let new = number(Model.changeQuantity, id, "product_qty")
            for field in ["move_raw_ids", "move_finished_ids"] {
                for move in links(Model.production, order, field) where isOpen(move) {
                    let demand = number(Model.move, move, "product_uom_qty").share(new, of: old, rounding: .up)
                    set(Model.move, move, ["product_uom_qty": .number(demand)])
                    reserve(move)
                }
            }
            set(Model.production, order, ["product_qty": .number(new)])
            updateState(ofProduction: order)
        }
    }
}
