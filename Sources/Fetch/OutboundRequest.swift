import Bytes

/// A whole request to somebody else's server.
package struct OutboundRequest: Sendable {
    /// `GET`, `HEAD`, `POST`, … in capitals.
    package var method: String
    /// Absolute, `https://…`, without user name. `http://…` only where the client's configuration allows plain text.
    package var url: String
    /// In the order they are sent. `Host`, `Content-Length` and `Transfer-Encoding` are made and may not be given.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    /// Whether a connection that stands may be used. libcurl repeats a request by itself, once, when a connection that
    /// stood turns out to be dead before the first byte of an answer; where that must not happen, say no.
    package var mayReuseConnection: Bool

    package init(
        method: String = "GET", url: String, fields: [(name: String, value: String)] = [], body: [UInt8] = [],
        mayReuseConnection: Bool = true
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.mayReuseConnection = mayReuseConnection
    }

    /// Longest URL, in bytes.
    package static let urlBytesMax = 8_192

    /// What is wrong with the request, nil when it may be sent. Control characters in a field or a URL would begin
    /// another field or request. (RFC 9110 §5.5)
    var fault: String? {
        guard !method.isEmpty, method.utf8.count <= 32, method.utf8.allSatisfy(Self.isTokenByte) else {
            return "the method is not a token"
        }
        guard url.utf8.count <= Self.urlBytesMax else { return "the URL is longer than \(Self.urlBytesMax) bytes" }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return "the URL has a space, a control character or a byte beyond ASCII"
        }
        for (name, value) in fields {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else { return "a field's name is not a token" }
            guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
                return "the field `\(name)` has a control character"
            }
            if Self.madeLengths.contains(name.utf8.count), Self.made.contains(name.lowercased()) {
                return "the field `\(name)` is made by the client"
            }
        }
        return nil
    }

    private static let made = ["host", "content-length", "transfer-encoding"]
    private static let madeLengths = made.map(\.utf8.count)

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
