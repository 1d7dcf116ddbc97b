/// The records of one model.
struct Table: Sendable {
    let schema: Schema
    private(set) var rows: [Int: Row] = [:]
    /// Ascending.
    private(set) var ids: [Int] = []
    var nextID = 1
    /// For each many2one field and each field that is looked up: which records hold which value, ascending.
    private var index: [String: [Value: [Int]]] = [:]

    init(_ schema: Schema) {
        self.schema = schema
        for field in schema.fields.values {
            if field.isIndexed { index[field.name] = [:] }
        }
    }

    func contains(_ id: Int) -> Bool { rows[id] != nil }

    /// The records whose `field` is `value`; nil when the field has no index.
    func holders(of value: Value, in field: String) -> [Int]? { index[field].map { $0[value] ?? [] } }

    /// Puts the record there, or takes it away with nil. Returns what was there.
    mutating func replace(_ id: Int, with row: Row?) -> Row? {
        let old = rows[id]
        if let old { unlink(id, old) }
        rows[id] = row
        if let row {
            link(id, row)
            if old == nil { insertSorted(id, into: &ids) }
            nextID = max(nextID, id + 1)
        } else if old != nil {
            removeSorted(id, from: &ids)
        }
        return old
    }

    mutating func set(_ id: Int, _ field: String, _ value: Value) {
        let old = rows[id]?[field]
        if old == value { return }
        let isIndexed = index[field] != nil
        if isIndexed, let old { drop(id, field, old) }
        rows[id]?[field] = value
        if isIndexed { add(id, field, value) }
    }

    private mutating func link(_ id: Int, _ row: Row) {
        for field in index.keys {
            if let value = row[field] { add(id, field, value) }
        }
    }

    private mutating func unlink(_ id: Int, _ row: Row) {
        for field in index.keys {
            if let value = row[field] { drop(id, field, value) }
        }
    }

    private mutating func add(_ id: Int, _ field: String, _ value: Value) {
        if value == .empty { return }
        insertSorted(id, into: &index[field, default: [:]][value, default: []])
    }

    private mutating func drop(_ id: Int, _ field: String, _ value: Value) {
        if value == .empty { return }
        removeSorted(id, from: &index[field, default: [:]][value, default: []])
    }
}

private func place(of id: Int, in ids: [Int]) -> Int {
    var low = 0
    var high = ids.count
    while low < high {
        let middle = (low + high) / 2
        if ids[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low
}

private func insertSorted(_ id: Int, into ids: inout [Int]) {
    if let last = ids.last, last < id {
        ids.append(id)
        return
    }
    let i = place(of: id, in: ids)
    if i == ids.count || ids[i] != id { ids.insert(id, at: i) }
}

private func removeSorted(_ id: Int, from ids: inout [Int]) {
    let i = place(of: id, in: ids)
    if i < ids.count, ids[i] == id { ids.remove(at: i) }
}
