import Audit
import Bytes
import Server

/// What happened, for the audit log: one entry per proxied request or refusal, written when the request ends.
///
/// Governed writes have an intent entry of their own that is durable before Odoo is called (`GovernedCall`).
extension Worker {
    func audit(_ exchange: Exchange, _ context: RequestContext, duration: Nanoseconds, completed: Bool) {
        var sink = auditBuffer
        sink.clear()
        // Ids are hexadecimal digits; they stand in two small buffers that are used again.
        idBuffer.clear()
        let id = idBuffer
        id.append(hex: requestPrefix &+ context.number)
        traceBuffer.clear()
        let trace = traceBuffer
        context.trace.appendTraceID(to: trace)
        let buffer = context.line
        let line = buffer.readable
        let method = line.extracting(0..<context.methodBytes)
        let target = line.extracting(context.methodBytes..<line.count)
        let from = connection(exchange).from
        let outcome = completed || context.outcome != .proxied ? context.outcome : .failed
        AuditLine.append(
            context.outcome == .refused ? .decision : .outcome, at: reactor.wall, clock: &auditClock,
            request: id.readable, trace: trace.readable,
            who: context.caller?.who ?? .empty, from: from,
            decision: context.decision?.fragment ?? routeFragment(context),
            method: method, target: target, status: exchange.status, outcome: outcome,
            microseconds: Int(duration / 1_000), bytesIn: Int(exchange.requestBodyBytes),
            bytesOut: Int(exchange.responseBodyBytes), to: &sink)
        if !shared.audit.submit(sink) { metrics.auditLost() }
    }

    /// The route of a request that was refused before a decision was made.
    private func routeFragment(_ context: RequestContext) -> AuditFragment {
        if let operation = context.governed {
            let policy = context.snapshot.policyDigestShort
            guard let decision = context.governedDecision else {
                return AuditDecision(operation: operation, effect: .forbid, policy: policy).fragment
            }
            return AuditDecision(decision, operation: operation, policy: policy).fragment
        }
        guard context.route >= 0 else { return .empty }
        let route = context.snapshot.routes[context.route]
        return AuditDecision(
            operation: route.operation, route: route.name, effect: .forbid, rule: nil,
            policy: context.snapshot.policyDigestShort
        ).fragment
    }
}
