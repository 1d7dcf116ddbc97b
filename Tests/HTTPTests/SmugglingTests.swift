import Bytes
import Testing

@testable import HTTP

/// Requests that two parsers could read in two ways. Each must be refused, wherever the network cuts it.
@Suite struct SmugglingTests {
    struct Case: Sendable, CustomStringConvertible {
        var name: String
        var request: String
        var error: HTTPError
        var description: String { name }

        init(_ name: String, _ request: String, _ error: HTTPError) {
            self.name = name
            self.request = request
            self.error = error
        }

        /// A POST with these field lines behind a good `Host`.
        init(_ name: String, fields: String, _ error: HTTPError) {
            self.init(name, "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n\r\n", error)
        }
    }

    static let framing: [Case] = [
        Case("CL.TE", fields: "Content-Length: 6\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        Case("TE.CL", fields: "Transfer-Encoding: chunked\r\nContent-Length: 6", .lengthAndTransferEncoding),
        Case(
            "CL of zero and TE", fields: "Content-Length: 0\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        Case("bad CL and TE", fields: "Content-Length: x\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        Case("CL.CL different", fields: "Content-Length: 6\r\nContent-Length: 7", .contentLengthRepeated),
        Case("CL.CL equal", fields: "Content-Length: 6\r\ncontent-length: 6", .contentLengthRepeated),
        Case("CL.CL, one empty", fields: "Content-Length:\r\nContent-Length: 6", .contentLengthRepeated),
        Case("CL list equal", fields: "Content-Length: 6, 6", .contentLengthInvalid),
        Case("CL list different", fields: "Content-Length: 6,7", .contentLengthInvalid),
        Case("CL empty", fields: "Content-Length:", .contentLengthInvalid),
        Case("CL blank", fields: "Content-Length:   ", .contentLengthInvalid),
        Case("CL plus", fields: "Content-Length: +6", .contentLengthInvalid),
        Case("CL minus", fields: "Content-Length: -6", .contentLengthInvalid),
        Case("CL minus zero", fields: "Content-Length: -0", .contentLengthInvalid),
        Case("CL inner space", fields: "Content-Length: 1 0", .contentLengthInvalid),
        Case("CL hexadecimal", fields: "Content-Length: 0x6", .contentLengthInvalid),
        Case("CL underscore", fields: "Content-Length: 1_0", .contentLengthInvalid),
        Case("CL fraction", fields: "Content-Length: 6.0", .contentLengthInvalid),
        Case("CL exponent", fields: "Content-Length: 1e1", .contentLengthInvalid),
        Case("CL quoted", fields: "Content-Length: \"6\"", .contentLengthInvalid),
        Case("CL trailing letter", fields: "Content-Length: 6a", .contentLengthInvalid),
        Case("CL of 2^63", fields: "Content-Length: 9223372036854775808", .contentLengthInvalid),
        Case("CL of 2^64+6", fields: "Content-Length: 18446744073709551622", .contentLengthInvalid),
        Case(
            "CL of 40 digits", fields: "Content-Length: 1000000000000000000000000000000000000006", .contentLengthInvalid
        ),
        Case("CL with 20 leading zeros", fields: "Content-Length: 000000000000000000006", .contentLengthInvalid),
        Case("CL full-width digits", fields: "Content-Length: \u{ff16}", .contentLengthInvalid),
        Case("CL non-breaking space", fields: "Content-Length: \u{a0}6", .contentLengthInvalid),
        Case("CL of 2^63-1", fields: "Content-Length: 9223372036854775807", .bodyTooLarge),

        Case("TE.TE", fields: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .transferEncodingRepeated),
        Case(
            "TE.TE identity first", fields: "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
            .transferEncodingRepeated),
        Case(
            "TE.TE junk last", fields: "Transfer-Encoding: chunked\r\ntransfer-encoding: x", .transferEncodingRepeated),
        Case("TE identity", fields: "Transfer-Encoding: identity", .transferEncodingUnsupported),
        Case("TE gzip", fields: "Transfer-Encoding: gzip", .transferEncodingUnsupported),
        Case("TE gzip, chunked", fields: "Transfer-Encoding: gzip, chunked", .transferEncodingUnsupported),
        Case("TE chunked, gzip", fields: "Transfer-Encoding: chunked, gzip", .transferEncodingObfuscated),
        Case("TE chunked, identity", fields: "Transfer-Encoding: chunked, identity", .transferEncodingObfuscated),
        Case("TE chunked twice", fields: "Transfer-Encoding: chunked, chunked", .transferEncodingObfuscated),
        Case("TE xchunked", fields: "Transfer-Encoding: xchunked", .transferEncodingUnsupported),
        Case("TE chunked with letter", fields: "Transfer-Encoding: chunkedx", .transferEncodingUnsupported),
        Case("TE chunked with parameter", fields: "Transfer-Encoding: chunked;q=1", .transferEncodingObfuscated),
        Case("TE quoted", fields: "Transfer-Encoding: \"chunked\"", .transferEncodingObfuscated),
        Case("TE single-quoted", fields: "Transfer-Encoding: 'chunked'", .transferEncodingUnsupported),
        Case("TE leading comma", fields: "Transfer-Encoding: , chunked", .transferEncodingObfuscated),
        Case("TE trailing comma", fields: "Transfer-Encoding: chunked,", .transferEncodingObfuscated),
        Case("TE empty", fields: "Transfer-Encoding:", .transferEncodingObfuscated),
        Case("TE only comma", fields: "Transfer-Encoding: ,", .transferEncodingObfuscated),
        Case("TE inner space", fields: "Transfer-Encoding: chunk ed", .transferEncodingObfuscated),
        Case("TE vertical tab", fields: "Transfer-Encoding: \u{0b}chunked", .controlCharacter),
        Case("TE form feed", fields: "Transfer-Encoding: chunked\u{0c}", .controlCharacter),
        Case("TE NUL", fields: "Transfer-Encoding: chunked\0", .controlCharacter),
        Case("TE non-breaking space", fields: "Transfer-Encoding:\u{a0}chunked", .transferEncodingObfuscated),
        Case("TE long s", fields: "Transfer-Encoding: \u{17f}chunked", .transferEncodingObfuscated),
        Case("TE Kelvin sign", fields: "Transfer-Encoding: chun\u{212a}ed", .transferEncodingObfuscated),
        Case("TE folded", fields: "Transfer-Encoding:\r\n chunked", .foldedLine),
        Case("TE folded by tab", fields: "Transfer-Encoding: x\r\n\tchunked", .foldedLine),
        Case("TE space before colon", fields: "Transfer-Encoding : chunked", .whiteSpaceAroundFieldName),
        Case("TE tab before colon", fields: "Transfer-Encoding\t: chunked", .whiteSpaceAroundFieldName),
        Case("TE leading space", "POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: h\r\n\r\n", .foldedLine),
        Case("TE with underscore", fields: "Transfer_Encoding: chunked", .fieldNameAmbiguous),
        Case("CL with underscore", fields: "Content_Length: 5", .fieldNameAmbiguous),
        Case("X-Forwarded-For with underscore", fields: "x_forwarded-for: 10.0.0.1", .fieldNameAmbiguous),
        Case("name with NUL", fields: "Transfer-Encoding\0: chunked", .fieldNameInvalid),
        Case("name with CR for hyphen", fields: "Content\rLength: 5", .lineEndingInvalid),
        Case("name with CR for hyphen in TE", fields: "Transfer\rEncoding: chunked", .lineEndingInvalid),
        Case("name with DLE for digit", fields: "Content\u{10}Length: 5", .fieldNameInvalid),
        Case("name with quote", fields: "\"Content-Length\": 5", .fieldNameInvalid),
        Case("name with high byte", fields: "Content-Length\u{e9}: 5", .fieldNameInvalid),
        Case("name empty", fields: ": x", .fieldNameInvalid),
        Case("line without colon", fields: "Content-Length", .fieldNameInvalid),
        Case("line of one space", fields: " ", .foldedLine),
        Case("LF alone behind a field", "POST / HTTP/1.1\r\nHost: h\nContent-Length: 5\r\n\r\n", .lineEndingInvalid),
        Case("LF alone behind the request line", "POST / HTTP/1.1\nHost: h\r\n\r\n", .lineEndingInvalid),
        Case(
            "LF alone as the empty line", "POST / HTTP/1.1\r\nHost: h\r\n\nGET / HTTP/1.1\r\n\r\n", .lineEndingInvalid),
        Case("LF CR", "POST / HTTP/1.1\n\rHost: h\n\r\n\r", .lineEndingInvalid),
        Case("CR alone in a value", fields: "X: a\rContent-Length: 5", .lineEndingInvalid),
        Case("CR CR LF", fields: "X: a\r\r\nContent-Length: 5", .lineEndingInvalid),
        Case("CR alone as the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\rX\r\n\r\n", .lineEndingInvalid),
        Case("NUL in a value", fields: "X: a\0b", .controlCharacter),
        Case("DEL in a value", fields: "X: a\u{7f}b", .controlCharacter),
        Case("escape in a value", fields: "X: \u{1b}[2J", .controlCharacter),
        Case(
            "TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            .transferEncodingInOldVersion),
    ]

    static let others: [Case] = [
        Case("Host missing", "GET / HTTP/1.1\r\nX: y\r\n\r\n", .hostMissing),
        Case("no fields at all", "GET / HTTP/1.1\r\n\r\n", .hostMissing),
        Case("Host repeated", fields: "Host: h", .hostRepeated),
        Case("Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .hostInvalid),
        Case("Host with user", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", .hostInvalid),
        Case("Host with path", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", .hostInvalid),
        Case("Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .hostInvalid),
        Case("Host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostInvalid),
        Case("Host encoded", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n", .hostInvalid),
        Case("Host bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", .hostInvalid),
        Case("Host empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", .hostInvalid),
        Case("Host port too high", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", .hostInvalid),
        Case("Host two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", .hostInvalid),
        Case("Host only port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .hostInvalid),
        Case("Host open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .hostInvalid),
        Case("Host empty bracket", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", .hostInvalid),
        Case("Host behind bracket", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", .hostInvalid),
        Case("Host high byte", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", .hostInvalid),
        Case("Host bad in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .hostInvalid),
        Case("absolute-form, other host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .hostDisagrees),
        Case("absolute-form, longer host", "GET http://a/ HTTP/1.1\r\nHost: a.b\r\n\r\n", .hostDisagrees),
        Case("absolute-form, other port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostDisagrees),
        Case(
            "absolute-form, port of the other scheme", "GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", .hostDisagrees),
        Case("absolute-form with user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("absolute-form without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("absolute-form, host cut by query", "GET http://?a HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("absolute-form of nothing", "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("scheme without slashes", "GET http:a HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("authority-form of GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("target without slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("target of query alone", "GET ?x HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("asterisk of GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("asterisk and more", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("asterisk with query", "OPTIONS *?x HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("CONNECT with path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("CONNECT without port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", .targetFormInvalid),
        Case("CONNECT, other host", "CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", .hostDisagrees),
        Case("CONNECT, other port", "CONNECT a:443 HTTP/1.1\r\nHost: a:80\r\n\r\n", .hostDisagrees),
        Case("fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("fragment behind query", "GET /a?b#c HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("tab in target", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("NUL in target", "GET /a\0 HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("backslash in path", "GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("backslash in query", "GET /a?\\b HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("quote in target", "GET /a\"b HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("brace in path", "GET /{a} HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("angle bracket in target", "GET /<a> HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("high byte in target", "GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("DEL in target", "GET /\u{7f} HTTP/1.1\r\nHost: h\r\n\r\n", .targetInvalid),
        Case("two spaces before the target", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("two spaces before the version", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", .versionMalformed),
        Case("space behind the version", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", .versionMalformed),
        Case("words behind the target", "GET / x HTTP/1.1\r\nHost: h\r\n\r\n", .versionMalformed),
        Case("tab for space", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("leading space", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("no version", "GET /\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("no target", "GET\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("short and wrong", "G / \r\n\r\n", .versionMalformed),
        Case("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("LF before", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("CR before", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", .lineEndingInvalid),
        Case("method with slash", "G/T / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed),
        Case("method long", String(repeating: "A", count: 33) + " / HTTP/1.1\r\nHost: h\r\n\r\n", .methodTooLong),
        Case("HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", .versionUnsupported),
        Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnsupported),
        Case("HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", .versionUnsupported),
        Case("HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", .versionUnsupported),
        Case("HTTP/1.10", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", .versionMalformed),
        Case("HTTP/11", "GET / HTTP/11\r\nHost: h\r\n\r\n", .versionMalformed),
        Case("lower-case version", "GET / http/1.1\r\nHost: h\r\n\r\n", .versionMalformed),
        Case("other protocol", "GET / RTSP/1.0\r\nHost: h\r\n\r\n", .versionMalformed),
        Case("TLS client hello", "\u{16}\u{03}\u{01}\u{02}\0\u{01}\0\u{01}\u{fc}\r\n", .requestLineMalformed),
        Case("expectation unknown", fields: "Expect: 200-ok", .expectationUnknown),
        Case("expectation with parameter", fields: "Expect: 100-continue;x", .expectationUnknown),
        Case("expectation empty", fields: "Expect:", .expectationUnknown),
        Case("two expectations", fields: "Expect: 100-continue\r\nExpect: 100-continue", .fieldRepeated),
        Case("two tokens", fields: "Authorization: Bearer a\r\nauthorization: Bearer b", .fieldRepeated),
        Case("two idempotency keys", fields: "Idempotency-Key: a\r\nIdempotency-Key: b", .fieldRepeated),
        Case("two content types", fields: "Content-Type: a/b\r\nContent-Type: c/d", .fieldRepeated),
        Case("Connection nominates Authorization", fields: "Connection: Authorization", .connectionOptionForbidden),
        Case("Connection nominates Host", fields: "Connection: close, hOST", .connectionOptionForbidden),
        Case("Connection nominates Content-Length", fields: "Connection: Content-Length", .connectionOptionForbidden),
        Case("Connection nominates X-Forwarded-For", fields: "Connection: X-Forwarded-For", .connectionOptionForbidden),
        Case("Connection of non-tokens", fields: "Connection: a b", .connectionOptionForbidden),
        Case(
            "Connection of many options", fields: "Connection: " + String(repeating: "a,", count: 17),
            .connectionOptionForbidden),
    ]

    @Test(arguments: framing + others)
    func ambiguousRequestIsRefused(_ test: Case) {
        let bytes = Array(test.request.utf8)
        #expect(readRequest(bytes) == .refused(test.error))
        let differing = bytes.indices.filter { readRequest(bytes, cuts: [$0]) != .refused(test.error) }
        #expect(differing == [])
        #expect(readRequest(bytes, cuts: Array(0..<bytes.count)) == .refused(test.error))
    }

    @Test func errorIsFinal() {
        var reader = RequestHeadReader()
        let head = MessageHead()
        let bad = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        let good = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        #expect(throws: HTTPError.hostMissing) { try reader.read(bad.span, into: head) }
        #expect(throws: HTTPError.hostMissing) { try reader.read(good.span, into: head) }
    }

    @Test func everyControlCharacterIsRefusedEverywhere() {
        let request = "POST /ab?cd HTTP/1.1\r\nHost: h.example\r\nX-Some-Field: value\r\nUser-Agent: x y z\r\n\r\n"
        let good = Array(request.utf8)
        guard case .head = readRequest(good) else {
            Issue.record("the pattern must be good")
            return
        }
        for at in good.indices where good[at] != 0x0d && good[at] != 0x0a {
            for control in (0..<0x20).map(UInt8.init) + [0x7f] {
                var bad = good
                bad[at] = control
                let outcome = readRequest(bad)
                if case .refused = outcome { continue }
                // HTAB is allowed inside values and around them.
                #expect(control == 0x09, "control \(control) at \(at) gives \(outcome)")
            }
        }
    }

    @Test func everyLineEndingMustBeWhole() {
        let good = Array("POST /ab HTTP/1.1\r\nHost: h\r\nX: y\r\nContent-Length: 0\r\n\r\n".utf8)
        for at in good.indices where good[at] == 0x0d || good[at] == 0x0a {
            var without = good
            without.remove(at: at)
            if case .head = readRequest(without + Array("\r\n\r\n".utf8)) { Issue.record("passed without byte \(at)") }
            for other: UInt8 in [0x20, 0x09, 0x00, 0x0b, 0x61, 0x85] {
                var changed = good
                changed[at] = other
                if case .head = readRequest(changed) { Issue.record("passed with \(other) at \(at)") }
            }
        }
    }
}
