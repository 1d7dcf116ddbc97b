import JSON

/// Reads what scripts send to Odoo's own interfaces.
///
/// Stricter than Odoo: invalid UTF-8, duplicate members, batches and anything that is not a call are refused, so that
/// what is decided upon is what is carried out.
package enum RPCReader {
    /// Longest name of a model or method, in bytes.
    package static let nameBytesMax = 128
    /// Deepest nesting of arguments. Default 32: a domain within a list of commands has 8.
    package static let depthMax = 32

    package static func read(_ wire: RPCWire, path: String, body: [UInt8]) throws(RPCRefusal) -> RPCMessage {
        switch wire {
        case .xmlRPC: return try xml(wire, path, body)
        case .jsonRPC, .callKW, .json2: return try json(wire, path, body)
        }
    }

    // MARK: JSON

    private static func json(_ wire: RPCWire, _ path: String, _ body: [UInt8]) throws(RPCRefusal) -> RPCMessage {
        let value: JSONValue
        do throws(JSONError) {
            var limits = JSONLimits()
            limits.depthMax = depthMax
            value = try JSONValue.parse(body, limits: limits)
        } catch {
            throw .unreadable("the body is no JSON: \(error)")
        }
        guard let object = value.object else {
            throw .unreadable("the body must be one JSON object; batches are not taken")
        }
        if wire == .json2 { return try json2(path, object) }
        let id = object["id"] ?? .null
        switch id {
        case .null, .number, .string: break
        case .bool, .array, .object: throw .unreadable("'id' must be a number, a text or null")
        }
        guard let parameters = object["params"]?.object else { throw .unreadable("'params' must be an object") }
        if wire == .callKW { return try callKW(parameters, id: id) }
        guard let service = parameters["service"]?.string, let method = parameters["method"]?.string,
            let arguments = parameters["args"]?.array
        else { throw .unreadable("'params' needs 'service', 'method' and 'args'") }
        return RPCMessage(wire, id: id, try request(service, method, arguments, id: id))
    }

    /// `{model, method, args, kwargs}`. The path may repeat model and method; the body counts.
    private static func callKW(_ parameters: JSONObject, id: JSONValue) throws(RPCRefusal) -> RPCMessage {
        guard let model = parameters["model"]?.string, let method = parameters["method"]?.string,
            let arguments = parameters["args"]?.array
        else { throw .unreadable("'params' needs 'model', 'method' and 'args'") }
        let call = RPCCall(
            model: model, method: method, arguments: arguments, named: try object(parameters["kwargs"], "kwargs"))
        return RPCMessage(.callKW, id: id, .call(try checked(call, id: id)))
    }

    private static func json2(_ path: String, _ object: JSONObject) throws(RPCRefusal) -> RPCMessage {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard segments.count == 4 else { throw .unreadable("expected /json/2/MODEL/METHOD") }
        let call = RPCCall(model: segments[2], method: segments[3], named: object)
        return RPCMessage(.json2, .call(try checked(call, id: .null)))
    }

    private static func object(_ value: JSONValue?, _ name: String) throws(RPCRefusal) -> JSONObject {
        switch value {
        case nil: return JSONObject()
        case .object(let object): return object
        default: throw .unreadable("'\(name)' must be an object")
        }
    }

    // MARK: Services

    private static func xml(_ wire: RPCWire, _ path: String, _ body: [UInt8]) throws(RPCRefusal) -> RPCMessage {
        let service = path.split(separator: "/").last.map(String.init) ?? ""
        let method: String
        let arguments: [JSONValue]
        do throws(XMLRPCError) {
            (method, arguments) = try XMLRPCReader.methodCall(body)
        } catch {
            throw .unreadable("the body is no XML-RPC call: \(error.message), at byte \(error.offset)")
        }
        return RPCMessage(wire, try request(service, method, arguments, id: .null))
    }

    private static func request(
        _ service: String, _ method: String, _ arguments: [JSONValue], id: JSONValue
    ) throws(RPCRefusal) -> RPCMessage.Request {
        switch (service, method) {
        case ("common", "version"): return .version
        case ("common", "authenticate"), ("common", "login"):
            guard arguments.count >= 3, let database = arguments[0].string, let login = arguments[1].string,
                let secret = arguments[2].string
            else { throw .unreadable("'\(method)' takes database, login and password") }
            return .authenticate(database: database, login: login, secret: secret)
        case ("object", "execute_kw"), ("object", "execute"):
            // Database, user, password, model, method: the user is whoever the token names.
            guard arguments.count >= 5, let database = arguments[0].string, let secret = arguments[2].string,
                let model = arguments[3].string, let name = arguments[4].string
            else { throw .unreadable("'\(method)' takes database, user, password, model and method") }
            var call = RPCCall(database: database, secret: secret, model: model, method: name)
            if method == "execute" {
                call.arguments = Array(arguments[5...])
            } else {
                guard arguments.count <= 7 else { throw .unreadable("'execute_kw' takes at most seven arguments") }
                if arguments.count > 5 {
                    guard let positional = arguments[5].array else {
                        throw .unreadable("the sixth argument must be a list")
                    }
                    call.arguments = positional
                }
                if arguments.count > 6 { call.named = try object(arguments[6], "the seventh argument") }
            }
            return .call(try checked(call, id: id))
        default: throw .notOffered(id: id, "'\(service.prefix(40)).\(method.prefix(40))' is not offered here")
        }
    }

    /// Names that mean what they say, and no private method: Odoo refuses those too (recording 168).
    private static func checked(_ call: RPCCall, id: JSONValue) throws(RPCRefusal) -> RPCCall {
        func isWord(_ text: Substring) -> Bool {
            !text.isEmpty && text.utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 65 < 26 || $0 &- 48 < 10 || $0 == 95 }
        }
        let parts = call.model.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy(isWord), call.model.utf8.count <= nameBytesMax else {
            throw .unreadable("the model is no name such as mrp.production")
        }
        guard isWord(call.method[...]), call.method.utf8.count <= nameBytesMax else {
            throw .unreadable("the method is no name such as action_confirm")
        }
        if call.method.hasPrefix("_") { throw .notOffered(id: id, "private methods are not called from outside") }
        return call
    }
}
