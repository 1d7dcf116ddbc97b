import Bytes
import Limits
import Server

/// How much may it: all rate limits of the request at once, charged together or not at all.
extension Worker {
    /// Whether the request may go on; it has been refused otherwise.
    func admit(_ exchange: Exchange, _ context: RequestContext, _ wanted: [(limit: Int, key: LimitKey?)]) -> Bool {
        if wanted.isEmpty { return true }
        checks.removeAll()
        for (limit, key) in wanted {
            checks.add(snapshot.limits[limit].limit, key ?? connection(exchange).addressKey)
        }
        switch shared.limiter.admit(&checks, now: reactor.now) {
        case .allowed(let position, let remaining, let reset):
            context.tightest = (wanted[position].limit, remaining, reset)
            return true
        case .refused(let position, let retryAfter):
            let limit = wanted[position].limit
            context.tightest = (limit, 0, retryAfter)
            metrics.limited()
            refuse(exchange, .limited(policies: [snapshot.limits[limit].limit.name], retryAfter: retryAfter))
            return false
        }
    }

    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10): the limit that ends first.
    func addLimitFields(_ exchange: Exchange, _ context: RequestContext) {
        guard let (index, remaining, reset) = context.tightest else { return }
        let limit = context.snapshot.limits[index]
        let item = limit.policyItem
        exchange.addField("RateLimit-Policy", item.span)
        var state: [UInt8] = []
        limit.limit.appendState(remaining: remaining, time: reset, to: &state)
        exchange.addField("RateLimit", state.span)
    }
}
