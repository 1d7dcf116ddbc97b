import Bytes
import Testing

@testable import HTTP

@Suite struct ResponseHeadReaderTests {
    private func framing(
        _ status: Int, _ fields: String = "", to method: HTTP.Method = .get, upgrade: Bool = false
    ) -> Outcome {
        readResponse("HTTP/1.1 \(status) Any thing\r\n" + fields + "\r\n", to: method, upgrade: upgrade)
    }

    private func isFramed(_ outcome: Outcome, _ framing: BodyFraming, keepAlive: Bool) -> Bool {
        guard case .head(let head) = outcome else { return false }
        return head.framing == framing && head.flags[0] == keepAlive
    }

    @Test func framingFollowsStatusMethodAndFields() {
        let length = "Content-Length: 5\r\n"
        let chunked = "Transfer-Encoding: Chunked\r\n"
        #expect(isFramed(framing(200, length), .length(5), keepAlive: true))
        #expect(isFramed(framing(200, chunked), .chunked, keepAlive: true))
        #expect(isFramed(framing(200), .untilClose, keepAlive: false))
        #expect(isFramed(framing(200, "Connection: keep-alive\r\n"), .untilClose, keepAlive: false))
        #expect(isFramed(framing(200, length + "Connection: close\r\n"), .length(5), keepAlive: false))
        #expect(isFramed(framing(200, length, to: .head), .none, keepAlive: true))
        #expect(isFramed(framing(200, chunked, to: .head), .none, keepAlive: true))
        #expect(isFramed(framing(200, to: .head), .none, keepAlive: true))
        #expect(isFramed(framing(304, length), .none, keepAlive: true))
        #expect(isFramed(framing(304), .none, keepAlive: true))
        #expect(isFramed(framing(204), .none, keepAlive: true))
        #expect(isFramed(framing(204, "Content-Length: 0\r\n"), .none, keepAlive: true))
        #expect(isFramed(framing(100), .none, keepAlive: true))
        #expect(isFramed(framing(103, "Link: </a>\r\n"), .none, keepAlive: true))
        #expect(isFramed(framing(200, to: .connect), .none, keepAlive: true))
        #expect(isFramed(framing(502, to: .connect), .untilClose, keepAlive: false))
        let switching = "Connection: upgrade\r\nUpgrade: websocket\r\n"
        #expect(isFramed(framing(101, switching, upgrade: true), .none, keepAlive: true))
    }

    @Test func ambiguousResponseIsRefused() {
        let length = "Content-Length: 5\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n"
        #expect(framing(200, length + length) == .refused(.contentLengthRepeated))
        #expect(framing(200, length + chunked) == .refused(.lengthAndTransferEncoding))
        #expect(framing(200, chunked + chunked) == .refused(.transferEncodingRepeated))
        #expect(framing(200, "Transfer-Encoding: gzip, chunked\r\n") == .refused(.transferEncodingUnsupported))
        #expect(framing(200, "Transfer-Encoding: chunked, x\r\n") == .refused(.transferEncodingObfuscated))
        #expect(framing(200, "Content-Length: 5, 5\r\n") == .refused(.contentLengthInvalid))
        #expect(framing(304, "Content-Length: x\r\n") == .refused(.contentLengthInvalid))
        #expect(framing(200, "Content-Length: x\r\n", to: .head) == .refused(.contentLengthInvalid))
        #expect(framing(204, length) == .refused(.bodyNotAllowed))
        #expect(framing(204, chunked) == .refused(.bodyNotAllowed))
        #expect(framing(100, length) == .refused(.bodyNotAllowed))
        #expect(framing(200, chunked, to: .connect) == .refused(.bodyNotAllowed))
        #expect(framing(101, "Connection: upgrade\r\nUpgrade: websocket\r\n") == .refused(.switchingNotAsked))
        #expect(framing(101, "Upgrade: websocket\r\n", upgrade: true) == .refused(.switchingNotAsked))
        #expect(framing(101, upgrade: true) == .refused(.switchingNotAsked))
        #expect(framing(200, "Connection: Set-Cookie\r\n") == .refused(.connectionOptionForbidden))
        #expect(
            readResponse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                == .refused(.transferEncodingInOldVersion))
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", "OK", 200), ("HTTP/1.1 200 \r\n\r\n", "", 200), ("HTTP/1.1 200\r\n\r\n", "", 200),
        ("HTTP/1.0 599 \u{e9} x\t y\r\n\r\n", "\u{e9} x\t y", 599), ("HTTP/1.1 404  two\r\n\r\n", " two", 404),
    ])
    func statusLineIsRead(_ text: String, _ reason: String, _ status: Int) {
        let whole = readResponse(text)
        guard case .head(let head) = whole else {
            Issue.record("\(whole)")
            return
        }
        #expect(head.line.prefix(2) == ["\(status)", reason])
        let count = text.utf8.count
        for cut in 0..<count { #expect(readResponse(text, cuts: [cut]) == whole) }
        #expect(readResponse(text, cuts: Array(0..<count)) == whole)
    }

    @Test(arguments: [
        ("HTTP/1.1 99 OK\r\n\r\n", HTTPError.statusLineMalformed), ("HTTP/1.1 600 OK\r\n\r\n", .statusLineMalformed),
        ("HTTP/1.1 2000 OK\r\n\r\n", .statusLineMalformed), ("HTTP/1.1 +20 OK\r\n\r\n", .statusLineMalformed),
        ("HTTP/1.1  200 OK\r\n\r\n", .statusLineMalformed), ("HTTP/1.1\t200 OK\r\n\r\n", .statusLineMalformed),
        ("HTTP/1.1 200\tOK\r\n\r\n", .statusLineMalformed), ("HTTP/2.0 200 OK\r\n\r\n", .statusLineMalformed),
        ("HTTP/1.2 200 OK\r\n\r\n", .statusLineMalformed), ("ICY 200 OK\r\n\r\n\r\n", .statusLineMalformed),
        ("http/1.1 200 OK\r\n\r\n", .statusLineMalformed), ("\r\nHTTP/1.1 200 OK\r\n\r\n", .statusLineMalformed),
        ("HTTP/1.1\r\n\r\n", .statusLineMalformed), ("HTTP/1.1 20\r\n\r\n", .statusLineMalformed),
        ("<html>502 Bad Gateway</html>\r\n", .statusLineMalformed), ("HTTP/1.1 200 O\0K\r\n\r\n", .controlCharacter),
        ("HTTP/1.1 200 OK\nX: y\r\n\r\n", .lineEndingInvalid), ("HTTP/1.1 200 OK\rX\r\n\r\n", .lineEndingInvalid),
        ("HTTP/1.1 200 OK\r\nSet-Cookie : a\r\n\r\n", .whiteSpaceAroundFieldName),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .foldedLine),
    ])
    func malformedResponseIsRefused(_ text: String, _ error: HTTPError) {
        #expect(readResponse(text) == .refused(error))
        let count = text.utf8.count
        for cut in 0..<count { #expect(readResponse(text, cuts: [cut]) == .refused(error), "cut at \(cut)") }
        #expect(readResponse(text, cuts: Array(0..<count)) == .refused(error))
        #expect(error.gatewayStatus == 502)
    }

    @Test func interimResponseIsFollowedByTheFinalOne() throws {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let bytes = Array(
            (interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nok").utf8)
        var reader = ResponseHeadReader()
        let head = MessageHead()
        _ = try reader.read(bytes.span, requestMethod: .post, into: head)
        #expect(head.status == 100)
        #expect(head.headBytes == interim.utf8.count)
        let rest = bytes.span.extracting(interim.utf8.count..<bytes.count)
        _ = try reader.read(rest, requestMethod: .post, into: head)
        #expect(head.status == 200)
        #expect(head.framing == .length(2))
        #expect(head.count(of: .setCookie) == 2)
    }

    @Test func errorOfOneConnectionIsFinal() {
        var reader = ResponseHeadReader()
        let head = MessageHead()
        let bad = Array("HTTP/3.0 200 OK\r\n\r\n".utf8)
        let good = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        #expect(throws: HTTPError.statusLineMalformed) { try reader.read(bad.span, requestMethod: .get, into: head) }
        #expect(throws: HTTPError.statusLineMalformed) { try reader.read(good.span, requestMethod: .get, into: head) }
    }
}
