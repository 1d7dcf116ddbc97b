import Bytes
import JSON
import Odoo

/// How a writing service is tried. One for each; a new service adds one here.
struct WriteTrial: Sendable {
    let operation: String
    /// Makes what it works on ready, and says what is sent.
    let prepare: @Sendable (TrialPlant, TrialGoods) async throws(TrialFailure) -> TrialPlant.Call

    init(
        _ operation: String,
        _ prepare: @escaping @Sendable (TrialPlant, TrialGoods) async throws(TrialFailure) -> TrialPlant.Call
    ) {
        self.operation = operation
        self.prepare = prepare
    }

    /// In this order: the first fills the stock that the others need.
    static let all: [WriteTrial] = stock + orders + workOrders + places + quality
}

// MARK: - Stock

extension WriteTrial {
    private static let stock: [WriteTrial] = [
        WriteTrial("inventory.count") { (plant, goods) throws(TrialFailure) in
            TrialPlant.Call(
                path: "/v1/inventory/counts",
                body: [
                    "product": JSONValue(goods.component), "quantity": 500, "site": .string(TrialPlant.site),
                ],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.component, goods.stock) },
                change: 500, what: "stock of the component")
        },
        WriteTrial("lot.create") { (plant, goods) throws(TrialFailure) in
            let name = "TRIAL-\(plant.run)"
            return TrialPlant.Call(
                path: "/v1/lots",
                body: ["product": JSONValue(goods.lotted), "name": .string(name), "site": .string(TrialPlant.site)],
                figure: plant.counting("stock.lot", [["name", "=", .string(name)]]),
                what: "lots of that name")
        },
        WriteTrial("scrap.report") { (plant, goods) throws(TrialFailure) in
            TrialPlant.Call(
                path: "/v1/scrap",
                body: ["product": JSONValue(goods.component), "quantity": 3, "site": .string(TrialPlant.site)],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.component, goods.stock) },
                change: -3, what: "stock of the component")
        },
        WriteTrial("transfer.create") { (plant, goods) throws(TrialFailure) in
            TrialPlant.Call(
                path: "/v1/transfers",
                body: [
                    "from": JSONValue(goods.stock), "to": JSONValue(goods.shelf), "product": JSONValue(goods.component),
                    "quantity": 4,
                ],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.component, goods.shelf) },
                change: 4,
                what: "stock on the shelf")
        },
        WriteTrial("transfer.validate") { (plant, goods) throws(TrialFailure) in
            let made = try await plant.must(
                "/v1/transfers",
                [
                    "from": JSONValue(goods.stock), "to": JSONValue(goods.shelf), "product": JSONValue(goods.component),
                    "quantity": 5, "complete": false,
                ], key: "transfer-to-validate")
            let id = made["id"]?.int ?? 0
            return TrialPlant.Call(
                path: "/v1/transfers/\(id)/validate",
                body: ["lines": [["product": JSONValue(goods.component), "quantity": 2]]],
                figure: plant.counting("stock.picking", [["backorder_id", "=", JSONValue(id)]]),
                what: "backorders of the transfer")
        },
    ]
}

// MARK: - Production orders

extension WriteTrial {
    private static let orders: [WriteTrial] = [
        WriteTrial("production-order.create") { (plant, goods) throws(TrialFailure) in
            let reference = "TRIAL-\(plant.run)"
            return TrialPlant.Call(
                path: "/v1/production-orders",
                body: [
                    "product": JSONValue(goods.plain), "quantity": 5, "site": .string(TrialPlant.site),
                    "external_reference": .string(reference),
                ],
                figure: plant.counting("mrp.production", [["origin", "=", .string(reference)]]),
                what: "orders with this reference")
        },
        WriteTrial("production-order.release") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "release", released: false)
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/release",
                figure: plant.counting("mrp.production", [["id", "=", JSONValue(id)], ["state", "!=", "draft"]]),
                what: "released")
        },
        WriteTrial("production-order.change-quantity") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "change")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/change-quantity", body: ["quantity": 7],
                figure: plant.counting("mrp.production", [["id", "=", JSONValue(id)], ["product_qty", "=", 7]]),
                what: "with the new quantity")
        },
        WriteTrial("production-order.reserve") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "reserve")
            return TrialPlant.Call(path: "/v1/production-orders/\(id)/reserve")
        },
        WriteTrial("production-order.consume") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "consume")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/consume",
                body: ["product": JSONValue(goods.component), "quantity": 11],
                figure: plant.counting(
                    "stock.move",
                    [
                        ["raw_material_production_id", "=", JSONValue(id)], ["quantity", "=", 11],
                        ["picked", "=", true],
                    ]), what: "component lines with what was entered")
        },
        WriteTrial("production-order.confirm") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "confirm")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/confirm", body: ["quantity": 2],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.plain, goods.stock) }, change: 2,
                what: "stock of the product")
        },
        WriteTrial("production-order.unbuild") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "unbuild")
            _ = try await plant.must(
                "/v1/production-orders/\(id)/confirm", ["final": true], key: "confirm-for-unbuild")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/unbuild", body: ["quantity": 1],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.plain, goods.stock) }, change: -1,
                what: "stock of the product")
        },
        WriteTrial("production-order.cancel") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "cancel")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/cancel",
                figure: plant.counting("mrp.production", [["id", "=", JSONValue(id)], ["state", "=", "cancel"]]),
                what: "cancelled")
        },
    ]
}

// MARK: - Operations and work centers

extension WriteTrial {
    private static let workOrders: [WriteTrial] = [
        WriteTrial("work-order.start") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.workOrder(goods, for: "start")
            return TrialPlant.Call(
                path: "/v1/work-orders/\(id)/start",
                figure: plant.counting("mrp.workcenter.productivity", [["workorder_id", "=", JSONValue(id)]]),
                what: "times that were begun")
        },
        WriteTrial("work-order.pause") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.workOrder(goods, for: "pause")
            _ = try await plant.must("/v1/work-orders/\(id)/start", key: "start-for-pause")
            return TrialPlant.Call(
                path: "/v1/work-orders/\(id)/pause",
                figure: plant.counting(
                    "mrp.workcenter.productivity",
                    [["workorder_id", "=", JSONValue(id)], ["date_end", "!=", false]]), what: "times that were ended")
        },
        WriteTrial("work-order.finish") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.workOrder(goods, for: "finish")
            return TrialPlant.Call(
                path: "/v1/work-orders/\(id)/finish",
                figure: plant.counting("mrp.workorder", [["id", "=", JSONValue(id)], ["state", "=", "done"]]),
                what: "finished")
        },
        WriteTrial("work-order.cancel") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.workOrder(goods, for: "cancel-operation")
            return TrialPlant.Call(
                path: "/v1/work-orders/\(id)/cancel",
                figure: plant.counting("mrp.workorder", [["id", "=", JSONValue(id)], ["state", "=", "cancel"]]),
                what: "cancelled")
        },
        WriteTrial("production-order.start") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.worked, for: "start-order")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/start",
                figure: plant.counting(
                    "mrp.workcenter.productivity", [["workorder_id.production_id", "=", JSONValue(id)]]),
                what: "times that were begun")
        },
        WriteTrial("production-order.pause") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.worked, for: "pause-order")
            let found = try await plant.odoo(
                .searchRead("mrp.workorder", domain: [["production_id", "=", JSONValue(id)]], fields: ["id"], limit: 9))
            for operation in found?.array ?? [] {
                _ = try await plant.must(
                    "/v1/work-orders/\(operation["id"]?.int ?? 0)/start", key: "start-\(operation["id"]?.int ?? 0)")
            }
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/pause",
                figure: plant.counting(
                    "mrp.workcenter.productivity",
                    [["workorder_id.production_id", "=", JSONValue(id)], ["date_end", "!=", false]]), change: 2,
                what: "times that were ended")
        },
        WriteTrial("production-order.finish") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.worked, for: "finish-order")
            return TrialPlant.Call(
                path: "/v1/production-orders/\(id)/finish",
                figure: plant.counting(
                    "mrp.workorder", [["production_id", "=", JSONValue(id)], ["state", "=", "done"]]), change: 2,
                what: "operations finished")
        },
        WriteTrial("labour.report") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.workOrder(goods, for: "labour")
            return TrialPlant.Call(
                path: "/v1/work-orders/\(id)/labour",
                body: ["start": "2026-01-05T06:00:00Z", "end": "2026-01-05T06:45:00Z"],
                figure: plant.counting(
                    "mrp.workcenter.productivity",
                    [["workorder_id", "=", JSONValue(id)], ["date_start", "=", "2026-01-05 06:00:00"]]),
                what: "times booked")
        },
    ]

    private static let places: [WriteTrial] = [
        WriteTrial("maintenance.request") { (plant, goods) throws(TrialFailure) in
            let title = "TRIAL-\(plant.run)"
            return TrialPlant.Call(
                path: "/v1/maintenance-requests",
                body: ["title": .string(title), "work_center": JSONValue(goods.workCenter.id)],
                figure: plant.counting("maintenance.request", [["name", "=", .string(title)]]),
                what: "requests of that title")
        },
        WriteTrial("maintenance.close") { (plant, goods) throws(TrialFailure) in
            let made = try await plant.must(
                "/v1/maintenance-requests",
                ["title": .string("TRIAL-\(plant.run)-close"), "work_center": JSONValue(goods.workCenter.id)],
                key: "request-to-close")
            let id = made["id"]?.int ?? 0
            return TrialPlant.Call(
                path: "/v1/maintenance-requests/\(id)/close", body: [:],
                figure: plant.counting(
                    "maintenance.request", [["id", "=", JSONValue(id)], ["stage_id.done", "=", true]]),
                what: "in a stage that ends it")
        },
        WriteTrial("downtime.report") { (plant, goods) throws(TrialFailure) in
            TrialPlant.Call(
                path: "/v1/work-centers/\(goods.spare.id)/downtime", body: [:],
                figure: plant.counting(
                    "mrp.workcenter.productivity", [["workcenter_id", "=", JSONValue(goods.spare.id)]]),
                what: "downtimes")
        },
        WriteTrial("downtime.close") { (plant, goods) throws(TrialFailure) in
            TrialPlant.Call(
                path: "/v1/work-centers/\(goods.spare.id)/downtime/close",
                figure: plant.counting(
                    "mrp.workcenter.productivity",
                    [["workcenter_id", "=", JSONValue(goods.spare.id)], ["date_end", "!=", false]]),
                what: "downtimes that ended")
        },
    ]
}
