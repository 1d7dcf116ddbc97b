import Bytes
import JSON
import Odoo

// MARK: - Quality, as far as every Odoo has it

extension WriteTrial {
    static let quality: [WriteTrial] = [
        WriteTrial("quality-alert.raise") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "alert")
            return TrialPlant.Call(
                path: "/v1/quality-alerts",
                body: ["title": .string("TRIAL-\(plant.run)"), "production_order": JSONValue(id)],
                figure: { () throws(TrialFailure) in try await plant.alerts("TRIAL-\(plant.run)") },
                what: "alerts or activities")
        },
        WriteTrial("quality-alert.close") { (plant, goods) throws(TrialFailure) in
            let order = try await plant.order(goods, of: goods.plain, for: "alert-to-close")
            let title = "TRIAL-CLOSE-\(plant.run)"
            let made = try await plant.must(
                "/v1/quality-alerts", ["title": .string(title), "production_order": JSONValue(order)],
                key: "alert-to-close")
            // Of the quality application a closed one stays, and is counted by its stage.
            let isActivity = made["kept_as"] == "activity"
            return TrialPlant.Call(
                path: "/v1/quality-alerts/\(made["id"]?.int ?? 0)/close", body: ["resolution": "tried"],
                figure: { () throws(TrialFailure) in
                    isActivity
                        ? try await plant.alerts(title)
                        : try await plant.count(
                            QualityAlertRecipe.model,
                            [["title", "=", .string(title)], ["stage_id.done", "=", true]])
                }, change: isActivity ? -1 : 1, what: isActivity ? "open activities" : "closed alerts")
        },
        WriteTrial("inspection.record") { (plant, goods) throws(TrialFailure) in
            let id = try await plant.order(goods, of: goods.plain, for: "inspection")
            return TrialPlant.Call(
                path: "/v1/inspections",
                body: [
                    "characteristic": .string("TRIAL-\(plant.run)"), "result": "pass",
                    "measured": JSONValue(ExactDecimal(mantissa: 1998, scale: 2)),
                    "unit": "mm", "production_order": JSONValue(id),
                ],
                figure: plant.counting(
                    NoteRecipe.model,
                    [
                        ["model", "=", "mrp.production"], ["res_id", "=", JSONValue(id)],
                        ["body", "like", "TRIAL-\(plant.run)"],
                    ]), what: "notes on the order")
        },
        WriteTrial("lot.hold") { (plant, goods) throws(TrialFailure) in
            let lot = try await plant.lotOnHand(goods, for: "hold")
            return TrialPlant.Call(
                path: "/v1/lots/\(lot)/hold", body: ["reason": "tried", "site": .string(TrialPlant.site)],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.lotted, goods.hold.id) }, change: 6,
                what: "stock on hold")
        },
        WriteTrial("lot.release") { (plant, goods) throws(TrialFailure) in
            let lot = try await plant.lotOnHand(goods, for: "release")
            _ = try await plant.must(
                "/v1/lots/\(lot)/hold", ["site": .string(TrialPlant.site)], key: "hold-for-release")
            return TrialPlant.Call(
                path: "/v1/lots/\(lot)/release", body: ["site": .string(TrialPlant.site)],
                figure: { () throws(TrialFailure) in try await plant.quantity(goods.lotted, goods.hold.id) },
                change: -6, what: "stock on hold")
        },
    ]
}

extension TrialPlant {
    fileprivate func alerts(_ title: String) async throws(TrialFailure) -> ExactDecimal {
        let activities = try await count(QualityAlertRecipe.activity, [["summary", "=", .string(title)]])
        guard activities.isZero else { return activities }
        do throws(TrialFailure) {
            return try await count(QualityAlertRecipe.model, [["title", "=", .string(title)]])
        } catch {
            // Community has no such model.
            return .zero
        }
    }

    /// Six of a new lot in stock.
    fileprivate func lotOnHand(_ goods: TrialGoods, for trial: String) async throws(TrialFailure) -> Int {
        let name = "TRIAL-\(run)-\(trial)"
        let made = try await must(
            "/v1/lots",
            ["product": JSONValue(goods.lotted), "name": .string(name), "site": .string(Self.site)],
            key: "lot-for-\(trial)")
        _ = try await must(
            "/v1/inventory/counts",
            [
                "product": JSONValue(goods.lotted), "quantity": 6, "lot": .string(name), "site": .string(Self.site),
            ], key: "stock-for-\(trial)")
        return made["id"]?.int ?? 0
    }
}
