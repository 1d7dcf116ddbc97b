import Bytes
import Identity
import JSON

/// A role and who has it.
package struct Role: Sendable {
    package let name: String
    package let description: String
    /// The caller has the role when one of these holds.
    package let conditions: [RoleCondition]
    /// Roles whose holders' rights it has too, by index; those that they inherit are not repeated.
    package var inherits: [Int] = []
    /// For applications: never given by what a token says of a person.
    package var isService = false
    package let place: String

    func isHeld(by principal: Principal) -> Bool {
        for condition in conditions where condition.holds(for: principal) { return true }
        return false
    }

    /// For each role its own bit and those of all that it inherits.
    static func closures(_ roles: [Role]) -> [UInt64] {
        func bits(_ index: Int, _ seen: UInt64) -> UInt64 {
            if seen >> UInt64(index) & 1 == 1 { return seen }
            return roles[index].inherits.reduce(seen | 1 << UInt64(index)) { bits($1, $0) }
        }
        return roles.indices.map { bits($0, 0) }
    }
}

/// What gives a caller a role.
package enum RoleCondition: Sendable, Hashable {
    /// The token's claim is an array with this text in it, or this very text.
    case claimContains(claim: String, value: String, issuer: String?)
    /// The token's claim is this text, number or boolean.
    case claimEquals(claim: String, value: String, issuer: String?)
    /// A service account, by `client_id`; unique within its issuer only.
    case client(id: String, issuer: String)
    /// A service account, by `sub`; unique within its issuer only.
    case subject(String, issuer: String)
    /// A client certificate, by its `x5t#S256`.
    case certificate(thumbprint: String)
    /// A client certificate, by its subject and, when given, its issuer's distinguished name.
    case certificateSubject(String, issuer: String?)

    /// Conditions on tokens never hold for certificates nor the other way round: the two name spaces are filled by
    /// different people.
    func holds(for principal: Principal) -> Bool {
        switch (self, principal.authentication) {
        case (.claimContains(let claim, let value, let issuer), .bearer):
            guard issuer == nil || issuer == principal.issuer else { return false }
            switch principal.claims[claim] {
            case .string(let text): return text == value
            case .array(let elements):
                for case .string(let text) in elements where text == value { return true }
                return false
            default: return false
            }
        case (.claimEquals(let claim, let value, let issuer), .bearer):
            guard issuer == nil || issuer == principal.issuer else { return false }
            switch principal.claims[claim] {
            case .string(let text): return text == value
            case .number(let number): return number.text == value
            case .bool(let flag): return value == (flag ? "true" : "false")
            default: return false
            }
        case (.client(let id, let issuer), .bearer): return principal.clientID == id && principal.issuer == issuer
        case (.subject(let subject, let issuer), .bearer):
            return principal.subject == subject && principal.issuer == issuer
        case (.certificate(let thumbprint), .clientCertificate(let presented)): return presented == thumbprint
        case (.certificateSubject(let subject, let issuer), .clientCertificate):
            return principal.subject == subject && (issuer == nil || issuer == principal.issuer)
        case (.claimContains, _), (.claimEquals, _), (.client, _), (.subject, _), (.certificate, _),
            (.certificateSubject, _):
            return false
        }
    }
}
