import Bytes
import Contracts
import JSON
import Odoo

/// What a confirmation says besides its quantity: the lot that was made, the lots that went in, the by-products. Read
/// with the moves of the order, whose stock is locked.
struct ConfirmInput: Sendable {
    /// A component and the lots it was taken from.
    struct Component: Sendable {
        let move: MovePlace
        let shares: [LotShare]
    }

    /// The lot or serial number that was made, by its name.
    struct Lot: Sendable {
        let name: String
        let product: ProductRecord
    }

    var lot: Lot?
    var components: [Component] = []
    var byproducts: [Int: ExactDecimal] = [:]

    static func read(_ order: ProductionOrderRecord, _ run: WriteRun) async throws(ServiceStop) -> ConfirmInput {
        let body = run.request.body
        var input = ConfirmInput()
        var keys: [String] = []
        if let name = body["lot"]?.string {
            guard let product = try await run.odoo.products(ProductRecord.read([order.product.id])).first else {
                throw .notFound("product \(order.product.id)")
            }
            guard product.tracking != "none" else {
                throw .invalid(Violation(pointer: "/lot", "\(product.name) is not told apart by lot or serial number"))
            }
            input.lot = Lot(name: name, product: product)
            keys.append(LotRecord.key(name, product: product.id))
        }
        let ids = order.componentMoves + order.finishedMoves
        let moves = ids.isEmpty ? [] : try await run.places(ids).filter { !$0.isClosed }
        let components = moves.filter { order.componentMoves.contains($0.id) }
        let finished = moves.filter { order.finishedMoves.contains($0.id) }
        // Two who book the same stock at once make Odoo try again, for up to 17 s.
        keys += components.map { StockPlace.key($0.product.id, $0.from) }
        keys += finished.map { StockPlace.key($0.product.id, $0.to) }
        try await run.lock(keys)
        for (index, json) in (body["by_products"]?.array ?? []).enumerated() {
            let product = json["product"]?.int ?? 0
            guard product != order.product.id, finished.contains(where: { $0.product.id == product }) else {
                throw .invalid(Violation(pointer: "/by_products/\(index)/product", "is no by-product of the order"))
            }
            input.byproducts[product] = try run.quantity(of: json, "/by_products/\(index)/quantity")
        }
        for (index, json) in (body["components"]?.array ?? []).enumerated() {
            let pointer = "/components/\(index)"
            let its = components.filter { $0.product.id == json["product"]?.int }
            guard let move = its.first, its.count == 1 else {
                throw .invalid(
                    Violation(
                        pointer: pointer + "/product",
                        its.isEmpty ? "is no component of the order" : "stands in several lines: enter it in Odoo"))
            }
            let shares = try await run.shares(json["lots"], of: move, pointer: pointer + "/lots")
            input.components.append(Component(move: move, shares: shares))
        }
        return input
    }
}

extension ConfirmInput.Lot {
    /// The lot's id; it is made where it is not there. Its name is locked.
    ///
    /// Odoo takes a serial number that was produced before and refuses the booking later (recordings 121, 122).
    func id(_ run: WriteRun, confirmed: ExactDecimal) async throws(ServiceStop) -> Int {
        if product.tracking == "serial", confirmed != ExactDecimal(1) {
            throw .invalid(
                Violation(
                    pointer: "/quantity",
                    "is 1 where the piece has a serial number: confirm one, then the next on `backorder` of the answer")
            )
        }
        let found = try await run.odoo.records(
            LotRecord.search(name: name, product: product.id, page: OdooPage(limit: 2))
        ) { $0.id }
        if let id = found.first { return id }
        let company = try await run.sites.index(run.odoo).company
        return try await run.create(
            LotRecord.model, LotRecord.row(name: name, product: product.id, company: company, on: run.odoo.version),
            "lot \(name) of \(product.name)", part: "_lot")
    }
}

extension LotRecord {
    /// Two who make the same lot at once: the second finds it.
    static func key(_ name: String, product: Int) -> String { "stock.lot,\(product)/\(name)" }
}

extension WriteRun {
    func places(_ moves: [Int]) async throws(ServiceStop) -> [MovePlace] {
        try await odoo.records(ConsumeRecipe.places(moves)) { (record) throws(OdooShapeError) in
            try MovePlace(record)
        }
    }

    func lines(of moves: [Int]) async throws(ServiceStop) -> [MoveLineRecord] {
        if moves.isEmpty { return [] }
        return try await odoo.records(MoveLineRecord.search(moves: moves)) { (record) throws(OdooShapeError) in
            try MoveLineRecord(record)
        }
    }

    func quantity(of json: JSONValue, _ pointer: String) throws(ServiceStop) -> ExactDecimal {
        guard let quantity = json["quantity"]?.decimal else {
            throw .invalid(Violation(pointer: pointer, "has more digits than can be kept"))
        }
        return quantity
    }

    /// The lots of `[{"lot", "quantity"}]`, each from where it lies in the stock that the move takes from.
    func shares(_ json: JSONValue?, of move: MovePlace, pointer: String) async throws(ServiceStop) -> [LotShare] {
        guard let product = try await odoo.products(ProductRecord.read([move.product.id])).first else {
            throw .notFound("product \(move.product.id)")
        }
        guard product.tracking != "none" else {
            throw .invalid(Violation(pointer: pointer, "\(product.name) is not told apart by lot or serial number"))
        }
        var shares: [LotShare] = []
        var names: Set<String> = []
        for (index, item) in (json?.array ?? []).enumerated() {
            let name = item["lot"]?.string ?? ""
            guard names.insert(name).inserted else {
                throw .invalid(Violation(pointer: "\(pointer)/\(index)/lot", "is named twice"))
            }
            let lot = try await lot(name, of: product, pointer: "\(pointer)/\(index)/lot")
            var missing = try quantity(of: item, "\(pointer)/\(index)/quantity")
            for quant in try await StockPlace.quants(product: product.id, below: move.from, lot: lot.id, odoo)
            where !missing.isZero && !quant.quantity.isNegative && !quant.quantity.isZero {
                let taken = min(missing, quant.quantity)
                shares.append(LotShare(lot: lot.id, location: quant.location.id, quantity: taken))
                missing = (missing - taken) ?? missing
            }
            guard missing.isZero else {
                throw .conflict(
                    "\(missing) of lot \(name) are not there: correct the stock first", state: "insufficient",
                    allowed: ["sufficient"], reason: "insufficient-stock")
            }
        }
        return shares
    }
}
