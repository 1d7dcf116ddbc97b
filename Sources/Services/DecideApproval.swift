import Contracts
import JSON
import Policy
import Store

/// `approval.decide`: a second person says yes or no to somebody else's write.
///
/// Saying it twice is saying it once, so no `Idempotency-Key` is needed. Nothing is sent to Odoo: the first person
/// sends the same request again, with its key.
struct DecideApproval: ReadService {
    let operation = "approval.decide"
    let endpoints: Set = ["approve", "reject"]

    func read(_ request: ReadRequest) async throws(ServiceStop) -> ReadResult {
        let call = request.call
        let now = call.world.host.wall
        let before = try await request.approval()
        let resource = Resource(site: before.site)
        let decision = call.authorize(resource)
        guard decision.isPermitted else { throw .notFound("approval \(before.id)") }
        // The same subject by another application or another issuer is the same person.
        if ApprovalView.subject(before.caller) == ApprovalView.subject(call.caller) {
            throw Self.refused("who asks cannot approve: it takes somebody else")
        }
        let approves = request.endpoint == "approve"
        if approves, before.state == .pending,
            !before.open.contains(where: { $0.isEmpty || !$0.isDisjoint(with: call.roles) })
        {
            let roles = Set(before.open.joined()).sorted().joined(separator: " or ")
            throw Self.refused("it takes somebody who is \(roles)")
        }
        let vote = ApprovalRecord.Vote(by: call.caller, roles: call.roles, time: now, approves: approves)
        let after: ApprovalRecord?
        do throws(StoreError) {
            after = try await request.ledger.vote(vote, on: before.id)
        } catch {
            throw .ledger(error)
        }
        guard let after else { throw .notFound("approval \(before.id)") }
        let isOurs = after.votes.contains { $0.by == call.caller && $0.approves == approves }
        guard isOurs else {
            let state = after.isExpired(at: now) && after.state == .pending ? "expired" : after.state.rawValue
            throw ServiceStop(.refused, .conflictState("it is \(state) already", state: state, allowed: ["pending"]))
        }
        var result = ReadResult(
            json: ApprovalView.json(after, now: now), records: [], resource: resource, decision: decision)
        result.outcome = .applied
        result.detail = "\(approves ? "approved" : "rejected") \(after.id): \(after.operation) of \(after.caller)"
        return result
    }

    private static func refused(_ why: String) -> ServiceStop {
        ServiceStop(.refused, .forbidden(operation: "approval.decide", rule: nil, reason: why))
    }
}
