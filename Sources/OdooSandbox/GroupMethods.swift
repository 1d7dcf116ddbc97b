import Bytes
import JSON

/// Sums by group: `read_group` on 17 (recording 041), `formatted_read_group` on 19 (041, 307).
extension Engine {
    private struct Group {
        var key: Value
        var count = 0
        var sums: [ExactDecimal]
    }

    func readGroup(
        _ model: String, domain: JSONValue?, fields: [String], groupBy: String, limit: Int?, offset: Int
    ) throws(Raised) -> JSONValue {
        let sums = fields.map { String($0.split(separator: ":")[0]) }
            .filter { if case .number = schema(model)?.fields[$0]?.kind { true } else { false } }
        let by = try groupField(groupBy, model)
        let groups = try groups(model, domain: domain, by: by, sums: sums)
        var result: [JSONValue] = []
        for group in groups.dropFirst(max(offset, 0)).prefix(limit ?? groups.count) {
            var line = JSONObject([
                (groupBy, json(group.key, by)), (by.name + "_count", JSONValue(group.count)),
            ])
            for (name, sum) in zip(sums, group.sums) { line[name] = sum.json }
            let own: JSONValue = [.string(groupBy), "=", json(group.key, by, plainLinks: true)]
            let asked = domain?.array ?? []
            line["__domain"] = .array(asked.isEmpty ? [own] : ["&"] + asked + [own])
            result.append(.object(line))
        }
        return .array(result)
    }

    func formattedReadGroup(
        _ model: String, domain: JSONValue?, groupBy: [String], aggregates: [String], limit: Int?, offset: Int
    ) throws(Raised) -> JSONValue {
        guard groupBy.count == 1 else { throw .value("the sandbox groups by exactly one field") }
        let by = try groupField(groupBy[0], model)
        var sums: [String] = []
        for aggregate in aggregates where aggregate != "__count" {
            let parts = aggregate.split(separator: ":").map(String.init)
            guard parts.count == 2, parts[1] == "sum", schema(model)?.fields[parts[0]] != nil else {
                throw .value("Invalid aggregate '\(aggregate)' on model '\(model)'")
            }
            sums.append(parts[0])
        }
        let groups = try groups(model, domain: domain, by: by, sums: sums)
        var result: [JSONValue] = []
        for group in groups.dropFirst(max(offset, 0)).prefix(limit ?? groups.count) {
            let own: JSONValue = [.string(by.name), "=", json(group.key, by, plainLinks: true)]
            var line = JSONObject([(groupBy[0], json(group.key, by)), ("__extra_domain", [own])])
            for (name, sum) in zip(sums, group.sums) { line[name + ":sum"] = sum.json }
            if aggregates.contains("__count") { line["__count"] = JSONValue(group.count) }
            result.append(.object(line))
        }
        return .array(result)
    }

    private func groupField(_ name: String, _ model: String) throws(Raised) -> Field {
        guard let field = schema(model)?.fields[name] else {
            throw .value("Invalid field '\(name)' on model '\(model)'")
        }
        return field
    }

    private func groups(
        _ model: String, domain: JSONValue?, by: Field, sums: [String]
    ) throws(Raised) -> [Group] {
        var order: [Value] = []
        var groups: [Value: Group] = [:]
        for id in try search(model, domain: domain) {
            let key = get(model, id, by.name)
            if groups[key] == nil {
                order.append(key)
                groups[key] = Group(key: key, sums: sums.map { _ in .zero })
            }
            groups[key]?.count += 1
            for (i, name) in sums.enumerated() {
                let sum = groups[key]?.sums[i] ?? .zero
                groups[key]?.sums[i] = sum.adding(number(model, id, name))
            }
        }
        // Groups of a many2one are sorted by its name.
        let named = order.map { key -> (Value, String) in
            if let id = key.link, let target = by.kind.target { return (key, displayName(target, id)) }
            return (key, key.text ?? "")
        }
        return named.sorted { $0.1 < $1.1 }.compactMap { groups[$0.0] }
    }
}
