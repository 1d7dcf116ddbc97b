import Bytes
import Contracts
import Events
import JSON
import Odoo
import Policy

/// `maintenance.request`: a machine needs attention.
struct RequestMaintenanceService: WalkedWrite {
    let operation = "maintenance.request"
    let endpoints: Set = ["request"]

    func records(_ request: AcceptedRequest) -> [String] { [] }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let body = run.request.body
        var center: WorkCenterRecord?
        let site: String?
        if let id = body["work_center"]?.int {
            guard let found = try await run.odoo.workCenter(id) else {
                throw .invalid(Violation(pointer: "/work_center", "there is no work center \(id)"))
            }
            site = try await run.sites.index(run.odoo).site(of: found)
            try run.authorize(Resource(site: site, workCenter: found.code ?? found.name))
            center = found
        } else {
            site = try run.site()
            try run.authorize(Resource(site: site))
        }
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        var recipe = MaintenanceRecipe(
            title: body["title"]?.string ?? "", kind: body["kind"]?.string ?? "corrective")
        switch body["priority"]?.string {
        case "low": recipe.priority = "1"
        case "high": recipe.priority = "3"
        default: recipe.priority = "2"
        }
        recipe.scheduled = try run.instant("scheduled_at")
        var equipment: OdooReference?
        if let id = body["equipment"]?.int {
            let found = try await run.odoo.records(MaintenanceRecipe.equipment(id)) {
                (record) throws(OdooShapeError) in OdooReference(id: record.id, name: try record.text("name"))
            }
            guard let first = found.first else {
                throw .invalid(Violation(pointer: "/equipment", "there is no equipment \(id)"))
            }
            equipment = first
            recipe.equipment = id
        }
        // Odoo's requests know no work center without an Enterprise module: it stands in the text.
        let place = center.map { "Work center: \($0.code ?? $0.name)" }
        let lines = [body["description"]?.string, place].compactMap { $0 }
        if !lines.isEmpty { recipe.description = lines.joined(separator: " \u{2014} ") }
        let id = try await run.create(
            MaintenanceRecipe.model, recipe.row, "requesting maintenance: \(recipe.title)", isLast: true)
        let request = OdooReference(id: id, name: recipe.title)
        return WriteResult(
            status: 201,
            json: MaintenanceView.json(request, kind: recipe.kind, equipment: equipment, center: center, site: site),
            records: ["\(MaintenanceRecipe.model),\(id)"], text: "maintenance is requested",
            events: [
                .maintenance(
                    isClosed: false, request, kind: recipe.kind, equipment: equipment,
                    center: center.map { OdooReference(id: $0.id, name: $0.name) }, site: site, at: run.odoo.wall)
            ])
    }
}

/// `maintenance.close`: the work is done, or was given up. A closed one is answered as it is.
struct CloseMaintenanceService: WalkedWrite {
    let operation = "maintenance.close"
    let endpoints: Set = ["close"]

    func records(_ request: AcceptedRequest) -> [String] {
        request.id.map { ["\(MaintenanceRecipe.model),\($0)"] } ?? []
    }

    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        let id = try run.pathID()
        let request = try await run.maintenance(id)
        // Odoo's requests belong to no warehouse.
        try run.authorize(Resource(site: nil))
        guard run.odoo.version.hasWritingRecipes else { throw .unproved(run.odoo.version) }
        let stages = try await run.odoo.records(MaintenanceRecipe.stages) { (record) throws(OdooShapeError) in
            (id: record.id, name: try record.text("name"), isDone: try record.bool("done"))
        }
        let ends = stages.filter { $0.isDone }
        let name = run.request.body["stage"]?.string
        guard let stage = name == nil ? ends.first : ends.first(where: { $0.name == name }) else {
            throw .invalid(
                Violation(
                    pointer: "/stage",
                    "is no stage that ends a request: "
                        + ends.map { "`\($0.name)`" }.joined(separator: ", ")))
        }
        let isClosed = ends.contains { $0.id == request.stage?.id }
        func result() -> WriteResult {
            WriteResult(
                json: MaintenanceView.json(
                    OdooReference(id: id, name: request.title), kind: request.kind, equipment: request.equipment,
                    center: nil, site: nil),
                records: ["\(MaintenanceRecipe.model),\(id)"], text: "\(request.title) is closed")
        }
        if !run.hasSent("close"), isClosed { return result() }
        try await run.effect(
            Effect(
                name: "close", text: "closing \(request.title)", call: MaintenanceRecipe.close(id, stage: stage.id),
                records: ["\(MaintenanceRecipe.model),\(id)"])
        ) { () async throws(ServiceStop) -> Look<Void> in
            let now = try await run.maintenance(id)
            return ends.contains { $0.id == now.stage?.id } ? .done(()) : .notDone
        }
        return result().telling(
            .maintenance(
                isClosed: true, OdooReference(id: id, name: request.title), kind: request.kind,
                equipment: request.equipment, center: nil, site: nil, at: run.odoo.wall))
    }
}

extension WriteRun {
    func maintenance(_ id: Int) async throws(ServiceStop) -> MaintenanceRecord {
        let found = try await odoo.records(MaintenanceRecord.read(id)) { (record) throws(OdooShapeError) in
            try MaintenanceRecord(record)
        }
        guard let request = found.first else { throw .notFound("maintenance request \(id)") }
        return request
    }
}

/// A maintenance request in the words of the contract.
enum MaintenanceView {
    static func json(
        _ request: OdooReference, kind: String, equipment: OdooReference?, center: WorkCenterRecord?, site: String?
    ) -> JSONValue {
        [
            "id": JSONValue(request.id), "title": .string(request.name), "kind": .string(kind),
            "equipment": equipment?.json ?? .null,
            "work_center": center.map { OdooReference(id: $0.id, name: $0.name).json } ?? .null,
            "site": ProductView.text(site),
        ]
    }
}
