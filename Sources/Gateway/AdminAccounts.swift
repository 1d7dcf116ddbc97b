import Bytes
import Contracts
import Identity
import JSON
import Reactor
import Store

/// `/identity/accounts` of the admin interface: the token service's accounts. Every change is audited before it is
/// answered; a secret is shown once, in the answer that made it.
struct AdminAccounts: AdminResource {
    let service: TokenService
    let note: @Sendable (String) async -> Void

    func answer(_ request: AdminRequest) async -> AdminResponse? {
        switch (request.path, request.method) {
        case ("/identity/accounts", "GET"):
            let accounts = service.state.withLock { $0.accounts.values.sorted { $0.id < $1.id } }
            return AdminResponse(
                200, .object(JSONObject([("accounts", .array(accounts.map { .object(Self.json($0)) }))])))
        case ("/identity/accounts", "POST"): return await change(request, "added") { await add($0, $1) }
        case ("/identity/accounts/rotate", "POST"): return await change(request, "rotated") { await rotate($0, $1) }
        case ("/identity/accounts/disable", "POST"): return await change(request, "disabled") { able($0, $1, false) }
        case ("/identity/accounts/enable", "POST"): return await change(request, "enabled") { able($0, $1, true) }
        default:
            return request.path.hasPrefix("/identity/accounts")
                ? .problem(.methodNotAllowed, "accounts are listed by GET and changed by POST") : nil
        }
    }

    private struct Change {
        var account: ServiceAccount
        var secret: String?
    }

    private enum Outcome {
        case change(Change)
        case refused(AdminResponse)
    }

    /// Reads the body, makes the change, stores it, and takes over and audits what is stored.
    private func change(
        _ request: AdminRequest, _ verb: String, _ make: (JSONObject, String) async -> Outcome
    ) async -> AdminResponse {
        guard let object = request.object, let id = object["id"]?.string else {
            return .problem(.malformedRequest, "the body is a JSON object with the account's 'id'")
        }
        let made: Change
        switch await make(object, id) {
        case .refused(let response): return response
        case .change(let change): made = change
        }
        do throws(StoreError) {
            try await service.store.put(made.account)
        } catch {
            return .problem(.unavailable, "not stored: \(error)")
        }
        service.state.withLock { $0.accounts[id] = made.account }
        let by = object["by"]?.string ?? "unknown"
        if made.account.isDisabled { await callBack(id, by) }
        await note("account \(id) \(verb) by \(by.prefix(128)): \(made.account.credential.method)")
        var json = Self.json(made.account)
        if let secret = made.secret { json["secret"] = .string(secret) }
        return AdminResponse(200, .object(json))
    }

    /// The tokens that a disabled account has already are worth nothing at once.
    private func callBack(_ id: String, _ by: String) async {
        let now = Clock.wall()
        guard
            let entry = try? Revocation(
                kind: .client, issuer: service.configuration.issuer, value: id, issuedBefore: now + .seconds(1),
                expires: now + TokenServiceConfiguration.tokenLifeMax + IssuerConfiguration.leewayMax, createdAt: now,
                createdBy: String(by.prefix(128)), reason: "account disabled")
        else { return }
        try? await service.desk.add(entry)
    }

    // MARK: The changes

    private func add(_ object: JSONObject, _ id: String) async -> Outcome {
        let roles = Self.texts(object["roles"])
        let scopes = Self.texts(object["scopes"])
        guard let roles, let scopes else {
            return .refused(.problem(.malformedRequest, "'roles' and 'scopes' are lists of texts"))
        }
        if let fault = ServiceAccount.fault(id: id, roles: roles, scopes: scopes) {
            return .refused(.problem(.malformedRequest, fault))
        }
        let (exists, isFull) = service.state.withLock {
            ($0.accounts[id] != nil, $0.accounts.count >= TokenService.accountsMax)
        }
        if exists { return .refused(.problem(.conflictState, "there is an account '\(id)' already")) }
        if isFull { return .refused(.problem(.unavailable, "no more than \(TokenService.accountsMax) accounts")) }
        var expires: WallInstant?
        if let text = object["expires"]?.string {
            guard let time = WallInstant(rfc3339: text) else {
                return .refused(.problem(.malformedRequest, "'expires' is a time as in RFC 3339"))
            }
            expires = time
        }
        switch await credential(object, replacing: nil) {
        case .failure(let refused): return .refused(refused.response)
        case .success(let (credential, secret)):
            let account = ServiceAccount(
                id: id, credential: credential, environment: service.environment, roles: roles, scopes: scopes,
                createdAt: Clock.wall(), expires: expires)
            return .change(Change(account: account, secret: secret))
        }
    }

    private func rotate(_ object: JSONObject, _ id: String) async -> Outcome {
        guard let account = service.state.withLock({ $0.accounts[id] }) else { return .refused(Self.unknown(id)) }
        switch await credential(object, replacing: account.credential) {
        case .failure(let refused): return .refused(refused.response)
        case .success(let (credential, secret)):
            return .change(Change(account: account.with { $0.credential = credential }, secret: secret))
        }
    }

    private func able(_ object: JSONObject, _ id: String, _ isEnabled: Bool) -> Outcome {
        guard let account = service.state.withLock({ $0.accounts[id] }) else { return .refused(Self.unknown(id)) }
        return .change(Change(account: account.with { $0.isDisabled = !isEnabled }))
    }

    private static func unknown(_ id: String) -> AdminResponse { .problem(.notFound, "there is no account '\(id)'") }

    /// A credential from `jwks`, `certificate_thumbprint` or, without these, a new secret. With a rotation the old
    /// secret stays good beside the new one, unless `drop_old` is said.
    private func credential(
        _ object: JSONObject, replacing old: ServiceAccount.Credential?
    ) async -> Result<(ServiceAccount.Credential, String?), Refused> {
        if let jwks = object["jwks"] {
            do throws(KeyError) {
                let set = try KeySet.parsePublished(jwks.bytes)
                guard set.keys.count == jwks["keys"]?.array?.count else {
                    throw KeyError("a key cannot be used: \(set.ignored.joined(separator: "; "))")
                }
            } catch {
                return .failure(Refused("'jwks': \(error.message)"))
            }
            return .success((.keys(jwks: jwks.text), nil))
        }
        if let thumbprint = object["certificate_thumbprint"]?.string {
            guard Base64URL.decode(thumbprint)?.count == 32 else {
                return .failure(Refused("'certificate_thumbprint' is the certificate's SHA-256 in base64url"))
            }
            return .success((.certificate(thumbprint: thumbprint), nil))
        }
        switch old {
        case .keys: return .failure(Refused("give the new 'jwks'"))
        case .certificate: return .failure(Refused("give the new 'certificate_thumbprint'"))
        case .secret, nil: break
        }
        guard let secret = try? SecretHash.makeSecret(), let hash = await Self.hash(secret) else {
            return .failure(Refused("no secret could be made"))
        }
        var hashes = [hash]
        if case .secret(let kept) = old, object["drop_old"]?.bool != true { hashes += kept.prefix(1) }
        return .success((.secret(hashes), secret))
    }

    /// Off the loop: it is slow on purpose.
    private static func hash(_ secret: String) async -> String? {
        await withCheckedContinuation { continuation in
            do throws(ReactorError) {
                try ThreadCalls.start(name: "scrypt") { continuation.resume(returning: try? SecretHash.make(secret)) }
            } catch {
                continuation.resume(returning: nil)
            }
        }
    }

    private struct Refused: Error {
        let response: AdminResponse
        init(_ detail: String) { response = .problem(.malformedRequest, detail) }
    }

    private static func texts(_ value: JSONValue?) -> [String]? {
        guard let value else { return [] }
        guard let list = value.array else { return nil }
        let texts = list.compactMap(\.string)
        return texts.count == list.count ? texts : nil
    }

    static func json(_ account: ServiceAccount) -> JSONObject {
        var object = JSONObject([
            ("id", .string(account.id)), ("method", .string(account.credential.method)),
            ("environment", .string(account.environment)), ("roles", .array(account.roles.map { .string($0) })),
            ("scopes", .array(account.scopes.map { .string($0) })),
            ("created_at", .string(account.createdAt.rfc3339)), ("disabled", .bool(account.isDisabled)),
        ])
        if let time = account.expires { object["expires"] = .string(time.rfc3339) }
        if let time = account.lastUsed { object["last_used"] = .string(time.rfc3339) }
        if case .secret(let hashes) = account.credential { object["secrets"] = JSONValue(hashes.count) }
        return object
    }
}
