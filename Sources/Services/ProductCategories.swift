import Bytes
import Odoo
import Synchronization

/// Which category a product belongs to, remembered: what rules with `product_categories` decide by.
///
/// A category is called as Odoo writes it, `All / Furniture`: its own name behind those of the categories it lies in. Where
/// Odoo cannot be asked nothing is decided, and the call ends as every other one that needs Odoo.
final class ProductCategories: Sendable {
    /// How long what was read is used. Default 5 minutes: as long as a product that was moved to another category is still
    /// judged by the old one.
    static let lifetimeDefault: Nanoseconds = .minutes(5)
    /// Most products that are remembered. Default 100,000.
    static let countMax = 100_000

    private let lifetime: Nanoseconds
    private let known = Mutex<[Int: (name: String?, read: MonotonicInstant)]>([:])

    init(lifetime: Nanoseconds = ProductCategories.lifetimeDefault) { self.lifetime = lifetime }

    /// The complete name of the product's category; nil where it has none.
    func name(ofProduct id: Int, _ odoo: OdooSession) async throws(ServiceStop) -> String? {
        if let found = known.withLock({ $0[id] }), odoo.now - found.read < lifetime { return found.name }
        let read = OdooCall.read(ProductRecord.model, ids: [id], fields: ["categ_id"])
        let records = try await odoo.records(read) { (record) throws(OdooShapeError) in
            try record.reference("categ_id")?.name
        }
        guard let name = records.first else { throw .notFound("product \(id)") }
        known.withLock { known in
            if known.count >= Self.countMax { known.removeAll() }
            known[id] = (name, odoo.now)
        }
        return name
    }
}
