import Bytes
import JSON

/// A compiled JSON Schema: the part of draft 2020-12 that contracts use, checked when it is loaded.
///
/// Supported are `type` (one or several), `enum`, `const`; `properties`, `required`, `additionalProperties`;
/// `items`, `minItems`, `maxItems`, `uniqueItems`; `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`,
/// `multipleOf` (all exact); `minLength`, `maxLength` (code points), `pattern` (see `SchemaPattern`), `format`
/// `date-time`, `date` and `uuid` (asserted, not only noted); `oneOf`, `anyOf`, `allOf`; `$ref` to `#/$defs/NAME`;
/// and the notes `title`, `description`, `examples`, `default`, `deprecated`. Anything else is an error at load:
/// a keyword that is not enforced would be a promise that nobody keeps.
package final class Schema: Sendable {
    /// The types of JSON, as a schema names them.
    package enum Kind: String, CaseIterable, Sendable {
        case null, boolean, integer, number, string, array, object
    }

    package enum Format: String, CaseIterable, Sendable {
        case dateTime = "date-time"
        case date
        case uuid
    }

    /// What of the members that `properties` does not name.
    enum Additional: Sendable {
        case allowed, refused
        case matching(Schema)
    }

    /// The rules of one schema, empty where it has none.
    struct Rules: Sendable {
        /// Empty for any.
        var types: [Kind] = []
        var choices: [JSONValue]?
        var constant: JSONValue?
        var properties: [(name: String, schema: Schema)] = []
        var required: [String] = []
        var additional = Additional.allowed
        var items: Schema?
        var minItems: Int?
        var maxItems: Int?
        var uniqueItems = false
        var minimum: ExactDecimal?
        var maximum: ExactDecimal?
        var exclusiveMinimum: ExactDecimal?
        var exclusiveMaximum: ExactDecimal?
        var multipleOf: ExactDecimal?
        var minLength: Int?
        var maxLength: Int?
        var pattern: SchemaPattern?
        var format: Format?
        var oneOf: [Schema] = []
        var anyOf: [Schema] = []
        var allOf: [Schema] = []
        /// The definition that `$ref` names, whose rules hold besides these.
        var reference: (name: String, schema: Schema)?
    }

    let rules: Rules
    /// The value that an absent member counts as.
    package let defaultValue: JSONValue?
    package let summary: String?
    /// The schema as it was written, with `$ref` to `#/$defs/NAME`.
    package let source: JSONValue

    init(rules: Rules, defaultValue: JSONValue? = nil, summary: String? = nil, source: JSONValue) {
        self.rules = rules
        self.defaultValue = defaultValue
        self.summary = summary
        self.source = source
    }

    /// The types a value may have; empty for any. Those of a referenced definition where there are none here.
    package var types: [Kind] {
        if !rules.types.isEmpty { return rules.types }
        return rules.reference?.schema.types ?? []
    }

    /// The members that are named, with those of a referenced definition.
    package var members: [(name: String, schema: Schema)] {
        rules.properties + (rules.reference?.schema.members ?? [])
    }

    package var format: Format? { rules.format ?? rules.reference?.schema.format }

    /// The schema of a member, also of a referenced definition.
    package func property(_ name: String) -> Schema? {
        rules.properties.first { $0.name == name }?.schema ?? rules.reference?.schema.property(name)
    }

    /// The schema of an array's elements.
    package var items: Schema? { rules.items ?? rules.reference?.schema.items }

    /// No member is accepted that the schema does not name.
    package var isClosed: Bool {
        if case .refused = rules.additional { return true }
        return rules.reference?.schema.isClosed ?? false
    }

    /// Everything in which the value violates the schema, at most `Violation.countMax`.
    package func validate(_ value: JSONValue) -> [Violation] {
        var check = SchemaCheck()
        check.check(value, self, at: "")
        return check.violations
    }

    /// The value with the defaults of members that are absent, at every depth reached by `properties` and `items`.
    package func completed(_ value: JSONValue) -> JSONValue {
        var result = rules.reference?.schema.completed(value) ?? value
        switch result {
        case .object(var members):
            for (name, schema) in rules.properties {
                if let member = members[name] {
                    members[name] = schema.completed(member)
                } else if let value = schema.defaultValue {
                    members[name] = value
                }
            }
            result = .object(members)
        case .array(let elements):
            if let items = rules.items { result = .array(elements.map { items.completed($0) }) }
        default: break
        }
        return result
    }
}
