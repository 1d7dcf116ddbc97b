import JSON

/// One face for both protocols: calls in, requests out; answers in, results out.
package struct OdooEndpoint: Sendable {
    package let credentials: OdooCredentials
    package let context: OdooContext
    /// Bounds of an answer. Default 16 MiB.
    package var limits = JSONLimits()

    package init(credentials: OdooCredentials, context: OdooContext) {
        self.credentials = credentials
        self.context = context
    }

    /// The request that carries `call`. `id` comes back in a JSON-RPC answer; JSON-2 has none.
    package func request(for call: OdooCall, id: Int) -> OdooRequest {
        switch credentials {
        case .jsonRPC(let database, let user, let secret):
            var positional: [JSONValue] = []
            if let ids = call.ids { positional.append(.array(ids.map { JSONValue($0) })) }
            for argument in call.positional { positional.append(argument.value) }
            var named = JSONObject(call.named.map { ($0.name, $0.value) })
            named["context"] = context.json(adding: call.context)
            return OdooJSONRPC.request(
                service: "object", method: "execute_kw",
                arguments: [
                    .string(database), JSONValue(user), .string(secret), .string(call.model), .string(call.method),
                    .array(positional), .object(named),
                ], id: id)
        case .json2(let database, let key):
            var body = JSONObject()
            if let ids = call.ids { body["ids"] = .array(ids.map { JSONValue($0) }) }
            for argument in call.positional { body[argument.name] = argument.value }
            for argument in call.named { body[argument.name] = argument.value }
            body["context"] = context.json(adding: call.context)
            var fields = [
                (name: "Content-Type", value: "application/json"), (name: "Accept", value: "application/json"),
                (name: "Authorization", value: "bearer " + key),
            ]
            if let database { fields.append((name: "X-Odoo-Database", value: database)) }
            return OdooRequest(
                method: "POST", path: "/json/2/\(Self.segment(call.model))/\(Self.segment(call.method))",
                fields: fields, body: JSONValue.object(body).bytes)
        }
    }

    /// What the answer to `request(for:id:)` means; nil is success of a method that returns nothing.
    package func result(of response: OdooResponse, id: Int) -> Result<JSONValue?, OdooError> {
        switch credentials {
        case .jsonRPC: OdooJSONRPC.result(of: response, id: id, limits: limits)
        case .json2: OdooJSON2.result(of: response, limits: limits)
        }
    }

    /// A model or method name as one path segment. Names from configuration cannot leave `/json/2/`.
    private static func segment(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        var previous = UInt8(ascii: ".")
        for byte in name.utf8 {
            defer { previous = byte }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                out.append(byte)
            case UInt8(ascii: ".") where previous != byte && previous != UInt8(ascii: "/"):
                out.append(byte)
            default:
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
