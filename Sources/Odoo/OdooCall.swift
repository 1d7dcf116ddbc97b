import JSON

/// One call of a method of a model, independent of the protocol that carries it.
///
/// JSON-RPC wants arguments by position, JSON-2 by name: an argument therefore carries both, its place in
/// `positional` and the name it has in Odoo's source.
package struct OdooCall: Hashable, Sendable, CustomStringConvertible {
    package struct Argument: Hashable, Sendable {
        package let name: String
        package let value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package let model: String
    package let method: String
    /// The records the method works on; nil for a method of the model itself (`search_read`, `create`, `load`).
    package let ids: [Int]?
    /// In the order of the method's signature, without the records.
    package let positional: [Argument]
    /// Sent by name in both protocols.
    package let named: [Argument]
    /// Added to the `OdooContext` of the endpoint; wins over it.
    package let context: JSONObject

    package init(
        model: String, method: String, ids: [Int]? = nil, positional: [Argument] = [], named: [Argument] = [],
        context: JSONObject = JSONObject()
    ) {
        self.model = model
        self.method = method
        self.ids = ids
        self.positional = positional
        self.named = named
        self.context = context
    }

    /// The model, method and records; no values, which may be confidential.
    package var description: String {
        let records = ids.map { "\($0)" } ?? ""
        return "\(model).\(method)(\(records))"
    }
}

// MARK: - The usual methods

extension OdooCall {
    /// Records that match `domain`; an empty list when there are none (recordings 015, 016, 301).
    package static func searchRead(
        _ model: String, domain: [JSONValue], fields: [String], limit: Int? = nil, offset: Int? = nil,
        order: String? = nil, context: JSONObject = JSONObject()
    ) -> OdooCall {
        var named = [Argument("fields", .array(fields.map { .string($0) }))]
        if let limit { named.append(Argument("limit", JSONValue(limit))) }
        if let offset { named.append(Argument("offset", JSONValue(offset))) }
        if let order { named.append(Argument("order", .string(order))) }
        return OdooCall(
            model: model, method: "search_read", positional: [Argument("domain", .array(domain))], named: named,
            context: context)
    }

    package static func searchCount(_ model: String, domain: [JSONValue]) -> OdooCall {
        OdooCall(model: model, method: "search_count", positional: [Argument("domain", .array(domain))])
    }

    /// Records by id. Ids that are gone are left out of the answer, without an error (recordings 169, 328).
    package static func read(
        _ model: String, ids: [Int], fields: [String], context: JSONObject = JSONObject()
    ) -> OdooCall {
        OdooCall(
            model: model, method: "read", ids: ids,
            positional: [Argument("fields", .array(fields.map { .string($0) }))], context: context)
    }

    /// Creates one record for each element; answers a list of ids in both protocols (recordings 035, 308).
    /// Not idempotent: a repeated call creates again. See `load`.
    package static func create(_ model: String, _ values: [JSONObject]) -> OdooCall {
        OdooCall(
            model: model, method: "create", positional: [Argument("vals_list", .array(values.map { .object($0) }))])
    }

    /// Sets fields; absolute, hence idempotent.
    package static func write(
        _ model: String, ids: [Int], _ values: JSONObject, context: JSONObject = JSONObject()
    ) -> OdooCall {
        OdooCall(
            model: model, method: "write", ids: ids, positional: [Argument("vals", .object(values))],
            context: context)
    }

    /// Creates or rewrites records by the external id in column `id`: the idempotent create of stock Odoo
    /// (recordings 709, 710, 720). Errors come back as a result; see `OdooLoadAnswer`.
    ///
    /// A datetime in a row is read in the time zone of the context, unlike in `create` (by reading:
    /// `ir.fields.converter._str_to_datetime`). The call therefore says UTC, whatever the endpoint's context says.
    package static func load(_ model: String, fields: [String], rows: [[JSONValue]]) -> OdooCall {
        OdooCall(
            model: model, method: "load",
            positional: [
                Argument("fields", .array(fields.map { .string($0) })),
                Argument("data", .array(rows.map { .array($0) })),
            ], context: ["tz": "UTC"])
    }

    /// A method of records without arguments: a button.
    package static func button(
        _ model: String, _ method: String, ids: [Int], context: JSONObject = JSONObject()
    ) -> OdooCall {
        OdooCall(model: model, method: method, ids: ids, context: context)
    }
}
