import JSON

/// An exception of Odoo's server, as it leaves it.
struct Raised: Error, Sendable {
    /// The Python class, `odoo.exceptions.UserError`: what a client classifies by.
    var name: String
    var message: String
    var arguments: [JSONValue]
    /// The HTTP status it has on `/json/2`. On `/jsonrpc` everything is 200.
    var status: Int
    /// Only 100 (session expired) means something; nil for the version's usual figure.
    var code: Int?

    init(_ name: String, _ message: String, status: Int, arguments: [JSONValue]? = nil, code: Int? = nil) {
        self.name = name
        self.message = message
        self.arguments = arguments ?? [.string(message)]
        self.status = status
        self.code = code
    }

    static func user(_ message: String) -> Raised { Raised("odoo.exceptions.UserError", message, status: 422) }
    static func validation(_ message: String) -> Raised {
        Raised("odoo.exceptions.ValidationError", message, status: 422)
    }
    static func access(_ message: String) -> Raised { Raised("odoo.exceptions.AccessError", message, status: 403) }
    static var accessDenied: Raised { Raised("odoo.exceptions.AccessDenied", "Access Denied", status: 401) }
    /// 500 on `/json/2`, although the client is at fault (recordings 334 to 336).
    static func value(_ message: String) -> Raised { Raised("builtins.ValueError", message, status: 500) }
    static func type(_ message: String) -> Raised { Raised("builtins.TypeError", message, status: 422) }
    static func index(_ message: String) -> Raised { Raised("builtins.IndexError", message, status: 500) }
    static func key(_ key: String) -> Raised { Raised("builtins.KeyError", key, status: 500) }

    static func missing(_ model: String, _ ids: [Int], user: Int) -> Raised {
        let list = ids.map(String.init).joined(separator: ", ") + (ids.count == 1 ? "," : "")
        return Raised(
            "odoo.exceptions.MissingError",
            "Record does not exist or has been deleted.\n(Record: \(model)(\(list)), User: \(user))", status: 404)
    }

    /// Recordings 355 and 356: what a contended row raises when Odoo's own five tries are used up.
    static var serialization: Raised {
        Raised(
            "psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update\n",
            status: 500)
    }

    /// An HTTP exception of `/json/2`, whose arguments carry the status (recordings 321 to 346).
    static func http(_ status: Int, _ message: String) -> Raised {
        let name =
            switch status {
            case 400: "BadRequest"
            case 401: "Unauthorized"
            case 404: "NotFound"
            default: "UnprocessableEntity"
            }
        return Raised(
            "werkzeug.exceptions." + name, message, status: status,
            arguments: [.string(message), JSONValue(status)])
    }

    /// A traceback with a path of the server, which must never leave the gateway.
    private var debug: String {
        """
        Traceback (most recent call last):
          File "/opt/odoo/odoo/http.py", line 2153, in _transactioning
            return service_model.retrying(func, env=self.env)
          File "/opt/odoo/odoo/service/model.py", line 156, in retrying
            result = func()
        \(name): \(message)

        """
    }

    /// `error.data` of JSON-RPC, and the whole body of `/json/2`. The members stand in each version's order.
    func data(_ version: SandboxVersion) -> JSONValue {
        let name = ("name", JSONValue.string(name))
        let message = ("message", JSONValue.string(message))
        let arguments = ("arguments", JSONValue.array(arguments))
        let context = ("context", JSONValue.object(JSONObject()))
        let debug = ("debug", JSONValue.string(debug))
        return .object(
            JSONObject(
                version.is19
                    ? [name, message, arguments, context, debug] : [name, debug, message, arguments, context]))
    }
}
