import Bytes
import Identity
import JSON
import Reactor
import Store

/// A request to the token or the revocation endpoint.
struct TokenServiceRequest: Sendable {
    var path: TokenServiceConfiguration.Path
    var form: FormParameters
    /// `Authorization`, as it came.
    var authorization: String?
    /// `x5t#S256` of the connection's verified client certificate.
    var thumbprint: String?
    var address: String
}

/// An answer of the token service. (RFC 6749 §5)
struct TokenServiceAnswer: Sendable {
    var status: Int
    var body: JSONObject
    var fields: [(String, String)] = []

    static func failure(_ status: Int, _ error: String, _ description: String) -> TokenServiceAnswer {
        TokenServiceAnswer(
            status: status, body: JSONObject([("error", .string(error)), ("error_description", .string(description))]))
    }

    static let invalidClient = failure(401, "invalid_client", "the client could not be authenticated")
}

extension TokenService {
    func answer(_ request: TokenServiceRequest) async -> TokenServiceAnswer {
        switch request.path {
        case .token:
            // RFC 6749 §4.4.2.
            guard let grant = request.form["grant_type"] else {
                return .failure(400, "invalid_request", "grant_type is missing")
            }
            guard grant == "client_credentials" else {
                return .failure(400, "unsupported_grant_type", "only client_credentials")
            }
        case .revocation:
            guard request.form["token"] != nil else { return .failure(400, "invalid_request", "token is missing") }
        case .keys, .metadata: return .failure(400, "invalid_request", "this is read with GET")
        }
        let account: ServiceAccount
        switch await authenticate(request) {
        case .failure(let refusal): return refusal.answer
        case .success(let proved): account = proved
        }
        return request.path == .token ? await issue(request, account) : await revoke(request, account)
    }

    // MARK: The client's proof

    private enum Proof {
        case secret(client: String, secret: String)
        case assertion(client: String, token: String)
        case certificate(client: String, thumbprint: String)

        var client: String {
            switch self {
            case .secret(let client, _), .assertion(let client, _), .certificate(let client, _): client
            }
        }
    }

    /// The one way that the request uses; nil for none, for several, and for one that cannot be read. (RFC 6749 §2.3)
    private func proof(_ request: TokenServiceRequest) -> Proof? {
        let form = request.form
        var found: [Proof] = []
        if let field = request.authorization {
            guard field.lowercased().hasPrefix("basic "), let decoded = Self.base64(field.dropFirst(6)),
                let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
                let id = FormParameters.decode(decoded[..<colon]),
                let secret = FormParameters.decode(decoded[(colon + 1)...])
            else { return nil }
            found.append(.secret(client: id, secret: secret))
        }
        if let secret = form["client_secret"] {
            guard let id = form["client_id"] else { return nil }
            found.append(.secret(client: id, secret: secret))
        }
        if let token = form["client_assertion"] {
            guard form["client_assertion_type"] == ClientAssertion.type,
                let id = ClientAssertion.claimedClient(token), form["client_id"] == nil || form["client_id"] == id
            else { return nil }
            found.append(.assertion(client: id, token: token))
        }
        if found.isEmpty, let id = form["client_id"], let thumbprint = request.thumbprint {
            found.append(.certificate(client: id, thumbprint: thumbprint))
        }
        return found.count == 1 ? found[0] : nil
    }

    /// Base64 with the letters of RFC 4648 §4, which `Basic` uses. (RFC 7617 §2)
    private static func base64(_ text: Substring) -> [UInt8]? {
        guard text.utf8.count <= 2_048, !text.contains("-"), !text.contains("_") else { return nil }
        var plain = text.replacing("+", with: "-").replacing("/", with: "_")
        while plain.hasSuffix("=") { plain.removeLast() }
        return Base64URL.decode(String(plain))
    }

    private func authenticate(_ request: TokenServiceRequest) async -> Result<ServiceAccount, TokenServiceRefusal> {
        let address = "a|" + request.address
        let proof = proof(request)
        let name = "c|\(proof?.client.prefix(128) ?? "")|\(request.address)"
        let now = Clock.monotonic()
        let wait = state.withLock { state in
            [state.byClient.wait(name, now: now), state.byAddress.wait(address, now: now)].compactMap(\.self).max()
        }
        if let wait {
            count("limited")
            var answer = TokenServiceAnswer.failure(429, "temporarily_unavailable", "too many failed tries")
            answer.fields = [("Retry-After", String((wait + 999_999_999) / 1_000_000_000))]
            return .failure(TokenServiceRefusal(answer))
        }
        guard let proof else {
            fail(name, address)
            return .failure(TokenServiceRefusal(.invalidClient))
        }
        let account = state.withLock { $0.accounts[proof.client] }
        let proved: Bool
        switch proof {
        case .secret(_, let secret):
            var hashes: [String] = []
            if case .secret(let kept) = account?.credential { hashes = kept }
            // An unknown account costs as much as a known one.
            guard let outcome = await check(secret, against: hashes.isEmpty ? [""] : hashes) else {
                var answer = TokenServiceAnswer.failure(503, "temporarily_unavailable", "try again")
                answer.fields = [("Retry-After", "1")]
                return .failure(TokenServiceRefusal(answer))
            }
            proved = outcome
        case .assertion(let client, let token):
            if case .keys(let jwks) = account?.credential {
                proved = await isGood(token, client: client, jwks: jwks)
            } else {
                proved = false
            }
        case .certificate(_, let thumbprint):
            if case .certificate(let known) = account?.credential {
                proved = known == thumbprint
            } else {
                proved = false
            }
        }
        // Disabled and expired accounts look like unknown ones.
        guard proved, let account, account.isActive(Clock.wall()), account.environment == environment else {
            fail(name, address)
            var answer = TokenServiceAnswer.invalidClient
            if request.authorization != nil { answer.fields = [("WWW-Authenticate", "Basic realm=\"token\"")] }
            return .failure(TokenServiceRefusal(answer))
        }
        state.withLock { $0.byClient.succeeded(name) }
        return .success(account)
    }

    private func fail(_ name: String, _ address: String) {
        let now = Clock.monotonic()
        state.withLock { state in
            state.byClient.failed(name, now: now)
            state.byAddress.failed(address, now: now)
        }
        count("refused")
    }

    /// Hashes on a thread of its own, off the loop; nil when too many are at it.
    private func check(_ secret: String, against hashes: [String]) async -> Bool? {
        let isFree = state.withLock { state in
            guard state.hashing < Self.hashingMax else { return false }
            state.hashing += 1
            return true
        }
        guard isFree else { return nil }
        let outcome: Bool? = await withCheckedContinuation { continuation in
            do throws(ReactorError) {
                try ThreadCalls.start(name: "scrypt") {
                    // All of them, so that the time does not say which was right.
                    let results = hashes.map { SecretHash.verify(secret, against: $0) }
                    continuation.resume(returning: results.contains(true))
                }
            } catch {
                continuation.resume(returning: nil)
            }
        }
        state.withLock { $0.hashing -= 1 }
        return outcome
    }

    /// An assertion is good once, over restarts too.
    private func isGood(_ token: String, client: String, jwks: String) async -> Bool {
        let now = Clock.wall()
        let endpoint = configuration.issuer + TokenServiceConfiguration.Path.token.rawValue
        guard
            let assertion = try? ClientAssertion(
                token, client: client, jwks: jwks, audiences: [configuration.issuer, endpoint], now: now)
        else { return false }
        do throws(StoreError) {
            return try await store.useAssertion(
                client: client, id: assertion.id, expires: assertion.expires, now: now)
        } catch {
            log.error("an assertion's id could not be stored: \(error)")
            return false
        }
    }

    // MARK: Issuing and revoking

    private func issue(_ request: TokenServiceRequest, _ account: ServiceAccount) async -> TokenServiceAnswer {
        let asked = request.form["scope"]?.split(separator: " ").map(String.init) ?? account.scopes
        guard asked.allSatisfy(account.scopes.contains) else {
            return .failure(400, "invalid_scope", "a scope that this client does not have")
        }
        // A token for who came with a certificate is bound to it (RFC 8705 §3).
        let issued: (token: String, id: String)
        do throws(KeyError) {
            issued = try issue(account, scopes: asked, thumbprint: request.thumbprint)
        } catch {
            log.error("token service: \(error)")
            return .failure(503, "temporarily_unavailable", "no token can be signed now")
        }
        count("issued")
        let now = Clock.wall()
        await note("token issued to \(account.id) by \(account.credential.method), jti \(issued.id)")
        try? await store.used(account.id, at: now)
        state.withLock { $0.accounts[account.id] = $0.accounts[account.id]?.with { $0.lastUsed = now } }
        var body = JSONObject([
            ("access_token", .string(issued.token)), ("token_type", "Bearer"),
            ("expires_in", JSONValue(Int(configuration.tokenLife / 1_000_000_000))),
        ])
        if !asked.isEmpty { body["scope"] = .string(asked.joined(separator: " ")) }
        return TokenServiceAnswer(status: 200, body: body)
    }

    /// RFC 7009: a client calls its own token back. A token that is not good, or somebody else's, is answered alike.
    private func revoke(_ request: TokenServiceRequest, _ account: ServiceAccount) async -> TokenServiceAnswer {
        let now = Clock.wall()
        guard let token = request.form["token"],
            let principal = try? desk.current.verifier.verify(token, now: now),
            principal.issuer == configuration.issuer, principal.clientID == account.id, let id = principal.tokenID,
            let entry = try? Revocation(
                kind: .token, issuer: principal.issuer, value: id,
                expires: principal.expires + IssuerConfiguration.leewayMax, createdAt: now, createdBy: account.id,
                reason: "by its client (RFC 7009)")
        else { return TokenServiceAnswer(status: 200, body: JSONObject()) }
        do throws(RevocationRefused) {
            try await desk.add(entry)
        } catch {
            return .failure(503, "temporarily_unavailable", "not revoked; try again")
        }
        count("revoked")
        await note("revocation added: \(entry.key) by \(account.id): \(entry.reason)")
        return TokenServiceAnswer(status: 200, body: JSONObject())
    }
}

/// An answer that refuses, as an error.
struct TokenServiceRefusal: Error {
    let answer: TokenServiceAnswer
    init(_ answer: TokenServiceAnswer) { self.answer = answer }
}
