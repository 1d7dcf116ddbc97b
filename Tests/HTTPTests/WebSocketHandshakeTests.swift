import Bytes
import Testing

@testable import HTTP

@Suite struct WebSocketHandshakeTests {
    private static let good = [
        "Host: h", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]

    private func check(_ fields: [String], line: String = "GET /websocket HTTP/1.1") throws
        -> WebSocketHandshake.Verdict
    {
        let bytes = Array((line + "\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        var reader = RequestHeadReader()
        let head = MessageHead()
        _ = try reader.read(bytes.span, into: head)
        return WebSocketHandshake.check(head, bytes.span)
    }

    @Test func handshakeOfTheStandardIsValid() throws {
        #expect(try check(Self.good) == .valid)
        #expect(try check(Self.good + ["Content-Length: 0"]) == .valid)
    }

    @Test func everyPartIsNeeded() throws {
        for at in 1..<Self.good.count {
            var fields = Self.good
            fields.remove(at: at)
            #expect(try check(fields) == .malformed, "\(Self.good[at])")
        }
        #expect(try check(Self.good, line: "POST / HTTP/1.1") == .malformed)
        #expect(try check(Self.good, line: "GET / HTTP/1.0") == .malformed)
        #expect(try check(Self.good + ["Content-Length: 1"]) == .malformed)
        #expect(try check(Self.good + ["Transfer-Encoding: chunked"]) == .malformed)
        #expect(throws: HTTPError.fieldRepeated) { try check(Self.good + [Self.good[4]]) }
    }

    @Test(arguments: [
        "", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25j-Q==", "dGhlIHNhbXBsZSBub25jZQ==AAAA", "dGhlIHNhbXBs ZSBub25jZQ==",
    ])
    func keyMustBeSixteenBytes(_ key: String) throws {
        #expect(try check(Array(Self.good.prefix(4)) + ["Sec-WebSocket-Key: " + key]) == .malformed)
    }

    @Test func otherVersionIsToldApart() throws {
        var fields = Self.good
        for version in ["8", "14", "13, 8", ""] {
            fields[3] = "Sec-WebSocket-Version: " + version
            #expect(try check(fields) == .versionUnsupported)
        }
    }

    @Test func acceptanceIsRecognised() throws {
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        for (text, expected) in [
            ("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(accept)\r\n", true),
            ("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", false),
            ("HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\(accept)\r\n", false),
            ("HTTP/1.1 200 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(accept)\r\n", false),
        ] {
            let bytes = Array(text.utf8)
            var reader = ResponseHeadReader()
            let head = MessageHead()
            _ = try reader.read(bytes.span, requestMethod: .get, upgradeRequested: true, into: head)
            #expect(WebSocketHandshake.isAccepted(head) == expected)
        }
    }
}
