import JSON

/// `/jsonrpc`: HTTP 200 for results and for business errors alike; the difference is in the body.
///
/// - `result` is what the method returned; a method that returns nothing has no `result` at all (recording 039).
/// - `error.data.name` is the class of the Python exception, the only thing to go by: `code` and `message` say
///   nothing, and `data.message` is translated.
/// - A request that is no JSON is 400 with a line of text (190 to 192); a wrong Content-Type 415 on 19 and 400 on 17
///   with a page (196 to 198).
package enum OdooJSONRPC {
    /// `common.version`: needs no credentials.
    package static func version(id: Int) -> OdooRequest {
        request(service: "common", method: "version", arguments: [], id: id)
    }

    /// `common.authenticate`: the id of the user, or `false`. See `user(from:)`.
    package static func authenticate(database: String, login: String, secret: String, id: Int) -> OdooRequest {
        request(
            service: "common", method: "authenticate",
            arguments: [.string(database), .string(login), .string(secret), [:]], id: id)
    }

    /// The user id in an answer to `authenticate`. Odoo says `false` for a wrong password or an unknown user alike
    /// (recordings 002 to 004).
    package static func user(
        from result: Result<JSONValue?, OdooError>
    ) -> Result<Int, OdooError> {
        switch result {
        case .failure(let error): .failure(error)
        case .success(let value):
            if let user = value?.int, user > 0 {
                .success(user)
            } else if value == .bool(false) {
                .failure(OdooError(.accessDenied, name: "", message: "login or secret is wrong"))
            } else {
                .failure(.unreadable("the answer to `authenticate` is no user id"))
            }
        }
    }

    static func request(service: String, method: String, arguments: [JSONValue], id: Int) -> OdooRequest {
        let body: JSONValue = [
            "jsonrpc": "2.0", "method": "call",
            "params": ["service": .string(service), "method": .string(method), "args": .array(arguments)],
            "id": JSONValue(id),
        ]
        return OdooRequest(
            method: "POST", path: "/jsonrpc",
            fields: [("Content-Type", "application/json"), ("Accept", "application/json")], body: body.bytes)
    }

    /// What an answer means. `id` is the request's; an answer to another request is unreadable.
    package static func result(
        of response: OdooResponse, id: Int?, limits: JSONLimits = JSONLimits()
    ) -> Result<JSONValue?, OdooError> {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(response.body, limits: limits)
        } catch {
            return .failure(.notOdoo(status: response.status, protocol: .jsonRPC))
        }
        guard let object = value.object, object["jsonrpc"]?.string == "2.0" else {
            return .failure(.notOdoo(status: response.status, protocol: .jsonRPC))
        }
        if let id, let echoed = object["id"], echoed != JSONValue(id) {
            return .failure(.unreadable("the answer belongs to another request"))
        }
        if let error = object["error"], !error.isNull {
            guard let data = error["data"], let name = data["name"]?.string else {
                // Not seen from Odoo, whose errors always have `data`.
                return .failure(.unreadable("the error has no `data.name`"))
            }
            return .failure(OdooError(name: name, message: data["message"]?.string ?? ""))
        }
        // Odoo 200s every answer of this route; a 5xx around a result is somebody else's.
        guard (200..<300).contains(response.status) else {
            return .failure(.notOdoo(status: response.status, protocol: .jsonRPC))
        }
        guard let result = object["result"], !result.isNull else { return .success(JSONValue?.none) }
        return .success(result)
    }
}
