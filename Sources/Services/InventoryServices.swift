import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// `lot.create`: a lot, or one piece with a serial number.
struct CreateLotService: WalkedWrite {
    let operation = "lot.create"
    let endpoints: Set = ["create"]

    func records(_ request: AcceptedRequest) -> [String] { [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let site = try run.site()
        try await run.learnProduct()
        try run.authorize(Resource(site: site))
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        let product = try await run.product()
        guard product.tracking != "none" else {
            throw .conflict(
                "\(product.name) is not told apart by lot or serial number", state: "none", allowed: ["lot", "serial"],
                reason: "product-not-tracked")
        }
        let name = run.request.body["name"]?.string ?? ""
        let company = try await run.sites.index(run.odoo).company
        let row = LotRecord.row(name: name, product: product.id, company: company, on: run.odoo.version)
        let id = try await run.create(LotRecord.model, row, "lot \(name) of \(product.name)", isLast: true)
        return WriteResult(
            status: 201,
            json: [
                "id": JSONValue(id), "name": .string(name),
                "product": OdooReference(id: product.id, name: product.name).json,
                "tracking": .string(product.tracking),
            ], records: ["\(LotRecord.model),\(id)"], text: "lot \(name) of \(product.name) is there",
            events: [
                .lotCreated(
                    OdooReference(id: id, name: name), of: OdooReference(id: product.id, name: product.name),
                    site: site, at: run.odoo.wall)
            ])
    }
}

/// `inventory.count`: what was counted in a place becomes what Odoo has there.
struct CountInventoryService: WalkedWrite {
    let operation = "inventory.count"
    let endpoints: Set = ["count"]

    func records(_ request: AcceptedRequest) -> [String] { [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        try await run.learnProduct()
        let place = try await run.location()
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        let product = try await run.product()
        let counted = try run.quantity()
        var lot: LotRecord?
        if let name = run.request.body["lot"]?.string { lot = try await run.lot(name, of: product) }
        if product.tracking != "none", lot == nil {
            throw .invalid(Violation(pointer: "/lot", "is required: \(product.name) is counted by \(product.tracking)"))
        }
        try await run.lock([StockPlace.key(product.id, place.id)])
        let before = try await here(product, place.id, lot, run)
        func result(_ text: String) -> WriteResult {
            WriteResult(
                json: [
                    "product": OdooReference(id: product.id, name: product.name).json, "location": JSONValue(place.id),
                    "site": ProductView.text(place.site), "lot": ProductView.text(lot?.name),
                    "quantity": JSONValue(counted), "unit": .string(product.unit?.name ?? ""),
                ], records: ["\(ProductRecord.model),\(product.id)"], text: text)
        }
        if !run.hasSent("apply"), before == counted { return result("the count agrees") }
        let counting = InventoryCount.count(product: product.id, location: place.id, lot: lot?.id, quantity: counted)
        _ = try await run.together(
            [.say(counting)],
            last: {
                Effect(
                    name: "apply", text: "\(product.name): \(counted) counted where \(before) were known",
                    call: InventoryCount.apply($0.id),
                    intent: ["counted": JSONValue(counted), "before": JSONValue(before)])
            },
            look: { (_) async throws(ServiceStop) -> Look<Void> in
                try await here(product, place.id, lot, run) == counted ? .done(()) : .notDone
            })
        let known = run.recalled("apply", "before")?.decimal ?? before
        let reference = try await run.odoo.records(
            .read("stock.location", ids: [place.id], fields: ["display_name"])
        ) { (record) throws(OdooShapeError) in OdooReference(id: record.id, name: try record.text("display_name")) }
        return result("\(counted) of \(product.name) are booked")
            .telling(
                .inventoryAdjusted(
                    product, at: reference.first ?? OdooReference(id: place.id, name: ""),
                    lot: lot.map { OdooReference(id: $0.id, name: $0.name) }, from: known, to: counted,
                    site: place.site, at: run.odoo.wall))
    }

    /// In this very place, not below it.
    private func here(
        _ product: ProductRecord, _ location: Int, _ lot: LotRecord?, _ run: WriteRun
    ) async throws(ServiceStop) -> ExactDecimal {
        var sum = ExactDecimal.zero
        for quant in try await StockPlace.quants(product: product.id, below: location, lot: lot?.id, run.odoo)
        where quant.location.id == location && quant.lot?.id == lot?.id { sum = (sum + quant.quantity) ?? sum }
        return sum
    }
}
