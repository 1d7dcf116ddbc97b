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
    /// The last head's lines, as sent.
    var head: [UInt8]
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

    /// As sent; names in whatever case the server wrote them. Made anew each time: most answers are judged by their
    /// status alone.
    package var fields: [(name: String, value: String)] {
        head.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard !line.starts(with: "HTTP/".utf8), let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                return nil
            }
            return (Self.text(line[..<colon]), Self.text(line[(colon + 1)...]))
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var part = bytes
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        while let first = part.first, isSpace(first) { part.removeFirst() }
        while let last = part.last, isSpace(last) { part.removeLast() }
        return String(decoding: part, as: UTF8.self)
    }
}
