import JSON
import Odoo

/// The sites of the configuration as Odoo knows them at a moment.
struct SiteIndex: Sendable {
    /// Of every operation type that belongs to a known site.
    private(set) var siteOfPickingType: [Int: String] = [:]
    /// Operation types of production, by site; the first is the one new orders get.
    private(set) var productionTypes: [String: [Int]] = [:]
    /// The operation type of transfers between our own places, by site.
    private(set) var internalType: [String: Int] = [:]
    /// Odoo's code of an operation type, `incoming`.
    private(set) var kinds: [Int: String] = [:]
    /// Of the first site's warehouse.
    private(set) var company: Int?
    /// The location that holds a site's stock.
    private(set) var stockOfSite: [String: Int] = [:]
    private var siteOfWorkCenter: [String: String] = [:]

    init(sites: [Site], warehouses: [WarehouseRecord], pickingTypes: [PickingTypeRecord]) {
        var siteOfWarehouse: [Int: String] = [:]
        for site in sites {
            for name in site.workCenters { siteOfWorkCenter[name] = site.name }
            guard let warehouse = warehouses.first(where: { $0.code == site.warehouse }) else { continue }
            siteOfWarehouse[warehouse.id] = site.name
            if company == nil { company = warehouse.company?.id }
            if let stock = warehouse.stock { stockOfSite[site.name] = stock.id }
            if let type = warehouse.internalType?.id {
                internalType[site.name] = type
                siteOfPickingType[type] = site.name
                kinds[type] = "internal"
            }
        }
        for type in pickingTypes {
            kinds[type.id] = type.code
            guard let warehouse = type.warehouse, let site = siteOfWarehouse[warehouse.id] else { continue }
            siteOfPickingType[type.id] = site
            if type.code == "mrp_operation" { productionTypes[site, default: []].append(type.id) }
        }
    }

    /// Nil when the order belongs to no known site.
    func site(of order: ProductionOrderRecord) -> String? { order.pickingType.flatMap { siteOfPickingType[$0.id] } }

    func site(ofType type: Int?) -> String? { type.flatMap { siteOfPickingType[$0] } }

    func site(of workCenter: WorkCenterRecord) -> String? {
        workCenter.code.flatMap { siteOfWorkCenter[$0] } ?? siteOfWorkCenter[workCenter.name]
    }

    /// Every operation type of production of these sites.
    func pickingTypes(of sites: some Sequence<String>) -> [Int] { sites.flatMap { productionTypes[$0] ?? [] }.sorted() }

    /// Every operation type of these sites: receipts, deliveries, transfers, production.
    func allTypes(of sites: some Sequence<String>) -> [Int] {
        let wanted = Set(sites)
        return siteOfPickingType.filter { wanted.contains($0.value) }.keys.sorted()
    }
}
