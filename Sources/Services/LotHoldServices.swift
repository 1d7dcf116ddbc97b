import Bytes
import Contracts
import Events
import JSON
import Odoo
import Policy

/// `lot.hold` and `lot.release`: everything of a lot at a site goes to where nobody takes from, and back.
///
/// Odoo, Community and Enterprise alike, has no word for a lot on hold; what lies outside of a warehouse's stock is not
/// reserved for orders or deliveries. So it is one internal transfer, with a line for each place and the lot written
/// on it.
struct LotHoldService: WalkedWrite {
    enum Direction: String, Sendable {
        case hold
        case release
    }

    let direction: Direction
    var operation: String { "lot.\(direction.rawValue)" }
    var endpoints: Set<String> { [direction.rawValue] }

    func records(_ request: AcceptedRequest) -> [String] { request.id.map { ["\(LotRecord.model),\($0)"] } ?? [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let site = try run.site()
        let id = try run.pathID()
        func lotNow() async throws(ServiceStop) -> LotRecord {
            let found = try await run.odoo.records(LotRecord.read([id])) { (record) throws(OdooShapeError) in
                try LotRecord(record)
            }
            guard let lot = found.first else { throw .notFound("lot \(id)") }
            return lot
        }
        // The product decides where the policy wants its category; otherwise nobody learns which lots there are.
        if run.needsProductCategory { try await run.learnCategory(ofProduct: try await lotNow().product.id) }
        try run.authorize(Resource(site: site))
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        let lot = try await lotNow()
        let (stock, hold) = try await run.holdPlaces(site)
        let from = direction == .hold ? stock : hold
        let to = direction == .hold ? hold : stock
        let plan = try await plan(lot, from: from, to: to, run)
        func result(_ quantity: ExactDecimal, _ transfer: TransferRecord?) async throws(ServiceStop) -> WriteResult {
            let units = try await run.odoo.products(ProductRecord.read([lot.product.id]))
            let key = "\(LotRecord.model),\(id)"
            return WriteResult(
                json: [
                    "lot": OdooReference(id: id, name: lot.name).json, "product": lot.product.json,
                    "state": .string(direction == .hold ? "held" : "released"), "quantity": JSONValue(quantity),
                    "unit": .string(units.first?.unit?.name ?? ""), "site": ProductView.text(site),
                    "location": to.json,
                    "transfer": transfer.map { OdooReference(id: $0.id, name: $0.name).json } ?? .null,
                    "reason": run.request.body["reason"] ?? .null,
                ], records: [key] + (transfer.map { ["\(TransferRecord.model),\($0.id)"] } ?? []),
                text: "\(lot.name) is \(direction == .hold ? "on hold" : "released")")
        }
        guard !plan.shares.isEmpty else { return try await result(plan.there, nil) }
        let done = try await move(plan, lot, from: from, to: to, site, run)
        return try await result(plan.sum, done).telling(
            .lotHold(
                isHeld: direction == .hold, OdooReference(id: id, name: lot.name), of: lot.product,
                reason: run.request.body["reason"]?.string, site: site, at: run.odoo.wall))
    }

    private struct Plan {
        /// From which places how much; empty where it lies where it should already.
        var shares: [LotShare]
        /// What lies there already.
        var there = ExactDecimal.zero
        var sum: ExactDecimal { shares.reduce(.zero) { ($0 + $1.quantity) ?? $0 } }
    }

    /// What is to be moved, as the first try has found it: a later one may find it moved.
    private func plan(
        _ lot: LotRecord, from: OdooReference, to: OdooReference, _ run: WriteRun
    ) async throws(ServiceStop) -> Plan {
        if run.hasSent("create"), let noted = run.intents["plan"]?["shares"]?.array {
            let shares = noted.compactMap { share in
                share[1]?.decimal.map { LotShare(lot: lot.id, location: share[0]?.int ?? 0, quantity: $0) }
            }
            try await run.lock(
                (shares.map(\.location) + [to.id]).map { StockPlace.key(lot.product.id, $0) })
            return Plan(shares: shares)
        }
        func quants(_ place: Int) async throws(ServiceStop) -> [StockQuantRecord] {
            try await StockPlace.quants(product: lot.product.id, below: place, lot: lot.id, run.odoo)
                .filter { !$0.quantity.isNegative && !$0.quantity.isZero }
        }
        let places = try await quants(from.id).map(\.location.id)
        try await run.lock((places + [to.id]).map { StockPlace.key(lot.product.id, $0) })
        // Again, now that nobody else books there.
        let shares = try await quants(from.id).map {
            LotShare(lot: lot.id, location: $0.location.id, quantity: $0.quantity)
        }
        if shares.isEmpty {
            let there = try await quants(to.id).reduce(ExactDecimal.zero) { ($0 + $1.quantity) ?? $0 }
            guard !there.isZero else {
                throw .conflict(
                    "nothing of lot \(lot.name) lies at the site", state: "absent", allowed: ["on-hand"],
                    reason: "nothing-on-hand")
            }
            return Plan(shares: [], there: there)
        }
        try await run.begin(
            .preparing, "\(direction.rawValue) of \(lot.name)",
            intent: [
                "step": "plan", "shares": .array(shares.map { [JSONValue($0.location), JSONValue($0.quantity)] }),
            ], records: ["\(LotRecord.model),\(lot.id)"])
        return Plan(shares: shares)
    }

    private func move(
        _ plan: Plan, _ lot: LotRecord, from: OdooReference, to: OdooReference, _ site: String?, _ run: WriteRun
    ) async throws(ServiceStop) -> TransferRecord {
        guard let site, let type = try await run.sites.index(run.odoo).internalType[site] else {
            throw .invalid(Violation(pointer: "/site", "has no internal transfers in Odoo"))
        }
        let reason = run.request.body["reason"]?.string
        let text = "\(direction.rawValue) of lot \(lot.name)"
        let version = run.odoo.version
        let origin = reason.map { "\(text): \($0)" } ?? text
        var steps: [ChainStep] = [
            .make(TransferRecord.model) { _ in
                TransferRecipe.row(type: type, from: from.id, to: to.id, origin: origin)
            }
        ]
        let parts = plan.shares.indices.map { "line\($0 + 1)" }
        for (part, share) in zip(parts, plan.shares) {
            steps.append(
                .make(ComponentMoveRecord.model, part: part) {
                    TransferRecipe.line(
                        transfer: $0.id, product: lot.product.id, name: lot.product.name, quantity: share.quantity,
                        from: share.location, to: to.id, on: version)
                })
        }
        steps.append(run.confirmation)
        // Confirming reserves, and may have chosen other lots. Absolute, and books nothing.
        steps.append(
            .arrange("writing the lot on it") { (made) async throws(ServiceStop) -> [OdooCall] in
                let moves = parts.map { made[$0] }
                let places = try await run.places(moves)
                let lines = try await run.lines(of: moves)
                return zip(moves, plan.shares).compactMap { move, share in
                    places.first { $0.id == move }.map {
                        LotConsumption.set($0, to: [share], instead: lines, on: version)
                    }
                }
            } program: { made, first in
                let moves = parts.map { made[$0] }
                return LotConsumption.clear(moves, asStep: first)
                    + zip(moves, plan.shares).map { move, share in
                        .call(LotConsumption.fill(move, of: lot.product.id, to: to.id, with: share))
                    }
            })
        return try await run.validate(text, keepsRest: true, after: steps)
    }
}

extension WriteRun {
    /// A site's stock, and where what is on hold lies.
    func holdPlaces(_ site: String?) async throws(ServiceStop) -> (stock: OdooReference, hold: OdooReference) {
        guard let site, let stock = try await sites.index(odoo).stockOfSite[site] else {
            throw .invalid(Violation(pointer: "/site", "is required: no site says where"))
        }
        guard let name = sites.sites.first(where: { $0.name == site })?.holdLocation else {
            throw .conflict(
                "the site has no `hold_location` in the gateway's configuration", state: "absent",
                allowed: ["configured"], reason: "no-hold-location")
        }
        let found = try await odoo.records(
            .searchRead(
                "stock.location",
                domain: ["|", ["id", "=", JSONValue(stock)], ["complete_name", "=", .string(name)]],
                fields: ["complete_name", "usage"], limit: 3)
        ) { (record) throws(OdooShapeError) in
            (
                place: OdooReference(id: record.id, name: try record.text("complete_name")),
                usage: try record.text("usage")
            )
        }
        guard let hold = found.first(where: { $0.place.name == name && $0.place.id != stock }),
            hold.usage == "internal", let here = found.first(where: { $0.place.id == stock })
        else {
            throw .conflict(
                "Odoo has no internal location `\(name)`, which the gateway's configuration names", state: "absent",
                allowed: ["internal"], reason: "no-hold-location")
        }
        return (here.place, hold.place)
    }
}

extension BusinessEvent {
    static func lotHold(
        isHeld: Bool, _ lot: OdooReference, of product: OdooReference, reason: String?, site: String?,
        at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: isHeld ? "lot.held" : "lot.released", subject: "lot/\(lot.id)", site: site, time: time,
            data: ["lot": lot.json, "product": product.json, "reason": ProductView.text(reason)])
    }
}
