import Bytes
import JSON
import Odoo

/// One member of a record in an answer, and the fields of Odoo that it is made of.
struct RecordMember: Sendable {
    typealias View = @Sendable (OdooRecord, OdooVersion) throws(OdooShapeError) -> JSONValue

    let name: String
    let fields: @Sendable (OdooVersion) -> [String]
    let json: View
    /// What the placement says, instead of a field.
    var isSite = false

    init(_ name: String, fields: @escaping @Sendable (OdooVersion) -> [String], _ json: @escaping View) {
        self.name = name
        self.fields = fields
        self.json = json
    }

    private init(_ name: String, _ field: String, _ json: @escaping View) {
        self.init(name, fields: { _ in [field] }, json)
    }

    static let id = RecordMember("id", fields: { _ in [] }) { record, _ in JSONValue(record.id) }

    /// The site that the record belongs to, or null.
    static let site = {
        var member = RecordMember("site", fields: { _ in [] }) { _, _ in .null }
        member.isSite = true
        return member
    }()

    /// `write_date`: when it was changed last, also by what Odoo does on its own.
    static let changedAt = time("changed_at", "write_date")

    /// Null when empty.
    static func text(_ name: String, _ field: String) -> RecordMember {
        RecordMember(name, field) { (record, _) throws(OdooShapeError) in ProductView.text(try record.string(field)) }
    }

    /// `{id, name}`, or null.
    static func reference(_ name: String, _ field: String) -> RecordMember {
        RecordMember(name, field) { (record, _) throws(OdooShapeError) in
            try record.reference(field)?.json ?? .null
        }
    }

    /// The name of a reference alone; empty when there is none.
    static func unit(_ name: String = "unit", _ field: @escaping @Sendable (OdooVersion) -> String) -> RecordMember {
        RecordMember(name, fields: { [field($0)] }) { (record, version) throws(OdooShapeError) in
            .string(try record.reference(field(version))?.name ?? "")
        }
    }

    static func quantity(_ name: String, _ field: String) -> RecordMember {
        RecordMember(name, field) { (record, _) throws(OdooShapeError) in JSONValue(try record.quantity(field)) }
    }

    static func int(_ name: String, _ field: String) -> RecordMember {
        RecordMember(name, field) { (record, _) throws(OdooShapeError) in JSONValue(try record.int(field)) }
    }

    static func time(_ name: String, _ field: String) -> RecordMember {
        RecordMember(name, field) { (record, _) throws(OdooShapeError) in
            ProductionOrderView.time(try record.instant(field))
        }
    }

    /// A selection in the words of the contract; what it does not know is `other`.
    static func word(_ name: String, _ field: String, _ words: RecordWords) -> RecordMember {
        RecordMember(name, field) { (record, _) throws(OdooShapeError) in
            guard let value = try record.string(field) else { return .null }
            return .string(words.ours(value))
        }
    }
}

/// A selection's values, and the words of the contract for them.
struct RecordWords: Sendable {
    let pairs: [(odoo: String, ours: String)]

    init(_ pairs: [(odoo: String, ours: String)]) { self.pairs = pairs }

    func ours(_ value: String) -> String { pairs.first { $0.odoo == value }?.ours ?? "other" }

    /// The condition for some of our words; `other` is what has no word.
    func condition(_ field: String, _ words: [String]) -> JSONValue {
        let field = JSONValue.string(field)
        if words.contains("other") {
            let hidden = pairs.filter { !words.contains($0.ours) }
            return [field, "not in", .array(hidden.map { .string($0.odoo) })]
        }
        return [field, "in", .array(pairs.filter { words.contains($0.ours) }.map { .string($0.odoo) })]
    }
}

/// A parameter of a list, and the conditions that it becomes.
struct RecordFilter: Sendable {
    let parameter: String
    let conditions: @Sendable (JSONValue) -> [JSONValue]

    init(_ parameter: String, _ conditions: @escaping @Sendable (JSONValue) -> [JSONValue]) {
        self.parameter = parameter
        self.conditions = conditions
    }

    static func equals(_ parameter: String, _ field: String) -> RecordFilter {
        RecordFilter(parameter) { [[.string(field), "=", $0]] }
    }

    /// In a location or below it.
    static func below(_ parameter: String, _ field: String) -> RecordFilter {
        RecordFilter(parameter) { [[.string(field), "child_of", $0]] }
    }

    static func words(_ parameter: String, _ field: String, _ words: RecordWords) -> RecordFilter {
        RecordFilter(parameter) { value in
            let asked = value.array?.compactMap(\.string) ?? []
            return asked.isEmpty ? [] : [words.condition(field, asked)]
        }
    }
}

/// Records that belong to one record, as a list in it.
struct RecordPart: Sendable {
    let name: String
    let model: String
    /// The field that names the record they belong to.
    let parent: String
    let members: [RecordMember]
    /// An integer field by which they are in order, before their ids.
    var order: String?

    func fields(_ version: OdooVersion) -> [String] {
        var fields = ["id", parent]
        for field in members.flatMap({ $0.fields(version) }) + (order.map { [$0] } ?? []) where !fields.contains(field)
        {
            fields.append(field)
        }
        return fields
    }

    /// By the id of the record they belong to.
    func views(_ records: [OdooRecord], _ version: OdooVersion) throws(OdooShapeError) -> [Int: [JSONValue]] {
        var sorted: [(order: Int, record: OdooRecord)] = []
        for record in records {
            sorted.append((try order.map { (field) throws(OdooShapeError) in try record.int(field) } ?? 0, record))
        }
        sorted.sort { ($0.order, $0.record.id) < ($1.order, $1.record.id) }
        var views: [Int: [JSONValue]] = [:]
        for (_, record) in sorted {
            guard let parent = try record.reference(parent)?.id else { continue }
            var json = JSONObject()
            for member in members { json[member.name] = try member.json(record, version) }
            views[parent, default: []].append(.object(json))
        }
        return views
    }
}
