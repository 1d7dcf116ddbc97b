import JSON

/// A script's call in our own name: the arguments as they came, the credentials ours.
extension OdooEndpoint {
    package var isJSON2: Bool {
        if case .json2 = credentials { true } else { false }
    }

    /// The request that carries `call`; nil over JSON-2 when an argument has no name there.
    ///
    /// Language, time zone and companies are ours where the call says nothing of them.
    package func request(relaying call: RPCCall, id: Int) -> OdooRequest? {
        switch credentials {
        case .jsonRPC(let database, let user, let secret):
            var named = call.named
            var arguments = call.arguments
            // What came by name, from JSON-2, stands in its place here; names were others before 19.
            if arguments.isEmpty {
                for name in RPCSignature.of(call.method)?.parameters ?? ["ids"] {
                    guard let value = named[name] else { break }
                    named[name] = nil
                    arguments.append(value)
                }
            }
            named["context"] = context.json(adding: named["context"]?.object ?? JSONObject())
            return OdooJSONRPC.request(
                service: "object", method: "execute_kw",
                arguments: [
                    .string(database), JSONValue(user), .string(secret), .string(call.model), .string(call.method),
                    .array(arguments), .object(named),
                ], id: id)
        case .json2:
            guard var named = call.namedArguments else { return nil }
            named["context"] = nil
            let own = call.named["context"]?.object ?? JSONObject()
            let ids = named["ids"].flatMap(RPCCall.ids)
            if ids != nil { named["ids"] = nil }
            return request(
                for: OdooCall(
                    model: call.model, method: call.method, ids: ids,
                    named: named.members.map { OdooCall.Argument($0.key, $0.value) }, context: own), id: id)
        }
    }
}
