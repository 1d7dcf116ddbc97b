import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// A site's own simple service, as its contract's recipe says: one record of one model, made, set or acted on.
struct SiteService: WalkedWrite {
    let operation: String
    let endpoints: Set<String>
    let recipe: SiteRecipe
    private let output: Schema
    private let body: Schema?

    /// Nil for a contract without a recipe.
    init?(_ contract: Contract) {
        guard let recipe = contract.recipe, let endpoint = contract.endpoints.first else { return nil }
        self.recipe = recipe
        operation = contract.operation
        endpoints = [endpoint.name]
        output = endpoint.output
        body = endpoint.body
    }

    func records(_ request: AcceptedRequest) -> [String] {
        id(request).map { ["\(recipe.model),\($0)"] } ?? []
    }

    private func id(_ request: AcceptedRequest) -> Int? { recipe.record.flatMap { request.path[$0]?.int } }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        guard recipe.strategy != .create else { return try await create(run) }
        guard let id = id(run.request) else { throw .invalid(Violation(.path(recipe.record ?? "id"), "is not an id")) }
        let before = try await read(id, run)
        let site = try await site(of: before, run)
        try run.authorize(Resource(site: site))
        let key = "\(recipe.model),\(id)"
        let what = recipe.strategy == .call ? recipe.method : "set"
        if !run.hasSent(what) {
            if isDone(before, run.request.body) { return result(before, [key], "it was so already") }
            if let condition = recipe.condition, !Self.holds(condition, before) {
                throw .conflict(
                    "the record's \(condition.field) does not allow it",
                    state: before.fields[condition.field]?.string ?? "other", allowed: condition.values,
                    reason: "guard")
            }
        }
        let call =
            recipe.strategy == .call
            ? OdooCall.button(recipe.model, recipe.method, ids: [id])
            : OdooCall.write(recipe.model, ids: [id], wanted(run.request.body))
        let after = try await run.effect(
            Effect(
                name: what, text: "\(what) \(key)", call: call, repeats: recipe.repeats, records: [key])
        ) { () async throws(ServiceStop) -> Look<OdooRecord> in
            let now = try await read(id, run)
            return isDone(now, run.request.body) ? .done(now) : .notDone
        }
        return result(after, [key], "\(what) \(key) is done")
    }

    private func create(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        // A contract that asks for no site speaks of what belongs to none.
        let site = body?.property("site") == nil ? nil : try run.site()
        try run.authorize(Resource(site: site))
        var row: [(field: String, value: JSONValue)] = []
        for mapped in recipe.values {
            guard let value = value(run.request.body, mapped) else { continue }
            row.append((mapped.isReference ? mapped.field + "/.id" : mapped.field, value))
        }
        let id = try await run.create(recipe.model, row, "making a \(recipe.model)")
        let key = "\(recipe.model),\(id)"
        return result(try await read(id, run), [key], "\(key) is made", status: 201)
    }

    // MARK: What Odoo has

    private func read(_ id: Int, _ run: WriteRun) async throws(ServiceStop) -> OdooRecord {
        let found = try await run.odoo.records(.read(recipe.model, ids: [id], fields: recipe.fields)) { $0 }
        guard let record = found.first else { throw .notFound("\(recipe.model) \(id)") }
        return record
    }

    private func site(of record: OdooRecord, _ run: WriteRun) async throws(ServiceStop) -> String? {
        let placement: RecordPlacement
        switch recipe.place {
        case .nowhere: return nil
        case .operationType(let field): placement = .operationType(field)
        case .productionOrder(let field): placement = .productionOrder(field)
        }
        return try await placement.sites(of: [record], run.sites, run.odoo)[record.id]
    }

    private static func holds(_ condition: SiteRecipe.Condition, _ record: OdooRecord) -> Bool {
        record.fields[condition.field]?.string.map { condition.values.contains($0) } ?? false
    }

    private func isDone(_ record: OdooRecord, _ body: JSONValue) -> Bool {
        if let done = recipe.done { return Self.holds(done, record) }
        return wanted(body).members.allSatisfy { field, value in
            let has = record.fields[field] ?? .null
            if let number = value.decimal, let its = has.decimal { return number == its }
            // A reference is read with its name; what is empty is read as false.
            return has == value || has[0] == value || (value == "" && has == false)
        }
    }

    // MARK: What is sent

    private func wanted(_ body: JSONValue) -> JSONObject {
        var values = JSONObject()
        for mapped in recipe.values {
            if let value = value(body, mapped) { values[mapped.field] = value }
        }
        return values
    }

    /// As Odoo wants it; nil for a member that was not sent.
    private func value(_ request: JSONValue, _ mapped: SiteRecipe.Mapped) -> JSONValue? {
        guard let value = request[mapped.member] else { return nil }
        if value.isNull { return false }
        if body?.property(mapped.member)?.format == .dateTime, let text = value.string, let instant = WallInstant(text)
        {
            return .string(instant.odoo)
        }
        return value
    }

    // MARK: What is answered

    private func result(_ record: OdooRecord, _ records: [String], _ text: String, status: Int = 200) -> WriteResult {
        var json = JSONObject()
        for mapped in recipe.answer {
            let value = mapped.field == "id" ? JSONValue(record.id) : record.fields[mapped.field] ?? .null
            json[mapped.member] = Self.view(value, output.property(mapped.member))
        }
        return WriteResult(status: status, json: .object(json), records: records, text: text)
    }

    /// A value of Odoo in the words of the contract.
    static func view(_ value: JSONValue, _ schema: Schema?) -> JSONValue {
        let types = schema?.types ?? []
        if value == false, !types.contains(.boolean) { return .null }
        if types.contains(.object), let id = value[0]?.int {
            return OdooReference(id: id, name: value[1]?.string ?? "").json
        }
        if schema?.format == .dateTime, let text = value.string, let instant = WallInstant(text) {
            return .string(instant.rfc3339)
        }
        return value
    }
}
