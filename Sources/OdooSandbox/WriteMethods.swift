import JSON

/// Creating, writing and deleting, for every model. What a model adds of its own hangs in `Hooks`.
extension Engine {
    mutating func create(_ model: String, _ values: JSONObject) throws(Raised) -> Int {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        var values = values
        for name in schema.fieldOrder where !values.contains(name) {
            // `default_…` in the context fills a field: this is how wizards get their records (recordings 079, 097).
            if let given = context["default_" + name] { values[name] = given }
        }
        try checkFields(values, schema)
        if let counted = counted(model, values) { return counted }
        var row: Row = [:]
        for field in schema.fields.values where field.compute == nil && !isChildren(field.kind) {
            row[field.name] = field.initial ?? field.kind.initial
        }
        for (name, json) in values.members {
            guard let field = schema.fields[name], field.compute == nil, !field.kind.isMany else { continue }
            row[name] = try Coercion.value(json, for: field, of: schema, in: self)
        }
        try prepare(model, &row, given: values)
        for name in schema.fieldOrder {
            guard let field = schema.fields[name], field.required, row[name] ?? .empty == .empty else { continue }
            throw missingRequired(field, schema)
        }
        let id = insert(model, row)
        try applyCommands(model, id, values, schema)
        try created(model, id, given: values)
        return id
    }

    mutating func write(_ model: String, _ ids: [Int], _ values: JSONObject) throws(Raised) {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        try require(model, ids)
        try checkFields(values, schema)
        var changes: [String: Value] = [:]
        for (name, json) in values.members {
            guard let field = schema.fields[name], field.compute == nil, !field.kind.isMany else { continue }
            changes[name] = try Coercion.value(json, for: field, of: schema, in: self)
        }
        for id in ids {
            var changes = changes
            try willWrite(model, id, &changes)
            set(model, id, changes)
            try applyCommands(model, id, values, schema)
            try written(model, id, changes, given: values)
        }
    }

    mutating func unlink(_ model: String, _ ids: [Int]) throws(Raised) {
        try require(model, ids)
        for id in ids { try willUnlink(model, id) }
        for id in ids { database.delete(model, id) }
    }

    /// Ids of the copies.
    mutating func copy(_ model: String, _ ids: [Int]) throws(Raised) -> [Int] {
        try require(model, ids)
        var copies: [Int] = []
        for id in ids { copies.append(try duplicate(model, id)) }
        return copies
    }

    private func isChildren(_ kind: FieldKind) -> Bool {
        if case .one2many = kind { return true }
        return false
    }

    private func checkFields(_ values: JSONObject, _ schema: Schema) throws(Raised) {
        for (name, _) in values.members where schema.fields[name] == nil {
            throw .value("Invalid field '\(name)' \(version.is19 ? "in" : "on model") '\(schema.model)'")
        }
    }

    func missingRequired(_ field: Field, _ schema: Schema) -> Raised {
        let hint =
            "- create/update: a mandatory field is not set\n"
            + "- delete: another model requires the record being deleted, you can archive it instead\n"
        if version.is19 {
            return .validation(
                "The operation cannot be completed: Missing required value for the field '\(field.label)' "
                    + "(\(field.name)).\nModel: '\(schema.label)' (\(schema.model))\n" + hint)
        }
        return .validation(
            "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n"
                + "- Delete: another model requires the record being deleted. If possible, archive it instead.\n\n"
                + "Model: \(schema.label) (\(schema.model))\nField: \(field.label) (\(field.name))\n")
    }

    /// The commands of x2many fields: `[0, 0, {…}]` and its kin, or a plain list of ids.
    private mutating func applyCommands(
        _ model: String, _ id: Int, _ values: JSONObject, _ schema: Schema
    ) throws(Raised) {
        for (name, json) in values.members {
            guard let field = schema.fields[name], field.compute == nil, field.kind.isMany,
                let target = field.kind.target
            else { continue }
            guard let commands = json.array else {
                if !Engine.truth(json) { continue }
                throw .value("Wrong value for \(model).\(name): \(pythonRepr(json))")
            }
            for command in commands {
                let parts = command.array
                if let link = command.int {
                    try attach(model, id, field, target, link)
                    continue
                }
                guard let parts, let code = parts.first?.int else {
                    throw .value("Wrong value for \(model).\(name): \(pythonRepr(json))")
                }
                try apply(code, parts, to: model, id, field, target)
            }
        }
    }

    private mutating func apply(
        _ code: Int, _ parts: [JSONValue], to model: String, _ id: Int, _ field: Field, _ target: String
    ) throws(Raised) {
        let other = parts.count > 1 ? parts[1].int ?? 0 : 0
        let body = parts.count > 2 ? parts[2].object ?? JSONObject() : JSONObject()
        switch code {
        case 0:
            var body = body
            if case .one2many(_, let inverse) = field.kind { body[inverse] = JSONValue(id) }
            let child = try create(target, body)
            if case .many2many = field.kind { try attach(model, id, field, target, child) }
        case 1: try write(target, [other], body)
        case 2: try unlink(target, [other])
        case 3: detach(model, id, field, target, other)
        case 4: try attach(model, id, field, target, other)
        case 5: for child in links(model, id, field.name) { detach(model, id, field, target, child) }
        case 6:
            for child in links(model, id, field.name) { detach(model, id, field, target, child) }
            for child in parts.count > 2 ? parts[2].array ?? [] : [] {
                if let child = child.int { try attach(model, id, field, target, child) }
            }
        default: throw .value("Unknown command \(code)")
        }
    }

    private mutating func attach(
        _ model: String, _ id: Int, _ field: Field, _ target: String, _ other: Int
    ) throws(Raised) {
        guard database.contains(target, other) else { throw .missing(target, [other], user: user.id) }
        if case .one2many(_, let inverse) = field.kind {
            set(target, other, inverse, .link(id))
        } else {
            let links = links(model, id, field.name)
            if !links.contains(other) { set(model, id, field.name, .links(links + [other])) }
        }
    }

    private mutating func detach(_ model: String, _ id: Int, _ field: Field, _ target: String, _ other: Int) {
        if case .one2many(_, let inverse) = field.kind {
            set(target, other, inverse, .empty)
        } else {
            set(model, id, field.name, .links(links(model, id, field.name).filter { $0 != other }))
        }
    }
}
