import Bytes
import JSON
import Testing

@testable import Identity

/// What an issuer's own settings ask of its tokens: mapped claims, RFC 9068, bound tokens, the environment.
@Suite struct IssuerProfileTests {
    static func principal(
        _ changes: [String: JSONValue?], type: String = "at+jwt", configure: (inout IssuerConfiguration) -> Void
    ) -> Result<Principal, TokenError> {
        do {
            let verifier = try TestKeys.verifier(.es256, configure: configure)
            let token = try TestKeys.tokenIssuer(.es256).issue(TestKeys.claims(changes), type: type)
            do throws(TokenError) {
                return .success(try verifier.verify(token, now: TestKeys.now))
            } catch {
                return .failure(error)
            }
        } catch {
            Issue.record("\(error)")
            return .failure(.malformed)
        }
    }

    static func error(_ result: Result<Principal, TokenError>) -> TokenError? {
        if case .failure(let error) = result { return error }
        return nil
    }

    @Test func claimsAreReadFromWhereTheIssuerKeepsThem() throws {
        let mapping = try ClaimMapping([
            "roles": "realm_access.roles", "sub": "preferred_username", "client_id": "appid",
            "site": "https://plant.example/site",
        ])
        let principal = try Self.principal([
            "realm_access": .object(JSONObject([("roles", ["operator"])])), "preferred_username": "anna",
            "appid": "mes", "https://plant.example/site": "plant-1", "roles": ["admin"],
        ]) { $0.mapping = mapping }.get()
        #expect(principal.subject == "anna" && principal.clientID == "mes")
        #expect(principal.claims["roles"] == ["operator"])
        #expect(principal.claims["site"] == "plant-1")
    }

    @Test func aMappedClaimThatIsMissingIsNotTakenFromElsewhere() throws {
        let mapping = try ClaimMapping(["roles": "realm_access.roles"])
        let principal = try Self.principal(["roles": ["admin"]]) { $0.mapping = mapping }.get()
        #expect(principal.claims["roles"] == nil)
        let subject = try ClaimMapping(["sub": "preferred_username"])
        #expect(Self.error(Self.principal([:]) { $0.mapping = subject }) == .missingClaim("sub"))
    }

    @Test(arguments: ClaimMapping.protected.sorted())
    func whatDecidesWhetherATokenCountsCannotBeMapped(name: String) {
        #expect(throws: KeyError.self) { try ClaimMapping([name: "other"]) }
    }

    @Test func theProfileForAccessTokensAsksForTypeAndClaims() {
        let profile: (inout IssuerConfiguration) -> Void = {
            $0 = IssuerConfiguration(
                issuer: $0.issuer, audiences: $0.audiences, algorithms: $0.algorithms, keys: $0.keys,
                isAccessTokenProfile: true)
        }
        let full: [String: JSONValue?] = ["client_id": "mes"]
        #expect(Self.error(Self.principal(full, configure: profile)) == nil)
        #expect(Self.error(Self.principal(full, type: "JWT", configure: profile)) == .wrongType)
        for name in ["client_id", "iat", "jti"] {
            var claims = full
            claims[name] = .some(nil)
            #expect(Self.error(Self.principal(claims, configure: profile)) == .missingClaim(name))
        }
    }

    @Test func onlyBoundTokensCountWhereTheIssuerSaysSo() throws {
        let bound = JSONValue.object(JSONObject([("x5t#S256", .string(String(repeating: "A", count: 43)))]))
        #expect(Self.error(Self.principal([:]) { $0.requiresBinding = true }) == .missingClaim("cnf"))
        let principal = try Self.principal(["cnf": bound]) { $0.requiresBinding = true }.get()
        #expect(throws: TokenError.certificateMismatch) { try principal.checkBinding(presented: nil) }
        #expect(throws: TokenError.certificateMismatch) {
            try principal.checkBinding(presented: String(repeating: "B", count: 43))
        }
        try principal.checkBinding(presented: String(repeating: "A", count: 43))
    }

    @Test(
        arguments: [
            ("production", false, nil), ("test", false, .wrongEnvironment), ("Production", false, .wrongEnvironment),
            (nil, false, nil), (nil, true, .missingClaim("environment")), ("production", true, nil),
        ] as [(String?, Bool, TokenError?)])
    func aTokenOfAnotherEnvironmentIsRefused(said: String?, isRequired: Bool, expected: TokenError?) {
        let result = Self.principal(["environment": said.map { .string($0) }]) {
            $0.environment = "production"
            $0.requiresEnvironment = isRequired
        }
        #expect(Self.error(result) == expected)
    }

    @Test func anIssuerWhoseKeysAreNotThereYetIsToldFromOneThatDoesNotKnowTheKey() throws {
        let verifier = try TestKeys.verifier(keys: []) {
            $0.algorithms = [.es256]
            $0.keysAreFetched = true
        }
        let token = try TestKeys.tokenIssuer(.es256).issue(TestKeys.claims())
        #expect(verifier.refusal(of: token) == .keysUnavailable)
        let bytes = Array(token.utf8)
        #expect(verifier.claimedIssuer(bytes.span) == TestKeys.issuer)
        let other = try TestKeys.verifier(.es256, id: "k2")
        #expect(other.refusal(of: token) == .unknownKey)
        let foreign = Array(try TestKeys.tokenIssuer(.es256).issue(TestKeys.claims(["iss": "https://x.example"])).utf8)
        #expect(verifier.claimedIssuer(foreign.span) == nil)
    }
}
