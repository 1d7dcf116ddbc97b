import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// `transfer.create`: moves goods from one of our places to another, at once or later.
struct CreateTransferService: WalkedWrite {
    let operation = "transfer.create"
    let endpoints: Set = ["create"]

    func records(_ request: AcceptedRequest) -> [String] { [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        try await run.learnProduct()
        let from = try await run.location("from")
        let to = try await run.location("to")
        let product = try await run.product()
        let quantity = try run.quantity()
        try await run.lock([StockPlace.key(product.id, from.id), StockPlace.key(product.id, to.id)])
        if !run.hasSent("create") {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            guard from.id != to.id else { throw .invalid(Violation(pointer: "/to", "is where it lies already")) }
        }
        guard let site = from.site, let type = try await run.sites.index(run.odoo).internalType[site] else {
            throw .invalid(Violation(pointer: "/from", "belongs to no site with internal transfers"))
        }
        let text = "moving \(quantity) of \(product.name)"
        let origin = run.request.body["external_reference"]?.string
        let version = run.odoo.version
        let steps: [ChainStep] = [
            .make(TransferRecord.model) { _ in
                TransferRecipe.row(type: type, from: from.id, to: to.id, origin: origin)
            },
            .make(ComponentMoveRecord.model, part: "line") {
                TransferRecipe.line(
                    transfer: $0.id, product: product.id, name: product.name, quantity: quantity, from: from.id,
                    to: to.id, on: version)
            },
            run.confirmation,
        ]
        guard run.request.body["complete"]?.bool ?? true else {
            let planned = try await run.together(
                steps, last: { Effect(name: "assign", text: text, call: TransferRecipe.assign($0.id), repeats: true) },
                look: { (made) async throws(ServiceStop) in .done(try await run.transfer(made.id)) }
            ).found
            return WriteResult(
                status: 201, json: TransferView.json(planned, site: site),
                records: ["\(TransferRecord.model),\(planned.id)"], text: "\(planned.name) is planned")
        }
        let assign = ChainStep.act("assign", { TransferRecipe.assign($0.id) }) {
            (made) async throws(ServiceStop) -> Look<Void> in
            _ = try await run.transfer(made.id)
            return .done(())
        }
        let done = try await run.validate(text, keepsRest: true, after: steps + [assign])
        return WriteResult(
            status: 201, json: TransferView.json(done, site: site), records: ["\(TransferRecord.model),\(done.id)"],
            text: "\(done.name) is done",
            events: [.transferValidated(done, kind: "internal", site: site, at: run.odoo.wall)])
    }
}

/// `transfer.validate`: what arrived, left or was moved of a receipt, a delivery or a transfer.
struct ValidateTransferService: WalkedWrite {
    let operation = "transfer.validate"
    let endpoints: Set = ["validate"]

    func records(_ request: AcceptedRequest) -> [String] {
        request.id.map { ["\(TransferRecord.model),\($0)"] } ?? []
    }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let id = try run.pathID()
        let transfer = try await run.transfer(id)
        let index = try await run.sites.index(run.odoo)
        let site = index.site(ofType: transfer.type?.id)
        try run.authorize(Resource(site: site))
        let keepsRest = run.request.body["remainder"]?.string != "drop"
        if !run.hasSent("validate") {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            guard transfer.state != "done", transfer.state != "cancel" else {
                throw .conflict(
                    "the transfer is \(transfer.state == "done" ? "done" : "cancelled")",
                    state: TransferView.state(transfer.state), allowed: ["draft", "waiting", "ready"],
                    reason: "transfer-closed")
            }
            let places = try await run.places(transfer.moves).filter { !$0.isClosed }
            try await run.lock(
                places.flatMap { [StockPlace.key($0.product.id, $0.from), StockPlace.key($0.product.id, $0.to)] })
        }
        let isClosed = transfer.state == "done" || transfer.state == "cancel"
        let writes = isClosed ? [] : try await lines(of: transfer, run)
        let lines = ChainStep.arrange("entering what was moved", { _ in writes }) { _, _ in
            writes.map { AddonStep.call($0) }
        }
        let done = try await run.validate("validating \(transfer.name)", keepsRest: keepsRest, after: [lines], of: id)
        let backorder = try await run.odoo.records(TransferRecipe.backorders(of: id)) {
            (record) throws(OdooShapeError) in try TransferRecord(record)
        }.first
        return WriteResult(
            json: [
                "transfer": TransferView.json(done, site: site),
                "backorder": backorder.map { TransferView.json($0, site: site) } ?? .null,
            ],
            records: ["\(TransferRecord.model),\(id)"] + (backorder.map { ["\(TransferRecord.model),\($0.id)"] } ?? []),
            text: "\(done.name) is done",
            events: [
                .transferValidated(
                    done, kind: index.kinds[transfer.type?.id ?? 0] ?? "other",
                    backorder: backorder.map { OdooReference(id: $0.id, name: $0.name) }, site: site,
                    at: run.odoo.wall)
            ])
    }

    /// Absolute, and books nothing: to repeat it or to leave it does no harm.
    private func lines(of transfer: TransferRecord, _ run: WriteRun) async throws(ServiceStop) -> [OdooCall] {
        guard let lines = run.request.body["lines"]?.array else { return [] }
        let moves = try await run.odoo.records(
            .read(
                ComponentMoveRecord.model, ids: transfer.moves,
                fields: ["product_id", "product_uom_qty", "quantity", "picked", "state"])
        ) { (record) throws(OdooShapeError) in (id: record.id, product: try record.reference("product_id")?.id ?? 0) }
        var calls: [OdooCall] = []
        for (index, line) in lines.enumerated() {
            let product = line["product"]?.int ?? 0
            let its = moves.filter { $0.product == product }
            guard its.count == 1 else {
                throw .invalid(
                    Violation(
                        pointer: "/lines/\(index)/product",
                        its.isEmpty ? "is not in this transfer" : "stands in several lines: validate it in Odoo"))
            }
            guard let quantity = line["quantity"]?.decimal else {
                throw .invalid(Violation(pointer: "/lines/\(index)/quantity", "has more digits than can be kept"))
            }
            calls.append(TransferRecipe.set(its[0].id, to: quantity, on: run.odoo.version))
        }
        return calls
    }
}

extension WriteRun {
    /// Validates a transfer, and finds out by its state whether that has happened.
    ///
    /// - Parameters:
    ///   - text: what is done, for people.
    ///   - steps: what comes before it.
    ///   - given: the transfer, where no step makes it.
    func validate(
        _ text: String, keepsRest: Bool, after steps: [ChainStep], of given: Int? = nil
    ) async throws(ServiceStop) -> TransferRecord {
        try await together(
            steps,
            last: {
                let id = given ?? $0.id
                return Effect(
                    name: "validate", text: text, call: TransferRecipe.validate(id, keepsRest: keepsRest),
                    records: given.map { ["\(TransferRecord.model),\($0)"] } ?? [],
                    after: [.expect(TransferRecord.model, ids: [id], [["state", "=", "done"]], why: "validated")])
            },
            look: { (made) async throws(ServiceStop) -> Look<TransferRecord> in
                let now = try await transfer(given ?? made.id)
                switch now.state {
                case "done": return .done(now)
                case "cancel": return .conflict("the transfer was cancelled meanwhile")
                default: return .notDone
                }
            }
        ).found
    }

    /// A transfer that was made is confirmed; the second time it does nothing.
    var confirmation: ChainStep {
        .act("confirm", { TransferRecipe.confirm($0.id) }) { (made) async throws(ServiceStop) -> Look<Void> in
            try await self.transfer(made.id).state == "draft" ? .notDone : .done(())
        }
    }

    func transfer(_ id: Int) async throws(ServiceStop) -> TransferRecord {
        let found = try await odoo.records(TransferRecord.read([id])) { (record) throws(OdooShapeError) in
            try TransferRecord(record)
        }
        guard let transfer = found.first else { throw .notFound("transfer \(id)") }
        return transfer
    }
}

/// A transfer in the words of the contract.
enum TransferView {
    static func json(_ transfer: TransferRecord, site: String?) -> JSONValue {
        [
            "id": JSONValue(transfer.id), "name": .string(transfer.name), "state": .string(state(transfer.state)),
            "site": ProductView.text(site), "from": transfer.source.json, "to": transfer.destination.json,
            "external_reference": ProductView.text(transfer.origin),
            "done_at": ProductionOrderView.time(transfer.finish),
        ]
    }

    static func state(_ state: String) -> String {
        switch state {
        case "draft": "draft"
        case "waiting", "confirmed": "waiting"
        case "assigned": "ready"
        case "done": "done"
        case "cancel": "cancelled"
        default: "other"
        }
    }
}
