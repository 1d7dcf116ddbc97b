import JSON

/// Where an issuer keeps what Millgate reads under a name of its own: Keycloak's roles are at `realm_access.roles`,
/// Entra's application is `azp` or `appid`. Roles, rules and audit entries then see one name for all issuers.
package struct ClaimMapping: Sendable, Hashable {
    /// Name here → path in the token, names separated by dots; a claim whose name holds dots itself is found first.
    package let paths: [String: String]

    /// Names that decide whether a token counts, and are read as their RFC says, never from elsewhere.
    package static let protected: Set<String> = ["iss", "aud", "exp", "nbf", "iat", "jti", "cnf", "environment"]
    /// Most mapped claims of an issuer.
    package static let countMax = 32

    /// Every claim under its own name.
    package static let none = ClaimMapping()

    private init() { paths = [:] }

    package init(_ paths: [String: String]) throws(KeyError) {
        for (name, path) in paths {
            if Self.protected.contains(name) { throw KeyError("the claim '\(name)' cannot be mapped") }
            if name.isEmpty || path.isEmpty { throw KeyError("a mapped claim needs a name and a path") }
        }
        if paths.count > Self.countMax { throw KeyError("more than \(Self.countMax) mapped claims") }
        self.paths = paths
    }

    /// The claims with those that are mapped under their names here. A path that leads nowhere takes the name away: a
    /// claim that somebody else can fill must not stand in for the one that was meant.
    func apply(to claims: JSONObject) -> JSONObject {
        guard !paths.isEmpty else { return claims }
        var mapped = claims
        for (name, path) in paths { mapped[name] = Self.value(at: path, in: claims) }
        return mapped
    }

    private static func value(at path: String, in claims: JSONObject) -> JSONValue? {
        if let direct = claims[path] { return direct }
        var found = JSONValue.object(claims)
        for name in path.split(separator: ".", omittingEmptySubsequences: false) {
            guard let next = found[String(name)] else { return nil }
            found = next
        }
        return found
    }
}
