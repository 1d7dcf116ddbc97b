import JSON

/// Odoo's own interfaces, as scripts speak them; each says what an answer must look like.
package enum RPCWire: Sendable, Hashable {
    /// `/jsonrpc`
    case jsonRPC
    /// `/web/dataset/call_kw`, with or without `/MODEL/METHOD` behind it; `/web/dataset/call_button`
    case callKW
    /// `/json/2/MODEL/METHOD`, Odoo 19 and later
    case json2
    /// `/xmlrpc/2/common`, `/xmlrpc/2/object`, with numbers as fault codes; without the 2 they are texts.
    case xmlRPC(hasNumericFaults: Bool)

    /// The interface of a path without query; nil for any other path.
    package init?(path: String) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true)
        switch segments.first {
        case "jsonrpc" where segments.count == 1: self = .jsonRPC
        case "web"
        where segments.count >= 3 && segments[1] == "dataset"
            && (segments[2] == "call_kw" || segments[2] == "call_button"):
            self = .callKW
        case "json" where segments.count == 4 && segments[1] == "2": self = .json2
        case "xmlrpc" where segments.count == 3 && segments[1] == "2": self = .xmlRPC(hasNumericFaults: true)
        case "xmlrpc" where segments.count == 2: self = .xmlRPC(hasNumericFaults: false)
        default: return nil
        }
    }
}

/// One message of a script.
package struct RPCMessage: Sendable {
    package enum Request: Sendable {
        /// `common.version`
        case version
        /// `common.authenticate` and `common.login`
        case authenticate(database: String, login: String, secret: String)
        case call(RPCCall)
    }

    package let wire: RPCWire
    /// Of JSON-RPC: a number, a text or null; comes back in the answer (recordings 194, 195).
    package let id: JSONValue
    package let request: Request

    init(_ wire: RPCWire, id: JSONValue = .null, _ request: Request) {
        self.wire = wire
        self.id = id
        self.request = request
    }
}

/// A call of a model's method, whatever protocol carried it.
///
/// `secret` is what stood where Odoo's password stands: Millgate's own token, or a password that is thrown away.
package struct RPCCall: Sendable, CustomStringConvertible, CustomReflectable {
    package var database: String?
    package var secret: String?
    package var model: String
    package var method: String
    /// By position; what JSON-2 names is all in `named`.
    package var arguments: [JSONValue]
    package var named: JSONObject

    package init(
        database: String? = nil, secret: String? = nil, model: String, method: String, arguments: [JSONValue] = [],
        named: JSONObject = JSONObject()
    ) {
        self.database = database
        self.secret = secret
        self.model = model
        self.method = method
        self.arguments = arguments
        self.named = named
    }

    package var description: String { "\(model).\(method)" }
    package var customMirror: Mirror { Mirror(reflecting: description) }
}

/// Why a message is not carried out before anybody is asked.
package enum RPCRefusal: Error, Sendable, Hashable {
    /// Not what the protocol says. Answered by 400: no answer in the protocol's own form could be sure to be read.
    case unreadable(String)
    /// Read, but nothing that is offered: databases, workflows, private methods. Answered by a fault.
    case notOffered(id: JSONValue, String)
}
