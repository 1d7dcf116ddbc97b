import Bytes
import Testing

@testable import HTTP

@Suite struct HTTPWriterTests {
    private func written(_ body: (inout [UInt8]) -> Void) -> String {
        var sink: [UInt8] = []
        body(&sink)
        return String(decoding: sink, as: UTF8.self)
    }

    @Test func statusLines() {
        #expect(written { HTTPWriter.statusLine(200, to: &$0) } == "HTTP/1.1 200 OK\r\n")
        #expect(written { HTTPWriter.statusLine(299, to: &$0) } == "HTTP/1.1 299 \r\n")
        let reason = Array("Odd".utf8)
        #expect(written { HTTPWriter.statusLine(418, reason: reason.span, to: &$0) } == "HTTP/1.1 418 Odd\r\n")
        #expect(ReasonPhrases.phrase(404) == "Not Found")
        #expect(ReasonPhrases.phrase(299) == "")
    }

    @Test func everyStatusLineReadsBack() throws {
        for status in 100...599 where status != 101 {
            let text = written { HTTPWriter.statusLine(status, to: &$0) } + "\r\n"
            guard case .head(let head) = readResponse(text, to: .head) else {
                Issue.record("\(status)")
                continue
            }
            #expect(head.line[0] == "\(status)")
            #expect(head.line[1] == ReasonPhrases.phrase(status))
        }
    }

    @Test func requestReadsBack() {
        let target = Array("/a?b".utf8)
        let text = written {
            HTTPWriter.requestLine(method: Method.patch.text.bytes, target: target.span, to: &$0)
            HTTPWriter.field("Host", "h", to: &$0)
            HTTPWriter.contentLength(1_234_567, to: &$0)
            HTTPWriter.field("X-Number", decimal: -5, to: &$0)
            HTTPWriter.crlf(to: &$0)
        }
        #expect(text == "PATCH /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 1234567\r\nX-Number: -5\r\n\r\n")
        guard case .head(let head) = readRequest(text) else {
            Issue.record("not read")
            return
        }
        #expect(head.framing == .length(1_234_567))
    }

    @Test func chunksReadBack() {
        for count in [1, 9, 10, 15, 16, 17, 255, 256, 4_095, 4_096, 65_535, 65_536, 1_000_000] {
            let payload = [UInt8](repeating: 0x0a, count: count)
            var sink: [UInt8] = []
            HTTPWriter.chunkHead(count, to: &sink)
            #expect(String(decoding: sink, as: UTF8.self) == String(count, radix: 16) + "\r\n")
            sink += payload
            HTTPWriter.chunkEnd(to: &sink)
            HTTPWriter.lastChunk(to: &sink)
            let body = readBody(sink, .chunked)
            #expect(body.isComplete)
            #expect(body.payload == payload)
        }
        #expect(written { HTTPWriter.chunkedEncoding(to: &$0) } == "Transfer-Encoding: chunked\r\n")
        #expect(written { HTTPWriter.continueResponse(to: &$0) } == "HTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test func textThatWouldSplitAMessageIsNotWritten() {
        var sink: [UInt8] = []
        for value in ["a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\0", "\u{7f}", " a", "a ", "\ta", "\u{1b}"] {
            #expect(throws: HTTPError.fieldValueInvalid) { try HTTPWriter.field(checking: "X", value, to: &sink) }
        }
        for name in ["", "a b", "a:", "a\r\n", "\u{e9}", "(x)"] {
            #expect(throws: HTTPError.fieldNameInvalid) { try HTTPWriter.field(checking: name, "v", to: &sink) }
        }
        #expect(sink.isEmpty)
        #expect(throws: Never.self) { try HTTPWriter.field(checking: "X-Name", "v\tw \u{e9}", to: &sink) }
        #expect(throws: Never.self) { try HTTPWriter.field(checking: "X-Empty", "", to: &sink) }
        #expect(String(decoding: sink, as: UTF8.self) == "X-Name: v\tw \u{e9}\r\nX-Empty: \r\n")
    }

    @Test func everyErrorHasAStatusAndAWord() {
        for error in [400, 408, 413, 414, 417, 431, 501, 505] {
            #expect(HTTPError.allCases.contains { $0.status == error })
        }
        for error in HTTPError.allCases {
            #expect(!error.detail.isEmpty)
            #expect(ReasonPhrases.statusLine(error.status) != nil)
            #expect(ReasonPhrases.statusLine(error.gatewayStatus) != nil)
        }
        #expect(Set(HTTPError.allCases.map(\.detail)).count == HTTPError.allCases.count)
    }
}
