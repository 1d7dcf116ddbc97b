import Bytes

/// An answer, whole but for a body that was longer than allowed.
package struct OutboundResponse: Sendable {
    package enum Version: String, Sendable {
        case http10 = "HTTP/1.0"
        case http11 = "HTTP/1.1"
        case http2 = "HTTP/2"
    }

    package var status: Int
    package var version: Version
    /// As sent; names in whatever case the server wrote them.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    /// Whether the body was longer than `bodyBytesMax`: `body` is its beginning, and the connection was given up.
    package var isBodyTruncated: Bool
    /// The numeric address that was spoken to: the server's, or the proxy's.
    package var address: String
    /// Whether a connection that stood was used.
    package var isReused: Bool
    /// From handing the request over to the last byte of the answer.
    package var duration: Nanoseconds

    /// The first field of that name; `name` in lower case.
    package subscript(name: String) -> String? { fields.first { $0.name.lowercased() == name }?.value }
}
