import Audit
import Bytes
import Limits
import Policy
import Server
import Telemetry

/// What the pipeline has learnt of one request. One is used again for the next.
final class RequestContext {
    /// The configuration that this request is judged by, from its first byte to its last.
    final var snapshot: Snapshot
    /// Index of the route in the snapshot; -1 before it is known.
    final var route = -1
    final var caller: Caller?
    /// The policy's decision on this route, prepared for the caller.
    final var decision: RouteDecision?
    final var trace = TraceContext.create(random: 1, 1, span: 1, sampled: false)
    /// The business operation, for governed calls, and the policy's first decision on it.
    final var governed: String?
    final var governedDecision: Decision?
    /// Number of this request on its reactor; with the reactor's random start it makes the request id.
    final var number: UInt64 = 0
    final var outcome = AuditOutcome.answered
    /// The method and target as the client sent them, cut at the audit log's bound.
    let line = IOBuffer(capacity: 640)
    final var methodBytes = 0
    /// Whether an entry of this request goes to the audit log when it ends.
    final var isAudited = false
    /// How the limits of this request stand, for the fields of the response.
    final var tightest: (limit: Int, remaining: Int, reset: Nanoseconds)?

    init(snapshot: Snapshot) { self.snapshot = snapshot }

    /// References that are nil already, or the same, are not written: each would cost two atomic counts per request.
    final func begin(_ snapshot: Snapshot, number: UInt64) {
        if self.snapshot !== snapshot { self.snapshot = snapshot }
        self.number = number
        route = -1
        if caller != nil { caller = nil }
        if decision != nil { decision = nil }
        if governed != nil { governed = nil }
        if governedDecision != nil { governedDecision = nil }
        outcome = .answered
        isAudited = false
        tightest = nil
        methodBytes = 0
        line.clear()
    }
}
