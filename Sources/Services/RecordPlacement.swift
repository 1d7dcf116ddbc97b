import JSON
import Odoo

/// How a record's site is found.
enum RecordPlacement: Sendable, Hashable {
    /// It belongs to none: rules for all sites decide.
    case nowhere
    /// The field names an operation type, which belongs to a warehouse.
    case operationType(String)
    /// The field names a production order.
    case productionOrder(String)
    /// The record is a location: its site is the one in whose stock it lies.
    case itself

    var isPlaced: Bool { self != .nowhere }

    /// What must be read to know it.
    var field: String? {
        switch self {
        case .nowhere, .itself: nil
        case .operationType(let field), .productionOrder(let field): field
        }
    }

    /// What keeps the records of one site, or of all that are permitted; nil where nothing can be visible.
    func conditions(site: String?, _ permissions: SitePermissions, _ index: SiteIndex) -> [JSONValue]? {
        let path: String
        switch self {
        case .nowhere: return []
        case .operationType(let field): path = field
        case .productionOrder(let field): path = "\(field).picking_type_id"
        case .itself: return places(site: site, permissions, index)
        }
        func list(_ sites: some Sequence<String>) -> JSONValue {
            .array(index.allTypes(of: sites).map { JSONValue($0) })
        }
        if let site { return [[.string(path), "in", list([site])]] }
        if !permissions.elsewhere { return [[.string(path), "in", list(permissions.permitted)]] }
        if permissions.forbidden.isEmpty { return [] }
        return [[.string(path), "not in", list(permissions.forbidden)]]
    }

    private func places(site: String?, _ permissions: SitePermissions, _ index: SiteIndex) -> [JSONValue]? {
        if site == nil, permissions.elsewhere {
            let hidden = permissions.forbidden.sorted().compactMap { index.stockOfSite[$0] }
            return hidden.flatMap { ["!", ["id", "child_of", JSONValue($0)]] as [JSONValue] }
        }
        let places = (site.map { [$0] } ?? permissions.permitted.sorted()).compactMap { index.stockOfSite[$0] }
        return places.isEmpty ? nil : [["id", "child_of", .array(places.map { JSONValue($0) })]]
    }

    /// The sites of records, by their ids; a record of no known site is not among them.
    func sites(
        of records: [OdooRecord], _ map: SiteMap, _ odoo: OdooSession
    ) async throws(ServiceStop) -> [Int: String] {
        var sites: [Int: String] = [:]
        switch self {
        case .nowhere: break
        case .operationType(let field):
            let index = try await map.index(odoo)
            for record in records { sites[record.id] = index.site(ofType: try Self.reference(record, field)) }
        case .productionOrder(let field):
            var orderOf: [Int: Int] = [:]
            for record in records { orderOf[record.id] = try Self.reference(record, field) }
            if orderOf.isEmpty { break }
            let index = try await map.index(odoo)
            let call = OdooCall.read(
                ProductionOrderRecord.model, ids: Set(orderOf.values).sorted(), fields: ["picking_type_id"])
            let types = try await odoo.records(call) { (order) throws(OdooShapeError) in
                (order.id, try order.reference("picking_type_id")?.id)
            }
            for (order, type) in types {
                guard let site = index.site(ofType: type) else { continue }
                for (record, its) in orderOf where its == order { sites[record] = site }
            }
        case .itself: sites = try await map.sites(ofLocations: records.map(\.id), odoo)
        }
        return sites
    }

    private static func reference(_ record: OdooRecord, _ field: String) throws(ServiceStop) -> Int? {
        do throws(OdooShapeError) {
            return try record.reference(field)?.id
        } catch {
            throw ServiceStop(error)
        }
    }
}
