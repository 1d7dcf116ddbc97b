import Bytes
import JSON

/// Members of an entry that stay the same over many requests, escaped once and copied from then on: `"a":1,"b":2`
/// without a comma at either end. Empty when there is nothing to say.
public struct AuditFragment: Sendable, Equatable {
    public private(set) var bytes: [UInt8] = []

    public static let empty = AuditFragment()

    public init() {}

    package mutating func add(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        begin(name)
        JSONText.appendString(value, to: &bytes)
    }

    package mutating func add(_ name: StaticString, _ values: [String]) {
        if values.isEmpty { return }
        begin(name)
        bytes.append(UInt8(ascii: "["))
        for (i, value) in values.enumerated() {
            if i > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.appendString(value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    package mutating func add(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        begin(name)
        bytes.append(decimal: value)
    }

    package mutating func add(_ name: StaticString, _ value: JSONValue?) {
        guard let value else { return }
        begin(name)
        value.append(to: &bytes)
    }

    private mutating func begin(_ name: StaticString) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        JSONText.appendName(name, to: &bytes)
    }
}

/// Who calls. Cached with the verified token; `fragment` is made once.
package struct AuditCaller: Sendable, Equatable {
    package var subject: String
    package var issuer: String
    /// `jti`, or the certificate's serial number. Never the token.
    package var tokenID: String?
    /// The application that calls for the subject.
    package var clientID: String?
    /// `x5t#S256` of the client certificate.
    package var certificate: String?
    package var roles: [String]
    /// What of the token the policy looks at, so that the decision can be made again.
    package var claims: JSONObject?

    package init(
        subject: String, issuer: String, tokenID: String? = nil, clientID: String? = nil, certificate: String? = nil,
        roles: [String] = [], claims: JSONObject? = nil
    ) {
        self.claims = claims
        self.subject = subject
        self.issuer = issuer
        self.tokenID = tokenID
        self.clientID = clientID
        self.certificate = certificate
        self.roles = roles
    }

    package var fragment: AuditFragment {
        var out = AuditFragment()
        out.add("subject", subject)
        out.add("issuer", issuer)
        out.add("token_id", tokenID)
        out.add("client_id", clientID)
        out.add("certificate", certificate)
        out.add("roles", roles)
        out.add("claims", claims.map { JSONValue.object($0) })
        return out
    }
}

/// From where. Cached with the connection.
package struct AuditOrigin: Sendable, Equatable {
    /// The client's address as the gateway believes it, without port.
    package var address: String
    /// Name of the listener that accepted the connection.
    package var listener: String
    /// The connection has a verified client certificate.
    package var hasCertificate: Bool

    /// `HTTP/1` or `HTTP/2`.
    package var `protocol`: String

    package init(address: String, listener: String, protocol: String, hasCertificate: Bool = false) {
        self.address = address
        self.listener = listener
        self.protocol = `protocol`
        self.hasCertificate = hasCertificate
    }

    package var fragment: AuditFragment {
        var out = AuditFragment()
        out.add("address", address)
        out.add("listener", listener)
        out.add("protocol", `protocol`)
        if hasCertificate { out.add("mtls", JSONValue.bool(true)) }
        return out
    }
}

/// What was asked for and what was decided. One per route, effect, rule and policy: cached with the policy snapshot.
package struct AuditDecision: Sendable, Equatable {
    package enum Effect: String, Sendable { case allow, forbid }

    /// Name of the operation as policies know it, `production-order.release`.
    package var operation: String
    /// Name or pattern of the route that matched.
    package var route: String?
    package var effect: Effect
    /// The rule that decided; nil when no rule matched and the default forbade.
    package var rule: String?
    /// Digest of the policy files in force.
    package var policy: String?
    /// What the request lacked to be allowed, or which clauses of the rule's condition did not hold.
    package var unmet: [String] = []
    /// What a rule in observe mode would have done, and its id.
    package var observed: Effect?
    package var observedRule: String?

    package init(operation: String, route: String? = nil, effect: Effect, rule: String? = nil, policy: String? = nil) {
        self.operation = operation
        self.route = route
        self.effect = effect
        self.rule = rule
        self.policy = policy
    }

    package var fragment: AuditFragment {
        var out = AuditFragment()
        out.add("operation", operation)
        out.add("route", route)
        out.add("effect", effect.rawValue)
        out.add("rule", rule)
        out.add("policy", policy)
        out.add("unmet", unmet)
        out.add("observed", observed?.rawValue)
        out.add("observed_rule", observedRule)
        return out
    }
}
