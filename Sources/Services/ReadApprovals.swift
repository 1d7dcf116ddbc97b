import Contracts
import JSON
import Policy
import Store

/// `approval.read`: writes that wait for a second person, for who asked and for who may look at the site.
struct ReadApprovals: ReadService {
    let operation = "approval.read"
    let endpoints: Set = ["list", "one"]

    /// Most that one list gives. Default 100: more that wait are no longer looked at by anybody.
    static let listMax = 100

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let now = request.call.world.host.wall
        if request.endpoint == "list" {
            let all: [ApprovalRecord]
            do throws(StoreError) {
                all = try await request.ledger.pendingApprovals(now: now, limit: Self.listMax)
            } catch {
                throw .ledger(error)
            }
            let visible = all.filter { $0.caller == request.call.caller || request.permissions.permits($0.site) }
            return ReadResult(
                json: ["items": .array(visible.map { ApprovalView.json($0, now: now) })], records: [],
                resource: Resource(), decision: nil)
        }
        let record = try await request.approval()
        let resource = Resource(site: record.site)
        let decision = record.caller == request.call.caller ? nil : request.call.authorize(resource)
        // Whether it is there is not for everybody to know.
        if let decision, !decision.isPermitted { throw .notFound("approval \(record.id)") }
        return ReadResult(
            json: ApprovalView.json(record, now: now), records: [], resource: resource, decision: decision)
    }
}

extension ReadRequest {
    /// The request for consent that the path names.
    func approval() async throws(ServiceStop) -> ApprovalRecord {
        let id = input.path["id"]?.string ?? ""
        let record: ApprovalRecord?
        do throws(StoreError) {
            record = try await ledger.approval(id)
        } catch {
            throw .ledger(error)
        }
        guard let record else { throw .notFound("approval \(id)") }
        return record
    }
}
