import JSON

extension JSONValue {
    /// The value with the members of these names as null, at any depth.
    package func masking(_ names: Set<String>) -> JSONValue {
        if names.isEmpty { return self }
        switch self {
        case .object(let members):
            return .object(
                JSONObject(
                    members.members.map { name, value in
                        (name, names.contains(name) ? .null : value.masking(names))
                    }))
        case .array(let elements): return .array(elements.map { $0.masking(names) })
        case .null, .bool, .number, .string: return self
        }
    }
}
