import JSON

/// A failure as scripts know it from Odoo: the class of the exception and a message.
package struct RPCFault: Error, Sendable, Hashable {
    /// `odoo.exceptions.AccessError`
    package let name: String
    package let message: String

    package init(name: String, message: String) {
        self.name = name
        self.message = message
    }

    package static func accessDenied(_ message: String = "Access Denied") -> RPCFault {
        RPCFault(name: "odoo.exceptions.AccessDenied", message: message)
    }

    package static func forbidden(_ message: String) -> RPCFault {
        RPCFault(name: "odoo.exceptions.AccessError", message: message)
    }

    /// Nobody knows whether it happened. No exception of Odoo says that; a script that looks at names finds its own.
    package static let unknownOutcomeName = "millgate.UnknownOutcome"
    /// Nothing was sent.
    package static let unavailableName = "millgate.Unavailable"

    /// What Odoo answered, without traceback, or that it did not.
    package init(_ error: OdooError) {
        switch error.outcome {
        case .unknown:
            name = Self.unknownOutcomeName
            message = "it is not known whether this was done; read the record before doing it again"
        case .notSent:
            name = Self.unavailableName
            message = "Odoo cannot be reached; nothing was done"
        case .rejected, .applied:
            name = error.name.isEmpty ? "builtins.Exception" : error.name
            message = error.userMessage ?? Self.words(for: error.kind)
        }
    }

    private static func words(for kind: OdooError.Kind) -> String {
        switch kind {
        case .accessDenied: "Access Denied"
        case .unknownMethod: "no such model or method"
        case .arguments: "wrong arguments"
        case .value: "a field, domain or value is not valid"
        case .serialization: "the record was changed by others at the same time; try again"
        default: "Odoo failed"
        }
    }
}

/// Answers in the form in which Odoo would have written them.
package struct RPCAnswer: Sendable {
    package let status: Int
    package let contentType: String
    package let body: [UInt8]

    /// `value` is nil for a method that returns nothing.
    package static func success(_ value: JSONValue?, to message: RPCMessage) -> RPCAnswer {
        switch message.wire {
        case .jsonRPC, .callKW:
            var members: [(String, JSONValue)] = [("jsonrpc", "2.0"), ("id", message.id)]
            // Without a result there is no member (recording 039).
            if let value { members.append(("result", value)) }
            return json(200, .object(JSONObject(members)))
        case .json2: return json(200, value ?? .null)
        case .xmlRPC: return xml(XMLRPCWriter.response(value ?? .null))
        }
    }

    /// - Parameter isAtLeast19: its `code` is 0, before it was 200 (recording 172 of both).
    package static func failure(
        _ fault: RPCFault, wire: RPCWire, id: JSONValue = .null, isAtLeast19: Bool = true
    ) -> RPCAnswer {
        let data: JSONValue = [
            "name": .string(fault.name), "message": .string(fault.message), "arguments": [.string(fault.message)],
            "context": [:], "debug": "",
        ]
        switch wire {
        case .jsonRPC, .callKW:
            let error: JSONValue = [
                "code": isAtLeast19 ? 0 : 200, "message": "Odoo Server Error", "data": data,
            ]
            return json(200, .object(JSONObject([("jsonrpc", "2.0"), ("id", id), ("error", error)])))
        case .json2: return json(status(of: fault.name), data)
        case .xmlRPC(let hasNumericFaults):
            let (code, text) = hasNumericFaults ? numeric(fault) : textual(fault)
            return xml(XMLRPCWriter.fault(code: code, text: text))
        }
    }

    private static func json(_ status: Int, _ value: JSONValue) -> RPCAnswer {
        RPCAnswer(status: status, contentType: "application/json; charset=utf-8", body: value.bytes)
    }

    private static func xml(_ body: [UInt8]) -> RPCAnswer {
        RPCAnswer(status: 200, contentType: "text/xml; charset=utf-8", body: body)
    }

    /// Of JSON-2 (recordings 320 to 356).
    private static func status(of name: String) -> Int {
        switch name {
        case RPCFault.unavailableName: return 503
        case RPCFault.unknownOutcomeName: return 504
        default: break
        }
        switch OdooError.kind(ofException: name) {
        case .accessDenied: return 401
        case .access: return 403
        case .missing, .unknownMethod: return 404
        case .user, .validation, .arguments: return 422
        default: return 500
        }
    }

    /// 1 for what went wrong, 2 for a warning, 3 for a wrong password, 4 for a right that lacks (recordings 227 to 230).
    private static func numeric(_ fault: RPCFault) -> (JSONValue, String) {
        switch OdooError.kind(ofException: fault.name) {
        case .accessDenied: (3, fault.message)
        case .access: (4, fault.message)
        case .user, .validation, .missing: (2, fault.message)
        default: (1, fault.message)
        }
    }

    /// The first interface's own way: the text is in the code.
    private static func textual(_ fault: RPCFault) -> (JSONValue, String) {
        switch OdooError.kind(ofException: fault.name) {
        case .accessDenied: ("AccessDenied", fault.message)
        case .access: (.string("warning -- AccessError\n\n" + fault.message), "")
        case .missing: (.string("warning -- MissingError\n\n" + fault.message), "")
        case .user, .validation: (.string("warning -- UserError\n\n" + fault.message), "")
        default: (.string(fault.message), "")
        }
    }
}
