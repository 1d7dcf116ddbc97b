import Documents
import Foundation
import Identity

extension SnapshotBuilder {
    /// The verifier of a configuration's issuers as it is before any key was fetched: for commands that only look.
    package static func verifier(_ identity: IdentityConfiguration) throws(DocumentErrors) -> TokenVerifier {
        try verifier(issuers(identity))
    }

    static func verifier(_ plans: [IssuerPlan]) throws(DocumentErrors) -> TokenVerifier {
        do throws(KeyError) {
            return try TokenVerifier(issuers: plans.map(\.configuration))
        } catch {
            throw DocumentErrors([DocumentError(file: "identity", line: 1, column: 1, message: "\(error)")])
        }
    }

    /// The issuers, with the keys that are in files read.
    static func issuers(_ identity: IdentityConfiguration) throws(DocumentErrors) -> [IssuerPlan] {
        var plans: [IssuerPlan] = []
        for issuer in identity.issuers {
            let published = try published(issuer)
            let file = issuer.keys.first?.file ?? issuer.issuer
            do {
                var keys: KeySet?
                for source in issuer.keys {
                    let more = try source.load(try Files.bytes(source.file))
                    keys = try keys?.merging(more) ?? more
                }
                guard let known = try keys ?? (published == nil ? nil : KeySet([])) else { continue }
                let types = Set(issuer.types.compactMap(TokenType.init(rawValue:)))
                plans.append(
                    IssuerPlan(
                        configuration: IssuerConfiguration(
                            issuer: issuer.issuer, audiences: issuer.audiences, algorithms: issuer.signatureAlgorithms,
                            keys: known, leeway: identity.leeway, requiredClaims: issuer.requiredClaims,
                            requiredScopes: issuer.requiredScopes,
                            types: types.isEmpty ? Set(TokenType.allCases) : types,
                            mapping: try ClaimMapping(issuer.claims), isAccessTokenProfile: issuer.isAccessTokenProfile,
                            requiresBinding: issuer.requiresBinding, environment: identity.environment,
                            requiresEnvironment: issuer.requiresEnvironment, keysAreFetched: published != nil),
                        published: published))
            } catch let errors as DocumentErrors {
                throw errors
            } catch {
                throw DocumentErrors([DocumentError(file: file, line: 1, column: 1, message: "\(error)")])
            }
        }
        return plans
    }

    private static func published(_ issuer: IdentityConfiguration.Issuer) throws(DocumentErrors) -> PublishedKeys? {
        let source: KeyRefresh.Source
        switch issuer.publication {
        case .files: return nil
        case .keys(let url): source = .keys(url: url)
        case .discovery: source = .metadata(urls: IssuerURL.metadata(of: issuer.issuer))
        case .metadata(let url): source = .metadata(urls: [url])
        }
        var published = PublishedKeys(source: source)
        published.settings.refreshMax = issuer.refresh
        published.settings.refreshMin = min(published.settings.refreshMin, issuer.refresh)
        published.settings.unknownKeyInterval = issuer.unknownKeyPause
        published.settings.staleMax = issuer.stale
        if let file = issuer.authoritiesFile { published.authorities = try Files.bytes(file) }
        published.proxy = issuer.proxy
        let rsa = issuer.signatureAlgorithms.filter { $0.family == .rsa || $0.family == .rsaPSS }
        published.rsaAlgorithm = rsa.count == 1 ? rsa.first : nil
        return published
    }
}

extension IdentityConfiguration.Issuer {
    var signatureAlgorithms: Set<SignatureAlgorithm> { Set(algorithms.compactMap { SignatureAlgorithm(rawValue: $0) }) }
}
