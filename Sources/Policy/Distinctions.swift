import Identity

/// What the rules of one operation tell apart inside a site. Finite, so that what a caller may do can be asked before the
/// record is known, and written down.
package struct Distinctions: Sendable, Hashable {
    /// That some rule lists.
    package var workCenters: Set<String> = []
    /// Some rule holds at the caller's own work centers.
    package var hasOwnWorkCenters = false
    /// That some rule lists.
    package var productCategories: Set<String> = []
    /// A decision depends on the product's category: it must be looked up.
    package var needsProductCategory = false

    /// Rules that tell nothing apart.
    package static let none = Distinctions()

    /// Most combinations that are asked for. Default 1,024.
    static let resourcesMax = 1_024

    mutating func add(_ rule: Rule, operation: String) {
        switch rule.workCenters {
        case .any: break
        case .own: hasOwnWorkCenters = true
        case .listed(let names): workCenters.formUnion(names)
        }
        if case .listed(let names) = rule.productCategories {
            productCategories.formUnion(names)
            needsProductCategory = true
        }
        let references = rule.condition?.expression(for: operation)?.references ?? []
        if references.contains(where: { $0 == "resource" || $0.hasPrefix("resource.product_category") }) {
            needsProductCategory = true
        }
    }

    /// One resource for each that the rules tell apart, and one for every other; without a site. Nil where they are too
    /// many to be asked for.
    package func resources(for principal: Principal) -> [Resource]? {
        var centers = workCenters
        if hasOwnWorkCenters {
            _ = OwnClaims.workCenter.contains(of: principal) { name in
                centers.insert(name)
                return false
            }
        }
        guard (centers.count + 1) * (productCategories.count + 1) <= Self.resourcesMax else { return nil }
        let places: [String?] = [nil] + centers.sorted()
        let goods: [String?] = [nil] + productCategories.sorted()
        return places.flatMap { center in goods.map { Resource(workCenter: center, productCategory: $0) } }
    }

    static func all(_ rules: [Rule]) -> [String: Distinctions] {
        var all: [String: Distinctions] = [:]
        for rule in rules {
            for operation in rule.operations { all[operation, default: .none].add(rule, operation: operation) }
        }
        return all.filter { $0.value != .none }
    }
}

extension PolicySet {
    /// What decisions on the operation depend on besides site and warehouse.
    package func distinctions(of operation: String) -> Distinctions { distinctions[operation] ?? .none }
}
