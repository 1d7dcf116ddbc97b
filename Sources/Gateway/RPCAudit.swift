import Audit
import Bytes
import JSON
import Odoo
import Policy
import Reactor
import Server
import Store

/// The audit log as one script's call sees it: for what may change something the intent, durable before Odoo is called,
/// and the outcome, durable before the answer; for reads one entry that need not be waited for.
struct RPCAudit: Sendable {
    /// Most records named in an entry.
    static let recordsMax = 100

    private let log: AppendLog
    let isWrite: Bool
    private let started: WallInstant
    /// What all entries of the call have in common.
    private let base: AuditEntry

    init(
        _ worker: Worker, _ exchange: Exchange, _ call: RPCExchange, _ wanted: RPCCall, _ verdict: RPCFirewall.Verdict,
        _ caller: Caller
    ) {
        log = worker.shared.audit
        isWrite = verdict.scope.access != .read
        started = worker.reactor.wall
        let context = call.context
        var entry = AuditEntry(time: started, kind: .outcome, requestID: worker.requestID(context))
        entry.traceID = context.trace.traceID
        entry.caller = caller.audited
        entry.origin = AuditOrigin(
            address: exchange.origin.peerHost, listener: exchange.origin.listener,
            protocol: exchange.wireProtocol.name,
            hasCertificate: worker.connection(exchange).certificateThumbprint != nil)
        entry.decision = AuditDecision(
            verdict.decision, operation: verdict.operation, route: call.route.name,
            policy: context.snapshot.policyDigestShort)
        let line = context.line
        let bytes = line.readable
        entry.method = bytes.extracting(0..<context.methodBytes).text
        entry.target = bytes.extracting(context.methodBytes..<bytes.count).text
        entry.records = verdict.scope.ids.prefix(Self.recordsMax).map { "\(wanted.model),\($0)" }
        let body = call.body
        entry.bodyDigest = AuditDigest(of: body.span)
        let redaction = Redaction(context.snapshot.configuration.audit.redact)
        let input = verdict.scope.json(of: wanted)
        if let object = input.object {
            let kept = context.snapshot.policy.inputs(of: verdict.operation, in: object)
            if !kept.isEmpty { entry.input = redaction.applied(to: .object(kept)).object }
        }
        // The body as it came holds a password; what it says besides is in the input.
        if verdict.decision.obligations.auditBody { entry.body = redaction.applied(to: input) }
        base = entry
    }

    private func entry(_ kind: AuditKind) -> AuditEntry {
        var entry = base
        entry.kind = kind
        entry.time = Clock.wall()
        return entry
    }

    /// False when the disk does not take it: then nothing may be done.
    func intent() async -> Bool {
        guard isWrite else { return true }
        do throws(StoreError) {
            try await log.appendDurably(entry(.intent))
            return true
        } catch {
            return false
        }
    }

    func finished(_ result: Result<JSONValue?, OdooError>) async {
        var entry = entry(.outcome)
        switch result {
        case .success: entry.outcome = isWrite ? .applied : .answered
        case .failure(let error):
            switch error.outcome {
            case .unknown: entry.outcome = isWrite ? .unknown : .failed
            case .rejected, .applied: entry.outcome = .rejected
            case .notSent: entry.outcome = .failed
            }
            entry.detail = error.name.isEmpty ? error.kind.rawValue : error.name
        }
        entry.status = 200
        await write(entry)
    }

    /// The call was not made, because others work on its records.
    func busy() async {
        var entry = entry(.outcome)
        entry.outcome = .failed
        entry.status = 200
        entry.detail = "record-busy"
        await write(entry)
    }

    /// The call was not made.
    func refused(_ fault: RPCFault) {
        var entry = entry(.decision)
        entry.outcome = .refused
        entry.status = 200
        entry.detail = fault.message
        let line = entry.line
        _ = log.submit(line.span)
    }

    private func write(_ finished: AuditEntry) async {
        var entry = finished
        entry.microseconds = Int((entry.time - started) / 1_000)
        if isWrite {
            try? await log.appendDurably(entry)
        } else {
            let line = entry.line
            _ = log.submit(line.span)
        }
    }
}
