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
        let places = try await run.odoo.records(ConsumeRecipe.places(order.componentMoves)) {
            (record) throws(OdooShapeError) in
            (from: try record.reference("location_id"), to: try record.reference("location_dest_id"))
        }
        guard let from = places.first?.from, let to = places.first?.to else {
            throw .order(order, "an order without components takes none in addition", ["released"])
        }
        let id = try await run.create(
            ComponentMoveRecord.model,
            ConsumeRecipe.extra(
                order: order.id, product: product.id, name: product.name, quantity: quantity, from: from.id, to: to.id,
                on: run.odoo.version), "\(product.name) in addition into \(order.name)")
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
