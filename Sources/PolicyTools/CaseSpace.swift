import Bytes
import Identity
import JSON
import Policy

/// Everything at which the decisions of one or more policies on one operation can turn: callers, places, inputs, times.
struct CaseSpace {
    /// One question.
    struct Case {
        let caller: String
        let principal: Principal
        let resource: Resource
        let input: JSONValue
        let facts: RequestFacts
    }

    /// Most cases of one operation that are looked at. Beyond it a report says that it is not complete.
    static let casesMax = 2_000_000

    let operation: String
    let callers: [CallerSpace.Caller]
    let resources: [Resource]
    let inputs: [JSONValue]
    let times: [WallInstant]
    /// What was left out, in words; empty where the cases are all there are.
    let omissions: [String]
    private let sites: Set<String>
    private let usesOwnSite: Bool
    private let usesOwnWorkCenter: Bool

    /// A place that no rule names.
    static let elsewhere = "another-site"

    /// - Parameter sites: of the plant, besides those that rules name.
    init(_ policies: [PolicySet], operation: String, sites: [String], pairs: Bool, now: WallInstant) {
        self.operation = operation
        let rules = policies.flatMap { $0.rulesNaming(operation) }
        let names = policies.flatMap { $0.rulesNaming(operation).flatMap(\.operations) }
        let turnings = Turnings(rules, operations: Array(Set(names)), now: now)
        var omissions = turnings.unknown.sorted().map { "conditions on \($0) were tried with an absent value only" }
        callers = CallerSpace(policies, pairs: pairs, claims: turnings.claims).callers
        times = turnings.times
        func named(_ scope: (Rule) -> Rule.Scope, _ attribute: Resource.Attribute) -> [String?] {
            var all: Set<String> = turnings.resource[attribute] ?? []
            for rule in rules { if case .listed(let places) = scope(rule) { all.formUnion(places) } }
            return all.isEmpty ? [nil] : [nil] + all.sorted().map { $0 } + ["another"]
        }
        var places: Set<String> = Set(sites)
        for case .listed(let listed) in rules.map(\.sites) { places.formUnion(listed) }
        places.formUnion(turnings.resource[.site] ?? [])
        self.sites = places
        let attributes = policies.first?.catalog[operation]?.attributes ?? []
        let hasSite = attributes.contains(.site)
        let siteList: [String?] = hasSite ? [nil] + places.sorted().map { $0 } + [Self.elsewhere] : [nil]
        var resources: [Resource] = []
        for site in siteList {
            for workCenter in named({ $0.workCenters }, .workCenter) {
                for warehouse in named({ $0.warehouses }, .warehouse) {
                    for category in named({ $0.productCategories }, .productCategory) {
                        resources.append(
                            Resource(
                                site: site, workCenter: workCenter, warehouse: warehouse, productCategory: category))
                    }
                }
            }
        }
        self.resources = resources
        usesOwnSite = rules.contains { $0.sites == .own }
        usesOwnWorkCenter = rules.contains { $0.workCenters == .own }
        var inputs: [JSONObject] = [JSONObject()]
        for (name, values) in turnings.input.sorted(by: { $0.key < $1.key }) {
            let next = inputs.flatMap { input in
                values.map { value in
                    var input = input
                    if let value { input[name] = value }
                    return input
                }
            }
            if next.count * resources.count * callers.count > Self.casesMax {
                omissions.append("`input.\(name)` was not varied: there are more than \(Self.casesMax) cases")
            } else {
                inputs = next
            }
        }
        self.inputs = inputs.map { .object($0) }
        self.omissions = omissions
    }

    /// Calls `body` with each case.
    func forEach(_ body: (Case) -> Void) {
        for caller in callers {
            for resource in resources {
                for principal in variants(caller, resource) {
                    for time in times {
                        let facts = RequestFacts(now: time)
                        for input in inputs {
                            body(
                                Case(
                                    caller: caller.name, principal: principal, resource: resource, input: input,
                                    facts: facts))
                        }
                    }
                }
            }
        }
    }

    /// The caller at home where the resource is, and at home nowhere, where rules can tell the two apart.
    private func variants(_ caller: CallerSpace.Caller, _ resource: Resource) -> [Principal] {
        let isAtHome = usesOwnSite && resource.site != nil || usesOwnWorkCenter && resource.workCenter != nil
        guard isAtHome else { return [caller.principal] }
        return [
            caller.principal,
            CallerSpace.settled(
                caller, site: usesOwnSite ? resource.site : nil,
                workCenter: usesOwnWorkCenter ? resource.workCenter : nil),
        ]
    }
}
