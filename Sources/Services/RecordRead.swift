import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// A governed read that is a table: which model, which members of which fields, which filters, and to which site a
/// record belongs. Everything else is the same for all of them: pages, `fields`, `changed_since`, authorisation.
///
/// A new one is a value of this type in a file of its own, its contract, and its test.
struct RecordRead: ReadService {
    let operation: String
    /// As refusals call one, `bill of materials`.
    let noun: String
    let model: String
    let members: [RecordMember]
    var filters: [RecordFilter] = []
    /// Lists of records that belong to one, such as the lines of a bill.
    var parts: [RecordPart] = []
    var placement = RecordPlacement.nowhere
    /// What every record of this read satisfies.
    var domain: [JSONValue] = []

    let endpoints: Set = ["list", "one"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        request.endpoint == "one" ? try await one(request) : try await list(request)
    }

    private func one(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let id = try request.id()
        // What belongs to no site is decided before Odoo is asked: whether it is there is not for everybody to know.
        var decision = placement.isPlaced ? nil : try request.authorize(Resource())
        let odoo = try await request.session()
        let choice = RecordChoice(request, of: self, isList: false)
        let found = try await odoo.records(
            OdooCall.searchRead(
                model, domain: [["id", "=", JSONValue(id)]] + domain,
                fields: fields(choice, odoo.version), limit: 1)
        ) { $0 }
        guard let record = found.first else { throw .notFound("\(noun) \(id)") }
        var resource = Resource()
        var sites: [Int: String] = [:]
        if placement.isPlaced {
            sites = try await placement.sites(of: [record], request.sites, odoo)
            resource = Resource(site: sites[id])
            decision = try request.authorize(resource)
        }
        let parts = try await parts(of: [record], choice, odoo)
        return ReadResult(
            json: try view(record, choice, sites, parts, odoo.version), records: ["\(model),\(id)"],
            resource: resource, decision: decision)
    }

    private func list(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let scope: (site: String?, resource: Resource, decision: Decision) =
            placement.isPlaced ? try request.scope() : (nil, Resource(), try request.authorize(Resource()))
        let page = try ListPage(request)
        let odoo = try await request.session()
        let choice = RecordChoice(request, of: self, isList: true)
        var domain = domain + (try request.changedSince())
        for filter in filters {
            guard let value = request.input.query[filter.parameter] else { continue }
            domain += filter.conditions(value)
        }
        var records: [OdooRecord] = []
        let visible =
            placement.isPlaced
            ? placement.conditions(
                site: scope.site, request.permissions, try await request.sites.index(odoo)) : []
        if let visible {
            records = try await odoo.records(
                OdooPage(after: page.after, limit: page.limit + 1)
                    .search(model, domain: domain + visible, fields: fields(choice, odoo.version))
            ) { $0 }
        }
        let shown = Array(records.prefix(page.limit))
        let sites = choice.contains("site") ? try await placement.sites(of: shown, request.sites, odoo) : [:]
        let parts = try await parts(of: shown, choice, odoo)
        var items: [JSONValue] = []
        for record in shown { items.append(try view(record, choice, sites, parts, odoo.version)) }
        return ReadResult(
            json: .object(page.json(items, more: records.count > page.limit, last: shown.last?.id)),
            records: shown.map { "\(model),\($0.id)" }, resource: scope.resource, decision: scope.decision)
    }

    // MARK: What is asked of Odoo

    private func fields(_ choice: RecordChoice, _ version: OdooVersion) -> [String] {
        var fields = ["id"]
        for member in members where choice.contains(member.name) {
            for field in member.fields(version) where !fields.contains(field) { fields.append(field) }
        }
        if let field = placement.field, !fields.contains(field) { fields.append(field) }
        return fields
    }

    /// Most records of one part in an answer. Default 10,000: above, a smaller `limit` is asked for.
    static let partRecordsMax = 10_000

    private func parts(
        of records: [OdooRecord], _ choice: RecordChoice, _ odoo: OdooSession
    ) async throws(ServiceStop) -> [String: [Int: [JSONValue]]] {
        var all: [String: [Int: [JSONValue]]] = [:]
        guard !records.isEmpty else { return all }
        let ids = JSONValue.array(records.map { JSONValue($0.id) })
        for part in parts where choice.contains(part.name) {
            var found: [OdooRecord] = []
            while true {
                let page = OdooPage(after: found.last?.id, limit: OdooPage.limitMax)
                let next = try await odoo.records(
                    page.search(
                        part.model, domain: [[.string(part.parent), "in", ids]], fields: part.fields(odoo.version))
                ) { $0 }
                found += next
                guard next.count == OdooPage.limitMax else { break }
                guard found.count < Self.partRecordsMax else {
                    throw .invalid(
                        Violation(.query("limit"), "the records have too many \(part.name): ask for fewer at once"))
                }
            }
            do throws(OdooShapeError) {
                all[part.name] = try part.views(found, odoo.version)
            } catch {
                throw ServiceStop(error)
            }
        }
        return all
    }

    private func view(
        _ record: OdooRecord, _ choice: RecordChoice, _ sites: [Int: String],
        _ parts: [String: [Int: [JSONValue]]], _ version: OdooVersion
    ) throws(ServiceStop) -> JSONValue {
        var json = JSONObject()
        do throws(OdooShapeError) {
            for member in members where choice.contains(member.name) {
                json[member.name] =
                    member.isSite ? ProductView.text(sites[record.id]) : try member.json(record, version)
            }
        } catch {
            throw ServiceStop(error)
        }
        for part in self.parts where choice.contains(part.name) {
            json[part.name] = .array(parts[part.name]?[record.id] ?? [])
        }
        return .object(json)
    }
}

/// Which members the caller wants: those of `fields`, the id always; without it all, but in a list no parts.
private struct RecordChoice {
    private let names: Set<String>

    init(_ request: ReadRequest, of read: RecordRead, isList: Bool) {
        var names: Set<String>
        if let asked = request.input.query["fields"]?.array?.compactMap(\.string), !asked.isEmpty {
            names = Set(asked)
            names.insert("id")
        } else {
            names = Set(read.members.map(\.name))
            if !isList { names.formUnion(read.parts.map(\.name)) }
        }
        self.names = names
    }

    func contains(_ name: String) -> Bool { names.contains(name) }
}
