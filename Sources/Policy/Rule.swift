import Bytes
import Documents
import Identity
import JSON

/// One rule of an access file, compiled.
package struct Rule: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        case enforce
        /// Decides nothing; what it would have done is counted and written down.
        case observe
    }

    /// Where in the plants a rule holds.
    package enum Scope: Sendable, Hashable {
        /// Everywhere, and for what has no site or work center at all.
        case any
        /// Where the caller belongs: what its token's claims say.
        case own
        case listed([String])
    }

    /// Unique among all rules.
    package let id: String
    package let description: String
    package let effect: Decision.Effect
    package var mode = Mode.enforce
    package let principals: RulePrincipals
    package var sites = Scope.any
    package var workCenters = Scope.any
    package var warehouses = Scope.any
    package var productCategories = Scope.any
    package var obligations = Obligations()
    package var condition: Condition?
    /// The rule holds from here on, and no longer from there on.
    package var validFrom: WallInstant?
    package var validUntil: WallInstant?
    /// Who answers for the rule, and why it is there; for people.
    package var owner: String?
    package var ticket: String?
    /// For a caller that this rule refuses.
    package var help: String?
    /// Nil for the bundle's.
    package var disclosure: Disclosure?
    /// Operations the rule speaks of: names with wildcards resolved, and patterns of RPC methods.
    package let operations: Set<String>
    /// Where the rule stands, `access/line.yaml:12`, and exactly.
    package let place: String
    package let mark: DocumentMark

    /// Whether it says the same at any time.
    var isTimeless: Bool { validFrom == nil && validUntil == nil }

    func isValid(at now: WallInstant) -> Bool {
        if let validFrom, now < validFrom { return false }
        if let validUntil, now >= validUntil { return false }
        return true
    }

    /// Whether it holds for the resource, its condition aside.
    func covers(_ resource: Resource, for principal: Principal) -> Bool {
        sites.contains(resource.site, ownClaims: .site, of: principal) && coversInside(resource, for: principal)
    }

    /// `covers`, for a resource whose site is known to fit.
    func coversInside(_ resource: Resource, for principal: Principal) -> Bool {
        workCenters.contains(resource.workCenter, ownClaims: .workCenter, of: principal)
            && warehouses.contains(resource.warehouse, ownClaims: .none, of: principal)
            && productCategories.contains(resource.productCategory, ownClaims: .none, of: principal)
    }
}

/// Whom a rule speaks of.
package struct RulePrincipals: Sendable, Hashable {
    /// Bit i is the role of index i.
    package var roleBits: UInt64 = 0
    /// Every caller, with or without roles.
    package var isEveryone = false
    /// Service accounts and client certificates by name, besides those that have a role.
    package var accounts: [RoleCondition] = []
    /// Only callers of these issuers; empty for all.
    package var issuers: Set<String> = []

    package func contains(_ roles: RoleSet, _ principal: Principal) -> Bool {
        if !issuers.isEmpty, !issuers.contains(principal.issuer) { return false }
        return isEveryone || roleBits & roles.bits != 0 || accounts.contains { $0.holds(for: principal) }
    }
}

/// The claims that say where a caller belongs: one text, or several in an array, or both.
enum OwnClaims {
    case site, workCenter, none

    private var names: (one: String, several: String)? {
        switch self {
        case .site: ("site", "sites")
        case .workCenter: ("work_center", "work_centers")
        case .none: nil
        }
    }

    /// Calls `body` for each place of the caller until it returns true; whether it did.
    func contains(of principal: Principal, where body: (String) -> Bool) -> Bool {
        guard case .bearer = principal.authentication, let names else { return false }
        return Self.contains(principal.claims[names.one], where: body)
            || Self.contains(principal.claims[names.several], where: body)
    }

    private static func contains(_ claim: JSONValue?, where body: (String) -> Bool) -> Bool {
        switch claim {
        case .string(let text): return !text.isEmpty && body(text)
        case .array(let elements):
            for case .string(let text) in elements where !text.isEmpty && body(text) { return true }
            return false
        default: return false
        }
    }
}

extension Rule.Scope {
    /// A resource without the attribute lies in `any` only.
    func contains(_ value: String?, ownClaims: OwnClaims, of principal: Principal) -> Bool {
        switch self {
        case .any: return true
        case .listed(let places):
            guard let value else { return false }
            return places.contains(value)
        case .own:
            guard let value else { return false }
            return ownClaims.contains(of: principal) { $0 == value }
        }
    }

    /// Whether `body` is true for one place in the scope. For `any` it is asked with nil, which stands for a place
    /// that no rule lists: whatever treats that differently from others is `any` itself.
    func hasPlace(ownClaims: OwnClaims, of principal: Principal, where body: (String?) -> Bool) -> Bool {
        switch self {
        case .any: return body(nil)
        case .listed(let places): return places.contains { body($0) }
        case .own: return ownClaims.contains(of: principal) { body($0) }
        }
    }

    /// Whether everything in `other` is in this too, whoever asks.
    func includes(_ other: Rule.Scope) -> Bool {
        switch (self, other) {
        case (.any, _): true
        case (.own, .own): true
        case (.listed(let mine), .listed(let theirs)): Set(mine).isSuperset(of: theirs)
        case (.own, _), (.listed, _): false
        }
    }
}
