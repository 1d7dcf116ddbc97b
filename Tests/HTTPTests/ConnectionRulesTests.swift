import Bytes
import Testing

@testable import HTTP

/// What follows from the fields of a request: hop-by-hop, keep-alive, expectation, upgrade. And what is accepted.
@Suite struct ConnectionRulesTests {
    private func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) throws -> MessageHead {
        let bytes = Array(text.utf8)
        var reader = RequestHeadReader(limits: limits)
        let head = MessageHead()
        guard case .complete = try reader.read(bytes.span, into: head) else { throw HTTPError.bodyIncomplete }
        return head
    }

    private func parse(fields: String, line: String = "GET / HTTP/1.1") throws -> MessageHead {
        try parse(line + "\r\nHost: h\r\n" + fields + "\r\n\r\n")
    }

    @Test func hopByHopFieldsAreFlagged() throws {
        let head = try parse(
            fields: """
                Connection: X-One, close,, x-two\r\nX-One: 1\r\nx-TWO: 2\r\nX-Three: 3\r\nX-One: again\r\nKeep-Alive: 5\r\n\
                Proxy-Connection: x\r\nProxy-Authorization: y\r\nproxy-anything: z\r\nProxy: evil\r\nProxyx: fine\r\nTE: trailers\r\n\
                Trailer: a\r\nUpgrade: h2c\r\nHTTP2-Settings: q\r\nCookie: c\r\nAuthorization: b
                """)
        let flags = (0..<head.count).map { head.isHopByHop($0) }
        #expect(
            flags == [
                false, true, true, true, false, true, true, true, true, true, true, false, true, true, true, true,
                false, false,
            ])
        #expect(!head.keepAlive)
        #expect(!head.upgrade)
    }

    @Test func nominationOfKnownFieldThatMayBeDroppedIsObeyed() throws {
        let head = try parse(fields: "Connection: Referer\r\nReferer: x\r\nUser-Agent: y")
        #expect((0..<head.count).map { head.isHopByHop($0) } == [false, true, true, false])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", "X: y", true), ("GET / HTTP/1.1", "Connection: close", false),
        ("GET / HTTP/1.1", "Connection: CLOSE", false), ("GET / HTTP/1.1", "Connection: keep-alive", true),
        ("GET / HTTP/1.1", "Connection: keep-alive, close", false), ("GET / HTTP/1.1", "Connection: closed", true),
        ("GET / HTTP/1.1", "Connection: x\r\nConnection: close", false), ("GET / HTTP/1.1", "Connection:", true),
        ("GET / HTTP/1.0", "X: y", false), ("GET / HTTP/1.0", "Connection: Keep-Alive", true),
        ("GET / HTTP/1.0", "Connection: close", false), ("GET / HTTP/1.0", "Connection: close, keep-alive", false),
    ])
    func keepAliveFollowsVersionAndOptions(_ line: String, _ field: String, _ expected: Bool) throws {
        #expect(try parse(fields: field, line: line).keepAlive == expected)
    }

    @Test func expectationIsKnownOnlyWhereSomebodyWaits() throws {
        let field = "Expect: 100-Continue\r\n"
        #expect(try parse(fields: field + "Content-Length: 1", line: "PUT / HTTP/1.1").expectsContinue)
        #expect(try parse(fields: field + "Transfer-Encoding: chunked", line: "PUT / HTTP/1.1").expectsContinue)
        #expect(try !parse(fields: field + "Content-Length: 0", line: "PUT / HTTP/1.1").expectsContinue)
        #expect(try !parse(fields: field + "X: y").expectsContinue)
        #expect(try !parse(fields: field + "Content-Length: 1", line: "PUT / HTTP/1.0").expectsContinue)
    }

    @Test func framingOfRequests() throws {
        #expect(try parse(fields: "X: y", line: "POST / HTTP/1.1").framing == .none)
        #expect(try parse(fields: "Content-Length: 0").framing == .length(0))
        #expect(try parse(fields: "content-length:\t0012 ").framing == .length(12))
        #expect(try parse(fields: "Transfer-Encoding: \tcHuNkEd\t").framing == .chunked)
        #expect(try parse(fields: "Content-Length: 5", line: "POST / HTTP/1.0").framing == .length(5))
        #expect(try parse("GET / HTTP/1.0\r\n\r\n").framing == .none)
    }

    @Test func upgradeNeedsBothFieldsAndVersion() throws {
        #expect(try parse(fields: "Connection: Upgrade\r\nUpgrade: websocket").isWebSocketUpgrade)
        #expect(try parse(fields: "Connection: x, upgrade\r\nUpgrade: WebSocket").isWebSocketUpgrade)
        #expect(try !parse(fields: "Upgrade: websocket").upgrade)
        #expect(try !parse(fields: "Connection: upgrade").upgrade)
        #expect(try !parse(fields: "Connection: upgrade\r\nUpgrade: websocket", line: "GET / HTTP/1.0").upgrade)
        let other = try parse(fields: "Connection: upgrade\r\nUpgrade: h2c, websocket")
        #expect(other.upgrade)
        #expect(!other.isWebSocketUpgrade)
        #expect(try !parse(fields: "Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket").isWebSocketUpgrade)
    }

    @Test func hostsOfAllKindsAreAccepted() throws {
        for host in ["a", "A.b-c_d.example", "1.2.3.4:8080", "[::1]", "[2001:db8::1]:443", "h:0", "h:65535"] {
            #expect(throws: Never.self) { try parse("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") }
        }
    }

    @Test func absoluteFormThatAgreesWithHostIsSplit() throws {
        for (target, host) in [
            ("http://h/p?q", "h"), ("HTTP://h:80/p?q", "H"), ("http://h/p?q", "h:80"), ("https://h/p?q", "h:443"),
            ("http://[::1]:8080/p?q", "[::1]:8080"),
        ] {
            let text = "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
            let head = try parse(text)
            let bytes = Array(text.utf8)
            #expect(head.targetForm == .absolute)
            let query = try #require(head.queryRange)
            #expect(String(decoding: bytes[head.pathRange], as: UTF8.self) == "/p")
            #expect(String(decoding: bytes[query], as: UTF8.self) == "q")
        }
        let bare = try parse("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(bare.pathRange.isEmpty)
        #expect(bare.queryRange == nil)
        #expect(bare.authorityRange?.count == 1)
    }

    private func named(_ text: String) -> HTTP.Method {
        let bytes = Array(text.utf8)
        return Method(bytes.span)
    }

    @Test func everyMethodIsKnownAndIsCaseSensitive() throws {
        for method in Method.allCases where method != .other && method != .connect {
            #expect(try parse("\(method.text) / HTTP/1.1\r\nHost: h\r\n\r\n").method == method)
            #expect(named("\(method.text)") == method)
            for other in ["\(method.text)X", "\(method.text)".lowercased(), String("\(method.text)".dropLast())] {
                #expect(try parse("\(other) / HTTP/1.1\r\nHost: h\r\n\r\n").method == .other, "\(other)")
                #expect(named(other) == .other)
            }
        }
        #expect(try parse("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n").method == .connect)
        #expect(try parse("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n").targetForm == .authority)
    }

    @Test func emptyQueryIsNotAbsentQuery() throws {
        #expect(try parse("GET /a? HTTP/1.1\r\nHost: h\r\n\r\n").queryRange?.isEmpty == true)
        #expect(try parse("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").queryRange == nil)
        #expect(try parse("GET /a?b?c HTTP/1.1\r\nHost: h\r\n\r\n").queryRange?.count == 3)
    }

    @Test func whatBrowsersLeaveUnencodedIsAccepted() {
        for target in ["/a[1]|b", "/a?x={}|[]^`", "/~u/a;b=c,d&e'f(g)*h+i:j@k$l!", "/%41%zz", "//a/../b"] {
            #expect(throws: Never.self) { try parse("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n") }
        }
    }

    @Test func countOfKnownFields() throws {
        let head = try parse(fields: "Cookie: a\r\nX: y\r\ncookie: b\r\nAccept: c")
        #expect(head.count(of: .cookie) == 2)
        #expect(head.count(of: .accept) == 1)
        #expect(head.count(of: .etag) == 0)
        #expect(head.first(.cookie)?.nameStart == head[1].nameStart)
    }
}
