import Audit
import Bytes
import Contracts
import Identity
import JSON
import Policy
import Reactor
import Services
import Store

/// The lines of batches before policy and audit: each is decided for the caller who brought it, by the policy that is in
/// force when its turn comes, and has entries of its own in the audit log.
struct BatchDoor: Sendable {
    let snapshot: @Sendable () -> Snapshot
    let log: AppendLog
    let identities: IdentityDesk

    func desk(isStopping: @escaping @Sendable () -> Bool) -> BatchDesk {
        BatchDesk(
            contracts: { snapshot().contracts },
            call: { call($0, $1, number: $2, $3) },
            finished: { await finished($0, $1, $2, number: $3, $4) }, isStopping: isStopping)
    }

    private func call(
        _ record: BatchRecord, _ line: BatchLine, number: Int, _ world: ServiceWorld
    ) -> Result<ServiceCall, Problem> {
        guard let context = BatchContext(record.context) else {
            return .failure(Problem(.internal, "the batch does not say whose it is"))
        }
        let principal = context.principal
        guard !identities.isRevoked(principal) else {
            return .failure(Problem(.forbidden, "the caller's access was revoked after the batch was brought"))
        }
        let snapshot = snapshot()
        let policy = snapshot.policy
        let roles = policy.roles(of: principal)
        let operation = line.contract.operation
        var facts = context.facts
        facts.now = world.host.wall
        let at = facts
        let gate = policy.gate(roles, principal: principal, operation: operation, facts: at)
        guard gate.isPermitted else { return .failure(gate.problem(operation: operation)) }
        var call = ServiceCall(
            contract: line.contract, endpoint: line.endpoint, captures: line.captures, body: line.body,
            contentType: Endpoint.json, caller: record.caller,
            authorize: {
                policy.decide(
                    roles, principal: principal, operation: operation, resource: snapshot.placed($0), facts: at)
            },
            permits: { policy.decide(roles, principal: principal, operation: $0, resource: $1, facts: at) },
            idempotencyKey: "\"\(line.idempotencyKey)\"", requestID: "\(record.id)-\(number)",
            traceID: context.traceID, admission: .batch, world: world,
            audit: BatchAudit(door: self, record: record, context: context, number: number))
        let told = policy.distinctions(of: operation)
        call.inside = told.resources(for: principal)
        call.needsProductCategory = told.needsProductCategory
        call.roles = policy.names(of: roles)
        call.policy = policy
        call.mayNeedApproval = !gate.obligations.secondPerson.isEmpty
        call.bind = { input in
            let flat = JSONValue.object(input.flat)
            return { resource in
                policy.decide(
                    roles, principal: principal, operation: operation, resource: snapshot.placed(resource),
                    input: flat, facts: at)
            }
        }
        return .success(call)
    }

    private func finished(
        _ record: BatchRecord, _ call: ServiceCall?, _ line: BatchLine?, number: Int, _ answer: ServiceAnswer
    ) async {
        guard let context = BatchContext(record.context) else { return }
        let audit = BatchAudit(door: self, record: record, context: context, number: number)
        var entry = audit.entry(answer.outcome == .refused ? .decision : .outcome)
        let operation = line?.contract.operation ?? BatchSubmission.operation
        let snapshot = snapshot()
        entry.decision =
            answer.decision.map {
                AuditDecision($0, operation: operation, policy: snapshot.policyDigestShort)
            }
            ?? AuditDecision(
                operation: operation, effect: answer.status == 403 ? .forbid : .allow,
                policy: snapshot.policyDigestShort)
        entry.site = answer.resource?.site
        entry.workCenter = answer.resource?.workCenter
        entry.records = answer.records
        entry.status = answer.status
        entry.outcome = answer.outcome.audited
        if let input = answer.input {
            let redaction = Redaction(snapshot.configuration.audit.redact)
            entry.input =
                redaction.applied(to: .object(snapshot.policy.inputs(of: operation, in: input))).object
        }
        if let body = line?.body, !body.isEmpty { entry.bodyDigest = AuditDigest(of: body.span) }
        entry.detail = audit.detail + (answer.operationID.map { ", operation \($0)" } ?? "")
        try? await log.appendDurably(entry)
    }
}

/// The audit log as one line of a batch sees it.
struct BatchAudit: AuditPort {
    let door: BatchDoor
    let record: BatchRecord
    let context: BatchContext
    let number: Int

    var detail: String { "batch \(record.id), line \(number)" }

    func entry(_ kind: AuditKind) -> AuditEntry {
        var entry = AuditEntry(time: Clock.wall(), kind: kind, requestID: "\(record.id)-\(number)")
        entry.traceID = context.traceID
        let policy = door.snapshot().policy
        let principal = context.principal
        entry.caller = AuditCaller(
            subject: principal.subject, issuer: principal.issuer, tokenID: principal.tokenID,
            clientID: principal.clientID, certificate: principal.certificateThumbprint,
            roles: policy.names(of: policy.roles(of: principal)), claims: policy.claims(of: principal))
        entry.origin = AuditOrigin(
            address: context.facts.address ?? "", listener: context.facts.listener ?? "",
            protocol: context.protocol, hasCertificate: context.facts.hasClientCertificate)
        return entry
    }

    func intent(_ note: ServiceAuditNote) async throws(AuditRefused) {
        do throws(StoreError) {
            try await door.log.appendDurably(noted(.intent, note))
        } catch {
            throw AuditRefused()
        }
    }

    func ended(_ note: ServiceAuditNote, _ answer: ServiceAnswer) async {
        var entry = noted(.outcome, note)
        entry.status = answer.status
        entry.outcome = answer.outcome.audited
        try? await door.log.appendDurably(entry)
    }

    private func noted(_ kind: AuditKind, _ note: ServiceAuditNote) -> AuditEntry {
        var entry = entry(kind)
        let policy = door.snapshot().policyDigestShort
        entry.decision =
            note.decision.map { AuditDecision($0, operation: note.operation, policy: policy) }
            ?? AuditDecision(operation: note.operation, effect: .allow, policy: policy)
        entry.site = note.resource.site
        entry.workCenter = note.resource.workCenter
        entry.records = note.records
        entry.bodyDigest = AuditDigest(note.digest)
        entry.detail = "\(detail), operation \(note.operationID)" + (note.approval.map { ", approval \($0)" } ?? "")
        return entry
    }
}
