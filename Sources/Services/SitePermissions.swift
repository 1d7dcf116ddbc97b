import JSON
import Policy

/// At which sites a caller may do one operation: the policy asked for each site once.
///
/// Stored with an accepted operation, so that it can be authorised on its record after a restart, when the token is
/// long gone.
struct SitePermissions: Sendable, Hashable {
    /// What belongs to no site, hence by a rule for all sites.
    let elsewhere: Bool
    let permitted: Set<String>
    let forbidden: Set<String>
    /// What is hidden at any place that is permitted.
    let mask: Set<String>

    init(sites: [String], _ authorize: (Resource) -> Decision) {
        var mask: Set<String> = []
        func permits(_ resource: Resource) -> Bool {
            let decision = authorize(resource)
            if decision.isPermitted { mask.formUnion(decision.obligations.mask) }
            return decision.isPermitted
        }
        elsewhere = permits(Resource())
        permitted = Set(sites.filter { permits(Resource(site: $0)) })
        self.mask = mask
        forbidden = Set(sites).subtracting(permitted)
    }

    /// Nothing at all.
    var isEmpty: Bool { !elsewhere && permitted.isEmpty }

    func permits(_ site: String?) -> Bool {
        guard let site else { return elsewhere }
        return permitted.contains(site) || (elsewhere && !forbidden.contains(site))
    }

    // MARK: For the ledger

    var json: JSONValue {
        [
            "elsewhere": .bool(elsewhere), "permitted": .array(permitted.sorted().map { .string($0) }),
            "forbidden": .array(forbidden.sorted().map { .string($0) }),
            "mask": .array(mask.sorted().map { .string($0) }),
        ]
    }

    init?(_ json: JSONValue?) {
        guard let json, let elsewhere = json["elsewhere"]?.bool, let permitted = json["permitted"]?.array,
            let forbidden = json["forbidden"]?.array
        else { return nil }
        self.elsewhere = elsewhere
        self.permitted = Set(permitted.compactMap(\.string))
        self.forbidden = Set(forbidden.compactMap(\.string))
        mask = Set((json["mask"]?.array ?? []).compactMap(\.string))
    }
}
