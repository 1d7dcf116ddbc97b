import Bytes
import JSON

/// One Odoo: its database, and the call that is being answered.
///
/// Everything a call does goes through here, so that it can be undone. The state machines are extensions in files of
/// their own.
struct Engine: Sendable {
    let version: SandboxVersion
    let users: [SandboxUser]
    let apps: Set<SandboxApp>
    var database: Database

    // Of the call that is being answered.
    var user: SandboxUser
    var context = JSONObject()
    var now = WallInstant(seconds: 0)
    /// Of the addon: what was asked, and which methods its program called.
    var asked: Asked?
    var ran: [String] = []

    init(version: SandboxVersion, users: [SandboxUser], apps: Set<SandboxApp> = []) {
        self.version = version
        self.apps = apps
        self.users = users
        database = Database(Models.all(version, apps))
        user = Self.superuser
    }

    /// Odoo's own hand, for seeds and for what a method does on behalf of a user.
    static let superuser = SandboxUser(id: 1, login: "__system__", name: "System", password: "", rights: .administrator)

    /// Answers one call as a transaction.
    mutating func call<Result>(
        user: SandboxUser, context: JSONObject, now: WallInstant,
        _ body: (inout Engine) throws(Raised) -> Result
    ) throws(Raised) -> Result {
        self.user = user
        self.context = context
        self.now = now
        asked = nil
        ran = []
        do {
            let result = try body(&self)
            database.commit()
            return result
        } catch {
            database.rollback()
            throw error
        }
    }

    /// Runs `body` with members added to the context; nil removes one.
    mutating func with<Result>(
        context added: [(String, JSONValue?)], _ body: (inout Engine) throws(Raised) -> Result
    ) throws(Raised) -> Result {
        let before = context
        defer { context = before }
        for (key, value) in added { context[key] = value }
        return try body(&self)
    }
}

// MARK: - Fields

extension Engine {
    func schema(_ model: String) -> Schema? { database.tables[model]?.schema }

    /// What is stored, also in the sandbox's own hidden fields.
    func stored(_ model: String, _ id: Int, _ field: String) -> Value {
        if let value = database.row(model, id)?[field] { return value }
        return schema(model)?.fields[field]?.kind.initial ?? .empty
    }

    /// The value of any field: stored, computed, or looked up from the children.
    func get(_ model: String, _ id: Int, _ field: String) -> Value {
        guard let declared = schema(model)?.fields[field] else { return stored(model, id, field) }
        if let compute = declared.compute { return compute(self, id) }
        if case .one2many(let child, let inverse) = declared.kind {
            return .links(database.referrers(child, inverse, to: id))
        }
        return stored(model, id, field)
    }

    func number(_ model: String, _ id: Int, _ field: String) -> ExactDecimal { get(model, id, field).number }
    func text(_ model: String, _ id: Int, _ field: String) -> String { get(model, id, field).text ?? "" }
    func link(_ model: String, _ id: Int, _ field: String) -> Int? { get(model, id, field).link }
    func links(_ model: String, _ id: Int, _ field: String) -> [Int] { get(model, id, field).links }
    func flag(_ model: String, _ id: Int, _ field: String) -> Bool { get(model, id, field).bool }
    func state(_ model: String, _ id: Int) -> String { text(model, id, "state") }

    func displayName(_ model: String, _ id: Int) -> String {
        guard let schema = schema(model) else { return "" }
        return schema.display(self, id).text ?? "\(model),\(id)"
    }

    mutating func set(_ model: String, _ id: Int, _ field: String, _ value: Value) {
        database.set(model, id, field, value)
    }

    mutating func set(_ model: String, _ id: Int, _ values: [String: Value]) {
        for (field, value) in values { database.set(model, id, field, value) }
        database.set(model, id, "write_date", .text(now.odoo))
        database.set(model, id, "write_uid", .link(user.id))
    }

    /// Without hooks and checks.
    mutating func insert(_ model: String, _ row: Row, id: Int? = nil) -> Int {
        var row = row
        row["create_date"] = .text(now.odoo)
        row["write_date"] = .text(now.odoo)
        row["create_uid"] = .link(user.id)
        row["write_uid"] = .link(user.id)
        return database.insert(model, row, id: id)
    }

    func require(_ model: String, _ ids: [Int]) throws(Raised) {
        let absent = ids.filter { !database.contains(model, $0) }
        if !absent.isEmpty { throw .missing(model, absent, user: user.id) }
    }

    /// A flag of the context, by Python's truth.
    func contextFlag(_ key: String) -> Bool { Self.truth(context[key]) }

    func contextIDs(_ key: String) -> [Int] { context[key]?.array?.compactMap(\.int) ?? [] }

    static func truth(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null: false
        case .bool(let bool): bool
        case .number(let number): !(number.decimal?.isZero ?? false)
        case .string(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object(let object): !object.isEmpty
        }
    }
}
