import Bytes
import JSON
import Odoo

/// A production order in the words of the contract.
enum ProductionOrderView {
    /// - Parameter operations: only where one order is read.
    static func json(
        _ order: ProductionOrderRecord, site: String?, operations: [WorkOrderRecord]? = nil
    ) -> JSONValue {
        var json: JSONObject = [
            "id": JSONValue(order.id), "name": .string(order.name), "state": .string(state(order.state)),
            "material_availability": material(order.reservation), "product": order.product.json,
            "quantity": JSONValue(order.quantity), "quantity_produced": JSONValue(order.produced),
            "quantity_remaining": JSONValue(order.remaining), "unit": .string(unit(of: order)),
            "site": ProductView.text(site), "bill_of_materials": order.billOfMaterials?.json ?? .null,
            "planned_start": time(order.start), "planned_end": time(order.finish), "deadline": time(order.deadline),
            "external_reference": ProductView.text(order.origin),
            "backorder_sequence": JSONValue(order.backorderSequence),
        ]
        if let operations { json["operations"] = .array(operations.map(json(operation:))) }
        json["changed_at"] = time(order.changed)
        return .object(json)
    }

    static func unit(of order: ProductionOrderRecord) -> String { order.unit?.name ?? "" }

    static func state(_ state: ProductionState) -> String {
        switch state {
        case .draft: "draft"
        case .confirmed: "released"
        case .progress: "in_progress"
        case .toClose: "to_close"
        case .done: "done"
        case .cancel: "cancelled"
        case .other: "other"
        }
    }

    /// Nil for `other`, which stands for no state of Odoo that we know.
    static func state(_ word: String) -> ProductionState? {
        switch word {
        case "draft": .draft
        case "released": .confirmed
        case "in_progress": .progress
        case "to_close": .toClose
        case "done": .done
        case "cancelled": .cancel
        default: nil
        }
    }

    static func material(_ reservation: String?) -> JSONValue {
        switch reservation {
        case "assigned": "available"
        case "confirmed": "waiting"
        case "waiting": "waiting_for_operation"
        default: .null
        }
    }

    static func state(ofOperation state: String) -> String {
        switch state {
        case "pending", "waiting", "blocked": "waiting"
        case "ready": "ready"
        case "progress": "in_progress"
        case "done": "done"
        case "cancel": "cancelled"
        default: "other"
        }
    }

    private static func json(operation: WorkOrderRecord) -> JSONValue {
        return [
            "id": JSONValue(operation.id), "name": .string(operation.name),
            "state": .string(state(ofOperation: operation.state)),
            "work_center": operation.workCenter.json, "quantity_produced": JSONValue(operation.produced),
            "quantity_remaining": JSONValue(operation.remaining),
            "duration_expected": JSONValue(operation.durationExpected), "duration": JSONValue(operation.duration),
        ]
    }

    static func time(_ instant: WallInstant?) -> JSONValue { instant.map { .string($0.rfc3339) } ?? .null }
}
