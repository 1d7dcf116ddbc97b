import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// `inventory.read`: stock by product, location and lot, and Odoo's sum where one product is asked for.
///
/// What the caller may see lies below the stock locations of the permitted sites; Odoo itself filters by that.
struct ReadInventory: ReadService {
    let operation = "inventory.read"
    let endpoints: Set = ["list"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let scope = try request.scope()
        let page = try ListPage(request)
        let odoo = try await request.session()
        let visible = Visible(request, site: scope.site, try await request.sites.index(odoo))
        let product = try await product(request, odoo)
        let wanted = request.int("product") != nil || request.text("product_code") != nil
        let lot: [JSONValue] = request.int("lot").map { [["lot_id", "=", JSONValue($0)]] } ?? []
        var quants: [StockQuantRecord] = []
        if !wanted || product != nil, !visible.isNothing {
            quants = try await odoo.records(
                StockQuantRecord.search(
                    products: product.map { [$0.id] } ?? [], below: request.int("location"),
                    page: OdooPage(after: page.after, limit: page.limit + 1)
                ).adding(visible.conditions + lot + (try request.changedSince()))
            ) { (record) throws(OdooShapeError) in try StockQuantRecord(record) }
        }
        let units = try await units(of: quants.prefix(page.limit), known: product, odoo)
        var json = page.json(quants, id: \.id) { Self.json($0, unit: units[$0.product.id] ?? "") }
        var summary = JSONValue.null
        if let product { summary = try await sum(product, visible, request, odoo) }
        let next = json["next_cursor"] ?? .null
        json["next_cursor"] = nil
        json["summary"] = summary
        json["next_cursor"] = next
        return ReadResult(
            json: .object(json), records: quants.prefix(page.limit).map { "\(StockQuantRecord.model),\($0.id)" },
            resource: scope.resource, decision: scope.decision)
    }

    /// The product asked for; nil where none was, or none has the code.
    private func product(_ request: ReadRequest, _ odoo: OdooSession) async throws(ServiceStop) -> ProductRecord? {
        if let id = request.int("product") {
            guard let product = try await odoo.products(ProductRecord.read([id])).first,
                request.text("product_code").map({ $0 == product.code }) ?? true
            else { throw .notFound("product \(id)") }
            return product
        }
        guard let code = request.text("product_code") else { return nil }
        let found = try await odoo.products(
            ProductRecord.search(code: code, on: odoo.version, page: OdooPage(limit: 2)))
        guard let product = found.first else { throw .notFound("product with the code \(code)") }
        guard found.count == 1 else {
            throw .invalid(Violation(.query("product_code"), "several products have this code: give `product`"))
        }
        return product
    }

    private func units(
        of quants: ArraySlice<StockQuantRecord>, known: ProductRecord?, _ odoo: OdooSession
    ) async throws(ServiceStop) -> [Int: String] {
        if let known { return [known.id: known.unit?.name ?? ""] }
        let ids = Set(quants.map(\.product.id)).sorted()
        if ids.isEmpty { return [:] }
        var units: [Int: String] = [:]
        for product in try await odoo.products(ProductRecord.read(ids)) { units[product.id] = product.unit?.name ?? "" }
        return units
    }

    /// The sum over what is visible: Odoo sums up below one location, so several sites are added here.
    private func sum(
        _ product: ProductRecord, _ visible: Visible, _ request: ReadRequest, _ odoo: OdooSession
    ) async throws(ServiceStop) -> JSONValue {
        var places: [Int?] = visible.isEverything ? [nil] : visible.places.map { $0 }
        if let location = request.int("location") {
            places = try await isVisible(location, visible, odoo) ? [location] : []
        }
        var sums = [ExactDecimal](repeating: .zero, count: 5)
        for place in places {
            let read = try await odoo.records(ProductAvailability.read(products: [product.id], below: place)) {
                (record) throws(OdooShapeError) in try ProductAvailability(record)
            }
            guard let one = read.first else { continue }
            let parts = [one.onHand, one.free, one.incoming, one.outgoing, one.forecast]
            for (place, part) in parts.enumerated() { sums[place] = (sums[place] + part) ?? sums[place] }
        }
        return [
            "product": OdooReference(id: product.id, name: product.name).json, "quantity": JSONValue(sums[0]),
            "quantity_available": JSONValue(sums[1]), "quantity_incoming": JSONValue(sums[2]),
            "quantity_outgoing": JSONValue(sums[3]), "quantity_forecast": JSONValue(sums[4]),
            "unit": .string(product.unit?.name ?? ""),
        ]
    }

    private func isVisible(
        _ location: Int, _ visible: Visible, _ odoo: OdooSession
    ) async throws(ServiceStop) -> Bool {
        if visible.isEverything { return true }
        if visible.places.isEmpty { return false }
        let call = OdooCall.searchRead(
            "stock.location",
            domain: [
                ["id", "=", JSONValue(location)], ["id", "child_of", .array(visible.places.map { JSONValue($0) })],
            ],
            fields: ["id"], limit: 1)
        return try await !odoo.records(call) { $0.id }.isEmpty
    }

    private static func json(_ quant: StockQuantRecord, unit: String) -> JSONValue {
        [
            "product": quant.product.json, "location": quant.location.json, "lot": quant.lot?.json ?? .null,
            "quantity": JSONValue(quant.quantity), "quantity_reserved": JSONValue(quant.reserved),
            "quantity_available": JSONValue(quant.available), "unit": .string(unit),
        ]
    }
}

/// Which stock a caller sees.
private struct Visible {
    let isEverything: Bool
    /// Locations below which everything is visible; for `isEverything`, hidden ones are taken out of all.
    let places: [Int]
    let conditions: [JSONValue]

    init(_ request: ReadRequest, site: String?, _ index: SiteIndex) {
        let permissions = request.permissions
        let sites = site.map { [$0] } ?? permissions.permitted.sorted()
        places = sites.compactMap { index.stockOfSite[$0] }
        if site == nil, permissions.elsewhere {
            let hidden = permissions.forbidden.sorted().compactMap { index.stockOfSite[$0] }
            isEverything = hidden.isEmpty
            conditions = hidden.flatMap { ["!", ["location_id", "child_of", JSONValue($0)]] as [JSONValue] }
        } else {
            isEverything = false
            conditions = [["location_id", "child_of", .array(places.map { JSONValue($0) })]]
        }
    }

    var isNothing: Bool { !isEverything && places.isEmpty }
}
