import Bytes
import Contracts
import Events
import JSON
import Odoo
import Policy

/// `quality-alert.raise`: a nonconformance that somebody must look after.
struct RaiseQualityAlertService: WalkedWrite {
    let operation = "quality-alert.raise"
    let endpoints: Set = ["raise"]

    /// Nothing of the order or lot changes.
    func records(_ request: AcceptedRequest) -> [String] { [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let matter = try await run.qualityMatter()
        let body = run.request.body
        let apps = try await run.apps()
        var recipe = QualityAlertRecipe(title: body["title"]?.string ?? "")
        recipe.product = matter.product.id
        recipe.lot = matter.lot?.id
        recipe.order = matter.order?.id
        recipe.responsible = body["responsible"]?.int
        if let text = body["description"]?.string { recipe.lines.append(text) }
        let priority = body["priority"]?.string ?? "normal"
        switch priority {
        case "low": recipe.priority = "1"
        case "high": recipe.priority = "3"
        default: recipe.priority = nil
        }
        // What an earlier try has begun is gone on with, whatever was installed since.
        let model = run.recalled("create", "model")?.string
        let isAlert = model.map { $0 == QualityAlertRecipe.model } ?? apps.hasQuality
        let text = "raising \(recipe.title)"
        let id: Int
        if isAlert {
            id = try await run.create(
                QualityAlertRecipe.model, recipe.row(apps.qualityFields ?? []), text, isLast: true)
        } else {
            recipe.lines += matter.lines
            if priority != "normal" { recipe.lines.append("Priority: \(priority)") }
            id = try await run.create(QualityAlertRecipe.activity, recipe.activityRow(on: matter.subject), text)
            do throws(ServiceStop) {
                let lines = ["Quality alert: \(recipe.title)"] + recipe.lines
                _ = try await run.post(lines.joined(separator: " \u{2014} "), on: matter.subject, step: "note")
            } catch {
                // The activity is the alert; that Odoo takes no note beside it does not undo it. (17 takes none of a
                // user without an address, recording 032.)
                guard error.meaning == .refused, !run.isInDoubt else { throw error }
                await run.journal.tell("no note: \(error.cause ?? "refused")")
            }
        }
        var alert = QualityAlert(id: id, title: recipe.title, isActivity: !isAlert)
        alert.name = isAlert ? try await run.alert(id, apps)?.name ?? recipe.title : recipe.title
        alert.product = matter.product
        alert.lot = matter.lot.map { OdooReference(id: $0.id, name: $0.name) }
        alert.order = matter.order
        alert.site = matter.site
        return WriteResult(
            status: 201, json: alert.json, records: [alert.key, matter.key], text: "\(recipe.title) is raised",
            events: [.qualityAlert(alert, at: run.odoo.wall)])
    }
}

/// `quality-alert.close`: it is settled. A closed one of the quality application is answered as it is; an activity that
/// is closed is gone.
struct CloseQualityAlertService: WalkedWrite {
    let operation = "quality-alert.close"
    let endpoints: Set = ["close"]

    func records(_ request: AcceptedRequest) -> [String] { request.id.map { ["quality-alert,\($0)"] } ?? [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let id = try run.pathID()
        let apps = try await run.apps()
        let kept = run.recalled("close", "kept_as")?.string ?? run.request.body["kept_as"]?.string
        let isActivity = kept.map { $0 == QualityAlert.activity } ?? !apps.hasQuality
        guard isActivity || apps.hasQuality else {
            throw .invalid(Violation(pointer: "/kept_as", "Odoo has no quality application"))
        }
        return isActivity ? try await activity(id, run) : try await alert(id, apps, run)
    }

    private func activity(_ id: Int, _ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        var alert: QualityAlert
        if let open = try await run.openActivity(id) {
            alert = open
        } else if run.hasSent("close"), let noted = run.intents["close"] {
            alert = QualityAlert(id: id, title: noted["title"]?.string ?? "", isActivity: true)
            try await run.complete(
                &alert, model: noted["model"]?.string ?? "", record: noted["record"]?.int ?? 0)
        } else {
            throw .notFound("open quality alert \(id)")
        }
        try run.authorize(Resource(site: alert.site))
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        let resolution = run.request.body["resolution"]?.string
        try await run.effect(
            Effect(
                name: "close", text: "closing \(alert.title)",
                call: QualityAlertRecipe.feedback(id, resolution ?? "closed"),
                intent: [
                    "kept_as": .string(QualityAlert.activity), "title": .string(alert.title),
                    "model": .string(alert.subject?.model ?? ""), "record": JSONValue(alert.subject?.id ?? 0),
                ], records: [alert.key])
        ) { () async throws(ServiceStop) -> Look<Void> in
            try await run.openActivity(id) == nil ? .done(()) : .notDone
        }
        return result(of: alert, run)
    }

    private func alert(_ id: Int, _ apps: OdooApps, _ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        guard var alert = try await run.alert(id, apps) else { throw .notFound("quality alert \(id)") }
        try run.authorize(Resource(site: alert.site))
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        let stages = try await run.odoo.records(QualityAlertRecipe.stages) { (record) throws(OdooShapeError) in
            (id: record.id, isDone: try record.bool("done"))
        }
        let ends = stages.filter { $0.isDone }.map { $0.id }
        guard let stage = ends.first else {
            throw ServiceStop(
                .refused, .odooRefused(message: "no stage of Odoo's ends a quality alert", error: ""))
        }
        if !run.hasSent("close"), let its = alert.stage, ends.contains(its) {
            alert.isClosed = true
            return WriteResult(json: alert.json, records: [alert.key], text: "\(alert.title) is closed already")
        }
        try await run.effect(
            Effect(
                name: "close", text: "closing \(alert.title)", call: QualityAlertRecipe.close(id, stage: stage),
                intent: ["kept_as": .string(QualityAlertRecipe.model)], records: [alert.key])
        ) { () async throws(ServiceStop) -> Look<Void> in
            guard let now = try await run.alert(id, apps) else { return .conflict("the alert is gone") }
            return now.stage.map { ends.contains($0) } ?? false ? .done(()) : .notDone
        }
        return result(of: alert, run)
    }

    private func result(of alert: QualityAlert, _ run: WriteRun) -> WriteResult {
        var closed = alert
        closed.isClosed = true
        return WriteResult(
            json: closed.json, records: [closed.key], text: "\(closed.title) is closed",
            events: [.qualityAlert(closed, at: run.odoo.wall)])
    }
}

/// A quality alert, wherever Odoo keeps it.
struct QualityAlert: Sendable {
    static let activity = "activity"

    let id: Int
    let title: String
    /// An activity, for want of the quality application.
    let isActivity: Bool
    var name = ""
    var product: OdooReference?
    var lot: OdooReference?
    var order: ProductionOrderRecord?
    var site: String?
    var stage: Int?
    var subject: QualitySubject?
    var isClosed = false

    var key: String { "\(isActivity ? QualityAlertRecipe.activity : QualityAlertRecipe.model),\(id)" }
    var reference: OdooReference { OdooReference(id: id, name: name.isEmpty ? title : name) }

    var json: JSONValue {
        [
            "id": JSONValue(id), "kept_as": .string(isActivity ? Self.activity : QualityAlertRecipe.model),
            "name": .string(reference.name), "title": .string(title),
            "state": .string(isClosed ? "closed" : "open"), "product": product?.json ?? .null,
            "lot": lot?.json ?? .null,
            "production_order": order.map { OdooReference(id: $0.id, name: $0.name).json } ?? .null,
            "site": ProductView.text(site),
        ]
    }
}

extension WriteRun {
    /// The alert of the quality application; nil when it is gone.
    func alert(_ id: Int, _ apps: OdooApps) async throws(ServiceStop) -> QualityAlert? {
        let known = apps.qualityFields ?? []
        let found = try await odoo.records(QualityAlertRecipe.read(id, known)) {
            (record) throws(OdooShapeError) -> (QualityAlert, Int?) in
            func reference(_ field: String) throws(OdooShapeError) -> OdooReference? {
                known.contains(field) ? try record.reference(field) : nil
            }
            let name = known.contains("name") ? try record.string("name") ?? "" : ""
            var alert = QualityAlert(
                id: record.id, title: known.contains("title") ? try record.string("title") ?? name : name,
                isActivity: false)
            alert.name = name
            alert.product = try reference("product_id")
            alert.lot = try reference("lot_id")
            alert.stage = try reference("stage_id")?.id
            return (alert, try reference("production_id")?.id)
        }
        guard let (read, order) = found.first else { return nil }
        var alert = read
        if let order { try await complete(&alert, model: ProductionOrderRecord.model, record: order) }
        return alert
    }

    func openActivity(_ id: Int) async throws(ServiceStop) -> QualityAlert? {
        let found = try await odoo.records(QualityAlertRecipe.openActivity(id)) {
            (record) throws(OdooShapeError) in
            (
                title: try record.string("summary") ?? "", model: try record.string("res_model") ?? "",
                record: try record.int("res_id")
            )
        }
        guard let activity = found.first else { return nil }
        var alert = QualityAlert(id: id, title: activity.title, isActivity: true)
        try await complete(&alert, model: activity.model, record: activity.record)
        return alert
    }

    /// What the record says that an alert stands on. Activities on other records are none of ours.
    func complete(_ alert: inout QualityAlert, model: String, record: Int) async throws(ServiceStop) {
        alert.subject = QualitySubject(model: model, id: record)
        switch model {
        case ProductionOrderRecord.model:
            guard let order = try await odoo.order(record) else { return }
            alert.order = order
            if alert.product == nil { alert.product = order.product }
            alert.site = try await sites.site(of: order, odoo)
        case LotRecord.model:
            let lots = try await odoo.records(LotRecord.read([record])) { (record) throws(OdooShapeError) in
                try LotRecord(record)
            }
            guard let lot = lots.first else { return }
            alert.lot = OdooReference(id: lot.id, name: lot.name)
            alert.product = lot.product
        default: throw .notFound("open quality alert \(alert.id)")
        }
    }
}

extension BusinessEvent {
    static func qualityAlert(_ alert: QualityAlert, at time: WallInstant) -> BusinessEvent {
        let name = alert.isClosed ? "quality-alert.closed" : "quality-alert.raised"
        return BusinessEvent(
            name: name, subject: "quality-alert/\(alert.id)", site: alert.site, time: time,
            data: [
                "alert": alert.reference.json, "title": .string(alert.title), "product": alert.product?.json ?? .null,
                "lot": alert.lot?.json ?? .null, "work_center": .null,
                "order": alert.order?.eventReference ?? .null,
            ])
    }
}
