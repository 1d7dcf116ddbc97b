import Bytes
import JSON
import Odoo
import Testing

@testable import Services

/// A governed write as tests of every service play it: on what, with what, and by which figure one sees in Odoo how
/// often it happened.
struct WriteScene: Sendable, CustomTestStringConvertible {
    /// The operation, and what is particular about it.
    let name: String
    /// Makes what it works on ready; answers the id in the path, or 0.
    var prepare: @Sendable (Plant) async throws -> Int = { _ in 0 }
    let path: @Sendable (Int) -> String
    var body = ""
    /// The method of Odoo that has the effect, `stock.scrap.action_validate`.
    let effect: String
    /// A figure that changes by `change` where it happened once.
    let figure: @Sendable (Plant, Int) async throws -> ExactDecimal
    var change = ExactDecimal(1)
    var testDescription: String { name }

    func send(_ plant: Plant, _ id: Int, key: String) async throws -> ServiceAnswer {
        try await plant.bench.send("POST", path(id), plant.filled(body, id), key: key)
    }

    /// The figure when it happened once.
    func after(_ before: ExactDecimal) -> ExactDecimal? { before + change }

    static let all: [WriteScene] = orders + workOrders + bookings + warehouse + lots + upkeep + quality
}

// MARK: - The scenes

extension WriteScene {
    private static let orders: [WriteScene] = [
        WriteScene(
            name: "create an order", path: { _ in "/v1/production-orders" },
            body: #"{"product_code": "VALVE-20", "quantity": 3, "site": "plant-1", "external_reference": "X"}"#,
            effect: "mrp.production.load",
            figure: { plant, _ in try await plant.count("mrp.production", [["origin", "=", "X"]]) }),
        WriteScene(
            name: "release an order", prepare: { try await $0.order("PUMP-100", "draft") },
            path: { "/v1/production-orders/\($0)/release" }, effect: "mrp.production.action_confirm",
            figure: { plant, id in
                try await plant.count("mrp.production", [["id", "=", .init(id)], ["state", "!=", "draft"]])
            }),
        WriteScene(
            name: "change an order's quantity", prepare: { try await $0.order("VALVE-20", "released") },
            path: { "/v1/production-orders/\($0)/change-quantity" }, body: #"{"quantity": 53}"#,
            effect: "change.production.qty.change_prod_qty",
            figure: { plant, id in try await plant.read(id)["quantity"]?.decimal.unwrapped() ?? .zero },
            change: ExactDecimal(3)),
        WriteScene(
            name: "confirm a part", prepare: { try await $0.order("PUMP-100", "released") },
            path: { "/v1/production-orders/\($0)/confirm" }, body: #"{"quantity": 3}"#,
            effect: "mrp.production.button_mark_done",
            figure: { plant, _ in try await plant.stock("PUMP-100", "plant-1") }, change: ExactDecimal(3)),
        WriteScene(
            name: "cancel an order", prepare: { try await $0.order("CHAIR-01", "released") },
            path: { "/v1/production-orders/\($0)/cancel" }, effect: "mrp.production.action_cancel",
            figure: { plant, id in
                try await plant.count("mrp.production", [["id", "=", .init(id)], ["state", "=", "cancel"]])
            }),
    ]

    private static let workOrders: [WriteScene] = [
        WriteScene(
            name: "start an operation", prepare: { try await $0.operation("TABLE-01") },
            path: { "/v1/work-orders/\($0)/start" }, effect: "mrp.workorder.button_start",
            figure: { plant, id in
                try await plant.count("mrp.workcenter.productivity", [["workorder_id", "=", .init(id)]])
            }),
        WriteScene(
            name: "pause an operation",
            prepare: { plant in
                let id = try await plant.operation("TABLE-01")
                _ = try await plant.bench.send("POST", "/v1/work-orders/\(id)/start", key: "started")
                return id
            },
            path: { "/v1/work-orders/\($0)/pause" }, effect: "mrp.workorder.button_pending",
            figure: { plant, id in
                try await plant.count(
                    "mrp.workcenter.productivity", [["workorder_id", "=", .init(id)], ["date_end", "!=", false]])
            }),
        WriteScene(
            name: "finish an operation", prepare: { try await $0.operation("TABLE-01") },
            path: { "/v1/work-orders/\($0)/finish" }, effect: "mrp.workorder.button_finish",
            figure: { plant, id in
                try await plant.count("mrp.workorder", [["id", "=", .init(id)], ["state", "=", "done"]])
            }),
        WriteScene(
            name: "cancel an operation", prepare: { try await $0.operation("TABLE-01") },
            path: { "/v1/work-orders/\($0)/cancel" }, effect: "mrp.workorder.action_cancel",
            figure: { plant, id in
                try await plant.count("mrp.workorder", [["id", "=", .init(id)], ["state", "=", "cancel"]])
            }),
        WriteScene(
            name: "start an order", prepare: { try await $0.order("PUMP-100", "released") },
            path: { "/v1/production-orders/\($0)/start" }, effect: "mrp.workorder.button_start",
            figure: { plant, id in
                try await plant.count(
                    "mrp.workcenter.productivity", [["workorder_id.production_id", "=", .init(id)]])
            }),
        WriteScene(
            name: "pause an order",
            prepare: { plant in
                let id = try await plant.order("PUMP-100", "released")
                let operations = try await plant.bench.send("GET", "/v1/work-orders?production_order=\(id)").json
                for operation in operations["items"]?.array ?? [] {
                    let operation = try #require(operation["id"]?.int)
                    _ = try await plant.bench.send("POST", "/v1/work-orders/\(operation)/start", key: "s\(operation)")
                }
                return id
            },
            path: { "/v1/production-orders/\($0)/pause" }, effect: "mrp.workorder.button_pending",
            figure: { plant, id in
                try await plant.count(
                    "mrp.workcenter.productivity",
                    [["workorder_id.production_id", "=", .init(id)], ["date_end", "!=", false]])
            }, change: ExactDecimal(2)),
        WriteScene(
            name: "finish an order", prepare: { try await $0.order("PUMP-100", "released") },
            path: { "/v1/production-orders/\($0)/finish" }, effect: "mrp.workorder.button_finish",
            figure: { plant, id in
                try await plant.count(
                    "mrp.workorder", [["production_id", "=", .init(id)], ["state", "=", "done"]])
            }, change: ExactDecimal(2)),
    ]

    private static let bookings: [WriteScene] = [
        WriteScene(
            name: "report scrap", path: { _ in "/v1/scrap" },
            body: #"{"product_code": "SCREW-M6", "quantity": 2.5, "site": "plant-1", "reason": "bent"}"#,
            effect: "stock.scrap.action_validate",
            figure: { plant, _ in try await plant.stock("SCREW-M6", "plant-1") },
            change: ExactDecimal(mantissa: -25, scale: 1)),
        WriteScene(
            name: "report labour", prepare: { try await $0.operation("TABLE-01") },
            path: { "/v1/work-orders/\($0)/labour" },
            body: #"{"start": "2026-11-20T06:00:00Z", "end": "2026-11-20T07:45:00+01:00", "comment": "by hand"}"#,
            effect: "mrp.workcenter.productivity.load",
            figure: { plant, id in
                try await plant.count(
                    "mrp.workcenter.productivity",
                    [
                        ["workorder_id", "=", .init(id)], ["date_start", "=", "2026-11-20 06:00:00"],
                        ["date_end", "=", "2026-11-20 06:45:00"],
                    ])
            }),
        WriteScene(
            name: "report an open downtime", prepare: { try await $0.center("DRILL-2") },
            path: { "/v1/work-centers/\($0)/downtime" }, body: #"{"reason": "Equipment Failure"}"#,
            effect: "mrp.workcenter.productivity.load",
            figure: { plant, id in
                try await plant.count("mrp.workcenter.productivity", [["workcenter_id", "=", .init(id)]])
            }),
        WriteScene(
            name: "close a downtime",
            prepare: { plant in
                let id = try await plant.center("DRILL-2")
                _ = try await plant.bench.send("POST", "/v1/work-centers/\(id)/downtime", "{}", key: "down")
                return id
            },
            path: { "/v1/work-centers/\($0)/downtime/close" }, effect: "mrp.workcenter.unblock",
            figure: { plant, id in
                try await plant.count("mrp.workcenter", [["id", "=", .init(id)], ["working_state", "=", "normal"]])
            }),
    ]
}

extension Plant {
    /// How many records Odoo has, asked without a fault in the way.
    func count(_ model: String, _ domain: [JSONValue]) async throws -> ExactDecimal {
        let result = try await odoo.call(
            .searchCount(model, domain: domain), admission: .realtime, deadline: nil)
        return ExactDecimal(try result?.int.unwrapped() ?? 0)
    }

    /// The id of the first record.
    func first(_ model: String, _ domain: [JSONValue]) async throws -> Int {
        let result = try await odoo.call(
            .searchRead(model, domain: domain, fields: ["id"], limit: 1, order: "id"), admission: .realtime,
            deadline: nil)
        return try result?[0]?["id"]?.int.unwrapped() ?? 0
    }

    /// The first operation of the first released order of a product.
    func operation(_ code: String) async throws -> Int {
        let order = try await order(code, "released")
        return try await first("mrp.workorder", [["production_id", "=", .init(order)]])
    }

    func center(_ code: String) async throws -> Int {
        try await first("mrp.workcenter", [["code", "=", .string(code)]])
    }
}
