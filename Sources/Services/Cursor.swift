import Bytes
import Contracts
import JSON

/// Where the next page begins: behind an id, so that records that come and go meanwhile shift nothing.
///
/// Callers see base64url of `{"after":26}` and are told that it is opaque.
struct Cursor: Hashable, Sendable {
    let after: Int

    var text: String { Base64URL.encode(JSONValue.object(["after": JSONValue(after)]).bytes) }

    init(after: Int) { self.after = after }

    init?(_ text: String) {
        guard let bytes = Base64URL.decode(text), let json = try? JSONValue.parse(bytes),
            json.object?.count == 1, let after = json["after"]?.int, after > 0
        else { return nil }
        self.after = after
    }
}

/// One page as the caller wants it.
struct ListPage: Sendable {
    let limit: Int
    let after: Int?

    init(_ request: ReadRequest) throws(ServiceStop) {
        limit = min(max(request.int("limit") ?? 50, 1), 200)
        guard let text = request.text("cursor") else {
            after = nil
            return
        }
        guard let cursor = Cursor(text) else {
            throw .invalid(Violation(.query("cursor"), "is no `next_cursor` of this list"))
        }
        after = cursor.after
    }

    /// The members of a list's answer that all lists have.
    func json(_ items: [JSONValue], more: Bool, last: Int?) -> JSONObject {
        let next = more ? last.map { JSONValue.string(Cursor(after: $0).text) } : nil
        return ["items": .array(items), "next_cursor": next ?? .null]
    }

    /// The same of records. `items` may hold more than the page: then another follows.
    func json<T>(_ items: [T], id: (T) -> Int, _ view: (T) -> JSONValue) -> JSONObject {
        let page = items.prefix(limit)
        return json(page.map(view), more: items.count > limit, last: page.last.map(id))
    }
}
