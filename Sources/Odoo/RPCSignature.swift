import JSON

/// Names of the arguments of Odoo's general methods, in their order: what JSON-2 wants by name and older protocols
/// send by position. As of Odoo 19.
package struct RPCSignature: Sendable {
    /// `ids` first for methods of records.
    package let parameters: [String]
    package let access: RPCScope.Access

    /// The signature of a method that every model has; nil for a model's own method.
    package static func of(_ method: String) -> RPCSignature? { known[method] }

    private init(_ access: RPCScope.Access, _ parameters: String...) {
        self.access = access
        self.parameters = parameters
    }

    private static let known: [String: RPCSignature] = [
        "check_access_rights": RPCSignature(.read, "operation", "raise_exception"),
        "copy": RPCSignature(.create, "ids", "default"),
        "create": RPCSignature(.create, "vals_list"),
        "default_get": RPCSignature(.read, "fields"),
        "exists": RPCSignature(.read, "ids"),
        "export_data": RPCSignature(.read, "ids", "fields_to_export"),
        "fields_get": RPCSignature(.read, "allfields", "attributes"),
        "formatted_read_group": RPCSignature(
            .read, "domain", "groupby", "aggregates", "having", "offset", "limit", "order"),
        "load": RPCSignature(.create, "fields", "data"),
        "name_create": RPCSignature(.create, "name"),
        "name_get": RPCSignature(.read, "ids"),
        "name_search": RPCSignature(.read, "name", "domain", "operator", "limit"),
        "read": RPCSignature(.read, "ids", "fields", "load"),
        "read_group": RPCSignature(.read, "domain", "fields", "groupby", "offset", "limit", "orderby", "lazy"),
        "search": RPCSignature(.read, "domain", "offset", "limit", "order"),
        "search_count": RPCSignature(.read, "domain", "limit"),
        "search_read": RPCSignature(.read, "domain", "fields", "offset", "limit", "order"),
        "unlink": RPCSignature(.unlink, "ids"),
        "web_read": RPCSignature(.read, "ids", "specification"),
        "web_save": RPCSignature(.write, "ids", "vals", "specification"),
        "web_search_read": RPCSignature(
            .read, "domain", "specification", "offset", "limit", "order", "count_limit"),
        "write": RPCSignature(.write, "ids", "vals"),
    ]
}

extension RPCCall {
    /// Every argument by its name; nil when one stands in a place that has none: a model's own method with more than
    /// its records.
    package var namedArguments: JSONObject? {
        var all = named
        if let signature = RPCSignature.of(method) {
            guard arguments.count <= signature.parameters.count else { return nil }
            for (name, value) in zip(signature.parameters, arguments) {
                if all.contains(name) { return nil }
                all[name] = name == "ids" ? Self.list(value) : value
            }
            // Before 19 the domain of `name_search` was `args`, the fields of `default_get` `fields_list`.
            for (old, new) in [("args", "domain"), ("fields_list", "fields")]
            where signature.parameters.contains(new) && all[new] == nil {
                if let value = all[old] {
                    all[old] = nil
                    all[new] = value
                }
            }
            if method == "create", let values = all["vals_list"], case .object = values {
                all["vals_list"] = .array([values])
            }
            return all
        }
        guard let first = arguments.first else { return all }
        guard arguments.count == 1, Self.ids(first) != nil, !all.contains("ids") else { return nil }
        all["ids"] = Self.list(first)
        return all
    }

    /// Whether `create` was given one record, and so answers one id and no list (recording 043).
    package var createsOne: Bool {
        guard method == "create" else { return false }
        if case .object = arguments.first ?? named["vals_list"] ?? .null { return true }
        return false
    }

    /// One id or a list of ids.
    static func ids(_ value: JSONValue) -> [Int]? {
        if let id = value.int { return [id] }
        guard let elements = value.array else { return nil }
        let ids = elements.compactMap(\.int)
        return ids.count == elements.count ? ids : nil
    }

    private static func list(_ value: JSONValue) -> JSONValue { value.int == nil ? value : .array([value]) }
}
