import Bytes
import JSON

/// `/jsonrpc`: status 200 for everything that got as far as a method (recordings 001 to 231).
extension SandboxWorld {
    mutating func jsonRPC(_ request: SandboxRequest, _ now: WallInstant) -> SandboxAnswer {
        guard request.method == "POST", isJSON(request) else {
            return Pages.unsupported(request, version, type: "json")
        }
        // Invalid UTF-8 is replaced without a word (recording 203).
        let text = String(decoding: request.body, as: UTF8.self)
        guard let json = try? JSONValue.parse(text, limits: Self.limits) else {
            return Pages.text(400, "Invalid JSON data")
        }
        guard let envelope = json.object else { return Pages.text(400, "Invalid JSON-RPC data") }
        let id = envelope["id"] ?? .null
        let parameters = envelope["params"] ?? .object(JSONObject())
        guard let service = parameters["service"]?.string, let method = parameters["method"]?.string,
            let arguments = parameters["args"]?.array
        else {
            let name = version.is19 ? "JSONRPC" : "RPC"
            return failure(
                .type("\(name).jsonrpc() missing 3 required positional arguments: 'service', 'method', and 'args'"), id)
        }
        switch service {
        case "common":
            return guarded("common." + method, method: method, failed: { $0.failure($1, id) }) { world in
                world.common(method, arguments, id)
            }
        case "object": return object(method, arguments, id, now)
        case "db": return failure(.accessDenied, id)
        default: return failure(.key(service), id)
        }
    }

    private static let limits = JSONLimits(bytesMax: 160 << 20)

    private func isJSON(_ request: SandboxRequest) -> Bool {
        let type = (request.field("Content-Type") ?? "").prefix { $0 != ";" }.lowercased()
        return type == "application/json" || type == "application/json-rpc"
    }

    private func success(_ result: JSONValue?, _ id: JSONValue) -> SandboxAnswer {
        var members: [(String, JSONValue)] = [("jsonrpc", "2.0"), ("id", id)]
        // A method that returns nothing gives an answer without result (recording 039).
        if let result { members.append(("result", result)) }
        return Pages.json(200, .object(JSONObject(members)))
    }

    func failure(_ raised: Raised, _ id: JSONValue) -> SandboxAnswer {
        let error: JSONValue = [
            "code": JSONValue(raised.code ?? (version.is19 ? 0 : 200)),
            "message": raised.code == 100 ? "Odoo Session Expired" : "Odoo Server Error",
            "data": raised.data(version),
        ]
        return Pages.json(200, .object(JSONObject([("jsonrpc", "2.0"), ("id", id), ("error", error)])))
    }

    // MARK: - Services

    private mutating func common(_ method: String, _ arguments: [JSONValue], _ id: JSONValue) -> SandboxAnswer {
        switch method {
        case "version":
            guard arguments.isEmpty else {
                return failure(
                    .type("exp_version() takes 0 positional arguments but \(arguments.count) was given"), id)
            }
            return success(Self.versionInfo(version), id)
        case "authenticate", "login":
            guard arguments.count >= 3 else {
                return failure(.type("exp_\(method)() missing required positional arguments"), id)
            }
            if let raised = unknownDatabase(arguments[0]) { return failure(raised, id) }
            let user = configuration.users.first { $0.login == arguments[1].string }
            guard let user, accepts(user, arguments[2].string) else { return success(false, id) }
            return success(JSONValue(user.id), id)
        default:
            return failure(Raised("builtins.Exception", "Method not found: \(method)", status: 500), id)
        }
    }

    static func versionInfo(_ version: SandboxVersion) -> JSONValue {
        [
            "server_version": .string("\(version.rawValue).0"),
            "server_version_info": [JSONValue(version.rawValue), 0, 0, "final", 0, ""],
            "server_serie": .string("\(version.rawValue).0"), "protocol_version": 1,
        ]
    }

    private func accepts(_ user: SandboxUser, _ secret: String?) -> Bool {
        guard let secret, !secret.isEmpty else { return false }
        return secret == user.password || secret == user.apiKey
    }

    private func unknownDatabase(_ name: JSONValue) -> Raised? {
        guard name.string != configuration.database else { return nil }
        let shown = name.string ?? pythonRepr(name)
        return Raised(
            "psycopg2.OperationalError",
            "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  database "
                + "\"\(shown)\" does not exist\n", status: 404)
    }

    private mutating func object(
        _ method: String, _ arguments: [JSONValue], _ id: JSONValue, _ now: WallInstant
    ) -> SandboxAnswer {
        guard method == "execute_kw" || method == "execute" else {
            return failure(Raised("builtins.NameError", "Method not available \(method)", status: 500), id)
        }
        guard arguments.count >= 5, let model = arguments[3].string, let name = arguments[4].string else {
            return failure(
                version.is19
                    ? .value("not enough values to unpack (expected at least 5, got \(arguments.count))")
                    : .index("list index out of range"), id)
        }
        var call = SandboxCall(model: model, method: name, style: .positional)
        if method == "execute" {
            call.positional = Array(arguments[5...])
        } else {
            call.positional = arguments.count > 5 ? arguments[5].array ?? [] : []
            call.named = arguments.count > 6 ? arguments[6].object ?? JSONObject() : JSONObject()
        }
        return guarded(
            call,
            failed: { name == "load" ? $0.success(Engine.contendedLoad, id) : $0.failure($1, id) }
        ) { world in
            do throws(Raised) {
                let user = try world.authenticated(arguments)
                let context = call.named["context"]?.object ?? JSONObject()
                let answer = try world.engine.call(user: user, context: context, now: now) { engine throws(Raised) in
                    try engine.run(call)
                }
                switch answer {
                case .value(let value): return world.success(value, id)
                case .nothing: return world.success(nil, id)
                }
            } catch {
                return world.failure(error, id)
            }
        }
    }

    private func authenticated(_ arguments: [JSONValue]) throws(Raised) -> SandboxUser {
        if let raised = unknownDatabase(arguments[0]) { throw raised }
        let uid = arguments[1].int ?? 0
        guard let user = user(id: uid) else { throw .missing(Model.user, [uid], user: uid) }
        guard accepts(user, arguments[2].string) else { throw .accessDenied }
        return user
    }
}
