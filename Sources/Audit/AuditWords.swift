/// What an entry tells of.
public enum AuditKind: Sendable, Equatable, CaseIterable {
    /// A request was permitted or refused.
    case decision
    /// A write is about to be sent: on disk before the effect.
    case intent
    /// What came of a request.
    case outcome
    /// Something done to the gateway itself: started, policy changed, log recovered.
    case admin

    @inlinable
    public var word: StaticString {
        switch self {
        case .decision: "decision"
        case .intent: "intent"
        case .outcome: "outcome"
        case .admin: "admin"
        }
    }
}

/// How a request ended.
public enum AuditOutcome: Sendable, Equatable, CaseIterable {
    /// Odoo did it.
    case applied
    /// Odoo refused it; nothing was changed.
    case rejected
    /// Sent, and nobody can say yet whether it was done.
    case unknown
    /// The gateway refused it; nothing was sent.
    case refused
    /// Passed on to Odoo's web interface or RPC; the status is Odoo's.
    case proxied
    /// The stored answer of an earlier request with the same idempotency key was given again.
    case replayed
    /// Taken on, to be done after the answer.
    case accepted
    /// Read and answered; nothing was to be changed.
    case answered
    /// The gateway or its upstream failed before anything could have been done.
    case failed

    @inlinable
    public var word: StaticString {
        switch self {
        case .applied: "applied"
        case .rejected: "rejected"
        case .unknown: "unknown"
        case .refused: "refused"
        case .proxied: "proxied"
        case .replayed: "replayed"
        case .accepted: "accepted"
        case .answered: "answered"
        case .failed: "failed"
        }
    }
}
