import Bytes
import JSON

/// An `mrp.production`. Its `id` is its identity: the name changes when a backorder is split off (`WH/MO/00028` to
/// `WH/MO/00028-001`, recording 101).
package struct ProductionOrderRecord: Hashable, Sendable {
    package let id: Int
    package let name: String
    package let state: ProductionState
    /// `confirmed` (waiting), `assigned` (ready), `waiting` (another operation); nil on drafts and closed orders.
    package let reservation: String?
    package let product: OdooReference
    package let unit: OdooReference?
    /// `product_qty`, in `unit`. On an order with a backorder what was produced, not what was ordered at first.
    package let quantity: ExactDecimal
    /// `qty_producing`: set by a confirmation before it books, and kept afterwards. Counts from the order's beginning.
    package let producing: ExactDecimal
    /// `qty_produced`: booked.
    package let produced: ExactDecimal
    package let start: WallInstant?
    package let finish: WallInstant?
    package let deadline: WallInstant?
    package let billOfMaterials: OdooReference?
    /// Lots or serial numbers produced; several on 19 only.
    package let lots: [Int]
    /// `stock.move` of the components.
    package let componentMoves: [Int]
    /// `stock.move` of the product and of by-products.
    package let finishedMoves: [Int]
    package let workOrders: [Int]
    package let origin: String?
    package let company: OdooReference?
    /// The operation type, through which an order belongs to a warehouse, hence to a site.
    package let pickingType: OdooReference?
    /// 0 as long as there is no backorder, then the order's place in the chain, from 1.
    package let backorderSequence: Int
    package let changed: WallInstant?

    package static let model = "mrp.production"

    static func fields(on version: OdooVersion) -> [String] {
        [
            "id", "name", "state", "reservation_state", "product_id", "product_uom_id", "product_qty", "qty_producing",
            "qty_produced", "date_start", "date_finished", "date_deadline", "bom_id", version.lotProducingField,
            "move_raw_ids", "move_finished_ids", "workorder_ids", "origin", "company_id", "picking_type_id",
            "backorder_sequence", "write_date",
        ]
    }

    package init(_ record: OdooRecord, on version: OdooVersion) throws(OdooShapeError) {
        id = record.id
        name = try record.text("name")
        state = ProductionState(try record.text("state"))
        reservation = try record.string("reservation_state")
        guard let product = try record.reference("product_id") else {
            throw OdooShapeError(field: "product_id", expected: "a many2one value")
        }
        self.product = product
        unit = try record.reference("product_uom_id")
        quantity = try record.quantity("product_qty")
        producing = try record.quantity("qty_producing")
        produced = try record.quantity("qty_produced")
        start = try record.instant("date_start")
        finish = try record.instant("date_finished")
        deadline = try record.instant("date_deadline")
        billOfMaterials = try record.reference("bom_id")
        lots =
            version.major >= 19
            ? try record.ids(version.lotProducingField)
            : try record.reference(version.lotProducingField).map { [$0.id] } ?? []
        componentMoves = try record.ids("move_raw_ids")
        finishedMoves = try record.ids("move_finished_ids")
        workOrders = try record.ids("workorder_ids")
        origin = try record.string("origin")
        company = try record.reference("company_id")
        pickingType = try record.reference("picking_type_id")
        backorderSequence = try record.int("backorder_sequence")
        changed = try record.instant("write_date")
    }

    package static func list(
        _ result: JSONValue?, on version: OdooVersion
    ) throws(OdooShapeError) -> [ProductionOrderRecord] {
        var orders: [ProductionOrderRecord] = []
        for record in try OdooRecord.list(result) { orders.append(try ProductionOrderRecord(record, on: version)) }
        return orders
    }

    /// What may still be produced before the order is complete; zero when it is, or is over-produced.
    package var remaining: ExactDecimal {
        guard let rest = quantity - produced, !rest.isNegative else { return .zero }
        return rest
    }
}

// MARK: - Calls

extension ProductionOrderRecord {
    package struct Filter: Hashable, Sendable {
        /// Empty for all.
        package var states: [ProductionState] = []
        package var name: String?
        package var origin: String?
        package var product: Int?
        /// Orders of these operation types, that is of one site; nil for all.
        package var pickingTypes: [Int]?
        /// Orders with a work order at this work center.
        package var workCenter: Int?

        package init() {}

        var domain: [JSONValue] {
            var domain: [JSONValue] = []
            if !states.isEmpty { domain.append(["state", "in", .array(states.map { .string($0.description) })]) }
            if let name { domain.append(["name", "=", .string(name)]) }
            if let origin { domain.append(["origin", "=", .string(origin)]) }
            if let product { domain.append(["product_id", "=", JSONValue(product)]) }
            if let pickingTypes {
                domain.append(["picking_type_id", "in", .array(pickingTypes.map { JSONValue($0) })])
            }
            if let workCenter { domain.append(["workorder_ids.workcenter_id", "=", JSONValue(workCenter)]) }
            return domain
        }
    }

    /// Orders in the order of their ids (recording 021).
    package static func search(_ filter: Filter, on version: OdooVersion, page: OdooPage) -> OdooCall {
        page.call(model, domain: filter.domain, fields: fields(on: version))
    }

    /// A missing id is missing in the answer.
    package static func read(_ ids: [Int], on version: OdooVersion) -> OdooCall {
        .read(model, ids: ids, fields: fields(on: version))
    }
}
