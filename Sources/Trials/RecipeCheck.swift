import Contracts
import Documents
import JSON
import Odoo

/// Holds the recipe of a site's own service against what an Odoo says of its model (`fields_get`).
package enum RecipeCheck {
    /// What to ask Odoo: the fields of a model with what the check looks at (recordings 028, 306).
    package static func fieldsGet(_ model: String) -> OdooCall {
        OdooCall(
            model: model, method: "fields_get",
            named: [OdooCall.Argument("attributes", ["type", "readonly", "required", "selection", "relation"])])
    }

    /// Everything that would fail at the first call; empty when it fits.
    ///
    /// - Parameter fields: what `fields_get` answers, field by field.
    package static func findings(_ contract: Contract, _ fields: JSONObject) -> [String] {
        guard let recipe = contract.recipe, let endpoint = contract.endpoints.first else { return [] }
        var findings: [String] = []
        func field(_ name: String) -> JSONValue? {
            if name == "id" { return ["type": "integer", "readonly": true] }
            guard let found = fields[name] else {
                findings.append(
                    "\(recipe.model) has no field '\(name)'" + Suggestion.clause(for: name, among: fields.keys))
                return nil
            }
            return found
        }
        for mapped in recipe.values {
            guard let its = field(mapped.field) else { continue }
            if its["readonly"] == true { findings.append("'\(mapped.field)' is read-only in Odoo") }
            let type = its["type"]?.string ?? ""
            if (type == "many2one") != mapped.isReference {
                findings.append(
                    mapped.isReference
                        ? "'\(mapped.field)' is no reference: write it without '/.id'"
                        : "'\(mapped.field)' names another record: write '\(mapped.field)/.id'")
            }
            guard let schema = endpoint.body?.property(mapped.member) else { continue }
            if let wrong = mismatch(type, schema) { findings.append("'\(mapped.field)' \(wrong) '\(mapped.member)'") }
            let words = schema.source["enum"]?.array?.compactMap(\.string) ?? []
            findings += unknown(words, mapped.field, its)
        }
        for condition in [recipe.condition, recipe.done].compactMap(\.self) {
            guard let its = field(condition.field) else { continue }
            findings += unknown(condition.values, condition.field, its)
        }
        if let name = recipe.placeField, let its = field(name) {
            let wanted: String
            switch recipe.place {
            case .operationType: wanted = "stock.picking.type"
            case .productionOrder, .nowhere: wanted = "mrp.production"
            }
            if its["relation"]?.string != wanted { findings.append("'\(name)' does not name a \(wanted)") }
        }
        for mapped in recipe.answer {
            guard let its = field(mapped.field), let schema = endpoint.output.property(mapped.member) else { continue }
            let isReference = its["type"] == "many2one"
            if isReference != schema.types.contains(.object) {
                findings.append(
                    isReference
                        ? "'\(mapped.field)' names another record: '\(mapped.member)' is an object with id and name"
                        : "'\(mapped.field)' is no reference: '\(mapped.member)' is no object")
            } else if !isReference, let wrong = mismatch(its["type"]?.string ?? "", schema) {
                findings.append("'\(mapped.field)' \(wrong) '\(mapped.member)'")
            }
            // Odoo has `false` for what is empty, which becomes null.
            if its["required"] != true, mapped.field != "id", its["type"] != "boolean",
                !["integer", "float", "monetary"].contains(its["type"]?.string ?? ""), !schema.types.contains(.null)
            {
                findings.append("'\(mapped.field)' may be empty: '\(mapped.member)' must allow null")
            }
        }
        return findings
    }

    private static func unknown(_ words: [String], _ name: String, _ field: JSONValue) -> [String] {
        guard field["type"] == "selection" else { return [] }
        let known = (field["selection"]?.array ?? []).compactMap { $0[0]?.string }
        return words.filter { !known.contains($0) }.map {
            "'\(name)' has no value '\($0)': \(known.joined(separator: ", "))"
        }
    }

    /// Nil where a value of the schema fits a field of the type.
    private static func mismatch(_ type: String, _ schema: Schema) -> String? {
        let types = Set(schema.types).subtracting([.null])
        let fitting: Set<Schema.Kind>
        switch type {
        case "integer", "many2one", "many2one_reference": fitting = [.integer]
        case "float", "monetary": fitting = [.integer, .number]
        case "boolean": fitting = [.boolean]
        case "char", "text", "html", "selection": fitting = [.string]
        case "date":
            return types == [.string] && schema.format == .date ? nil : "is a date, with `format: date`, not as"
        case "datetime":
            return types == [.string] && schema.format == .dateTime
                ? nil : "is a time, with `format: date-time`, not as"
        default: return "is a \(type), which a recipe cannot map to"
        }
        return types.isSubset(of: fitting) ? nil : "is a \(type) in Odoo, not as"
    }
}
