import Bytes
import Contracts
import JSON
import Odoo

/// `production-order.consume`: how much of a component goes into an order. Booked when the order is confirmed, which
/// leaves the figure alone.
struct ConsumeMaterialService: WalkedWrite {
    let operation = "production-order.consume"
    let endpoints: Set = ["consume"]

    func records(_ request: AcceptedRequest) -> [String] { Self.order(request) }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let (order, site) = try await run.permittedOrder()
        let product = try await run.product()
        let quantity = try run.quantity()
        if !run.isOpen {
            guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
            guard order.state.isOpen else {
                throw .order(order, "a released order consumes material", ["released", "in_progress", "to_close"])
            }
        }
        let move = try await move(order, product, quantity, run)
        func result(_ text: String) -> WriteResult {
            WriteResult(
                json: [
                    "production_order": OdooReference(id: order.id, name: order.name).json,
                    "component": OdooReference(id: product.id, name: product.name).json,
                    "quantity": JSONValue(quantity), "unit": .string(product.unit?.name ?? ""),
                    "site": ProductView.text(site),
                ], records: ["\(ProductionOrderRecord.model),\(order.id)", "\(ComponentMoveRecord.model),\(move.id)"],
                text: text)
        }
        guard let place = try await run.places([move.id]).first else {
            throw run.unknown(canSettle: true, "the component cannot be read")
        }
        try await run.lock([StockPlace.key(product.id, place.from)])
        if run.request.body["lots"] != nil {
            try await set(lotsOf: move, at: place, quantity, order, run)
            return result("\(quantity) of \(product.name) go into \(order.name)")
        }
        if !run.hasSent("set"), move.picked, move.manualConsumption, move.quantity == quantity {
            return result("it is entered already")
        }
        try await run.effect(
            Effect(
                name: "set", text: "\(quantity) of \(product.name) into \(order.name)",
                call: ConsumeRecipe.set(move.id, to: quantity, on: run.odoo.version),
                intent: ["move": JSONValue(move.id), "before": JSONValue(move.quantity)],
                records: ["\(ProductionOrderRecord.model),\(order.id)"])
        ) { () async throws(ServiceStop) -> Look<Void> in
            guard let now = try await run.moves([move.id]).first else { return .conflict("the component is gone") }
            return now.picked && now.quantity == quantity ? .done(()) : .notDone
        }
        return result("\(quantity) of \(product.name) go into \(order.name)")
    }

    /// Out of these lots and no others.
    private func set(
        lotsOf move: ComponentMoveRecord, at place: MovePlace, _ quantity: ExactDecimal,
        _ order: ProductionOrderRecord, _ run: WriteRun
    ) async throws(ServiceStop) {
        let shares = try await run.shares(run.request.body["lots"], of: place, pointer: "/lots")
        var sum = ExactDecimal.zero
        for share in shares { sum = (sum + share.quantity) ?? sum }
        guard sum == quantity else {
            throw .invalid(Violation(pointer: "/quantity", "is not the \(sum) of its lots"))
        }
        let lines = try await run.lines(of: [move.id])
        if !run.hasSent("set"), move.picked, move.manualConsumption, LotConsumption.isSet(shares, lines) { return }
        try await run.effect(
            Effect(
                name: "set", text: "\(quantity) of \(place.product.name) into \(order.name), by lot",
                call: LotConsumption.set(place, to: shares, instead: lines, on: run.odoo.version),
                intent: ["move": JSONValue(move.id), "before": JSONValue(move.quantity)],
                records: ["\(ProductionOrderRecord.model),\(order.id)"])
        ) { () async throws(ServiceStop) -> Look<Void> in
            guard let now = try await run.moves([move.id]).first else { return .conflict("the component is gone") }
            let lines = try await run.lines(of: [move.id])
            return now.picked && LotConsumption.isSet(shares, lines) ? .done(()) : .notDone
        }
    }

    private func move(
        _ order: ProductionOrderRecord, _ product: ProductRecord, _ quantity: ExactDecimal, _ run: WriteRun
    ) async throws(ServiceStop) -> ComponentMoveRecord {
        let moves = try await run.moves(order.componentMoves)
        let its = moves.filter { $0.product.id == product.id && $0.state != "cancel" }
        if its.count == 1 { return its[0] }
        guard its.isEmpty else {
            throw .invalid(Violation(pointer: "/product", "stands in several lines: enter it in Odoo"))
        }
        guard run.request.body["extra"]?.bool ?? false else {
            throw .invalid(Violation(pointer: "/product", "is no component of the order: say `extra` if it is meant"))
        }
        guard !order.componentMoves.isEmpty, let place = try await run.places(order.componentMoves).first else {
            throw .order(order, "an order without components takes none in addition", ["released"])
        }
        let id = try await run.create(
            ComponentMoveRecord.model,
            ConsumeRecipe.extra(
                order: order.id, product: product.id, name: product.name, quantity: quantity, from: place.from,
                to: place.to, on: run.odoo.version), "\(product.name) in addition into \(order.name)")
        guard let made = try await run.moves([id]).first else {
            throw run.unknown(canSettle: true, "the component cannot be read")
        }
        return made
    }
}

extension WriteRun {
    func moves(_ ids: [Int]) async throws(ServiceStop) -> [ComponentMoveRecord] {
        if ids.isEmpty { return [] }
        return try await odoo.records(ComponentMoveRecord.read(ids)) { (record) throws(OdooShapeError) in
            try ComponentMoveRecord(record)
        }
    }
}
