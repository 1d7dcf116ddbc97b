import Foundation
import JSON
import Odoo

/// A call of a running Odoo as it was recorded, and what it answered (`Tests/Fixtures/odoo`).
struct RecordedCall: Sendable {
    let version: Int
    /// `104`.
    let number: String
    let shape: CallShape
    /// As our decoder reads it.
    let result: Result<JSONValue?, OdooError>

    static let all: [RecordedCall] = [17, 19].flatMap(load)

    private static func load(_ version: Int) -> [RecordedCall] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appendingPathComponent("Fixtures/odoo/\(version)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)),
                let json = try? JSONValue.parse(Array(data)), let path = json["request"]?["path"]?.string,
                let body = json["request"]?["body"]?.string.flatMap({ try? JSONValue.parse($0) }),
                let shape = CallShape(path: path, body: body), let status = json["response"]?["status"]?.int
            else { return nil }
            let response = OdooResponse(
                status: status, contentType: "application/json",
                body: Array((json["response"]?["body"]?.string ?? "").utf8))
            return RecordedCall(
                version: version, number: String(name.prefix(3)), shape: shape,
                result: path == "/jsonrpc"
                    ? OdooJSONRPC.result(of: response, id: body["id"]?.int) : OdooJSON2.result(of: response))
        }
    }
}

/// What of a call does not depend on the database: model, method, the kinds of its arguments, and which fields and
/// members of the context it names.
struct CallShape: Hashable, Sendable, CustomStringConvertible {
    let model: String
    let method: String
    /// By position: `ids`, `fields`, `rows`, or a kind.
    var arguments: [String]
    /// Fields that are written, without `/.id`.
    var fields: Set<String>
    /// Members of the context that the call itself adds.
    var context: Set<String>

    var key: String { "\(model).\(method)" }
    var description: String { "\(key)(\(arguments.joined(separator: ", "))) \(fields.sorted()) \(context.sorted())" }

    /// In every call of ours: they belong to the connection.
    static let ofEveryCall: Set<String> = ["lang", "tz", "allowed_company_ids"]

    /// Of a request; nil where it is no call of a model.
    init?(path: String, body: JSONValue) {
        if path == "/jsonrpc" {
            guard let given = body["params"]?["args"]?.array, given.count >= 6, let model = given[3].string,
                let method = given[4].string
            else { return nil }
            self.init(
                model, method, positional: given[5].array ?? [], context: given.count > 6 ? given[6]["context"] : nil)
            return
        }
        let parts = path.split(separator: "/").map { String($0) }
        guard parts.count == 4, parts[0] == "json", let named = body.object else { return nil }
        var positional: [JSONValue] = []
        if let ids = named["ids"] { positional.append(ids) }
        // By name: in the order of the method's signature.
        for name in ["vals_list", "vals", "fields", "data"] {
            if let value = named[name] { positional.append(value) }
        }
        self.init(parts[2], parts[3], positional: positional, context: named["context"])
    }

    private init(_ model: String, _ method: String, positional: [JSONValue], context: JSONValue?) {
        self.model = model
        self.method = method
        arguments = positional.map(Self.kind)
        fields = []
        for value in positional {
            switch value {
            case .object(let object): fields.formUnion(object.keys)
            case .array(let items):
                for item in items {
                    if let object = item.object { fields.formUnion(object.keys) }
                    if method == "load", let name = item.string { fields.insert(name) }
                }
            default: break
            }
        }
        fields = Set(fields.map { $0.hasSuffix("/.id") ? String($0.dropLast(4)) : $0 }).subtracting(["id"])
        self.context = Set(context?.object?.keys.map { String($0) } ?? []).subtracting(Self.ofEveryCall)
    }

    private static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .bool: "flag"
        case .number: "ids"
        case .string: "text"
        case .object: "values"
        case .array(let items):
            switch items.first {
            case .number: "ids"
            case .string: "fields"
            case .object: "values"
            case .array: "rows"
            default: "list"
            }
        }
    }
}
