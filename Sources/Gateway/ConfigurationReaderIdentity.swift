import Bytes
import Documents
import Identity

/// What an issuer's tokens keep to.
enum TokenProfile: String, CaseIterable {
    /// RFC 7519.
    case jwt
    /// RFC 9068: JWT profile for OAuth 2.0 access tokens.
    case accessToken = "rfc9068"
}

extension ConfigurationReader {
    mutating func readIdentity(_ map: DocumentMapping) {
        let takesCertificates = result.listeners.contains { $0.tls.map { $0.clientCertificates != .off } ?? false }
        var mark = map.mark
        section(map, "identity") { identity in
            mark = identity.mark
            result.identity.realm = realm(identity) ?? result.identity.realm
            result.identity.leeway = identity.duration(
                "leeway", in: 0...IssuerConfiguration.leewayMax, default: result.identity.leeway)
            result.identity.cachedTokensMax = identity.int(
                "cached_tokens", in: 1...1_048_576, default: result.identity.cachedTokensMax)
            result.identity.environment = identity.string("environment")
            var lines: [String: Int] = [:]
            result.identity.issuers = identity.list("issuers") { value in
                value.mapping { entry -> IdentityConfiguration.Issuer? in issuer(entry, lines: &lines) }
            }
            if identity.optional("issuers") == nil, !takesCertificates, map.optional("token_service") == nil {
                identity.report(
                    "nobody could prove who they are: give 'issuers', or a listener that takes client certificates")
            }
        }
        if map.optional("identity") == nil, !takesCertificates {
            reader.report(
                "nobody could prove who they are: give 'identity' with 'issuers'", at: mark)
        }
    }

    private func realm(_ map: DocumentMapping) -> String? {
        guard let value = map.optional("realm"), let text = value.string() else { return nil }
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) { return text }
        value.report("a realm is printable ASCII without quotes and backslashes")
        return nil
    }

    private func issuer(_ map: DocumentMapping, lines: inout [String: Int]) -> IdentityConfiguration.Issuer {
        let name = map.requiredString("issuer")
        if let value = map.optional("issuer"), !name.isEmpty {
            if let line = lines[name] {
                value.report("a second issuer '\(Suggestion.shortened(name))', first on line \(line)")
            } else {
                lines[name] = value.mark.line
            }
        }
        _ = (map.required("audiences"), map.required("algorithms"))
        let audiences = map.list("audiences", minCount: 1) { $0.string() }
        let known = SignatureAlgorithm.allCases.map(\.rawValue)
        let algorithms = map.list("algorithms", minCount: 1) { value -> String? in
            if value.node.scalar?.lowercased() == "none" {
                value.report("unsigned tokens are never accepted")
                return nil
            }
            return value.choice(known, what: "algorithm")
        }
        let publication = publication(map, issuer: name)
        let keys = publication == .files ? map.list("keys", minCount: 1) { keyFile($0) } : []
        var issuer = IdentityConfiguration.Issuer(
            issuer: name, audiences: audiences, algorithms: algorithms, keys: keys)
        issuer.requiredClaims = map.strings("required_claims")
        issuer.requiredScopes = map.strings("required_scopes")
        issuer.types = map.list("types") { $0.choice(TokenType.self, what: "token type")?.rawValue }
        issuer.publication = publication
        issuer.refresh = map.duration("refresh", in: .seconds(1)...Nanoseconds.hours(24), default: issuer.refresh)
        issuer.unknownKeyPause = map.duration(
            "unknown_key_pause", in: .seconds(1)...Nanoseconds.hours(1), default: issuer.unknownKeyPause)
        issuer.stale = map.duration("stale", in: .minutes(1)...Nanoseconds.hours(24 * 30), default: issuer.stale)
        issuer.authoritiesFile = map.string("authorities")
        issuer.proxy = map.string("proxy")
        issuer.isAccessTokenProfile = map.choice("profile", default: TokenProfile.jwt) == .accessToken
        issuer.requiresBinding = map.bool("certificate_bound", default: false)
        issuer.requiresEnvironment = map.bool("environment_required", default: false)
        if issuer.requiresEnvironment, result.identity.environment == nil {
            map.report("'environment_required' needs 'identity.environment'")
        }
        map.mapping("claims") { claims in
            for key in claims.keys { issuer.claims[key] = claims.requiredString(key) }
            do throws(KeyError) {
                _ = try ClaimMapping(issuer.claims)
            } catch {
                claims.report(error.message)
            }
        }
        return issuer
    }

    /// One of `keys`, `jwks_url`, `discovery: true` and `metadata_url`.
    private func publication(
        _ map: DocumentMapping, issuer: String
    ) -> IdentityConfiguration.Issuer.Publication {
        typealias Publication = IdentityConfiguration.Issuer.Publication
        var given: [(name: String, publication: Publication)] = []
        if map.optional("keys") != nil { given.append(("keys", .files)) }
        for (name, make) in [("jwks_url", Publication.keys), ("metadata_url", Publication.metadata)] {
            guard let value = map.optional(name), let url = value.string() else { continue }
            if let fault = IssuerURL.fault(url, allowsLoopback: true) { value.report(fault) }
            given.append((name, make(url)))
        }
        if let value = map.optional("discovery"), value.bool() == true {
            if let fault = IssuerURL.fault(issuer, allowsLoopback: true) {
                value.report("'discovery' needs an issuer that is a URL: \(fault)")
            }
            given.append(("discovery", .discovery))
        }
        guard given.count == 1 else {
            let names = given.map { "'\($0.name)'" }.joined(separator: " and ")
            map.report(
                "an issuer has either 'keys', 'jwks_url', 'discovery: true' or 'metadata_url'"
                    + (given.isEmpty ? "" : "; here are \(names)"))
            return given.first?.publication ?? .files
        }
        return given[0].publication
    }

    /// A path, or `{file:, format:, algorithm:, kid:}` where the file does not say it all.
    private func keyFile(_ value: DocumentValue) -> KeySetSource? {
        if case .mapping = value.node.content {
            return value.mapping { map -> KeySetSource? in
                let file = map.requiredString("file")
                let format = map.optional("format")?.choice(KeySetSource.Format.self, what: "key format")
                let algorithm = map.optional("algorithm")?.choice(SignatureAlgorithm.self, what: "algorithm")
                return source(file, format, algorithm, map.string("kid"), at: value)
            }
        }
        guard let file = value.string() else { return nil }
        return source(file, nil, nil, nil, at: value)
    }

    private func source(
        _ file: String, _ format: KeySetSource.Format?, _ algorithm: SignatureAlgorithm?, _ keyID: String?,
        at value: DocumentValue
    ) -> KeySetSource? {
        if file.isEmpty { return nil }
        do throws(KeyError) {
            let source = try KeySetSource(file: file, format: format, algorithm: algorithm, keyID: keyID)
            if source.format == .secret, algorithm?.family != .secret {
                value.report("a secret needs its algorithm: {file: …, algorithm: HS256}")
            }
            return source
        } catch {
            value.report(error.message + ", or give its 'format'")
            return nil
        }
    }
}
