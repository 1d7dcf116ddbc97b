import Bytes
import Identity
import JSON
import Logging
import Reactor
import Store
import Synchronization

/// The built-in token service: client credentials for service accounts, and nothing else. (RFC 6749 §4.4)
///
/// It keeps accounts and signing keys in the identity store and publishes its own keys to `IdentityDesk` as one more
/// issuer. What a request must prove is decided in `TokenService+Clients`; here are keys, tokens and metadata.
package final class TokenService: Sendable {
    struct State {
        var accounts: [String: ServiceAccount]
        var ring: SigningKeyRing
        /// Failures by client and address, and by address.
        var byClient = AttemptGuard(freeTries: 5)
        var byAddress = AttemptGuard(freeTries: 50)
        /// Secrets being hashed now.
        var hashing = 0
        var counts = [Int](repeating: 0, count: TokenService.results.count)
    }

    /// What is counted in `token_service{result}`.
    static let results = ["issued", "refused", "limited", "revoked"]
    /// Secrets hashed at once: each takes a core and 32 MiB for a while. More get 503.
    static let hashingMax = 4
    /// Most accounts.
    package static let accountsMax = 10_000

    let configuration: TokenServiceConfiguration
    let environment: String
    let desk: IdentityDesk
    let store: IdentityStore
    let log: Logger
    /// Writes an audit entry of the kind `admin`.
    let note: @Sendable (String) async -> Void
    let state: Mutex<State>

    init(
        _ configuration: TokenServiceConfiguration, environment: String, leeway: Nanoseconds, desk: IdentityDesk,
        log: Logger, note: @escaping @Sendable (String) async -> Void
    ) throws(KeyError) {
        self.configuration = configuration
        self.environment = environment
        self.desk = desk
        store = desk.store
        self.log = log
        self.note = note
        var entries: [SigningKeyRing.Entry] = []
        for key in store.contents.keys {
            entries.append(
                SigningKeyRing.Entry(
                    key: try SigningKey.read(privatePEM: key.pem, algorithm: .es256).named(key.keyID),
                    publishedAt: key.publishedAt, signsFrom: key.signsFrom))
        }
        state = Mutex(
            State(
                accounts: Dictionary(store.contents.accounts.map { ($0.id, $0) }) { $1 },
                ring: SigningKeyRing(
                    entries, rotation: configuration.keyRotation, tokenLife: configuration.tokenLife + leeway)))
    }

    // MARK: Keys

    /// Makes the first key, or publishes the next, and keeps at it.
    func begin(on home: ReactorHandle) async throws(StoreError) {
        try await turnKeys()
        home.spawn { [weak self] in
            while true {
                await home.sleep(.minutes(1))
                guard let self else { return }
                do throws(StoreError) {
                    try await turnKeys()
                } catch {
                    log.error("the token service's keys could not be turned: \(error)")
                }
            }
        }
    }

    private func turnKeys() async throws(StoreError) {
        let now = Clock.wall()
        if let from = state.withLock({ $0.ring.next(now) }) {
            guard let key = try? SigningKey.make(.es256), let pem = key.privatePEM else {
                throw .database(code: 0, message: "no key could be made")
            }
            // On the disk before anything is signed with it.
            try await store.add(
                IdentityStore.StoredSigningKey(keyID: key.keyID, pem: pem, publishedAt: now, signsFrom: from))
            state.withLock { $0.ring.add(SigningKeyRing.Entry(key: key, publishedAt: now, signsFrom: from)) }
            await note("token service: key \(key.keyID) published, signs from \(from.rfc3339)")
        }
        let retired = state.withLock { $0.ring.retire(now) }
        if !retired.isEmpty { try await store.removeKeys(retired) }
        await publish(now)
    }

    /// Gives the desk the issuer that this service is.
    private func publish(_ now: WallInstant) async {
        let published = state.withLock { $0.ring.published(now).map(\.key) }
        let keys = published.compactMap { key -> VerificationKey? in
            guard let pem = key.publicPEM, let read = try? PublicKey.pem(Array(pem.utf8)) else { return nil }
            return try? VerificationKey(id: key.keyID, algorithm: .es256, publicKey: read)
        }
        guard let set = try? KeySet(keys), desk.ownKeyIDs != Set(keys.compactMap(\.id)) else { return }
        let issuer = IssuerConfiguration(
            issuer: configuration.issuer, audiences: [configuration.audience], algorithms: [.es256], keys: set,
            types: [.jwt], environment: environment, requiresEnvironment: true)
        await desk.change { $0.ownIssuer = issuer }
    }

    // MARK: What is published

    /// RFC 8414 §2.
    func metadata() -> JSONObject {
        let issuer = configuration.issuer
        let methods: JSONValue = [
            "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth",
        ]
        let algorithms: JSONValue = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
        return JSONObject([
            ("issuer", .string(issuer)),
            ("token_endpoint", .string(issuer + TokenServiceConfiguration.Path.token.rawValue)),
            ("jwks_uri", .string(issuer + TokenServiceConfiguration.Path.keys.rawValue)),
            ("revocation_endpoint", .string(issuer + TokenServiceConfiguration.Path.revocation.rawValue)),
            ("grant_types_supported", ["client_credentials"]), ("response_types_supported", []),
            ("token_endpoint_auth_methods_supported", methods),
            ("token_endpoint_auth_signing_alg_values_supported", algorithms),
            ("revocation_endpoint_auth_methods_supported", methods),
            ("tls_client_certificate_bound_access_tokens", true),
        ])
    }

    func jwks() -> JSONObject { state.withLock { $0.ring.jwks(Clock.wall()) } }

    // MARK: Tokens

    /// An access token for an account that has proved itself.
    ///
    /// - Parameter thumbprint: of the client certificate that the token shall be bound to.
    func issue(_ account: ServiceAccount, scopes: [String], thumbprint: String?) throws(KeyError) -> (String, String) {
        let now = Clock.wall()
        guard let signer = state.withLock({ $0.ring.signer(now) }), let random = TokenIssuer.makeTokenID() else {
            throw KeyError("there is no key to sign with")
        }
        var claims = JSONObject([
            ("iss", .string(configuration.issuer)), ("sub", .string(account.id)), ("client_id", .string(account.id)),
            ("aud", .string(configuration.audience)), ("iat", JSONValue(Int(now.seconds))),
            ("exp", JSONValue(Int((now + configuration.tokenLife).seconds))), ("jti", .string(random)),
            ("environment", .string(environment)),
        ])
        if !account.roles.isEmpty { claims["roles"] = .array(account.roles.map { .string($0) }) }
        if !scopes.isEmpty { claims["scope"] = .string(scopes.joined(separator: " ")) }
        if let thumbprint { claims["cnf"] = .object(JSONObject([("x5t#S256", .string(thumbprint))])) }
        return (try signer.key.issuer().issue(claims), random)
    }

    func count(_ result: String) {
        guard let place = Self.results.firstIndex(of: result) else { return }
        state.withLock { $0.counts[place] += 1 }
    }

    var counts: [Int] { state.withLock { $0.counts } }
}
