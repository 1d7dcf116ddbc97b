import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// What an alert or an inspection is about, permitted to the caller.
struct QualityMatter: Sendable {
    let order: ProductionOrderRecord?
    let lot: LotRecord?
    let product: OdooReference
    let site: String?

    /// The record that bears the note.
    var subject: QualitySubject {
        if let order { return QualitySubject(model: ProductionOrderRecord.model, id: order.id) }
        return QualitySubject(model: LotRecord.model, id: lot?.id ?? 0)
    }

    var key: String { "\(subject.model),\(subject.id)" }

    /// For people, where Odoo has no field for it.
    var lines: [String] {
        var lines = ["Product: \(product.name)"]
        if let lot { lines.append("Lot: \(lot.name)") }
        return lines
    }
}

extension WriteRun {
    /// `production_order`, or `lot` with its product: one of them bears the note.
    func qualityMatter() async throws(ServiceStop) -> QualityMatter {
        let body = request.body
        let namesProduct = body["product"] != nil || body["product_code"] != nil
        var order: ProductionOrderRecord?
        let site: String?
        if let id = body["production_order"]?.int {
            guard let found = try await odoo.order(id) else {
                throw .invalid(Violation(pointer: "/production_order", "there is no production order \(id)"))
            }
            order = found
            site = try await sites.site(of: found, odoo)
            try await learnCategory(ofProduct: found.product.id)
        } else {
            guard body["lot"] != nil else {
                throw .invalid(Violation(pointer: "/production_order", "is required, or a `lot`"))
            }
            guard namesProduct else {
                throw .invalid(Violation(pointer: "/product", "is required with a `lot`, or `product_code`"))
            }
            site = try self.site()
            try await learnProduct()
        }
        try authorize(Resource(site: site))
        guard odoo.version.hasWritingRecipes else { throw .unproved(odoo.version) }
        var product = order.map { $0.product }
        var lot: LotRecord?
        if namesProduct {
            let named = try await self.product()
            product = OdooReference(id: named.id, name: named.name)
        }
        guard let product else { throw .invalid(Violation(pointer: "/product", "is required")) }
        if let name = body["lot"]?.string {
            guard let record = try await odoo.products(ProductRecord.read([product.id])).first else {
                throw .notFound("product \(product.id)")
            }
            lot = try await self.lot(name, of: record)
        }
        return QualityMatter(order: order, lot: lot, product: product, site: site)
    }

    /// Posts a note once: each carries the operation's id, by which it is found again.
    func post(_ text: String, on subject: QualitySubject, step name: String) async throws(ServiceStop) -> Int {
        let mark = "millgate \(operationID)"
        return try await effect(
            Effect(
                name: name, text: "a note on \(subject.model),\(subject.id)",
                call: NoteRecipe.post(text, mark: mark, on: subject), records: ["\(subject.model),\(subject.id)"])
        ) { () async throws(ServiceStop) -> Look<Int> in
            let found = try await odoo.records(NoteRecipe.find(mark: mark, on: subject)) { $0.id }
            return found.first.map { .done($0) } ?? .notDone
        }
    }
}
