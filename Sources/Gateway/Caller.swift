import Audit
import Identity
import JSON
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
    let audited: AuditCaller
    // Made where a limit counts by them.
    private(set) lazy var subjectKey = keys.key("s\(principal.issuer)|\(principal.subject)")
    private(set) lazy var serviceKey = keys.key("c\(principal.issuer)|\(principal.clientID ?? principal.subject)")
    private(set) lazy var roleKeys = roleNames.map { keys.key("r" + $0) }
    private let keys: LimitKeyHasher
    /// Decisions by route, made at the first request of each.
    private var decisions: [RouteDecision?]
    /// First decisions on business operations that stay the same for this caller.
    private var gates: [String: Decision] = [:]

    init(_ principal: Principal, snapshot: Snapshot) {
        self.principal = principal
        roles = snapshot.policy.roles(of: principal)
        roleNames = snapshot.policy.names(of: roles)
        audited = AuditCaller(
            subject: principal.subject, issuer: principal.issuer, tokenID: principal.tokenID,
            clientID: principal.clientID, certificate: principal.certificateThumbprint, roles: roleNames,
            claims: snapshot.policy.claims(of: principal))
        who = audited.fragment
        keys = snapshot.keys
        decisions = Array(repeating: nil, count: snapshot.routes.count)
    }

    /// `issuer|subject`: whose idempotency keys are whose.
    var identity: String { principal.issuer + "|" + principal.subject }

    /// The decision on a proxied route, and which limits it must pass; nil where it depends on more than the caller.
    func decision(on route: CompiledRoute) -> RouteDecision? { decisions[route.index] }

    /// The same, made now and kept if it stays the same.
    ///
    /// - Parameter input: what conditions may ask of the request.
    func decide(on route: CompiledRoute, snapshot: Snapshot, input: JSONValue, facts: RequestFacts) -> RouteDecision {
        let decision = snapshot.policy.gate(
            roles, principal: principal, operation: route.operation, input: input, facts: facts)
        let made = RouteDecision(decision, route: route, caller: self, snapshot: snapshot)
        if route.isDecidedOnce, !decision.obligations.dependsOnRequest { decisions[route.index] = made }
        return made
    }

    /// Whether there can be a resource for which the operation is allowed.
    func gate(_ operation: String, snapshot: Snapshot, facts: RequestFacts) -> Decision {
        if let known = gates[operation] { return known }
        let made = snapshot.policy.gate(roles, principal: principal, operation: operation, facts: facts)
        if snapshot.policy.isConstant(operation) { gates[operation] = made }
        return made
    }
}

/// A decision on a route, with what follows from it ready to be copied.
final class RouteDecision {
    let decision: Decision?
    let isPermitted: Bool
    /// A rule in observe mode would have decided otherwise.
    let isObserved: Bool
    /// `decision` of audit entries.
    let fragment: AuditFragment
    /// Limits by number in the snapshot, each with the key it counts by; nil means the client's address.
    let checks: [(limit: Int, key: LimitKey?)]

    init(_ decision: Decision, route: CompiledRoute, caller: Caller?, snapshot: Snapshot) {
        self.decision = decision
        isPermitted = decision.isPermitted
        isObserved = decision.observation != nil
        fragment =
            AuditDecision(decision, operation: route.operation, route: route.name, policy: snapshot.policyDigestShort)
            .fragment
        checks = snapshot.checks(operation: route.operation, routeName: route.name, caller: caller)
    }

    /// For routes that ask for no token.
    init(open route: CompiledRoute, snapshot: Snapshot) {
        decision = nil
        isPermitted = true
        isObserved = false
        fragment =
            AuditDecision(
                operation: route.operation, route: route.name, effect: .allow, rule: "open-route",
                policy: snapshot.policyDigestShort
            ).fragment
        checks = snapshot.checks(operation: route.operation, routeName: route.name, caller: nil)
    }
}

extension AuditDecision {
    /// A decision of the policy as the audit log has it.
    init(_ decision: Decision, operation: String, route: String? = nil, policy: String) {
        self.init(
            operation: operation, route: route, effect: decision.isPermitted ? .allow : .forbid, rule: decision.rule,
            policy: policy)
        switch decision.cause {
        case .need(.clientCertificate): unmet = ["client certificate"]
        case .need(.freshToken): unmet = ["fresh token"]
        case .need(.secondPerson): unmet = ["second person"]
        default: if !decision.isPermitted { unmet = decision.clauses.filter { $0.held != true }.map(\.text) }
        }
        observed = decision.observation.map { $0.effect == .allow ? .allow : .forbid }
        observedRule = decision.observation?.rule
    }
}
