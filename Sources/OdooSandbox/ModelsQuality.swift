import Bytes

/// What people say about records, and what they are to do; and Enterprise's quality application where it is asked for.
extension Models {
    static func chatter() -> [Schema] {
        [
            Schema(
                Model.irModel, "Models", order: "model",
                fields: [Field("name", .char, "Model Description"), Field("model", .char, "Model", indexed: true)]),
            Schema(
                Model.message, "Message", order: "id desc",
                fields: [
                    Field("body", .text, "Contents"), Field("model", .char, "Related Document Model"),
                    Field("res_id", .integer, "Related Document ID"),
                ]),
            Schema(
                Model.activity, "Activity", order: "date_deadline ASC, id ASC",
                fields: [
                    Field("res_model_id", .many2one(Model.irModel), "Document Model", required: true),
                    Field(
                        "res_model", .char, "Related Document Model",
                        compute: { engine, id in
                            let model = engine.link(Model.activity, id, "res_model_id") ?? 0
                            return engine.stored(Model.irModel, model, "model")
                        }),
                    Field("res_id", .integer, "Related Document ID"), Field("summary", .char, "Summary"),
                    Field("note", .text, "Note"), Field("user_id", .many2one(Model.user), "Assigned to"),
                    Field("date_deadline", .date, "Due Date"),
                ], display: { engine, id in engine.stored(Model.activity, id, "summary") }),
        ]
    }

    /// Documented fields only: nobody recorded an Enterprise.
    static func quality() -> [Schema] {
        let states = [("none", "To do"), ("pass", "Passed"), ("fail", "Failed")]
        return [
            Schema(
                Model.qualityStage, "Quality Alert Stage", order: "sequence, id",
                fields: [
                    Field("name", .char, "Name", required: true), Field("sequence", .integer, "Sequence"),
                    Field("done", .boolean, "Alert Processed"),
                ]),
            Schema(
                Model.qualityAlert, "Quality Alert", order: "id desc",
                fields: [
                    Field("name", .char, "Name", readonly: true), Field("title", .char, "Title"),
                    Field("description", .text, "Description"),
                    Field("product_id", .many2one(Model.product), "Product Variant"),
                    Field("lot_id", .many2one(Model.lot), "Lot"),
                    Field("production_id", .many2one(Model.production), "Production Order"),
                    Field(
                        "priority", .selection([("0", "Normal"), ("1", "Low"), ("2", "High"), ("3", "Very High")]),
                        "Priority"),
                    Field("user_id", .many2one(Model.user), "Responsible"),
                    Field("stage_id", .many2one(Model.qualityStage), "Stage", initial: .link(1)),
                ]),
            Schema(
                Model.qualityCheck, "Quality Check", order: "id desc",
                fields: [
                    Field("name", .char, "Reference"), Field("title", .char, "Title"),
                    Field("product_id", .many2one(Model.product), "Product"),
                    Field("lot_id", .many2one(Model.lot), "Lot/Serial"),
                    Field("measure", .number(places: 2), "Measure"), Field("note", .text, "Note"),
                    Field("quality_state", .selection(states), "Status", initial: .text("none")),
                ]),
        ]
    }
}

extension Engine {
    /// Models that activities are kept for, with the ids of the recordings (165) where there are some.
    mutating func seedChatter() {
        for (id, module, model) in [
            (version.is19 ? 638 : 588, "mrp", Model.production), (501, "stock", Model.lot),
        ] {
            _ = seed(Model.irModel, id, ["name": .text(schema(model)?.label ?? model), "model": .text(model)])
            let name = "model_" + model.split(separator: ".").joined(separator: "_")
            register(module + "." + name, Model.irModel, id)
        }
        guard apps.contains(.quality) else { return }
        for (id, name, done) in [(1, "New", false), (2, "Confirmed", false), (3, "Solved", true)] {
            _ = seed(
                Model.qualityStage, id, ["name": .text(name), "sequence": .int(id), "done": .bool(done)])
        }
    }

    /// A place beside each warehouse's stock for what must not be used.
    mutating func seedHolds() {
        for (id, parent) in [(60, 7), (61, 40)] {
            _ = seed(
                Model.location, id,
                ["name": .text("Hold"), "usage": .text("internal"), "location_id": .link(parent)])
        }
    }

    mutating func post(_ body: String, on model: String, _ record: Int) -> Int {
        insert(Model.message, ["body": .text(body), "model": .text(model), "res_id": .int(record)])
    }

    mutating func prepareAlert(_ row: inout Row) {
        let digits = String(database.next(Model.qualityAlert))
        row["name"] = .text("QA" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits)
    }

    mutating func prepareActivity(_ row: inout Row) {
        if row["user_id"] ?? .empty == .empty { row["user_id"] = .link(user.id) }
        if row["date_deadline"] ?? .empty == .empty { row["date_deadline"] = .text(String(now.odoo.prefix(10))) }
    }

    mutating func conclude(checks ids: [Int], _ state: String) throws(Raised) {
        try require(Model.qualityCheck, ids)
        for id in ids { set(Model.qualityCheck, id, ["quality_state": .text(state)]) }
    }
}
