import Bytes
import Events
import JSON
import Odoo

/// What happens to production orders, in the words of the catalogue. Each event has one maker here, whoever tells it: a
/// service, or the reading of what was changed in Odoo's own screens. The keys see to it that it is logged once.
extension BusinessEvent {
    /// - Parameter original: the order that it is the rest of.
    package static func productionOrderCreated(
        _ order: ProductionOrderRecord, site: String?, at time: WallInstant,
        backorderOf original: ProductionOrderRecord? = nil
    ) -> BusinessEvent {
        var data = order.eventData
        data["quantity"] = JSONValue(order.quantity)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        data["planned_start"] = ProductionOrderView.time(order.start)
        data["deadline"] = ProductionOrderView.time(order.deadline)
        data["backorder_of"] = original?.eventReference ?? .null
        return order.event("production-order.created", data, site, time)
    }

    package static func productionOrderReleased(
        _ order: ProductionOrderRecord, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        var data = order.eventData
        data["quantity"] = JSONValue(order.quantity)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        data["material_availability"] = ProductionOrderView.material(order.reservation)
        data["planned_start"] = ProductionOrderView.time(order.start)
        return order.event("production-order.released", data, site, time)
    }

    package static func productionOrderStarted(
        _ order: ProductionOrderRecord, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        var data = order.eventData
        data["quantity"] = JSONValue(order.quantity)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        return order.event("production-order.started", data, site, time)
    }

    package static func productionOrderCompleted(
        _ order: ProductionOrderRecord, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        var data = order.eventData
        data["quantity_produced"] = JSONValue(order.produced)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        return order.event("production-order.completed", data, site, time)
    }

    package static func productionOrderCancelled(
        _ order: ProductionOrderRecord, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        order.event("production-order.cancelled", order.eventData, site, time)
    }

    /// - Parameters:
    ///   - confirmed: what this confirmation booked.
    ///   - closedShort: what of the order was given up with it.
    package static func productionConfirmed(
        _ order: ProductionOrderRecord, confirmed: ExactDecimal, closedShort: ExactDecimal = .zero,
        backorder: ProductionOrderRecord? = nil, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        var data = order.eventData
        data["quantity_confirmed"] = JSONValue(confirmed)
        data["quantity_produced"] = JSONValue(order.produced)
        data["quantity_remaining"] = JSONValue(backorder?.remaining ?? order.openQuantity)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        data["closed_short"] = JSONValue(closedShort)
        data["backorder"] = backorder?.eventReference ?? .null
        return order.event("production.confirmed", data, site, time, state: "\(order.produced)")
    }

    package static func finishedGoodsReported(
        _ order: ProductionOrderRecord, quantity: ExactDecimal, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        var data = order.eventData
        data["lots"] = .array(order.lots.map { JSONValue($0) })
        data["quantity"] = JSONValue(quantity)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        return order.event("finished-goods.reported", data, site, time, state: "\(order.produced)")
    }

    /// One for each product and lot. An order is closed with every confirmation: all its lines are of this one.
    package static func materialConsumed(
        _ lines: [MoveLineRecord], by order: ProductionOrderRecord, site: String?, at time: WallInstant
    ) -> [BusinessEvent] {
        struct Kind: Hashable {
            let product: Int
            let lot: Int?
        }
        var sums: [Kind: ExactDecimal] = [:]
        var first: [MoveLineRecord] = []
        for line in lines where !line.quantity.isZero {
            let kind = Kind(product: line.product.id, lot: line.lot?.id)
            if sums[kind] == nil { first.append(line) }
            sums[kind] = (sums[kind] ?? .zero) + line.quantity
        }
        return first.map { line in
            let data: JSONObject = [
                "order": order.eventReference, "product": line.product.json, "lot": line.lot?.json ?? .null,
                "quantity": JSONValue(sums[Kind(product: line.product.id, lot: line.lot?.id)] ?? .zero),
                "unit": .string(line.unit?.name ?? ""),
            ]
            return order.event(
                "material.consumed", data, site, time,
                state: "\(line.product.id)|\(line.lot?.id ?? 0)|\(order.produced)")
        }
    }

    static func productionUnbuilt(
        _ unbuild: OdooReference, of order: ProductionOrderRecord, quantity: ExactDecimal, lot: LotRecord?,
        site: String?, at time: WallInstant
    ) -> BusinessEvent {
        var data = order.eventData
        data["unbuild"] = unbuild.json
        data["lot"] = lot.map { OdooReference(id: $0.id, name: $0.name).json } ?? .null
        data["quantity"] = JSONValue(quantity)
        data["unit"] = .string(ProductionOrderView.unit(of: order))
        return order.event("production.unbuilt", data, site, time, state: "\(unbuild.id)")
    }

    /// Everything that a confirmation has led to, in order.
    static func confirmed(
        _ done: ConfirmedProduction, consumed: [MoveLineRecord], site: String?, at time: WallInstant
    ) -> [BusinessEvent] {
        let order = done.order
        var events: [BusinessEvent] = []
        if order.produced == done.confirmed { events.append(.productionOrderStarted(order, site: site, at: time)) }
        events.append(
            .productionConfirmed(
                order, confirmed: done.confirmed, closedShort: done.closedShort ?? .zero, backorder: done.backorder,
                site: site, at: time))
        events += materialConsumed(consumed, by: order, site: site, at: time)
        events.append(.finishedGoodsReported(order, quantity: done.confirmed, site: site, at: time))
        if order.state == .done { events.append(.productionOrderCompleted(order, site: site, at: time)) }
        if let backorder = done.backorder {
            events.append(.productionOrderCreated(backorder, site: site, at: time, backorderOf: order))
            if backorder.state != .draft { events.append(.productionOrderReleased(backorder, site: site, at: time)) }
        }
        return events
    }
}

extension ProductionOrderRecord {
    /// `production-order/26`: the aggregate, in order per order number.
    package var subject: String { "production-order/\(id)" }

    var eventReference: JSONValue {
        ["id": JSONValue(id), "name": .string(name), "external_reference": ProductView.text(origin)]
    }

    fileprivate var eventData: JSONObject { ["order": eventReference, "product": product.json] }

    /// Nothing of a closed order is open, whatever was not made.
    fileprivate var openQuantity: ExactDecimal { state == .done || state == .cancel ? .zero : remaining }

    /// - Parameter state: what tells this happening from another of the same name; nothing where there is one only.
    fileprivate func event(
        _ name: String, _ data: JSONObject, _ site: String?, _ time: WallInstant, state: String = ""
    ) -> BusinessEvent {
        BusinessEvent(
            name: name, subject: subject, site: site, time: time, data: .object(data),
            key: state.isEmpty ? "\(name)|\(id)" : "\(name)|\(id)|\(state)")
    }
}
