/// All tables, and what must be undone when a call raises: Odoo's calls are transactions.
struct Database: Sendable {
    private(set) var tables: [String: Table]
    /// Names like `WH/MO/00025`. Not undone, as PostgreSQL's sequences are not.
    private(set) var sequences: [String: Int] = [:]
    private var undo: [(model: String, id: Int, row: Row?)] = []
    /// How much of `undo` was there when the innermost savepoint was set.
    private var savepoint = 0
    /// What the transactions since `takeCommitted` have changed, and whether it was there before; only where somebody asks.
    private var committed: [(model: String, id: Int, isNew: Bool)] = []
    var keepsCommitted = false

    init(_ schemas: [Schema]) {
        tables = [:]
        for schema in schemas { tables[schema.model] = Table(schema) }
    }

    func row(_ model: String, _ id: Int) -> Row? { tables[model]?.rows[id] }
    func ids(_ model: String) -> [Int] { tables[model]?.ids ?? [] }
    func contains(_ model: String, _ id: Int) -> Bool { tables[model]?.contains(id) ?? false }

    func referrers(_ model: String, _ field: String, to id: Int) -> [Int] {
        tables[model]?.holders(of: .link(id), in: field) ?? []
    }

    /// With the next free id, or with `id`.
    mutating func insert(_ model: String, _ row: Row, id: Int? = nil) -> Int {
        let id = id ?? tables[model]?.nextID ?? 0
        if let old = tables[model]?.replace(id, with: row) {
            undo.append((model, id, old))
        } else {
            undo.append((model, id, nil))
        }
        return id
    }

    mutating func set(_ model: String, _ id: Int, _ field: String, _ value: Value) {
        guard let row = tables[model]?.rows[id] else { return }
        let isNoted = undo.count > savepoint && undo.last.map { $0.model == model && $0.id == id } == true
        if !isNoted { undo.append((model, id, row)) }
        tables[model]?.set(id, field, value)
    }

    mutating func delete(_ model: String, _ id: Int) {
        guard let old = tables[model]?.replace(id, with: nil) else { return }
        undo.append((model, id, old))
    }

    /// The next figure of a sequence, from 1.
    mutating func next(_ sequence: String) -> Int {
        let value = sequences[sequence, default: 0] + 1
        sequences[sequence] = value
        return value
    }

    mutating func setSequence(_ sequence: String, _ value: Int) { sequences[sequence] = value }
    mutating func setNextID(_ model: String, _ id: Int) { tables[model]?.nextID = id }

    /// Each record that was changed, once.
    mutating func takeCommitted() -> [(model: String, id: Int, isNew: Bool)] {
        defer { committed = [] }
        return committed
    }

    mutating func commit() {
        if keepsCommitted {
            var seen: [String: Set<Int>] = [:]
            for entry in undo where seen[entry.model, default: []].insert(entry.id).inserted {
                committed.append((entry.model, entry.id, entry.row == nil))
            }
        }
        undo.removeAll(keepingCapacity: true)
        savepoint = 0
    }

    mutating func rollback() {
        savepoint = 0
        rollback(to: 0)
    }

    /// A place to come back to within a call.
    mutating func setSavepoint() -> Int {
        savepoint = undo.count
        return savepoint
    }

    mutating func rollback(to mark: Int) {
        while undo.count > mark, let (model, id, row) = undo.popLast() { _ = tables[model]?.replace(id, with: row) }
    }
}
