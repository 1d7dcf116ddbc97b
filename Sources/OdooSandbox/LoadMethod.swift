import JSON

/// `load`: creates or updates records by external id. Twice the same call gives the same record (recordings 709, 710),
/// and errors come back as a result, not as an error (711).
extension Engine {
    mutating func load(_ model: String, fields: [String], rows: [[JSONValue]]) throws(Raised) -> JSONValue {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        var ids: [JSONValue] = []
        var messages: [JSONValue] = []
        // All rows or none: with one message nothing is kept.
        let mark = database.setSavepoint()
        for (index, row) in rows.enumerated() {
            do throws(LoadFault) {
                ids.append(JSONValue(try loadRow(schema, fields, row)))
            } catch {
                messages += explain(error, schema, row: index)
            }
        }
        if messages.isEmpty { return .object(["ids": .array(ids), "messages": [], "nextrow": 0]) }
        database.rollback(to: mark)
        return .object(["ids": false, "messages": .array(messages), "nextrow": 0])
    }

    private enum LoadFault: Error {
        case noRecord(Field, JSONValue)
        case raised(Raised)
    }

    private mutating func loadRow(
        _ schema: Schema, _ fields: [String], _ row: [JSONValue]
    ) throws(LoadFault) -> Int {
        var values = JSONObject()
        var external: String?
        for (name, json) in zip(fields, row) {
            if name == "id" {
                external = json.string
                continue
            }
            let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
            guard let field = schema.fields[parts[0]] else {
                throw .raised(.value("Invalid field '\(parts[0])' on model '\(schema.model)'"))
            }
            if parts.count == 2, let target = field.kind.target {
                values[parts[0]] = try related(field, target, parts[1], json)
            } else if let target = field.kind.target, json.string != nil {
                values[parts[0]] = try named(field, target, json)
            } else {
                values[parts[0]] = json.string == "" ? false : json
            }
        }
        do throws(Raised) {
            return try upsert(schema.model, external, values)
        } catch {
            throw .raised(error)
        }
    }

    private mutating func upsert(_ model: String, _ external: String?, _ values: JSONObject) throws(Raised) -> Int {
        guard let external, !external.isEmpty else { return try create(model, values) }
        if let (id, known) = self.external(external), known == model, database.contains(model, id) {
            try checkAccess(.write, model)
            try write(model, [id], values)
            return id
        }
        let id = try create(model, values)
        register(external, model, id)
        return id
    }

    private func related(
        _ field: Field, _ target: String, _ key: String, _ json: JSONValue
    ) throws(LoadFault) -> JSONValue {
        switch key {
        case ".id":
            let id = json.int ?? json.string.flatMap { Int($0) }
            guard let id, database.contains(target, id) else { throw .noRecord(field, json) }
            return JSONValue(id)
        case "id":
            guard let name = json.string, let (id, model) = external(name), model == target else {
                throw .noRecord(field, json)
            }
            return JSONValue(id)
        default: throw .raised(.value("Invalid field '\(key)' on model '\(target)'"))
        }
    }

    private func named(_ field: Field, _ target: String, _ json: JSONValue) throws(LoadFault) -> JSONValue {
        guard let name = json.string, !name.isEmpty else { return false }
        for id in database.ids(target) where displayName(target, id) == name || text(target, id, "name") == name {
            return JSONValue(id)
        }
        throw .noRecord(field, json)
    }

    private func explain(_ fault: LoadFault, _ schema: Schema, row: Int) -> [JSONValue] {
        let rows = ("rows", JSONValue.object(["from": JSONValue(row), "to": JSONValue(row)]))
        let record = ("record", JSONValue(row))
        let type = ("type", JSONValue.string("error"))
        switch fault {
        case .raised(let raised):
            return [.object(JSONObject([rows, record, type, ("message", .string(raised.message))]))]
        case .noRecord(let field, let json):
            let wanted = json.string ?? pythonRepr(json)
            let more: JSONValue = [
                "name": "Possible Values", "type": "ir.actions.act_window", "target": "new",
                "view_mode": version.is19 ? "list,form" : "tree,form", "views": [[false, "list"], [false, "form"]],
                "context": ["create": false], "help": "See all possible values", "res_model": "ir.model.data",
                "domain": [["model", "=", .string(field.kind.target ?? "")]],
            ]
            let first = JSONObject([
                rows, type, record, ("field", .string(field.name)),
                (
                    "message",
                    .string("No matching record found for database id '\(wanted)' in field '\(field.label)'")
                ), ("moreinfo", more), ("field_name", .string(field.label)),
            ])
            // Odoo goes on without the value and meets the required field next.
            let missing =
                version.is19
                ? String(missingRequired(field, schema).message.dropFirst("The operation cannot be completed: ".count))
                : "Missing required value for the field '\(field.label)' (\(field.name))"
            let second = JSONObject([
                rows, record, type, ("message", .string(missing)), ("field", .string(field.name)),
            ])
            return field.required ? [.object(first), .object(second)] : [.object(first)]
        }
    }

    /// How contention with another `load` shows (recording 717): as a result, which a client must read.
    static var contendedLoad: JSONValue {
        [
            "ids": false,
            "messages": [
                [
                    "rows": ["from": 0, "to": 0], "record": 0, "type": "error",
                    "message": .string(Raised.serialization.message),
                ]
            ],
            "nextrow": 0,
        ]
    }

    // MARK: - External ids

    /// The record behind `module.name`.
    func external(_ name: String) -> (id: Int, model: String)? {
        let (module, local) = Self.split(name)
        for id in database.tables[Model.externalID]?.holders(of: .text(local), in: "name") ?? []
        where text(Model.externalID, id, "module") == module {
            return (stored(Model.externalID, id, "res_id").int, text(Model.externalID, id, "model"))
        }
        return nil
    }

    /// Whose records they are and under which external ids they are known, the newest first; also for users who may
    /// not read `ir.model.data` (by reading: `get_metadata`).
    func metadata(_ model: String, _ ids: [Int]) throws(Raised) -> JSONValue {
        try require(model, ids)
        let columns = ["create_uid", "create_date", "write_uid", "write_date"]
        guard case .array(let records) = try read(model, ids, fields: columns, plainLinks: false) else { return [] }
        return .array(
            records.map { record in
                let id = record["id"]?.int ?? 0
                let names = (database.tables[Model.externalID]?.holders(of: .int(id), in: "res_id") ?? []).reversed()
                    .filter { text(Model.externalID, $0, "model") == model }
                    .map {
                        JSONValue.string(
                            text(Model.externalID, $0, "module") + "." + text(Model.externalID, $0, "name"))
                    }
                var members = record.object ?? JSONObject()
                members["xmlid"] = names.first ?? false
                members["xmlids"] = .array(names.map { .object(["xmlid": $0, "noupdate": false]) })
                members["noupdate"] = false
                return .object(members)
            })
    }

    mutating func register(_ name: String, _ model: String, _ record: Int) {
        let (module, local) = Self.split(name)
        _ = insert(
            Model.externalID,
            ["module": .text(module), "name": .text(local), "model": .text(model), "res_id": .int(record)])
    }

    private static func split(_ name: String) -> (module: String, local: String) {
        guard let dot = name.firstIndex(of: ".") else { return ("__import__", name) }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }
}
