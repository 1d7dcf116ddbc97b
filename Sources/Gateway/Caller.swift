import Audit
import Identity
import Limits
import Policy

/// A verified caller as one reactor remembers it: everything that would be the same at the next request of the same
/// token is made once.
final class Caller {
    let principal: Principal
    let roles: RoleSet
    let roleNames: [String]
    /// `who` of audit entries, rendered and escaped.
    let who: AuditFragment
    let subjectKey: LimitKey
    let serviceKey: LimitKey
    let roleKeys: [LimitKey]
    /// Decisions by route, made at the first request of each.
    private var decisions: [RouteDecision?]

    init(_ principal: Principal, snapshot: Snapshot) {
        self.principal = principal
        roles = snapshot.policy.roles(of: principal)
        roleNames = snapshot.policy.names(of: roles)
        who =
            AuditCaller(
                subject: principal.subject, issuer: principal.issuer, tokenID: principal.tokenID,
                clientID: principal.clientID, certificate: principal.certificateThumbprint, roles: roleNames
            ).fragment
        subjectKey = snapshot.keys.key("s\(principal.issuer)|\(principal.subject)")
        serviceKey = snapshot.keys.key("c\(principal.issuer)|\(principal.clientID ?? principal.subject)")
        roleKeys = roleNames.map { snapshot.keys.key("r" + $0) }
        decisions = Array(repeating: nil, count: snapshot.routes.count)
    }

    /// `issuer|subject`: whose idempotency keys are whose.
    var identity: String { principal.issuer + "|" + principal.subject }

    /// The decision on a proxied route, and which limits it must pass.
    func decision(on route: CompiledRoute, snapshot: Snapshot) -> RouteDecision {
        if let known = decisions[route.index] { return known }
        let made = RouteDecision(
            snapshot.policy.gate(roles, principal: principal, operation: route.operation), route: route, caller: self,
            snapshot: snapshot)
        decisions[route.index] = made
        return made
    }
}

/// A decision on a route, with what follows from it ready to be copied.
final class RouteDecision {
    let decision: Decision?
    let isPermitted: Bool
    /// `decision` of audit entries.
    let fragment: AuditFragment
    /// Limits by number in the snapshot, each with the key it counts by; nil means the client's address.
    let checks: [(limit: Int, key: LimitKey?)]

    init(_ decision: Decision, route: CompiledRoute, caller: Caller?, snapshot: Snapshot) {
        self.decision = decision
        isPermitted = decision.isPermitted
        fragment =
            AuditDecision(
                operation: route.operation, route: route.name, effect: decision.isPermitted ? .permit : .forbid,
                rule: decision.rule, policy: snapshot.policyDigestShort
            ).fragment
        checks = snapshot.checks(operation: route.operation, routeName: route.name, caller: caller)
    }

    /// For routes that ask for no token.
    init(open route: CompiledRoute, snapshot: Snapshot) {
        decision = nil
        isPermitted = true
        fragment =
            AuditDecision(
                operation: route.operation, route: route.name, effect: .permit, rule: "open-route",
                policy: snapshot.policyDigestShort
            ).fragment
        checks = snapshot.checks(operation: route.operation, routeName: route.name, caller: nil)
    }
}
