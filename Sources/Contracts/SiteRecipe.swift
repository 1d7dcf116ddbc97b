import Documents
import JSON

/// How a site's own simple service does its work: one model of Odoo and one way to change it, written in the service's
/// contract instead of in code.
///
/// What may be sent, with types and bounds, is the contract's schema. Which field of Odoo a member becomes, what state the
/// record must be in, and how it is made sure that it happens once, stands here.
package struct SiteRecipe: Sendable, Hashable {
    /// How the effect happens once.
    package enum Strategy: String, CaseIterable, Sendable {
        /// A record is made through `load`, under an external id made of the operation's id: a repetition finds it.
        case create
        /// Fields are set to what the request says, whatever they were: a repetition changes nothing, and whether it
        /// happened is read from the fields.
        case absolute
        /// A method of the record is called, and whether it was done is seen by `done`.
        case call
    }

    /// A field has one of these values.
    package struct Condition: Sendable, Hashable {
        package let field: String
        package let values: [String]
    }

    /// By which a record belongs to a site.
    package enum Place: Sendable, Hashable {
        /// It belongs to none: rules for all sites decide.
        case nowhere
        /// The field names an operation type (`stock.picking.type`), which belongs to a warehouse.
        case operationType(String)
        /// The field names a production order.
        case productionOrder(String)
    }

    /// A field of Odoo, and the member of the request or the answer that it becomes.
    package struct Mapped: Sendable, Hashable {
        /// Without the `/.id` that says in the file that a request's member is the id of another record.
        package let field: String
        package let isReference: Bool
        package let member: String
    }

    package let model: String
    package let strategy: Strategy
    /// The method of `call`.
    package let method: String
    /// The parameter of the path that names the record; nil for `create`.
    package let record: String?
    package let values: [Mapped]
    /// What must hold before.
    package let condition: Condition?
    /// By what one sees that `call` was done.
    package let done: Condition?
    /// `call` does nothing where it was done before, also when an earlier one is late.
    package let repeats: Bool
    package let place: Place
    package let answer: [Mapped]

    /// Every field that is read or written, for checks against Odoo.
    package var fields: [String] {
        var fields = values.map(\.field) + answer.map(\.field)
        fields += [condition?.field, done?.field, placeField].compactMap(\.self)
        return Array(Set(fields)).sorted()
    }

    package var placeField: String? {
        switch place {
        case .nowhere: nil
        case .operationType(let field), .productionOrder(let field): field
        }
    }
}

/// Reads `recipe` of a contract.
struct SiteRecipeReader {
    let endpoints: [Endpoint]
    let kind: Contract.Kind

    func recipe(_ mapping: DocumentMapping) -> SiteRecipe? {
        guard kind == .write, endpoints.count == 1, let endpoint = endpoints.first else {
            mapping.report("a recipe belongs to a write with one endpoint")
            return nil
        }
        let strategy = mapping.required("strategy")?.choice(SiteRecipe.Strategy.self, what: "strategy") ?? .absolute
        let method = strategy == .call ? mapping.requiredString("method") : ""
        if method.hasPrefix("_") { mapping.report("Odoo's private methods cannot be called") }
        let isNew = strategy == .create
        let record = isNew ? nil : mapping.requiredString("record")
        if let record, !record.isEmpty,
            endpoint.pathParameters.first(where: { $0.name == record })?.schema.types != [.integer]
        {
            mapping.optional("record")?.report("'record' is an integer parameter of the path")
        }
        let values =
            strategy == .call ? [] : mapped(mapping.required("values"), endpoint.body, "body", isRequired: false)
        if strategy != .call, values.isEmpty {
            mapping.report("'values' maps at least one field to a member of the body")
        }
        let condition = isNew ? nil : self.condition(mapping, "guard")
        let done = strategy == .call ? self.condition(mapping, "done") : nil
        if strategy == .call, done == nil, mapping.optional("done") == nil {
            mapping.report("missing key 'done': by what one sees that the method was carried out")
        }
        let repeats = strategy == .call && mapping.bool("repeats", default: false)
        let answer = mapped(mapping.required("answer"), endpoint.output, "response", isRequired: true)
        let place = isNew ? SiteRecipe.Place.nowhere : mapping.mapping("site") { self.place($0) } ?? .nowhere
        return SiteRecipe(
            model: mapping.requiredString("model"), strategy: strategy, method: method, record: record, values: values,
            condition: condition, done: done, repeats: repeats, place: place, answer: answer)
    }

    /// `field: member` for each, the members being those of the schema.
    private func mapped(
        _ value: DocumentValue?, _ schema: Schema?, _ where: String, isRequired: Bool
    ) -> [SiteRecipe.Mapped] {
        value?.mapping { mapping -> [SiteRecipe.Mapped]? in
            var all: [SiteRecipe.Mapped] = []
            for (_, name, value) in mapping.entries {
                guard let member = value.string() else { continue }
                guard let its = schema?.property(member) else {
                    value.report("the \(`where`) has no member '\(member)'")
                    continue
                }
                if !isRequired, its.types.contains(where: { $0 == .object || $0 == .array }) {
                    value.report("'\(member)' is not a text, a number or a truth value")
                }
                let isReference = name.hasSuffix("/.id")
                all.append(
                    SiteRecipe.Mapped(
                        field: isReference ? String(name.dropLast(4)) : name, isReference: isReference, member: member))
            }
            for (name, _) in schema?.members ?? [] where isRequired && !all.contains(where: { $0.member == name }) {
                mapping.report("the response's member '\(name)' comes from no field")
            }
            return all
        } ?? []
    }

    private func condition(_ mapping: DocumentMapping, _ key: String) -> SiteRecipe.Condition? {
        mapping.mapping(key) { condition in
            SiteRecipe.Condition(
                field: condition.requiredString("field"),
                values: condition.required("values")?.list(minCount: 1) { $0.string() } ?? [])
        }
    }

    private func place(_ mapping: DocumentMapping) -> SiteRecipe.Place? {
        if let field = mapping.string("operation_type") { return .operationType(field) }
        if let field = mapping.string("production_order") { return .productionOrder(field) }
        mapping.report("a site is found by 'operation_type' or by 'production_order'")
        return nil
    }
}
