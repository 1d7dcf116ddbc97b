import Bytes
import Contracts
import JSON
import Odoo

/// Stock of a product in a place, as writes look at it.
enum StockPlace {
    /// The lock on what a product has in a place: two who book there at once make Odoo try again, for up to 17 s.
    static func key(_ product: Int, _ location: Int) -> String { "stock.quant,\(product)@\(location)" }

    /// What lies in a location and below.
    static func quantity(
        product: Int, below location: Int, lot: Int? = nil, _ odoo: OdooSession
    ) async throws(ServiceStop) -> ExactDecimal {
        var sum = ExactDecimal.zero
        for quant in try await quants(product: product, below: location, lot: lot, odoo) {
            sum = (sum + quant.quantity) ?? sum
        }
        return sum
    }

    static func quants(
        product: Int, below location: Int, lot: Int? = nil, _ odoo: OdooSession
    ) async throws(ServiceStop) -> [StockQuantRecord] {
        let page = OdooPage(limit: OdooPage.limitMax)
        let all = try await odoo.records(StockQuantRecord.search(products: [product], below: location, page: page)) {
            (record) throws(OdooShapeError) in try StockQuantRecord(record)
        }
        return lot.map { lot in all.filter { $0.lot?.id == lot } } ?? all
    }
}

extension WriteRun {
    /// The lot or serial number of a product, by its name.
    func lot(_ name: String, of product: ProductRecord, pointer: String = "/lot") async throws(ServiceStop) -> LotRecord
    {
        let found = try await odoo.records(
            LotRecord.search(name: name, product: product.id, page: OdooPage(limit: 2))
        ) { (record) throws(OdooShapeError) in try LotRecord(record) }
        guard let lot = found.first else {
            throw .invalid(Violation(pointer: pointer, "\(product.name) has no lot `\(name)`"))
        }
        guard found.count == 1 else {
            throw .invalid(Violation(pointer: pointer, "several lots are named `\(name)`"))
        }
        return lot
    }
}
