import Audit
import Bytes
import Contracts
import JSON
import Policy
import Reactor
import Server
import Services
import Store

/// The audit log as one governed call sees it: the intent, durable before Odoo is called, and the outcome.
struct GovernedAudit: AuditPort {
    private let log: AppendLog
    private let requestID: String
    private let traceID: String
    private let caller: AuditCaller
    private let origin: AuditOrigin
    private let method: String
    private let target: String
    private let policy: String
    private let operation: String
    private let isWrite: Bool
    /// The decision before the record was known; what an answer without one of its own rests on.
    private let gate: Decision
    private let started: WallInstant
    private let redaction: Redaction
    private let snapshot: Snapshot

    init(
        _ worker: Worker, _ exchange: Exchange, _ context: RequestContext, contract: Contract, caller: Caller,
        gate: Decision
    ) {
        self.gate = gate
        log = worker.shared.audit
        requestID = worker.requestID(context)
        traceID = context.trace.traceID
        self.caller = caller.audited
        origin = AuditOrigin(
            address: exchange.origin.peerHost, listener: exchange.origin.listener,
            protocol: exchange.wireProtocol.name,
            hasCertificate: worker.connection(exchange).certificateThumbprint != nil)
        snapshot = context.snapshot
        let buffer = context.line
        let line = buffer.readable
        method = line.extracting(0..<context.methodBytes).text
        target = line.extracting(context.methodBytes..<line.count).text
        policy = context.snapshot.policyDigestShort
        operation = contract.operation
        isWrite = contract.kind == .write
        started = worker.reactor.wall
        redaction = Redaction(context.snapshot.configuration.audit.redact)
    }

    private func entry(_ kind: AuditKind, time: WallInstant) -> AuditEntry {
        var entry = AuditEntry(time: time, kind: kind, requestID: requestID)
        entry.traceID = traceID
        entry.caller = caller
        entry.origin = origin
        entry.method = method
        entry.target = target
        return entry
    }

    private func decision(_ decision: Decision?) -> AuditDecision {
        AuditDecision(decision ?? gate, operation: operation, policy: policy)
    }

    func intent(_ note: ServiceAuditNote) async throws(AuditRefused) {
        var entry = entry(.intent, time: Clock.wall())
        entry.decision = decision(note.decision)
        entry.place(note.resource)
        entry.records = note.records
        entry.bodyDigest = AuditDigest(note.digest)
        entry.detail = "operation \(note.operationID)" + (note.approval.map { ", approval \($0)" } ?? "")
        do throws(StoreError) {
            try await log.appendDurably(entry)
        } catch {
            throw AuditRefused()
        }
    }

    func ended(_ note: ServiceAuditNote, _ answer: ServiceAnswer) async {
        var entry = entry(.outcome, time: Clock.wall())
        entry.decision = decision(note.decision)
        entry.place(note.resource)
        entry.records = note.records
        entry.status = answer.status
        entry.outcome = answer.outcome.audited
        entry.bodyDigest = AuditDigest(note.digest)
        entry.detail = "operation \(note.operationID)"
        try? await log.appendDurably(entry)
    }

    /// The entry of the request that waited: durable for writes, so that an acknowledged one has its outcome on disk.
    func finished(_ call: ServiceCall, _ answer: ServiceAnswer) async {
        let now = Clock.wall()
        var entry = entry(answer.outcome == .refused ? .decision : .outcome, time: now)
        entry.decision = decision(answer.decision)
        if let resource = answer.resource { entry.place(resource) }
        entry.records = answer.records
        entry.status = answer.status
        entry.outcome = answer.outcome.audited
        entry.microseconds = Int((now - started) / 1_000)
        if let input = answer.input {
            entry.input = redaction.applied(to: .object(snapshot.policy.inputs(of: operation, in: input))).object
        }
        if !call.body.isEmpty {
            let body = call.body
            entry.bodyDigest = AuditDigest(of: body.span)
            if answer.decision?.obligations.auditBody == true, let body = try? JSONValue.parse(call.body) {
                entry.body = redaction.applied(to: body)
            }
        }
        if let operation = answer.operationID { entry.detail = "operation \(operation)" }
        if let detail = answer.detail { entry.detail = detail }
        if isWrite || answer.outcome == .applied || answer.outcome == .accepted {
            try? await log.appendDurably(entry)
        } else {
            let line = entry.line
            _ = log.submit(line.span)
        }
    }
}

extension ServiceAnswer.Outcome {
    var audited: AuditOutcome {
        switch self {
        case .read: .answered
        case .applied: .applied
        case .rejected: .rejected
        case .unknown: .unknown
        case .refused: .refused
        case .accepted: .accepted
        case .replayed: .replayed
        }
    }
}

extension AuditEntry {
    /// What it was done to, as far as rules tell resources apart.
    fileprivate mutating func place(_ resource: Resource) {
        site = resource.site
        workCenter = resource.workCenter
        productCategory = resource.productCategory
    }
}
