import JSON

/// Searching and reading, for every model.
extension Engine {
    /// Most records one search gives when no limit is asked: none of Odoo's, a bound of ours.
    private static let recordsMax = 100_000

    func search(
        _ model: String, domain: JSONValue?, offset: Int = 0, limit: Int? = nil, order: String? = nil
    ) throws(Raised) -> [Int] {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        let domain = try Domain(domain, on: model, in: self)
        var found = candidates(for: domain, model).filter { domain.matches($0, of: model, in: self) }
        if schema.fields["active"] != nil, context["active_test"]?.bool != false, !mentionsActive(domain) {
            found = found.filter { flag(model, $0, "active") }
        }
        found = try sorted(found, of: schema, by: order ?? schema.order)
        let from = min(max(offset, 0), found.count)
        let count = min(limit.map { $0 > 0 ? $0 : Self.recordsMax } ?? Self.recordsMax, found.count - from)
        return Array(found[from..<from + count])
    }

    /// A search for ids, or for one value of a field with an index, does not walk the table.
    private func candidates(for domain: Domain, _ model: String) -> [Int] {
        switch domain {
        case .none: return []
        case .and(let a, let b):
            let left = candidates(for: a, model)
            let all = database.ids(model).count
            return left.count < all ? left : candidates(for: b, model)
        case .leaf(let path, .equal, let value) where path.count == 1:
            if let id = value.int {
                if path[0] == "id" { return database.contains(model, id) ? [id] : [] }
                let held: Value
                switch schema(model)?.fields[path[0]]?.kind {
                case .many2one: held = .link(id)
                // Nothing there is 0, too, and stands in no index.
                case .integer where id != 0: held = .int(id)
                default: return database.ids(model)
                }
                return database.tables[model]?.holders(of: held, in: path[0]) ?? database.ids(model)
            }
            guard let text = value.string, let field = schema(model)?.fields[path[0]], case .char = field.kind,
                let found = database.tables[model]?.holders(of: .text(text), in: path[0])
            else { return database.ids(model) }
            return found
        case .leaf(let path, .within, .array(let values)) where path == ["id"]:
            return Set(values.compactMap(\.int)).filter { database.contains(model, $0) }.sorted()
        default: return database.ids(model)
        }
    }

    private func mentionsActive(_ domain: Domain) -> Bool {
        switch domain {
        case .leaf(let path, _, _): path == ["active"]
        case .and(let a, let b), .or(let a, let b): mentionsActive(a) || mentionsActive(b)
        case .not(let a): mentionsActive(a)
        case .all, .none: false
        }
    }

    private func sorted(_ ids: [Int], of schema: Schema, by order: String) throws(Raised) -> [Int] {
        var keys: [(field: String, descending: Bool)] = []
        for part in order.split(separator: ",") {
            let words = part.split(separator: " ").map(String.init)
            guard let name = words.first, words.count <= 2, schema.fields[name] != nil,
                words.count == 1 || ["asc", "desc"].contains(words[1].lowercased())
            else { throw .value("Invalid field '\(part)' on model '\(schema.model)'") }
            keys.append((name, words.count == 2 && words[1].lowercased() == "desc"))
        }
        if keys.isEmpty || (keys.count == 1 && keys[0].field == "id" && !keys[0].descending) { return ids }
        if keys.count == 1, keys[0].field == "id" { return ids.reversed() }
        let decorated = ids.map { id in (id: id, keys: keys.map { get(schema.model, id, $0.field) }) }
        return decorated.sorted { a, b in
            for (i, key) in keys.enumerated() {
                switch Self.compare(a.keys[i], b.keys[i]) {
                case 0: continue
                case let sign: return key.descending ? sign > 0 : sign < 0
                }
            }
            return a.id < b.id
        }.map(\.id)
    }

    /// Empty values come last in ascending order, as PostgreSQL's nulls do.
    private static func compare(_ a: Value, _ b: Value) -> Int {
        func sign<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x > y ? 1 : 0 }
        switch (a, b) {
        case (.empty, .empty): return 0
        case (.empty, _): return 1
        case (_, .empty): return -1
        case (.text(let x), .text(let y)): return sign(x, y)
        case (.bool(let x), .bool(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
        case (.link(let x), .link(let y)): return sign(x, y)
        default: return sign(a.number, b.number)
        }
    }

    /// `read`: ids that are gone are left out (recording 169).
    func read(_ model: String, _ ids: [Int], fields: [String], plainLinks: Bool = false) throws(Raised) -> JSONValue {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        for name in fields where schema.fields[name] == nil {
            throw .value("Invalid field '\(name)' \(version.is19 ? "on" : "on model") '\(model)'")
        }
        var names = fields.isEmpty ? schema.fieldOrder : fields
        names.removeAll { $0 == "id" }
        var records: [JSONValue] = []
        for id in ids where database.contains(model, id) {
            var record = JSONObject([("id", JSONValue(id))])
            for name in names {
                guard let field = schema.fields[name] else { continue }
                record[name] = json(get(model, id, name), field, plainLinks: plainLinks)
            }
            records.append(.object(record))
        }
        return .array(records)
    }

    /// A value as `read` shows it: `false` for nothing, `[id, name]` for a many2one, floats with a point.
    func json(_ value: Value, _ field: Field, plainLinks: Bool = false) -> JSONValue {
        switch value {
        case .empty: return .bool(false)
        case .bool(let bool): return .bool(bool)
        case .int(let int): return JSONValue(int)
        case .number(let number): return number.json
        case .text(let text): return .string(text)
        case .link(let id):
            guard !plainLinks, let target = field.kind.target else { return JSONValue(id) }
            return [JSONValue(id), .string(displayName(target, id))]
        case .links(let ids): return .array(ids.map { JSONValue($0) })
        }
    }

    func fieldsGet(_ model: String, names: [String], attributes: [String]) throws(Raised) -> JSONValue {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        var result = JSONObject()
        for name in schema.fieldOrder where names.isEmpty || names.contains(name) {
            guard let field = schema.fields[name] else { continue }
            var description: [(String, JSONValue)] = [
                ("name", .string(name)), ("readonly", .bool(field.readonly)), ("required", .bool(field.required)),
                ("store", .bool(field.compute == nil)), ("searchable", true), ("sortable", .bool(!field.kind.isMany)),
                ("string", .string(field.label)), ("type", .string(field.kind.name)),
            ]
            if case .selection(let options) = field.kind {
                let list = options.map { JSONValue.array([.string($0.value), .string($0.label)]) }
                description.append(("selection", .array(list)))
            }
            if let target = field.kind.target { description.append(("relation", .string(target))) }
            if case .one2many(_, let inverse) = field.kind { description.append(("relation_field", .string(inverse))) }
            result[name] = .object(
                JSONObject(description.filter { attributes.isEmpty || attributes.contains($0.0) }))
        }
        return .object(result)
    }

    func nameSearch(_ model: String, name: String, domain: JSONValue?, limit: Int?) throws(Raised) -> JSONValue {
        let found = try search(model, domain: domain)
        let wanted = name.lowercased()
        let hits = found.lazy.map { ($0, self.displayName(model, $0)) }
            .filter { wanted.isEmpty || $0.1.lowercased().contains(wanted) }
        return .array(hits.prefix(limit ?? 100).map { [JSONValue($0.0), .string($0.1)] })
    }

    /// Whether `id` is `root` or below it (stock locations; every other model has no parents).
    func isWithin(_ model: String, _ id: Int, _ root: Int) -> Bool {
        guard model == Model.location else { return id == root }
        var current: Int? = id
        var steps = 0
        while let location = current, steps < 64 {
            if location == root { return true }
            current = stored(Model.location, location, "location_id").link
            steps += 1
        }
        return false
    }
}
