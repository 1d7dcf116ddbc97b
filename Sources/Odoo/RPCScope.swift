import JSON

/// What a call touches, as far as its arguments say: what policies decide by.
package struct RPCScope: Sendable, Hashable {
    /// What a method does to records. Of a model's own method nobody knows: it is a call.
    package enum Access: String, Sendable, CaseIterable { case read, create, write, unlink, call }

    package var access: Access
    /// Records that are named; empty where a domain selects them, or none.
    package var ids: [Int] = []
    /// Fields that are asked for; empty means all.
    package var fields: Set<String> = []
    /// Fields that records are searched, grouped or ordered by: their values can be told from the answer.
    package var criteria: Set<String> = []
    /// Fields that are set, those of records within records too.
    package var values: Set<String> = []

    /// A request of the gateway's addon, whose program calls anything.
    package var isOfAddon = false

    package init(_ call: RPCCall) {
        isOfAddon = call.model == OdooAddon.model
        access = RPCSignature.of(call.method)?.access ?? .call
        let named = call.namedArguments
        // Where names are not known every text and member could be a field.
        guard let named else {
            for argument in call.arguments { addNames(argument, depth: 0) }
            addNames(.object(call.named), depth: 0)
            if let first = call.arguments.first.flatMap(RPCCall.ids) { ids = first }
            return
        }
        ids = named["ids"].flatMap(RPCCall.ids) ?? []
        for (name, value) in named.members {
            switch name {
            case "ids", "context", "limit", "offset", "load", "lazy", "operator", "operation", "raise_exception",
                "attributes",
                "count_limit", "data":
                break
            case "domain", "having": addDomain(value)
            case "order", "orderby": for part in Self.words(value.string) { criteria.formUnion(Self.path(part)) }
            case "groupby", "aggregates": for text in Self.texts(value) { criteria.formUnion(Self.path(text)) }
            case "fields", "allfields", "fields_to_export", "field_names":
                for text in Self.texts(value) {
                    let names = Self.path(text)
                    switch call.method {
                    case "load": values.formUnion(names)
                    // Grouped sums and exported columns have no names in the answer.
                    case "read_group", "export_data": criteria.formUnion(names)
                    default: fields.formUnion(names)
                    }
                }
            case "specification": addSpecification(value)
            case "vals", "vals_list", "default", "values": addValues(value)
            default: access == .call ? addNames(value, depth: 0) : addValues(value)
            }
        }
    }

    /// `partner_id.name` and `partner_id/.id`, `date:month`, `qty:sum(product_qty)`: every field that is named.
    private static func path(_ text: String) -> [String] {
        text.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
    }

    private static func words(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    private static func texts(_ value: JSONValue) -> [String] {
        if let text = value.string { return [text] }
        return (value.array ?? []).compactMap(\.string)
    }

    private mutating func addDomain(_ value: JSONValue) {
        guard let terms = value.array else { return }
        for term in terms {
            guard let parts = term.array else { continue }
            if parts.count == 3, let field = parts[0].string {
                criteria.formUnion(Self.path(field))
                // `any` has a domain for its value.
                if parts[2].array?.contains(where: { $0.array != nil }) == true { addDomain(parts[2]) }
            } else {
                addDomain(term)
            }
        }
    }

    private mutating func addSpecification(_ value: JSONValue) {
        for (name, inner) in value.object?.members ?? [] {
            fields.insert(name)
            if let below = inner["fields"] { addSpecification(below) }
            for part in Self.words(inner["order"]?.string) { criteria.formUnion(Self.path(part)) }
        }
    }

    private mutating func addValues(_ value: JSONValue) {
        switch value {
        case .object(let members):
            for (name, inner) in members.members {
                values.insert(name)
                addValues(inner)
            }
        case .array(let elements): for element in elements { addValues(element) }
        case .null, .bool, .number, .string: break
        }
    }

    private mutating func addNames(_ value: JSONValue, depth: Int) {
        switch value {
        case .string(let text): criteria.formUnion(Self.path(String(text.prefix(256))))
        case .array(let elements): for element in elements { addNames(element, depth: depth + 1) }
        case .object(let members):
            for (name, inner) in members.members {
                values.insert(name)
                addNames(inner, depth: depth + 1)
            }
        case .null, .bool, .number: break
        }
    }

    /// As a policy's condition sees the call: `input.access`, `input.fields`, …
    package func json(of call: RPCCall) -> JSONValue {
        func texts(_ names: Set<String>) -> JSONValue { .array(names.sorted().map(JSONValue.string)) }
        return [
            "model": .string(call.model), "method": .string(call.method), "access": .string(access.rawValue),
            "ids": .array(ids.map { JSONValue($0) }), "fields": texts(fields), "criteria": texts(criteria),
            "values": texts(values),
            "database": call.database.map(JSONValue.string) ?? .null,
            "arguments": call.namedArguments.map(JSONValue.object) ?? .object(call.named),
        ]
    }

    /// The first masked field that the call sets, or finds out by searching; nil when it keeps away from all.
    package func touched(of masked: Set<String>) -> String? {
        masked.isDisjoint(with: values) && masked.isDisjoint(with: criteria)
            ? nil : masked.intersection(values.union(criteria)).sorted().first
    }
}

extension JSONValue {
    /// Without the masked fields' values, at any depth: `false`, as Odoo has it for what is empty.
    package func hiding(_ masked: Set<String>) -> JSONValue {
        if masked.isEmpty { return self }
        switch self {
        case .object(let members):
            return .object(
                JSONObject(members.members.map { ($0.key, masked.contains($0.key) ? false : $0.value.hiding(masked)) }))
        case .array(let elements): return .array(elements.map { $0.hiding(masked) })
        case .null, .bool, .number, .string: return self
        }
    }
}
