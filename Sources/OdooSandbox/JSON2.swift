import Bytes
import JSON

/// `/json/2/<model>/<method>` of 19: a bearer key, arguments by name, and HTTP statuses that mean something
/// (recordings 301 to 356).
extension SandboxWorld {
    mutating func json2(_ request: SandboxRequest, _ now: WallInstant) -> SandboxAnswer {
        let segments = request.pathOnly.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard request.method == "POST", segments.count == 4 else {
            return failure(.http(404, "Did you mean POST /json/2/<model>/<method>?"))
        }
        let type = (request.field("Content-Type") ?? "").prefix { $0 != ";" }.lowercased()
        guard type == "application/json" else { return Pages.unsupported(request, version, type: "json2") }
        if let database = request.field("X-Odoo-Database"), database != configuration.database {
            return Pages.noDatabase
        }
        let user: SandboxUser
        let body: JSONObject
        do throws(Raised) {
            user = try bearer(request)
            body = try parse(request.body)
        } catch {
            return failure(error)
        }
        let call = SandboxCall(model: segments[2], method: segments[3], style: .named, named: body)
        return guarded(
            call,
            failed: { call.method == "load" ? Pages.json(200, Engine.contendedLoad) : $0.failure($1) }
        ) { world in
            do throws(Raised) {
                let context = body["context"]?.object ?? JSONObject()
                let answer = try world.engine.call(user: user, context: context, now: now) { engine throws(Raised) in
                    try engine.run(call)
                }
                switch answer {
                case .value(let value): return Pages.json(200, value)
                case .nothing: return Pages.json(200, .null)
                }
            } catch {
                return world.failure(error)
            }
        }
    }

    private func bearer(_ request: SandboxRequest) throws(Raised) -> SandboxUser {
        let words = (request.field("Authorization") ?? "").split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw .http(401, "User not authenticated, use an API Key with a Bearer Authorization header.")
        }
        guard let user = configuration.users.first(where: { $0.apiKey == String(words[1]) }) else {
            throw .http(401, "Invalid apikey")
        }
        return user
    }

    /// An empty body and an array count as no arguments (recordings 340, 342).
    private func parse(_ bytes: [UInt8]) throws(Raised) -> JSONObject {
        if bytes.isEmpty { return JSONObject() }
        do throws(JSONError) {
            return try JSONValue.parse(String(decoding: bytes, as: UTF8.self)).object ?? JSONObject()
        } catch {
            throw .http(
                400,
                "could not parse the body as json: Expecting value: line \(error.line) column \(error.column) "
                    + "(char \(error.offset))")
        }
    }

    private func failure(_ raised: Raised) -> SandboxAnswer {
        var answer = Pages.json(raised.status, raised.data(version))
        if raised.status == 401 { answer.fields.append(("WWW-Authenticate", "Bearer ")) }
        return answer
    }
}
