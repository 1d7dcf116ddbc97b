import JSON

/// The parameter `fields` of a read that is `selectable`, and what it leaves of an answer.
extension Endpoint {
    /// Members of the answer's record, in the order of its schema: of the elements of `items` where it is a list.
    package var recordMembers: [String] { Self.members(of: output) }

    fileprivate static func members(of output: Schema) -> [String] {
        let record = output.property("items")?.items ?? output
        return record.members.map(\.name)
    }

    /// The answer with the members that were asked for, and `id`; unchanged where nothing was asked.
    package func selecting(_ input: EndpointInput, from json: JSONValue) -> JSONValue {
        guard queryParameters.contains(where: { $0.isFieldSelection }),
            let names = input.query[Parameter.fieldsName]?.array?.compactMap(\.string), !names.isEmpty
        else { return json }
        let wanted = Set(names).union(["id"])
        func selected(_ record: JSONValue) -> JSONValue {
            guard let object = record.object else { return record }
            return .object(JSONObject(object.members.filter { wanted.contains($0.key) }.map { ($0.key, $0.value) }))
        }
        guard output.property("items") != nil, var list = json.object, let items = list["items"]?.array else {
            return selected(json)
        }
        list["items"] = .array(items.map(selected))
        return .object(list)
    }
}

extension Endpoint.Parameter {
    static let fieldsName = "fields"

    /// It was not written in the contract but made of `selectable`.
    var isFieldSelection: Bool { name == Self.fieldsName && schema.types == [.array] }

    /// Nil where the answer is no record and no list of records.
    static func fields(of output: Schema) -> Endpoint.Parameter? {
        let names = Endpoint.members(of: output)
        guard !names.isEmpty else { return nil }
        let choices = JSONValue.array(names.map { .string($0) })
        var element = Schema.Rules()
        element.types = [.string]
        element.choices = names.map { .string($0) }
        var rules = Schema.Rules()
        rules.types = [.array]
        rules.items = Schema(rules: element, source: ["type": "string", "enum": choices])
        rules.minItems = 1
        return Endpoint.Parameter(
            name: fieldsName,
            description: "Only these members of a record, and `id`; Odoo is asked for no more than they need.",
            isRequired: false,
            schema: Schema(
                rules: rules,
                source: ["type": "array", "items": ["type": "string", "enum": choices], "minItems": 1]))
    }
}
