import Bytes
import Documents
import Identity

/// The built-in token service: for plants without an identity provider. Off unless the section is there.
package struct TokenServiceConfiguration: Sendable, Equatable {
    /// `iss` of its tokens, and where its metadata is found: an `https` URL without a path.
    package var issuer: String
    /// `aud` of its tokens. Default `millgate`.
    package var audience = "millgate"
    /// How long a token is good. Default 10 min, at most 15.
    package var tokenLife: Nanoseconds = .minutes(10)
    /// How long a key signs. Default 30 days.
    package var keyRotation: Nanoseconds = .hours(30 * 24)

    package static let tokenLifeMax: Nanoseconds = .minutes(15)

    package init(issuer: String) { self.issuer = issuer }

    /// The paths it answers at.
    package enum Path: String, CaseIterable, Sendable {
        case token = "/oauth2/token"
        case revocation = "/oauth2/revoke"
        case keys = "/oauth2/jwks"
        case metadata = "/.well-known/oauth-authorization-server"
    }
}

extension ConfigurationReader {
    mutating func readTokenService(_ map: DocumentMapping) {
        section(map, "token_service") { service in
            let issuer = service.requiredString("issuer")
            var read = TokenServiceConfiguration(issuer: issuer)
            read.audience = service.string("audience", default: read.audience)
            read.tokenLife = service.duration(
                "token_life", in: .seconds(30)...TokenServiceConfiguration.tokenLifeMax, default: read.tokenLife)
            read.keyRotation = service.duration(
                "key_rotation", in: .hours(2)...Nanoseconds.hours(365 * 24), default: read.keyRotation)
            if let value = service.optional("issuer") {
                if let fault = IssuerURL.fault(issuer, allowsLoopback: true) { value.report(fault) }
                if issuer.split(separator: "/", omittingEmptySubsequences: false).count != 3 {
                    value.report("the token service's issuer is a URL without a path and without a '/' at its end")
                }
                if result.identity.issuers.contains(where: { $0.issuer == issuer }) {
                    value.report("this issuer is under 'identity.issuers' already")
                }
            }
            if result.identity.environment == nil {
                service.report("the token service needs 'identity.environment': its tokens are for that one only")
            }
            result.tokenService = read
        }
    }
}
