import Bytes
import JSON

/// What a sandbox keeps on the disk: its seed stands in the program, so a line for each transaction since is enough. A
/// sandbox that was killed comes back with everything that was committed, as a database does; what it was working at is
/// gone. Nothing is synced: it outlives the process, not the machine.
struct SandboxJournal: Sendable {
    /// A record as a transaction left it; nil where it was deleted.
    typealias Change = (model: String, id: Int, row: Row?)

    /// One line, with its end.
    static func line(_ changes: [Change], sequences: [String: Int]) -> [UInt8] {
        var rows: [JSONValue] = []
        for change in changes {
            var fields: JSONValue = .null
            if let row = change.row {
                fields = .object(JSONObject(row.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
            }
            rows.append([.string(change.model), JSONValue(change.id), fields])
        }
        let counters = JSONObject(sequences.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) })
        return JSONValue.object(JSONObject([("sequences", .object(counters)), ("rows", .array(rows))])).bytes + [10]
    }

    /// Does again what the lines say. A last one without its end was not finished: its call was never answered.
    ///
    /// - Returns: how many bytes are whole lines; nil where one is none of ours.
    static func replay(_ text: [UInt8], into database: inout Database) -> Int? {
        var start = 0
        for i in text.indices where text[i] == 10 {
            guard let json = try? JSONValue.parse(Array(text[start..<i]), limits: JSONLimits(bytesMax: 64 << 20)),
                let rows = json["rows"]?.array, let sequences = json["sequences"]?.object
            else { return nil }
            for (name, value) in sequences.members { database.setSequence(name, value.int ?? 0) }
            for item in rows {
                guard let model = item[0]?.string, let id = item[1]?.int else { return nil }
                guard let fields = item[2]?.object else {
                    database.delete(model, id)
                    continue
                }
                var row: Row = [:]
                for (name, stored) in fields.members {
                    guard let value = value(stored) else { return nil }
                    row[name] = value
                }
                _ = database.insert(model, row, id: id)
            }
            start = i + 1
        }
        database.commit()
        return start
    }

    private static func json(_ value: Value) -> JSONValue {
        switch value {
        case .empty: .null
        case .bool(let bool): .bool(bool)
        case .int(let int): ["i": JSONValue(int)]
        case .number(let number): JSONValue(number)
        case .text(let text): .string(text)
        case .link(let id): ["l": JSONValue(id)]
        case .links(let ids): .array(ids.map { JSONValue($0) })
        }
    }

    private static func value(_ json: JSONValue) -> Value? {
        switch json {
        case .null: return .empty
        case .bool(let bool): return .bool(bool)
        case .number(let number): return number.decimal.map { .number($0) }
        case .string(let text): return .text(text)
        case .array(let items): return .links(items.compactMap(\.int))
        case .object(let object):
            if let int = object["i"]?.int { return .int(int) }
            return object["l"]?.int.map { .link($0) }
        }
    }
}
