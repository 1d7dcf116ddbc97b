import Bytes
import JSON

/// A nonconformance somebody reports, in Odoo.
///
/// With the quality application (Enterprise) it is a `quality.alert`. Its fields are the documented ones; no recording has
/// them, so the probe asks which are there and nothing else is sent. Community has no such model (recording 163): it
/// is an activity on the record and a note on it (164, 165).
package struct QualityAlertRecipe: Hashable, Sendable {
    package var title: String
    package var lines: [String] = []
    package var product: Int?
    package var lot: Int?
    package var order: Int?
    /// `0` to `3`.
    package var priority: String?
    /// A user who shall look after it; else the one that Odoo's defaults name.
    package var responsible: Int?

    package static let model = "quality.alert"
    package static let activity = "mail.activity"
    /// Those that are sent or read where they are there.
    package static let fields = [
        "name", "title", "description", "product_id", "lot_id", "production_id", "priority", "user_id", "stage_id",
    ]

    package init(title: String) { self.title = title }

    /// For `load`, with the fields that there are.
    package func row(_ known: Set<String>) -> [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [("title", .string(title))]
        if !lines.isEmpty { row.append(("description", .string(OdooHTML.paragraphs(lines)))) }
        if let product { row.append(("product_id/.id", JSONValue(product))) }
        if let lot { row.append(("lot_id/.id", JSONValue(lot))) }
        if let order { row.append(("production_id/.id", JSONValue(order))) }
        if let priority { row.append(("priority", .string(priority))) }
        if let responsible { row.append(("user_id/.id", JSONValue(responsible))) }
        return row.filter { known.contains($0.field.split(separator: "/")[0].description) }
    }

    /// The activity, for `load`. Its model goes by external id: users may not read `ir.model`, and `load` looks external
    /// ids up without asking for rights (by reading: `ir.fields.converter`, 16 to 19).
    package func activityRow(on record: QualitySubject) -> [(field: String, value: JSONValue)] {
        var row: [(field: String, value: JSONValue)] = [
            ("res_model_id/id", .string(record.modelID)), ("res_id", JSONValue(record.id)),
            ("summary", .string(title)),
        ]
        if !lines.isEmpty { row.append(("note", .string(OdooHTML.paragraphs(lines)))) }
        if let responsible { row.append(("user_id/.id", JSONValue(responsible))) }
        return row
    }

    /// Stages of alerts in their order; those with `done` end one.
    package static let stages: OdooCall = .searchRead(
        "quality.alert.stage", domain: [], fields: ["id", "name", "done"], limit: OdooPage.limitMax,
        order: "sequence, id")

    package static func close(_ id: Int, stage: Int) -> OdooCall {
        .write(model, ids: [id], ["stage_id": JSONValue(stage)])
    }

    /// Ends an activity, with a note on its record; the activity is gone or archived then (by reading:
    /// `mail.activity.action_feedback`, 16 to 19).
    package static func feedback(_ id: Int, _ text: String) -> OdooCall {
        OdooCall(
            model: activity, method: "action_feedback", ids: [id], named: [.init("feedback", .string(text))])
    }

    package static func read(_ id: Int, _ known: Set<String>) -> OdooCall {
        .read(model, ids: [id], fields: fields.filter { known.contains($0) })
    }

    /// Those that are done are not found.
    package static func openActivity(_ id: Int) -> OdooCall {
        .searchRead(
            activity, domain: [["id", "=", JSONValue(id)]], fields: ["summary", "res_model", "res_id"], limit: 1)
    }
}

/// The record that an alert or an inspection is about.
package struct QualitySubject: Hashable, Sendable {
    package let model: String
    package let id: Int

    package init(model: String, id: Int) {
        self.model = model
        self.id = id
    }

    /// The external id of the model itself, as every installation has it.
    var modelID: String {
        let module = model == LotRecord.model ? "stock" : "mrp"
        return module + ".model_" + model.split(separator: ".").joined(separator: "_")
    }
}

/// A note on a record (recordings 164, 352). Odoo posts as often as it is told to, so each carries a mark by which it is
/// found again.
package enum NoteRecipe {
    package static let model = "mail.message"

    /// Plain text: Odoo escapes it.
    package static func post(_ text: String, mark: String, on subject: QualitySubject) -> OdooCall {
        OdooCall(
            model: subject.model, method: "message_post", ids: [subject.id],
            named: [
                .init("body", .string(text + " [" + mark + "]")), .init("message_type", "comment"),
                .init("subtype_xmlid", "mail.mt_note"),
            ])
    }

    package static func find(mark: String, on subject: QualitySubject) -> OdooCall {
        .searchRead(
            model,
            domain: [
                ["model", "=", .string(subject.model)], ["res_id", "=", JSONValue(subject.id)],
                ["body", "like", .string(mark)],
            ], fields: ["id"], limit: 1)
    }
}

/// A `quality.check` that waits for its result (Enterprise; documented fields and methods, no recording).
package struct QualityCheckRecord: Hashable, Sendable {
    package let id: Int
    /// `none`, `pass` or `fail`.
    package let state: String
    package let product: OdooReference?
    package let lot: OdooReference?

    package static let model = "quality.check"

    package init(_ record: OdooRecord) throws(OdooShapeError) {
        id = record.id
        state = try record.text("quality_state")
        product = try record.reference("product_id")
        lot = try record.reference("lot_id")
    }

    package static func read(_ id: Int) -> OdooCall {
        .read(model, ids: [id], fields: ["quality_state", "product_id", "lot_id"])
    }

    package static func measured(_ id: Int, _ value: ExactDecimal) -> OdooCall {
        .write(model, ids: [id], ["measure": JSONValue(value)])
    }

    package static func pass(_ id: Int) -> OdooCall { .button(model, "do_pass", ids: [id]) }
    package static func fail(_ id: Int) -> OdooCall { .button(model, "do_fail", ids: [id]) }
}
