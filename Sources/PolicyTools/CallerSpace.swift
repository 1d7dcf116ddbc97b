import Bytes
import Identity
import JSON
import Policy

/// Callers that policies can tell apart.
///
/// A caller is allowed something when some rule allows it to one of its roles and none forbids it to any. So whatever
/// two policies decide differently for a caller with many roles, they decide differently for one with a single role, or
/// with one that allows and one that forbids: single roles and pairs are all there is to look at.
struct CallerSpace {
    struct Caller {
        /// What makes the caller, in words.
        let name: String
        let principal: Principal
    }

    /// Everything by which a policy may know a caller.
    private enum Mark: Hashable {
        case role(RoleCondition)
        case issuer(String)
    }

    let callers: [Caller]
    private static let somebody = "https://issuer.example"

    /// - Parameters:
    ///   - policies: whose roles and rules are looked at.
    ///   - pairs: callers with two marks too.
    ///   - claims: claims that conditions ask for, each with values at which they may turn.
    init(_ policies: [PolicySet], pairs: Bool, claims: [String: [JSONValue]] = [:]) {
        var marks: [Mark] = []
        func add(_ mark: Mark) { if !marks.contains(mark) { marks.append(mark) } }
        for policy in policies {
            for role in policy.roles { for condition in role.conditions { add(.role(condition)) } }
            for rule in policy.rules {
                for account in rule.principals.accounts { add(.role(account)) }
                for issuer in rule.principals.issuers.sorted() { add(.issuer(issuer)) }
            }
        }
        var callers = [Caller(name: "anybody with a valid token", principal: Self.bearer(JSONObject()))]
        for mark in marks {
            if let principal = Self.principal([mark]) {
                callers.append(Caller(name: Self.name(mark), principal: principal))
            }
        }
        if pairs {
            for (index, first) in marks.enumerated() {
                for second in marks[(index + 1)...] {
                    guard let principal = Self.principal([first, second]) else { continue }
                    callers.append(
                        Caller(name: "\(Self.name(first)) and \(Self.name(second))", principal: principal))
                }
            }
        }
        for (claim, values) in claims.sorted(by: { $0.key < $1.key }) {
            callers = callers.flatMap { caller in
                [caller] + values.compactMap { value in Self.adding(claim, value, to: caller) }
            }
        }
        self.callers = callers
    }

    /// The same caller with a claim more; nil where it has the claim or can have none.
    private static func adding(_ claim: String, _ value: JSONValue, to caller: Caller) -> Caller? {
        let old = caller.principal
        guard case .bearer = old.authentication, old.claims[claim] == nil else { return nil }
        var claims = old.claims
        claims[claim] = value
        return Caller(
            name: "\(caller.name) with \(claim) \(value.text)",
            principal: bearer(claims, issuer: old.issuer, subject: old.subject, client: old.clientID))
    }

    /// The caller, at home at a place; nil for nowhere.
    static func settled(_ caller: Caller, site: String?, workCenter: String? = nil) -> Principal {
        let old = caller.principal
        guard case .bearer = old.authentication else { return old }
        var claims = old.claims
        if let site, claims["site"] == nil { claims["site"] = .string(site) }
        if let workCenter, claims["work_center"] == nil { claims["work_center"] = .string(workCenter) }
        return bearer(claims, issuer: old.issuer, subject: old.subject, client: old.clientID)
    }

    private static func bearer(
        _ claims: JSONObject, issuer: String? = nil, subject: String? = nil, client: String? = nil
    ) -> Principal {
        Principal(
            subject: subject ?? client ?? "somebody", issuer: issuer ?? somebody, clientID: client, claims: claims,
            expires: WallInstant(nanoseconds: .max), authentication: .bearer(keyID: nil, algorithm: .es256))
    }

    /// A caller with all of these marks; nil when nobody can have them all.
    private static func principal(_ marks: [Mark]) -> Principal? {
        var claims = JSONObject()
        var issuer: String?
        var subject: String?
        var client: String?
        func set(_ place: inout String?, _ value: String?) -> Bool {
            guard let value else { return true }
            if let known = place { return known == value }
            place = value
            return true
        }
        for mark in marks {
            switch mark {
            case .issuer(let name): if !set(&issuer, name) { return nil }
            case .role(.claimContains(let claim, let value, let from)):
                if !set(&issuer, from) { return nil }
                switch claims[claim] {
                case nil: claims[claim] = [.string(value)]
                case .array(let values): claims[claim] = .array(values + [.string(value)])
                default: return nil
                }
            case .role(.claimEquals(let claim, let value, let from)):
                if !set(&issuer, from) || claims[claim] != nil { return nil }
                claims[claim] = value == "true" || value == "false" ? .bool(value == "true") : .string(value)
            case .role(.client(let id, let from)): if !set(&client, id) || !set(&issuer, from) { return nil }
            case .role(.subject(let name, let from)): if !set(&subject, name) || !set(&issuer, from) { return nil }
            case .role(.certificate(let thumbprint)):
                return marks.count > 1
                    ? nil
                    : Principal(
                        subject: "CN=somebody", issuer: "CN=authority", expires: WallInstant(nanoseconds: .max),
                        authentication: .clientCertificate(thumbprint: thumbprint), certificateThumbprint: thumbprint)
            case .role(.certificateSubject(let name, let from)):
                return marks.count > 1
                    ? nil
                    : Principal(
                        subject: name, issuer: from ?? "CN=authority", expires: WallInstant(nanoseconds: .max),
                        authentication: .clientCertificate(thumbprint: "unknown"), certificateThumbprint: "unknown")
            }
        }
        return bearer(claims, issuer: issuer, subject: subject, client: client)
    }

    private static func name(_ mark: Mark) -> String {
        switch mark {
        case .issuer(let name): "anybody of \(name)"
        case .role(let condition): condition.words
        }
    }
}

extension RoleCondition {
    /// What it asks of a caller, in words.
    package var words: String {
        func of(_ issuer: String?) -> String { issuer.map { " of \($0)" } ?? "" }
        switch self {
        case .claimContains(let claim, let value, let issuer): return "\(claim) with \(value)\(of(issuer))"
        case .claimEquals(let claim, let value, let issuer): return "\(claim) \(value)\(of(issuer))"
        case .client(let id, let issuer): return "client \(id)\(of(issuer))"
        case .subject(let subject, let issuer): return "subject \(subject)\(of(issuer))"
        case .certificate(let thumbprint): return "certificate \(thumbprint)"
        case .certificateSubject(let subject, let issuer): return "certificate \(subject)\(of(issuer))"
        }
    }
}
