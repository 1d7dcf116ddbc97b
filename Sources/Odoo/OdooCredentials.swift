/// The user in whose name an endpoint is called. Never printed: descriptions and mirrors show no secret.
package enum OdooCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `/jsonrpc`: the id from `common.authenticate`, and the password or an API key (recording 012).
    case jsonRPC(database: String, user: Int, secret: String)
    /// `/json/2`: an API key. `database` is needed where one server has several.
    case json2(database: String?, key: String)

    package var description: String {
        switch self {
        case .jsonRPC(let database, let user, _): "user \(user) of `\(database)` over /jsonrpc"
        case .json2(let database, _): "API key of `\(database ?? "the only database")` over /json/2"
        }
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(reflecting: description) }
}
