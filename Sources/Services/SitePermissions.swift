import JSON
import Policy

/// Where a caller may do one operation: the policy asked for each site once, and inside it for each work center and product
/// category that its rules tell apart.
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
    /// Nil where nothing inside a site is told apart.
    private let inside: Inside?
    /// False where too much is told apart to be written down: then only the living policy can permit anything.
    private let isExact: Bool
    /// Decisions depend on the product's category.
    let needsProductCategory: Bool

    /// What is permitted inside a place. `site` is nil for what belongs to no site.
    private struct Inside: Sendable, Hashable {
        /// Those that rules tell apart; any other is as none.
        var workCenters: Set<String> = []
        var productCategories: Set<String> = []
        var permitted: Set<Resource> = []

        func permits(_ resource: Resource, at site: String?) -> Bool {
            permitted.contains(
                Resource(
                    site: site, workCenter: resource.workCenter.flatMap { workCenters.contains($0) ? $0 : nil },
                    productCategory: resource.productCategory.flatMap { productCategories.contains($0) ? $0 : nil }))
        }
    }

    /// - Parameter asked: what is told apart inside a site, and what is as every other; nil for too many.
    init(
        sites: [String], inside asked: [Resource]? = [Resource()], needsProductCategory: Bool = false,
        _ authorize: (Resource) -> Decision
    ) {
        let probes = asked ?? [Resource()]
        isExact = asked != nil
        var mask: Set<String> = []
        var inside = Inside()
        func permits(_ site: String?) -> Bool {
            var isPermitted = false
            for probe in probes {
                var resource = probe
                resource.site = site
                let decision = authorize(resource)
                guard decision.isPermitted else { continue }
                mask.formUnion(decision.obligations.mask)
                inside.permitted.insert(resource)
                isPermitted = true
            }
            return isPermitted
        }
        elsewhere = permits(nil)
        permitted = Set(sites.filter { permits($0) })
        self.mask = mask
        forbidden = Set(sites).subtracting(permitted)
        inside.workCenters = Set(probes.compactMap(\.workCenter))
        inside.productCategories = Set(probes.compactMap(\.productCategory))
        self.inside = probes.count > 1 ? inside : nil
        self.needsProductCategory = needsProductCategory
    }

    /// Nothing at all.
    var isEmpty: Bool { !elsewhere && permitted.isEmpty }

    /// Whether there is anything at the site that the caller may do it to.
    func permits(_ site: String?) -> Bool {
        guard let site else { return elsewhere }
        return permitted.contains(site) || (elsewhere && !forbidden.contains(site))
    }

    func permits(_ resource: Resource) -> Bool {
        guard isExact, permits(resource.site) else { return false }
        guard let inside else { return true }
        let isKnown = resource.site.map { permitted.contains($0) } ?? true
        return inside.permits(resource, at: isKnown ? resource.site : nil)
    }

    // MARK: For the ledger

    var json: JSONValue {
        func list(_ names: Set<String>) -> JSONValue { .array(names.sorted().map { .string($0) }) }
        var json: JSONObject = [
            "elsewhere": .bool(elsewhere), "permitted": list(permitted), "forbidden": list(forbidden),
            "mask": list(mask),
        ]
        if needsProductCategory { json["needs_category"] = true }
        if !isExact { json["exact"] = false }
        if let inside {
            let places = inside.permitted.map { place -> [String] in
                [place.site, place.workCenter, place.productCategory].map { $0.map { "=" + $0 } ?? "" }
            }
            json["inside"] = [
                "work_centers": list(inside.workCenters), "categories": list(inside.productCategories),
                "permitted": .array(
                    places.sorted { $0.lexicographicallyPrecedes($1) }.map { .array($0.map { .string($0) }) }),
            ]
        }
        return .object(json)
    }

    init?(_ json: JSONValue?) {
        func set(_ value: JSONValue?) -> Set<String>? { value?.array.map { Set($0.compactMap(\.string)) } }
        guard let json, let elsewhere = json["elsewhere"]?.bool, let permitted = set(json["permitted"]),
            let forbidden = set(json["forbidden"])
        else { return nil }
        self.elsewhere = elsewhere
        self.permitted = permitted
        self.forbidden = forbidden
        mask = set(json["mask"]) ?? []
        needsProductCategory = json["needs_category"]?.bool ?? false
        isExact = json["exact"]?.bool ?? true
        guard let stored = json["inside"] else {
            inside = nil
            return
        }
        guard let workCenters = set(stored["work_centers"]), let categories = set(stored["categories"]),
            let places = stored["permitted"]?.array
        else { return nil }
        var inside = Inside(workCenters: workCenters, productCategories: categories)
        for place in places {
            let parts = (place.array ?? []).map { $0.string.flatMap { $0.isEmpty ? nil : String($0.dropFirst()) } }
            guard parts.count == 3 else { return nil }
            inside.permitted.insert(Resource(site: parts[0], workCenter: parts[1], productCategory: parts[2]))
        }
        self.inside = inside
    }
}
