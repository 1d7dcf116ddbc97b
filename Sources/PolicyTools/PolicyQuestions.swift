import Bytes
import Identity
import JSON
import Policy

/// Questions that a plant asks all day, to measure what their answers cost: each kind of caller, operation and site.
package struct PolicyQuestions {
    private struct One {
        let principal: Principal
        let roles: RoleSet
        let operation: String
        let resource: Resource
    }

    private let policy: PolicySet
    private let questions: [One]
    private let facts: RequestFacts
    private let input: JSONValue = ["quantity": 50, "allow_excess": false]
    /// Most different questions: more would not fit a cache of any processor, and a plant does not ask them.
    private static let countMax = 4_096

    package init(_ policy: PolicySet, sites: [String], now: WallInstant) {
        self.policy = policy
        facts = RequestFacts(now: now)
        var places = Set(sites)
        for case .listed(let listed) in policy.rules.map(\.sites) { places.formUnion(listed) }
        let callers = CallerSpace([policy], pairs: false).callers
        var questions: [One] = []
        for site in places.sorted() {
            for caller in callers {
                let principal = CallerSpace.settled(caller, site: site)
                let roles = policy.roles(of: principal)
                for operation in policy.catalog.names where policy.catalog[operation]?.kind == .governed {
                    questions.append(
                        One(
                            principal: principal, roles: roles, operation: operation, resource: Resource(site: site)))
                }
            }
        }
        // Spread over all of them.
        let step = max(1, questions.count / Self.countMax)
        self.questions = stride(from: 0, to: questions.count, by: step).map { questions[$0] }
    }

    package var count: Int { questions.count }

    /// Asks so many in turn, and says how many were allowed.
    package func ask(_ count: Int) -> Int {
        guard !questions.isEmpty else { return 0 }
        var allowed = 0
        for number in 0..<count {
            let one = questions[number % questions.count]
            let decision = policy.decide(
                one.roles, principal: one.principal, operation: one.operation, resource: one.resource, input: input,
                facts: facts)
            if decision.isPermitted { allowed += 1 }
        }
        return allowed
    }
}
