import Bytes
import Events
import JSON
import Odoo

/// What happens at the machines and in the stock, in the words of the catalogue.
extension BusinessEvent {
    static func productionOrderChanged(
        _ order: ProductionOrderRecord, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: "production-order.changed", subject: order.subject, site: site, time: time,
            data: [
                "order": order.eventReference, "product": order.product.json, "quantity": JSONValue(order.quantity),
                "unit": .string(ProductionOrderView.unit(of: order)),
            ])
    }

    /// - Parameter action: `start`, `pause`, `finish` or `cancel`.
    static func workOrder(
        _ action: WorkOrderAction, _ operation: WorkOrderRecord, of order: ProductionOrderRecord, site: String?,
        at time: WallInstant
    ) -> BusinessEvent {
        var data: JSONObject = [
            "order": order.eventReference,
            "work_order": OdooReference(id: operation.id, name: operation.name).json,
            "work_center": operation.workCenter.json,
        ]
        let name: String
        switch action {
        case .start: name = "work-order.started"
        case .pause:
            name = "work-order.paused"
            data["reason"] = .null
        case .finish:
            name = "work-order.completed"
            data["quantity_produced"] = JSONValue(operation.produced)
            data["duration_minutes"] = JSONValue(operation.duration)
        case .cancel: name = "work-order.cancelled"
        }
        return BusinessEvent(name: name, subject: order.subject, site: site, time: time, data: .object(data))
    }

    /// - Parameter booking: the id of the time in Odoo.
    static func labourReported(
        _ operation: WorkOrderRecord, of order: ProductionOrderRecord, from start: WallInstant, to end: WallInstant,
        booking: Int, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        // Hundredths of a minute: a timer counts seconds.
        let minutes = ExactDecimal(mantissa: (end - start) / 600_000_000, scale: 2)
        return BusinessEvent(
            name: "labour.reported", subject: order.subject, site: site, time: time,
            data: [
                "order": order.eventReference,
                "work_order": OdooReference(id: operation.id, name: operation.name).json,
                "work_center": operation.workCenter.json, "person": .null, "minutes": JSONValue(minutes),
            ], key: "labour.reported|\(booking)")
    }

    static func workCenter(
        isUp: Bool, _ center: WorkCenterRecord, reason: String?, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: isUp ? "work-center.up" : "work-center.down", subject: "work-center/\(center.id)", site: site,
            time: time,
            data: [
                "work_center": OdooReference(id: center.id, name: center.name).json,
                "reason": ProductView.text(reason),
            ])
    }

    static func maintenance(
        isClosed: Bool, _ request: OdooReference, kind: String, equipment: OdooReference?, center: OdooReference?,
        site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: isClosed ? "maintenance.closed" : "maintenance.requested",
            subject: "maintenance-request/\(request.id)", site: site, time: time,
            data: [
                "request": request.json, "work_center": center?.json ?? .null, "equipment": equipment?.json ?? .null,
                "kind": .string(kind),
            ], key: isClosed ? nil : "maintenance.requested|\(request.id)")
    }

    /// - Parameter kind: Odoo's code of the operation type, `incoming`, `outgoing`, `internal`.
    static func transferValidated(
        _ transfer: TransferRecord, kind: String, backorder: OdooReference? = nil, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: "stock-transfer.validated", subject: "stock-transfer/\(transfer.id)", site: site, time: time,
            data: [
                "transfer": OdooReference(id: transfer.id, name: transfer.name).json, "kind": .string(kind),
                "origin": ProductView.text(transfer.origin), "backorder": backorder?.json ?? .null,
            ], key: "stock-transfer.validated|\(transfer.id)")
    }

    static func inventoryAdjusted(
        _ product: ProductRecord, at location: OdooReference, lot: OdooReference?, from before: ExactDecimal,
        to quantity: ExactDecimal, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: "inventory.adjusted", subject: "product/\(product.id)", site: site, time: time,
            data: [
                "product": OdooReference(id: product.id, name: product.name).json, "location": location.json,
                "lot": lot?.json ?? .null, "quantity_before": JSONValue(before), "quantity": JSONValue(quantity),
                "unit": .string(product.unit?.name ?? ""),
            ])
    }

    static func lotCreated(
        _ lot: OdooReference, of product: OdooReference, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: "lot.created", subject: "lot/\(lot.id)", site: site, time: time,
            data: ["lot": lot.json, "product": product.json], key: "lot.created|\(lot.id)")
    }

    /// - Parameter order: the one it belongs to; its events are then in order with that order's.
    static func scrapReported(
        _ scrap: OdooReference, of product: ProductRecord, quantity: ExactDecimal, unit: OdooReference?,
        lot: OdooReference?,
        reason: String?, order: ProductionOrderRecord?, site: String?, at time: WallInstant
    ) -> BusinessEvent {
        BusinessEvent(
            name: "scrap.reported", subject: order?.subject ?? "scrap/\(scrap.id)", site: site, time: time,
            data: [
                "scrap": scrap.json, "order": order?.eventReference ?? .null,
                "product": OdooReference(id: product.id, name: product.name).json, "lot": lot?.json ?? .null,
                "quantity": JSONValue(quantity), "unit": .string(unit?.name ?? ""),
                "reason": ProductView.text(reason),
            ])
    }
}

extension WriteResult {
    /// The same with what it tells.
    func telling(_ event: BusinessEvent) -> WriteResult {
        var result = self
        result.events.append(event)
        return result
    }
}
