import JSON
import Odoo
import Policy

/// `work-center.read`: work centers and whether they can work now.
///
/// Odoo knows no site of a work center; the configuration does, so the list is filtered here, not by Odoo.
struct ReadWorkCenters: ReadService {
    let operation = "work-center.read"
    let endpoints: Set = ["list", "one"]

    /// Most pages of Odoo that one list looks through. Default 8: 4,000 work centers.
    private static let pagesMax = 8

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        if request.endpoint == "one" { return try await one(request) }
        return try await list(request)
    }

    private func one(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let id = try request.id()
        let odoo = try await request.session()
        let index = try await request.sites.index(odoo)
        guard let found = try await centers(odoo, WorkCenterRecord.read([id])).first else {
            throw .notFound("work center \(id)")
        }
        let resource = Self.resource(found, index)
        let decision = try request.authorize(resource)
        return ReadResult(
            json: Self.json(found, index), records: ["\(WorkCenterRecord.model),\(id)"], resource: resource,
            decision: decision)
    }

    private func list(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        // A rule for one work center permits the list of that one, so the scope alone does not decide.
        let site = request.text("site")
        if let site, !request.permissions.permits(site), request.call.endpoint.name == "list" {
            _ = try request.authorize(Resource(site: site))
        }
        let page = try ListPage(request)
        let since = try request.changedSince()
        let odoo = try await request.session()
        let index = try await request.sites.index(odoo)
        var shown: [WorkCenterRecord] = []
        var decision = request.call.authorize(Resource(site: site))
        var resource = Resource(site: site)
        var after = page.after
        for _ in 0..<Self.pagesMax {
            let found = try await centers(
                odoo,
                WorkCenterRecord.search(
                    code: request.text("code"), page: OdooPage(after: after, limit: OdooPage.limitMax)
                ).adding(since))
            for center in found {
                if let site, index.site(of: center) != site { continue }
                let its = Self.resource(center, index)
                let verdict = request.call.authorize(its)
                guard verdict.isPermitted else { continue }
                if shown.isEmpty {
                    decision = verdict
                    resource = Resource(site: its.site)
                }
                shown.append(center)
            }
            guard shown.count <= page.limit, found.count == OdooPage.limitMax, let last = found.last else { break }
            after = last.id
        }
        if shown.isEmpty, !decision.isPermitted, request.permissions.isEmpty {
            throw .forbidden(operation, decision)
        }
        return ReadResult(
            json: .object(page.json(shown, id: \.id) { Self.json($0, index) }),
            records: shown.prefix(page.limit).map { "\(WorkCenterRecord.model),\($0.id)" }, resource: resource,
            decision: decision)
    }

    private func centers(_ odoo: OdooSession, _ call: OdooCall) async throws(ServiceStop) -> [WorkCenterRecord] {
        try await odoo.records(call) { (record) throws(OdooShapeError) in try WorkCenterRecord(record) }
    }

    private static func resource(_ center: WorkCenterRecord, _ index: SiteIndex) -> Resource {
        Resource(site: index.site(of: center), workCenter: center.code ?? center.name)
    }

    static func json(_ center: WorkCenterRecord, _ index: SiteIndex) -> JSONValue {
        let state: JSONValue =
            switch center.workingState {
            case "blocked": "blocked"
            case "done": "running"
            default: "available"
            }
        return [
            "id": JSONValue(center.id), "code": ProductView.text(center.code), "name": .string(center.name),
            "state": state, "site": ProductView.text(index.site(of: center)),
        ]
    }
}
