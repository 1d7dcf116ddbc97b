import Identity
import JSON

/// One rule of an access file, compiled.
package struct Rule: Sendable {
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
    /// Bit i is the role of index i; all bits for every caller, with or without roles.
    let roleBits: UInt64
    package let sites: Scope
    package let workCenters: Scope
    package let obligations: Obligations
    /// Operations the rule speaks of, wildcards resolved.
    package let operations: Set<String>
    /// Where the rule stands, `access/line.yaml:12`.
    package let place: String

    static let everyone: UInt64 = .max

    func speaks(of roles: RoleSet) -> Bool { roleBits == Self.everyone || roleBits & roles.bits != 0 }

    func covers(_ resource: Resource, for principal: Principal) -> Bool {
        sites.contains(resource.site, ownClaims: .site, of: principal)
            && workCenters.contains(resource.workCenter, ownClaims: .workCenter, of: principal)
    }
}

/// The claims that say where a caller belongs: one text, or several in an array, or both.
enum OwnClaims {
    case site, workCenter

    private var names: (one: String, several: String) {
        switch self {
        case .site: ("site", "sites")
        case .workCenter: ("work_center", "work_centers")
        }
    }

    /// Calls `body` for each place of the caller until it returns true; whether it did.
    func contains(of principal: Principal, where body: (String) -> Bool) -> Bool {
        guard case .bearer = principal.authentication else { return false }
        let names = names
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
}
