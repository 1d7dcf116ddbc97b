import Bytes
import JSON
import Odoo
import Synchronization

/// Sites by name, resolved against Odoo and remembered.
///
/// A site is a warehouse: an order belongs to it through its operation type. What belongs to no site of the
/// configuration has none, and only rules for all sites speak of it.
package final class SiteMap: Sendable {
    package let sites: [Site]
    private let lifetime: Nanoseconds
    private let cache = Mutex<(index: SiteIndex, read: MonotonicInstant)?>(nil)
    private let places = Mutex<[Int: (site: String, read: MonotonicInstant)]>([:])

    /// How long what was read is used. Default 10 minutes: warehouses come and go in years.
    package static let lifetimeDefault: Nanoseconds = .minutes(10)
    /// Soonest time after a reading for another one, when an operation type turns up that is not known.
    private static let rereadMin: Nanoseconds = .seconds(30)

    package init(sites: [Site], lifetime: Nanoseconds = SiteMap.lifetimeDefault) {
        self.sites = sites
        self.lifetime = lifetime
    }

    package var names: [String] { sites.map(\.name) }

    /// The index, read anew when it is old; an old one serves when Odoo cannot be asked.
    func index(_ odoo: OdooSession) async throws(ServiceStop) -> SiteIndex {
        let known = cache.withLock { $0 }
        if let known, odoo.now - known.read < lifetime { return known.index }
        do throws(ServiceStop) {
            return try await read(odoo)
        } catch {
            if let known { return known.index }
            throw error
        }
    }

    /// The site of an order; an operation type that is new since the last reading is looked up.
    func site(of order: ProductionOrderRecord, _ odoo: OdooSession) async throws(ServiceStop) -> String? {
        let index = try await index(odoo)
        if let site = index.site(of: order) { return site }
        guard let known = cache.withLock({ $0 }), odoo.now - known.read >= Self.rereadMin else { return nil }
        return try await read(odoo).site(of: order)
    }

    /// The site in whose stock a location lies; nil for one outside of all, and for one that is not there.
    func site(ofLocation id: Int, _ odoo: OdooSession) async throws(ServiceStop) -> String? {
        let index = try await index(odoo)
        if let site = index.stockOfSite.first(where: { $0.value == id })?.key { return site }
        if let known = places.withLock({ $0[id] }), odoo.now - known.read < lifetime { return known.site }
        for (site, stock) in index.stockOfSite.sorted(by: { $0.key < $1.key }) {
            let call = OdooCall.searchRead(
                "stock.location", domain: [["id", "=", JSONValue(id)], ["id", "child_of", JSONValue(stock)]],
                fields: ["id"], limit: 1)
            if try await !odoo.joining.records(call, { $0.id }).isEmpty {
                places.withLock { places in
                    if places.count >= Self.placesMax { places.removeAll() }
                    places[id] = (site, odoo.now)
                }
                return site
            }
        }
        return nil
    }

    /// The same for a page of locations: one call for each site, for those that are not remembered.
    func sites(ofLocations ids: [Int], _ odoo: OdooSession) async throws(ServiceStop) -> [Int: String] {
        let index = try await index(odoo)
        var sites: [Int: String] = [:]
        for (site, stock) in index.stockOfSite where ids.contains(stock) { sites[stock] = site }
        let known = places.withLock { $0 }
        for id in ids where sites[id] == nil {
            if let place = known[id], odoo.now - place.read < lifetime { sites[id] = place.site }
        }
        let unknown = ids.filter { sites[$0] == nil }.map { JSONValue($0) }
        if unknown.isEmpty { return sites }
        for (site, stock) in index.stockOfSite.sorted(by: { $0.key < $1.key }) {
            let call = OdooCall.searchRead(
                "stock.location", domain: [["id", "in", .array(unknown)], ["id", "child_of", JSONValue(stock)]],
                fields: ["id"], limit: unknown.count)
            for id in try await odoo.joining.records(call, { $0.id }) { sites[id] = site }
        }
        let found = sites
        places.withLock { places in
            if places.count + found.count > Self.placesMax { places.removeAll() }
            for (id, site) in found { places[id] = (site, odoo.now) }
        }
        return sites
    }

    /// Most locations whose sites are remembered. Default 10,000.
    private static let placesMax = 10_000

    /// Forgets what was read: the next call asks Odoo.
    package func refresh() {
        cache.withLock { $0 = nil }
        places.withLock { $0.removeAll() }
    }

    private func read(_ odoo: OdooSession) async throws(ServiceStop) -> SiteIndex {
        let warehouses = try await odoo.joining.records(WarehouseRecord.search) { (record) throws(OdooShapeError) in
            try WarehouseRecord(record)
        }
        let types = try await odoo.joining.records(PickingTypeRecord.search) { (record) throws(OdooShapeError) in
            try PickingTypeRecord(record)
        }
        let index = SiteIndex(sites: sites, warehouses: warehouses, pickingTypes: types)
        cache.withLock { $0 = (index, odoo.now) }
        return index
    }
}
