import Bytes
import Testing

@testable import HTTP

@Suite struct RequestHeadReaderTests {
    static let plain = "GET /api/x?a=1&b HTTP/1.1\r\nHost: a.example:8080\r\nX-Thing:  some \t thing \t\r\n\r\n"

    @Test func plainRequestIsRead() throws {
        let bytes = Array(Self.plain.utf8)
        var reader = RequestHeadReader()
        let head = MessageHead()
        guard case .complete = try reader.read(bytes.span, into: head) else {
            Issue.record("not complete")
            return
        }
        #expect(head.method == .get)
        #expect(head.version == 1)
        #expect(bytes.span.extracting(head.targetRange).text == "/api/x?a=1&b")
        #expect(bytes.span.extracting(head.pathRange).text == "/api/x")
        let query = try #require(head.queryRange)
        #expect(bytes.span.extracting(query).text == "a=1&b")
        #expect(head.authorityRange == nil)
        #expect(head.count == 2)
        #expect(bytes.span.extracting(head[1].nameRange).text == "X-Thing")
        #expect(bytes.span.extracting(head[1].valueRange).text == "some \t thing")
        let host = try #require(head.first(.host))
        #expect(bytes.span.extracting(host.valueRange).text == "a.example:8080")
        #expect(head.first(.cookie) == nil)
        #expect(head.framing == .none)
        #expect(head.keepAlive)
        #expect(head.headBytes == bytes.count)
    }

    @Test func pipelinedRequestsAreReadOneAfterTheOther() throws {
        let first = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nCookie: k\r\n\r\n"
        let bytes = Array((first + "abc" + Self.plain).utf8)
        var reader = RequestHeadReader()
        let head = MessageHead()
        guard case .complete = try reader.read(bytes.span, into: head) else {
            Issue.record("first")
            return
        }
        #expect(head.framing == .length(3))
        #expect(head.headBytes == first.utf8.count)
        #expect(head.first(.cookie) != nil)
        let rest = bytes.span.extracting((head.headBytes + 3)..<bytes.count)
        guard case .complete = try reader.read(rest, into: head) else {
            Issue.record("second")
            return
        }
        #expect(head.method == .get)
        #expect(head.count == 2)
        #expect(head.first(.cookie) == nil)
        #expect(head.framing == .none)
        #expect(head.headBytes == rest.count)
    }

    @Test func headIsTheSameWhereverTheNetworkCutsIt() {
        let texts = [
            Self.plain,
            "\r\n" + Self.plain,
            "DELETE http://A.example/x/y?z HTTP/1.0\r\nhOsT: a.EXAMPLE:80\r\nConnection: keep-alive, X-One\r\nx-one: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: CHUNKED\r\nExpect: 100-Continue\r\nTE: trailers\r\n\r\n",
            "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: h\r\nProxy-Foo: x\r\nEmpty:\r\nBlank:   \r\nHigh: \u{e9}\u{fff}\r\n\r\n",
            "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
            "FOOBARBAZ-QUX /a HTTP/1.1\r\nHost: h\r\nA-Very-Long-Field-Name-That-Nobody-Knows: v\r\n\r\n",
        ]
        for text in texts {
            let whole = readRequest(text)
            guard case .head = whole else {
                Issue.record("\(text) \(whole)")
                continue
            }
            let count = text.utf8.count
            for cut in 0..<count { #expect(readRequest(text, cuts: [cut]) == whole, "cut at \(cut)") }
            #expect(readRequest(text, cuts: Array(0..<count)) == whole)
            for first in stride(from: 0, to: count, by: 7) {
                for second in stride(from: first, to: count, by: 5) {
                    #expect(readRequest(text, cuts: [first, second]) == whole)
                }
            }
            for cut in 0..<count { #expect(readRequest(Array(text.utf8.prefix(cut))) == .needMore) }
        }
    }
}
