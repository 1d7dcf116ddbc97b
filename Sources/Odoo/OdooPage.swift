import JSON

/// One page of a long list, by the ids: rows that appear or vanish meanwhile shift nothing, unlike with an offset.
package struct OdooPage: Hashable, Sendable {
    /// Last id of the page before; nil for the first page.
    package let after: Int?
    /// Most records.
    package let limit: Int

    /// Most records one call asks for, whatever the caller wants. Default 500: about 150 ms of a worker.
    package static let limitMax = 500

    package init(after: Int? = nil, limit: Int = 80) {
        self.after = after
        self.limit = min(max(limit, 1), Self.limitMax)
    }

    /// A search in the order of ids.
    package func search(_ model: String, domain: [JSONValue], fields: [String]) -> OdooCall {
        call(model, domain: domain, fields: fields)
    }

    func call(_ model: String, domain: [JSONValue], fields: [String]) -> OdooCall {
        var domain = domain
        if let after { domain.append(["id", ">", JSONValue(after)]) }
        return .searchRead(model, domain: domain, fields: fields, limit: limit, order: "id")
    }
}
