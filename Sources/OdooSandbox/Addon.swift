import JSON

/// The addon `deploy/odoo-addon/millgate`, where the sandbox has it: a request is carried out once, its program in one
/// transaction, which is the sandbox's own.
extension Engine {
    /// The request that was asked about last, for how long its answer takes.
    struct Asked: Sendable {
        let id: String
        let isAgain: Bool
    }

    mutating func performAddonRequest(_ id: String?, _ program: JSONValue?) throws(Raised) -> JSONValue {
        guard let id, !id.isEmpty, let steps = program?.array, !steps.isEmpty else {
            throw .addon("ProgramInvalid", "")
        }
        let mark = String(decoding: (program ?? .null).canonicalBytes, as: UTF8.self)
        if let row = addonRequest(id) {
            asked = Asked(id: id, isAgain: true)
            return try addonAnswer(row, mark)
        }
        asked = Asked(id: id, isAgain: false)
        let row = insert(
            Model.addonRequest,
            ["request_id": .text(id), "fingerprint": .text(mark), "state": .text("done"), "create_uid": .link(user.id)])
        var results: [JSONValue] = []
        for step in steps { results.append(try addonStep(step, results)) }
        set(Model.addonRequest, row, "result", .text(JSONValue.array(results).text))
        return ["results": .array(results), "again": false]
    }

    mutating func closeAddonRequest(_ id: String?) throws(Raised) -> JSONValue {
        guard let id, !id.isEmpty else { throw .addon("ProgramInvalid", "") }
        if let row = addonRequest(id), text(Model.addonRequest, row, "state") != "closed" {
            let answer = try addonAnswer(row, text(Model.addonRequest, row, "fingerprint"))
            return ["closed": false, "results": answer["results"] ?? [], "again": true]
        }
        if addonRequest(id) == nil {
            _ = insert(
                Model.addonRequest,
                ["request_id": .text(id), "state": .text("closed"), "create_uid": .link(user.id)])
        }
        return ["closed": true]
    }

    static let addonAbout: JSONValue = ["version": "1.0.0", "protocol": 1, "days": 90, "steps_max": 500]

    private func addonRequest(_ id: String) -> Int? {
        database.tables[Model.addonRequest]?.holders(of: .text(id), in: "request_id")?.first
    }

    private func addonAnswer(_ row: Int, _ mark: String) throws(Raised) -> JSONValue {
        guard stored(Model.addonRequest, row, "create_uid").link == user.id else {
            throw .addon("RequestMismatch", "This request is another user's.")
        }
        if text(Model.addonRequest, row, "state") == "closed" {
            throw .addon("RequestClosed", "This request was closed before it came.")
        }
        guard text(Model.addonRequest, row, "fingerprint") == mark else {
            throw .addon("RequestMismatch", "This id was used for another request.")
        }
        let results = try? JSONValue.parse(text(Model.addonRequest, row, "result"))
        return ["results": results ?? [], "again": true]
    }

    // MARK: Steps

    private mutating func addonStep(_ step: JSONValue, _ results: [JSONValue]) throws(Raised) -> JSONValue {
        if let expected = step["expect"] {
            try addonExpect(expected, step["why"]?.string ?? "", results)
            return true
        }
        guard let call = step["call"], let model = call["model"]?.string, let method = call["method"]?.string else {
            throw .addon("ProgramInvalid", "a step is neither a call nor an expectation")
        }
        guard model != Model.addonRequest else {
            throw .addon("ProgramInvalid", "A request cannot call requests.")
        }
        var inner = SandboxCall(model: model, method: method, style: .positional)
        if let ids = call["ids"] { inner.positional.append(.array(try Self.ids(ids, results).map { JSONValue($0) })) }
        for argument in call["args"]?.array ?? [] {
            inner.positional.append(try Self.resolved(argument, results))
        }
        inner.named = try Self.resolved(call["kwargs"] ?? [:], results).object ?? JSONObject()
        let added = try Self.resolved(call["context"] ?? [:], results).object ?? JSONObject()
        ran.append(inner.key)
        let made = inner
        let answer = try with(context: added.members.map { ($0.key, $0.value) }) { engine throws(Raised) in
            try engine.run(made)
        }
        guard case .value(let result) = answer else { return .null }
        if method == "load", result["ids"] == false {
            let errors = (result["messages"]?.array ?? []).filter { $0["type"] == "error" }
            let text = errors.map { $0["message"]?.string ?? "" }.joined(separator: "\n")
            throw .addon(errors.contains { $0["field"] != nil } ? "LoadRefused" : "LoadFailed", text)
        }
        if step["no_wizard"] == true, result["type"] == "ir.actions.act_window", result["target"] == "new" {
            throw .addon("DecisionWanted", result["res_model"]?.string ?? "")
        }
        return result
    }

    private func addonExpect(_ expected: JSONValue, _ why: String, _ results: [JSONValue]) throws(Raised) {
        let model = expected["model"]?.string ?? ""
        let ids = Set(try Self.ids(expected["ids"] ?? [], results)).sorted()
        let wanted = try Self.resolved(expected["where"] ?? [], results).array ?? []
        let fields = Set(wanted.compactMap { $0.array?.first?.string }).sorted()
        guard case .array(let found) = try read(model, ids, fields: fields.isEmpty ? ["id"] : fields, plainLinks: true),
            found.count == ids.count
        else { throw .addon("ExpectationFailed", why) }
        for record in found {
            var terms = wanted[...]
            var holds = true
            while !terms.isEmpty { holds = try Self.term(&terms, record) && holds }
            if !holds { throw .addon("ExpectationFailed", why) }
        }
    }

    // MARK: References

    private static func resolved(_ value: JSONValue, _ results: [JSONValue]) throws(Raised) -> JSONValue {
        switch value {
        case .array(let items):
            var resolved: [JSONValue] = []
            for item in items { resolved.append(try Self.resolved(item, results)) }
            return .array(resolved)
        case .object(let object):
            guard object.members.count == 1, let reference = object["$ref"] else {
                var members: [(String, JSONValue)] = []
                for (key, item) in object.members { members.append((key, try Self.resolved(item, results))) }
                return .object(JSONObject(members))
            }
            let path = reference.array ?? [reference]
            guard let first = path.first?.int, results.indices.contains(first) else {
                throw .addon("ProgramInvalid", "a reference to no earlier step: \(reference.text)")
            }
            var found = results[first]
            for part in path.dropFirst() {
                guard let next = part.int.flatMap({ found[$0] }) ?? part.string.flatMap({ found[$0] }) else {
                    throw .addon("ProgramInvalid", "a reference to nothing: \(reference.text)")
                }
                found = next
            }
            return found
        case .null, .bool, .number, .string: return value
        }
    }

    private static func ids(_ value: JSONValue, _ results: [JSONValue]) throws(Raised) -> [Int] {
        let resolved = try Self.resolved(value, results)
        let flat = (resolved.array ?? [resolved]).flatMap { $0.array ?? [$0] }
        let ids = flat.compactMap(\.int).filter { $0 > 0 }
        guard ids.count == flat.count else { throw .addon("ProgramInvalid", "'ids' are numbers greater than zero") }
        return ids
    }

    // MARK: Guards

    private static func term(_ terms: inout ArraySlice<JSONValue>, _ record: JSONValue) throws(Raised) -> Bool {
        let first = terms.popFirst()
        switch first?.string {
        case "!": return try !term(&terms, record)
        case "&", "|":
            let one = try term(&terms, record)
            let other = try term(&terms, record)
            return first == "&" ? one && other : one || other
        default: break
        }
        guard let parts = first?.array, parts.count == 3, let field = parts[0].string, let sign = parts[1].string else {
            throw .addon("ProgramInvalid", "'where' has terms of field, operator and value")
        }
        let has = record[field] ?? false
        switch sign {
        case "=": return equal(has, parts[2])
        case "!=": return !equal(has, parts[2])
        case "in": return parts[2].array?.contains { equal(has, $0) } ?? false
        case "not in": return !(parts[2].array?.contains { equal(has, $0) } ?? false)
        default: break
        }
        guard let one = has.decimal, let other = parts[2].decimal else { return false }
        switch sign {
        case "<": return one < other
        case "<=": return one <= other
        case ">": return one > other
        case ">=": return one >= other
        default: throw .addon("ProgramInvalid", "'where' has an operator that is none")
        }
    }

    private static func equal(_ one: JSONValue, _ other: JSONValue) -> Bool {
        if let number = one.decimal, let wanted = other.decimal { return number == wanted }
        let empty: Set<JSONValue> = [false, .null, ""]
        return one == other || empty.contains(one) && empty.contains(other)
    }
}

extension Raised {
    /// An exception of the addon's own.
    static func addon(_ name: String, _ message: String) -> Raised {
        Raised("odoo.addons.millgate.exceptions." + name, message, status: 422)
    }
}

extension Models {
    static func addon() -> [Schema] {
        [
            Schema(
                Model.addonRequest, "Request of the gateway",
                fields: [
                    Field("request_id", .char, "Request", required: true, indexed: true),
                    Field("fingerprint", .text, "Fingerprint"), Field("state", .char, "State"),
                    Field("result", .text, "Result"),
                ])
        ]
    }
}

extension Model {
    static let addonRequest = "millgate.request"
}

extension SandboxCall {
    /// The calls inside a request of the addon, as faults, counters and times see them.
    var inside: [(model: String, method: String)] {
        guard model == Model.addonRequest, method == "perform" else { return [] }
        let program = style == .named ? named["program"] : positional.count > 1 ? positional[1] : named["program"]
        return (program?.array ?? []).compactMap { step in
            guard let model = step["call"]?["model"]?.string, let method = step["call"]?["method"]?.string else {
                return nil
            }
            return (model, method)
        }
    }

    /// As faults call it: itself, or anything that it does.
    var keys: [String] { [key] + inside.map { $0.model + "." + $0.method } }
}
