import Audit
import Bytes
import Limits
import Reactor
import Services
import Store
import Synchronization
import Upstream

/// What all reactors share for as long as the gateway runs: the audit log, the ledger, counters of limits, Odoo.
///
/// Everything here is Sendable and guards itself; nothing of it is replaced by a reload.
package final class SharedState: Sendable {
    let audit: AppendLog
    let limiter: RateLimiter
    let connections: ConnectionLimiter
    let accessLog: AccessLog?
    /// Servers that every configuration has: Odoo's business calls.
    let permanentTargets: [UpstreamTarget]
    let startedAt: WallInstant
    /// Set while the gateway stops.
    let isDraining = Atomic<Bool>(false)

    init(
        audit: AppendLog, limiter: RateLimiter, connections: ConnectionLimiter, accessLog: AccessLog?,
        permanentTargets: [UpstreamTarget], startedAt: WallInstant
    ) {
        self.audit = audit
        self.limiter = limiter
        self.connections = connections
        self.accessLog = accessLog
        self.permanentTargets = permanentTargets
        self.startedAt = startedAt
    }
}
