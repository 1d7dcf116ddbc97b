import Bytes
import Identity
import JSON

/// One question to the policy, while it is answered.
struct Question {
    /// What a rule says to a question.
    enum Verdict {
        /// It holds.
        case yes
        /// It speaks of something else: another place, another time, another issuer.
        case no
        /// It would hold, but for its condition.
        case condition
        /// It could hold: its condition asks for what is not known yet.
        case possible
    }

    let policy: PolicySet
    let roles: RoleSet
    let principal: Principal
    let resource: Resource
    /// Nil while it is not known.
    let input: JSONValue?
    let facts: RequestFacts
    /// Whether any resource will do.
    let isAnywhere: Bool

    init(
        policy: PolicySet, roles: RoleSet, principal: Principal, resource: Resource, input: JSONValue?,
        facts: RequestFacts, isAnywhere: Bool = false
    ) {
        self.policy = policy
        self.roles = roles
        self.principal = principal
        self.resource = resource
        self.input = input
        self.facts = facts
        self.isAnywhere = isAnywhere
    }

    /// For a rule whose site fits and that speaks of the caller, issuers aside.
    func verdict(_ rule: Rule, at resource: Resource) -> Verdict {
        guard rule.coversInside(resource, for: principal) else { return .no }
        return verdict(rule)
    }

    /// The same without looking at the resource.
    func verdict(_ rule: Rule) -> Verdict {
        if !rule.principals.issuers.isEmpty, !rule.principals.issuers.contains(principal.issuer) { return .no }
        if !rule.isTimeless, !rule.isValid(at: facts.now) { return .no }
        return .yes
    }

    /// Whether a rule whose site fits and that speaks of the caller, issuers aside, surely forbids.
    func forbids(_ rule: Rule, at resource: Resource) -> Bool {
        verdict(rule, at: resource) == .yes
    }

    func clauses(of rule: Rule) -> [Decision.Clause] { [] }
}

extension Rule {
    /// Whether `body` is true for one place that the rule covers.
    func hasPlace(for principal: Principal, where body: (Resource) -> Bool) -> Bool {
        sites.hasPlace(ownClaims: .site, of: principal) { site in
            workCenters.hasPlace(ownClaims: .workCenter, of: principal) { workCenter in
                warehouses.hasPlace(ownClaims: .none, of: principal) { warehouse in
                    productCategories.hasPlace(ownClaims: .none, of: principal) { category in
                        body(
                            Resource(
                                site: site, workCenter: workCenter, warehouse: warehouse, productCategory: category))
                    }
                }
            }
        }
    }
}
