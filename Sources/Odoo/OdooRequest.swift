/// A request as it goes to Odoo, but for the fields that belong to the connection (`Host`, `Content-Length`).
///
/// Body and `Authorization` hold credentials: the description shows neither.
package struct OdooRequest: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let method: String
    /// Origin-form. (RFC 9112 §3.2.1)
    package let path: String
    package let fields: [(name: String, value: String)]
    package let body: [UInt8]

    package var description: String { "\(method) \(path) (\(body.count) bytes)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(reflecting: description) }
}

/// The head and the whole body of an answer, as far as its meaning needs them.
package struct OdooResponse: Sendable {
    package let status: Int
    package let contentType: String?
    package let body: [UInt8]

    package init(status: Int, contentType: String?, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}
