import Audit
import Bytes
import Contracts
import Identity
import JSON
import Reactor

/// `/identity/revocations` of the admin interface: list, add, remove. Every change is audited before it is answered.
struct AdminRevocations: AdminResource {
    let desk: IdentityDesk
    /// Writes an audit entry of the kind `admin`.
    let note: @Sendable (String) async -> Void

    func answer(_ request: AdminRequest) async -> AdminResponse? {
        guard request.path == "/identity/revocations" else { return nil }
        switch request.method {
        case "GET":
            return AdminResponse(
                200, .object(JSONObject([("revocations", .array(desk.revocations.map { .object(Self.json($0)) }))])))
        case "POST": return await add(request)
        case "DELETE": return await remove(request)
        default: return .problem(.methodNotAllowed, "revocations take GET, POST and DELETE")
        }
    }

    private func add(_ request: AdminRequest) async -> AdminResponse {
        let entry: Revocation
        do throws(KeyError) {
            entry = try Self.entry(request.object, now: Clock.wall())
        } catch {
            return .problem(.malformedRequest, error.message)
        }
        do throws(RevocationRefused) {
            try await desk.add(entry)
        } catch {
            return Self.refused(error)
        }
        await note("revocation added: \(entry.key) by \(entry.createdBy): \(entry.reason)")
        return AdminResponse(201, .object(Self.json(entry)))
    }

    private func remove(_ request: AdminRequest) async -> AdminResponse {
        guard let key = request.object?["key"]?.string else {
            return .problem(.malformedRequest, "give the 'key' of a revocation, as the list shows it")
        }
        do throws(RevocationRefused) {
            guard try await desk.removeRevocation(key: key) else {
                return .problem(.notFound, "there is no revocation with this key")
            }
        } catch {
            return Self.refused(error)
        }
        await note("revocation removed: \(key) by \(request.object?["by"]?.string ?? "unknown")")
        return AdminResponse(200, .object(JSONObject([("removed", .string(key))])))
    }

    private static func refused(_ error: RevocationRefused) -> AdminResponse {
        switch error {
        case .full:
            .problem(.unavailable, "the list holds \(RevocationList.countMax) revocations, which is all it takes")
        case .store(let error): .problem(.unavailable, "not stored: \(error)")
        }
    }

    /// `{kind, value, issuer, issued_before, expires, by, reason}`; times are RFC 3339.
    static func entry(_ object: JSONObject?, now: WallInstant) throws(KeyError) -> Revocation {
        guard let object else { throw KeyError("the body is not a JSON object") }
        guard let kind = object["kind"]?.string.flatMap(Revocation.Kind.init(rawValue:)) else {
            let kinds = Revocation.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw KeyError("'kind' is one of \(kinds)")
        }
        for key in object.keys
        where !["kind", "value", "issuer", "issued_before", "expires", "by", "reason"].contains(key) {
            throw KeyError("'\(key)' is not known here")
        }
        return try Revocation(
            kind: kind, issuer: object["issuer"]?.string, value: object["value"]?.string ?? "",
            issuedBefore: try time(object, "issued_before", now), expires: try time(object, "expires", now),
            createdAt: now, createdBy: object["by"]?.string ?? "unknown", reason: object["reason"]?.string ?? "")
    }

    private static func time(_ object: JSONObject, _ name: String, _ now: WallInstant) throws(KeyError) -> WallInstant?
    {
        guard let value = object[name] else { return nil }
        if value.string == "now" { return now }
        guard let text = value.string, let time = WallInstant(rfc3339: text) else {
            throw KeyError("'\(name)' is a time as in RFC 3339, or now")
        }
        return time
    }

    static func json(_ entry: Revocation) -> JSONObject {
        var object = JSONObject([("key", .string(entry.key)), ("kind", .string(entry.kind.rawValue))])
        if let issuer = entry.issuer { object["issuer"] = .string(issuer) }
        if entry.kind != .issuer { object["value"] = .string(entry.value) }
        if let time = entry.issuedBefore { object["issued_before"] = .string(time.rfc3339) }
        if let time = entry.expires { object["expires"] = .string(time.rfc3339) }
        object["created_at"] = .string(entry.createdAt.rfc3339)
        object["by"] = .string(entry.createdBy)
        object["reason"] = .string(entry.reason)
        return object
    }
}
