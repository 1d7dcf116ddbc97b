import Bytes
import Testing

@testable import HTTP

@Suite struct BodyReaderTests {
    /// Reads whole, cut in two everywhere and byte by byte; all must agree.
    private func read(_ text: String, _ framing: BodyFraming, limits: HTTPLimits = HTTPLimits(), eof: Bool = false)
        -> ReadBody
    {
        let bytes = Array(text.utf8)
        let whole = readBody(bytes, framing, limits: limits, eof: eof)
        let expected = whole.error == nil ? whole : nil
        for cut in 0...bytes.count {
            let other = readBody(bytes, framing, cuts: [cut], limits: limits, eof: eof)
            if let expected { #expect(other == expected, "cut at \(cut)") }
            #expect(other.error == whole.error, "cut at \(cut)")
        }
        let bytewise = readBody(bytes, framing, cuts: Array(0..<bytes.count), limits: limits, eof: eof)
        if let expected { #expect(bytewise == expected) }
        #expect(bytewise.error == whole.error)
        return whole
    }

    @Test func bodyOfAKnownLengthEndsThere() {
        let body = read("hello, worldGET / HTTP/1.1\r\n", .length(12))
        #expect(body.text == "hello, world")
        #expect(body.isComplete)
        #expect(body.consumed == 12)
    }

    @Test func whatWasPassedOnUnreadCountsAsRead() throws {
        var reader = BodyReader(framing: .length(100))
        #expect(reader.lengthLeft == 100)
        reader.skip(30)
        let bytes = Array("0123456789".utf8)
        #expect(try reader.read(bytes.span) == .data(0..<10, consumed: 10))
        #expect(reader.lengthLeft == 60)
        #expect(throws: HTTPError.bodyIncomplete) {
            var cut = reader
            try cut.finish()
        }
        reader.skip(60)
        #expect(reader.isComplete)
        #expect(reader.lengthLeft == 0)
        #expect(try reader.read(bytes.span) == .end(consumed: 0))
        // What has no told length must be read to find its end.
        for framing in [BodyFraming.none, .chunked, .untilClose] {
            #expect(BodyReader(framing: framing).lengthLeft == 0)
        }
    }

    @Test func noBodyEndsAtOnce() {
        for framing in [BodyFraming.none, .length(0)] {
            let body = read("GET", framing)
            #expect(body.isComplete)
            #expect(body.consumed == 0)
            #expect(body.payload.isEmpty)
        }
    }

    @Test func bodyUntilCloseEndsWithTheConnection() {
        #expect(!read("abc", .untilClose).isComplete)
        let body = read("abc", .untilClose, eof: true)
        #expect(body.isComplete)
        #expect(body.text == "abc")
    }

    @Test func chunkedBodyIsPutTogether() {
        let body = read("5\r\nhello\r\n0007\r\n, world\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\nNEXT", .chunked)
        #expect(body.text == "hello, worldabcdefghijklmnopqrstuvwxyz")
        #expect(body.isComplete)
        #expect(body.consumed == 62)
        #expect(body.trailers.isEmpty)
    }

    @Test func emptyChunkedBodyEnds() {
        #expect(read("0\r\n\r\n", .chunked).isComplete)
        #expect(read("0000000000000000\r\n\r\n", .chunked).isComplete)
    }

    @Test func trailersAreParsed() {
        let body = read("1\r\nx\r\n0\r\nDigest: sha-256=abc \r\nX-Checksum:\t9\r\nEmpty:\r\n\r\nNEXT", .chunked)
        #expect(body.isComplete)
        #expect(body.trailers == ["Digest=sha-256=abc", "X-Checksum=9", "Empty="])
        #expect(body.text == "x")
    }

    @Test(arguments: [
        ("", HTTPError.bodyIncomplete), ("5", .bodyIncomplete), ("5\r", .bodyIncomplete), ("5\r\nhel", .bodyIncomplete),
        ("5\r\nhello", .bodyIncomplete), ("5\r\nhello\r\n", .bodyIncomplete), ("5\r\nhello\r\n0\r\n", .bodyIncomplete),
        ("0\r\n\r", .bodyIncomplete), ("0\r\nX: y\r\n", .bodyIncomplete),
        ("\r\n0\r\n\r\n", .chunkSizeInvalid), (" 5\r\nhello\r\n0\r\n\r\n", .chunkSizeInvalid),
        ("5 \r\nhello\r\n0\r\n\r\n", .chunkSizeInvalid), ("5\t\r\nhello\r\n0\r\n\r\n", .chunkSizeInvalid),
        ("+5\r\nhello\r\n0\r\n\r\n", .chunkSizeInvalid), ("-5\r\nhello\r\n0\r\n\r\n", .chunkSizeInvalid),
        ("0x5\r\nhello\r\n0\r\n\r\n", .chunkSizeInvalid), ("5_0\r\n", .chunkSizeInvalid), ("g\r\n", .chunkSizeInvalid),
        ("\0\r\n", .chunkSizeInvalid), ("5\0\r\nhello\r\n", .chunkSizeInvalid), ("1@\r\n", .chunkSizeInvalid),
        ("5\u{b2}\r\n", .chunkSizeInvalid), ("\u{ff15}\r\n", .chunkSizeInvalid),
        ("5;a=b\r\nhello\r\n0\r\n\r\n", .chunkExtension), ("5;\r\nhello\r\n0\r\n\r\n", .chunkExtension),
        ("0;\n\r\n", .chunkExtension), ("5;a=\"\r\n\"\r\n", .chunkExtension),
        ("5\nhello\r\n0\r\n\r\n", .lineEndingInvalid), ("5\rhello\r\n0\r\n\r\n", .lineEndingInvalid),
        ("5\r\rhello\r\n0\r\n\r\n", .lineEndingInvalid), ("0\n\r\n", .lineEndingInvalid),
        ("5\r\nhello0\r\n\r\n", .chunkEndingInvalid), ("5\r\nhello\n0\r\n\r\n", .chunkEndingInvalid),
        ("5\r\nhello\r0\r\n\r\n", .chunkEndingInvalid), ("5\r\nhello!\r\n0\r\n\r\n", .chunkEndingInvalid),
        ("4\r\nhello\r\n0\r\n\r\n", .chunkEndingInvalid), ("5\r\nhelloXX0\r\n\r\n", .chunkEndingInvalid),
        ("00000000000000005\r\nhello\r\n", .chunkSizeInvalid), ("8000000000000000\r\n", .chunkSizeInvalid),
        ("ffffffffffffffff\r\n", .chunkSizeInvalid), ("10000000000000000\r\n", .chunkSizeInvalid),
        ("10000000000000005\r\nhello\r\n", .chunkSizeInvalid), ("7fffffffffffffff\r\n", .bodyTooLarge),
        ("1\r\nx\r\n7fffffffffffffff\r\n", .bodyTooLarge),
        ("0\r\nX: y\n\r\n", .lineEndingInvalid), ("0\r\n\n", .lineEndingInvalid),
        ("0\r\nX: y\r\n\n", .lineEndingInvalid),
        ("0\r\nX: a\rb\r\n\r\n", .lineEndingInvalid), ("0\r\nX : y\r\n\r\n", .whiteSpaceAroundFieldName),
        ("0\r\n X: y\r\n\r\n", .foldedLine), ("0\r\nX: y\r\n z\r\n\r\n", .foldedLine),
        ("0\r\nX: \0\r\n\r\n", .controlCharacter), ("0\r\nGET / HTTP/1.1\r\n\r\n", .whiteSpaceAroundFieldName),
        ("0\r\nno colon\r\n\r\n", .whiteSpaceAroundFieldName), ("0\r\nx\r\n\r\n", .fieldNameInvalid),
        ("0\r\nContent-Length: 5\r\n\r\n", .trailerForbidden),
        ("0\r\ntransfer-encoding: chunked\r\n\r\n", .trailerForbidden),
        ("0\r\nHost: h\r\n\r\n", .trailerForbidden), ("0\r\nAuthorization: Bearer x\r\n\r\n", .trailerForbidden),
        ("0\r\nX: y\r\nCookie: c\r\n\r\n", .trailerForbidden), ("0\r\nSet-Cookie: c\r\n\r\n", .trailerForbidden),
        ("0\r\nTrailer: X\r\n\r\n", .trailerForbidden), ("0\r\nConnection: close\r\n\r\n", .trailerForbidden),
        ("0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", .trailerForbidden), ("0\r\nProxy-X: y\r\n\r\n", .trailerForbidden),
        ("0\r\nContent-Type: a/b\r\n\r\n", .trailerForbidden), ("0\r\nIdempotency-Key: k\r\n\r\n", .trailerForbidden),
        ("0\r\nContent_Length: 5\r\n\r\n", .fieldNameAmbiguous),
        ("0\r\nExpect: 100-continue\r\n\r\n", .trailerForbidden),
    ])
    func abusedChunksAreRefused(_ text: String, _ error: HTTPError) {
        #expect(read(text, .chunked, eof: true).error == error)
    }

    @Test func bodyThatIsCutIsNotWhole() {
        let body = read("abc", .length(4), eof: true)
        #expect(body.error == .bodyIncomplete)
        #expect(!body.isComplete)
    }

    @Test func largestBodyPassesAndOneByteMoreDoesNot() {
        let limits = HTTPLimits(bodyBytesMax: 10)
        let ten = "0123456789"
        #expect(read(ten, .length(10), limits: limits).isComplete)
        #expect(read(ten + "x", .length(11), limits: limits).error == .bodyTooLarge)
        #expect(read("a\r\n\(ten)\r\n0\r\n\r\n", .chunked, limits: limits).isComplete)
        #expect(read("9\r\n012345678\r\n1\r\nx\r\n0\r\n\r\n", .chunked, limits: limits).isComplete)
        #expect(read("b\r\n\(ten)x\r\n0\r\n\r\n", .chunked, limits: limits).error == .bodyTooLarge)
        #expect(read("a\r\n\(ten)\r\n1\r\nx\r\n0\r\n\r\n", .chunked, limits: limits).error == .bodyTooLarge)
        #expect(read(ten, .untilClose, limits: limits, eof: true).isComplete)
        #expect(read(ten + "x", .untilClose, limits: limits, eof: true).error == .bodyTooLarge)
        #expect(HTTPError.bodyTooLarge.status == 413)
    }

    @Test func longestTrailersPassAndOneByteMoreDoesNot() {
        let limits = HTTPLimits(trailerBytesMax: 12)
        #expect(read("0\r\nX: 45678\r\n\r\n", .chunked, limits: limits).error == nil)  // 10 + 2
        #expect(read("0\r\nX: 456789\r\n\r\n", .chunked, limits: limits).error == .trailersTooLong)
        #expect(read("0\r\n" + String(repeating: "x", count: 13), .chunked, limits: limits).error == .trailersTooLong)
        let many = String(repeating: "a:\r\n", count: 33)
        #expect(read("0\r\n\(many)\r\n", .chunked).error == .tooManyFields)
    }

    @Test func errorIsFinal() {
        var reader = BodyReader(framing: .chunked)
        let bad = Array("x".utf8)
        let good = Array("0\r\n\r\n".utf8)
        #expect(throws: HTTPError.chunkSizeInvalid) { try reader.read(bad.span) }
        #expect(throws: HTTPError.chunkSizeInvalid) { try reader.read(good.span) }
        #expect(throws: HTTPError.chunkSizeInvalid) { try reader.finish() }
    }

    @Test func largestSizesDoNotOverflow() throws {
        let limits = HTTPLimits(bodyBytesMax: .max)
        let text = Array("1\r\nx\r\n7ffffffffffffffe\r\nabc".utf8)
        #expect(readBody(text, .chunked, limits: limits).text == "xabc")
        let over = Array("1\r\nx\r\n7fffffffffffffff\r\nabc".utf8)
        #expect(readBody(over, .chunked, limits: limits).error == .bodyTooLarge)
        #expect(readBody(Array("ab".utf8), .length(.max), limits: limits).text == "ab")
    }
}
