import Bytes
import Contracts
import JSON
import Odoo
import Policy

/// `inspection.record`: what an inspection found.
///
/// With Enterprise's quality application it may be the result of a `quality.check` that waits. What no check waits for,
/// and everything on Community, is a note on the order or lot.
struct RecordInspectionService: WalkedWrite {
    let operation = "inspection.record"
    let endpoints: Set = ["record"]

    func records(_ request: AcceptedRequest) -> [String] {
        request.body["check"]?.int.map { ["\(QualityCheckRecord.model),\($0)"] } ?? []
    }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let matter = try await run.qualityMatter()
        let body = run.request.body
        let hasPassed = body["result"]?.string == "pass"
        let id: Int
        if let check = body["check"]?.int {
            try await conclude(check, hasPassed, matter, run)
            id = check
        } else {
            var text = "Inspection of \(matter.product.name)"
            if let lot = matter.lot { text += ", lot \(lot.name)" }
            text += ": \(body["characteristic"]?.string ?? "") \(hasPassed ? "passed" : "failed")"
            if let measured = body["measured"] {
                text += ", measured \(measured.text)"
                if let unit = body["unit"]?.string { text += " \(unit)" }
            }
            if let note = body["note"]?.string { text += " \u{2014} \(note)" }
            id = try await run.post(text, on: matter.subject, step: "note")
        }
        let keptAs = body["check"] == nil ? "note" : QualityCheckRecord.model
        let key = body["check"] == nil ? "\(NoteRecipe.model),\(id)" : "\(QualityCheckRecord.model),\(id)"
        return WriteResult(
            status: 201,
            json: [
                "id": JSONValue(id), "kept_as": .string(keptAs),
                "characteristic": body["characteristic"] ?? .null, "result": body["result"] ?? .null,
                "measured": body["measured"] ?? .null, "unit": body["unit"] ?? .null,
                "product": matter.product.json,
                "lot": matter.lot.map { OdooReference(id: $0.id, name: $0.name).json } ?? .null,
                "production_order": matter.order.map { OdooReference(id: $0.id, name: $0.name).json } ?? .null,
                "site": ProductView.text(matter.site),
            ], records: [key, matter.key],
            text: "\(body["characteristic"]?.string ?? "") has \(hasPassed ? "passed" : "failed")")
    }

    private func conclude(
        _ id: Int, _ hasPassed: Bool, _ matter: QualityMatter, _ run: WriteRun
    ) async throws(ServiceStop) {
        guard try await run.apps().hasQuality else {
            throw .conflict(
                "Odoo has no quality application: leave `check` out, and it becomes a note", state: "absent",
                allowed: ["installed"], reason: "quality-application-missing")
        }
        func check() async throws(ServiceStop) -> QualityCheckRecord? {
            try await run.odoo.records(QualityCheckRecord.read(id)) { (record) throws(OdooShapeError) in
                try QualityCheckRecord(record)
            }.first
        }
        guard let before = try await check() else {
            throw .invalid(Violation(pointer: "/check", "there is no quality check \(id)"))
        }
        guard before.product == nil || before.product?.id == matter.product.id else {
            throw .invalid(Violation(pointer: "/check", "is of another product"))
        }
        let wanted = hasPassed ? "pass" : "fail"
        if !run.hasSent("result") {
            if before.state == wanted { return }
            guard before.state == "none" else {
                throw .conflict(
                    "the check has a result already", state: before.state, allowed: ["none"], reason: "check-done")
            }
            if let measured = run.request.body["measured"]?.decimal {
                // Absolute, and concludes nothing.
                try await run.begin(.preparing, "entering what was measured", intent: ["check": JSONValue(id)])
                _ = try await run.odoo.result(QualityCheckRecord.measured(id, measured))
            }
        }
        try await run.effect(
            Effect(
                name: "result", text: "the result of check \(id)",
                call: hasPassed ? QualityCheckRecord.pass(id) : QualityCheckRecord.fail(id),
                records: ["\(QualityCheckRecord.model),\(id)"])
        ) { () async throws(ServiceStop) -> Look<Void> in
            guard let now = try await check() else { return .conflict("the check is gone") }
            switch now.state {
            case wanted: return .done(())
            case "none": return .notDone
            default: return .conflict("somebody else has given it another result")
            }
        }
    }
}
