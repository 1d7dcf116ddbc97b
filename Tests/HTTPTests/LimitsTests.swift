import Bytes
import Testing

@testable import HTTP

/// Each limit at its exact boundary, whole and byte by byte.
@Suite struct HTTPLimitsTests {
    private func isAccepted(_ text: String, _ limits: HTTPLimits) -> Bool {
        let whole = readRequest(text, limits: limits)
        let bytewise = readRequest(text, cuts: Array(0..<text.utf8.count), limits: limits)
        #expect(whole == bytewise)
        if case .head = whole { return true }
        return false
    }

    private func error(_ text: String, _ limits: HTTPLimits) -> HTTPError? {
        let whole = readRequest(text, limits: limits)
        let bytewise = readRequest(text, cuts: Array(0..<text.utf8.count), limits: limits)
        #expect(whole == bytewise)
        if case .refused(let error) = whole { return error }
        return nil
    }

    private func text(_ count: Int) -> String { String(repeating: "a", count: count) }

    @Test func target() {
        let limits = HTTPLimits(requestTargetBytesMax: 50)
        for form in ["/", "/?"] {
            let rest = 50 - form.count
            #expect(isAccepted("GET \(form)\(text(rest)) HTTP/1.1\r\nHost: h\r\n\r\n", limits))
            #expect(error("GET \(form)\(text(rest + 1)) HTTP/1.1\r\nHost: h\r\n\r\n", limits) == .targetTooLong)
            // Refused before its end is there.
            #expect(error("GET \(form)\(text(200))", limits) == .targetTooLong)
        }
        #expect(HTTPError.targetTooLong.status == 414)
    }

    @Test func fieldLine() {
        let limits = HTTPLimits(fieldLineBytesMax: 50)
        #expect(isAccepted("GET / HTTP/1.1\r\nHost: h\r\nX: \(text(47))\r\n\r\n", limits))
        #expect(error("GET / HTTP/1.1\r\nHost: h\r\nX: \(text(48))\r\n\r\n", limits) == .fieldLineTooLong)
        #expect(error("GET / HTTP/1.1\r\nHost: h\r\nX: \(text(60))", limits) == .fieldLineTooLong)
        #expect(error("GET / HTTP/1.1\r\nHost: h\r\n\(text(60))", limits) == .fieldLineTooLong)
        #expect(
            error("GET / HTTP/1.1\r\nHost: h\r\nX:\(String(repeating: " ", count: 60))\r\n", limits)
                == .fieldLineTooLong)
        #expect(isAccepted("GET / HTTP/1.1\r\nHost: h\r\n\(text(49)):\r\n\r\n", limits))
        #expect(error("GET / HTTP/1.1\r\nHost: h\r\n\(text(51)): x\r\n\r\n", limits) == .fieldLineTooLong)
        #expect(HTTPError.fieldLineTooLong.status == 431)
    }

    @Test func head() {
        let head = "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"
        for leading in ["", "\r\n"] {
            let count = (leading + head).utf8.count
            #expect(isAccepted(leading + head, HTTPLimits(headBytesMax: count)))
            for less in 1..<count {
                #expect(
                    error(leading + head, HTTPLimits(headBytesMax: count - less)) == .headTooLong, "\(count - less)")
            }
        }
        // A body behind the head is not counted.
        #expect(isAccepted(head + text(1_000), HTTPLimits(headBytesMax: head.utf8.count)))
        #expect(HTTPError.headTooLong.status == 431)
    }

    /// A request line that is longer than the whole head may be is refused alike, whatever stands in it and wherever it is
    /// cut.
    @Test func requestLineBeyondTheHead() {
        for leading in ["", "\r\n"] {
            let line = "\(leading)GET /\(text(20))"
            for (rest, expected) in [
                ("\"\(text(60))", HTTPError.targetInvalid), ("\(text(40))\"", .headTooLong), (text(60), .headTooLong),
                ("\(text(40)) HTTP/1.1\r\n", .headTooLong), (" \(text(60))", .versionMalformed),
            ] {
                let bytes = Array((line + rest).utf8)
                let limits = HTTPLimits(headBytesMax: 50)
                #expect(readRequest(bytes, limits: limits) == .refused(expected), "\(rest)")
                for cut in 1..<bytes.count {
                    let seen = readRequest(bytes, cuts: [cut], limits: limits)
                    #expect(seen == .refused(expected), "\(rest) cut at \(cut)")
                }
                #expect(error(line + rest, limits) == expected)
            }
        }
    }

    @Test func fieldCount() {
        let limits = HTTPLimits(fieldCountMax: 5)
        let lines = "Host: h\r\n" + String(repeating: "X: y\r\n", count: 4)
        #expect(isAccepted("GET / HTTP/1.1\r\n\(lines)\r\n", limits))
        #expect(error("GET / HTTP/1.1\r\n\(lines)A:\r\n\r\n", limits) == .tooManyFields)
        #expect(HTTPError.tooManyFields.status == 431)
    }

    @Test func headHoldsNoMoreThanItsCapacity() {
        let bytes = Array(("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\n\r\n").utf8)
        var reader = RequestHeadReader()
        #expect(throws: HTTPError.tooManyFields) { try reader.read(bytes.span, into: MessageHead(capacity: 2)) }
        var other = RequestHeadReader()
        #expect(throws: Never.self) { try other.read(bytes.span, into: MessageHead(capacity: 3)) }
    }

    @Test func body() {
        let limits = HTTPLimits(bodyBytesMax: 10)
        #expect(isAccepted("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", limits))
        #expect(error("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", limits) == .bodyTooLarge)
    }

    @Test func method() {
        #expect(isAccepted("\(text(32)) / HTTP/1.1\r\nHost: h\r\n\r\n", HTTPLimits()))
        #expect(error("\(text(33)) / HTTP/1.1\r\nHost: h\r\n\r\n", HTTPLimits()) == .methodTooLong)
        #expect(HTTPError.methodTooLong.status == 501)
    }

    @Test func responseHead() {
        let text = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"
        let count = text.utf8.count
        for max in 1...count {
            let expected: Outcome? = max < count ? .refused(.headTooLong) : nil
            let limits = HTTPLimits(headBytesMax: max)
            let whole = readResponse(text, limits: limits)
            if let expected { #expect(whole == expected) }
            #expect(readResponse(text, cuts: Array(0..<count), limits: limits) == whole)
        }
        let long = HTTPLimits(fieldLineBytesMax: 20)
        #expect(readResponse("HTTP/1.1 200 \(self.text(8))\r\n\r\n", limits: long) == .refused(.fieldLineTooLong))
    }

    /// A peer that sends byte by byte must cost linear time: a megabyte in a debug build well below a second.
    @Test func byteByByteCostsLinearTime() {
        let limits = HTTPLimits(
            headBytesMax: 1 << 20, requestTargetBytesMax: 1 << 20, fieldLineBytesMax: 1 << 20, bodyBytesMax: .max)
        let count = 200_000
        let clock = ContinuousClock()
        for text in [
            "GET /\(text(count))", "GET / HTTP/1.1\r\n\(text(count))", "GET / HTTP/1.1\r\nHost: \(text(count))",
        ] {
            let bytes = Array(text.utf8)
            let elapsed = clock.measure {
                #expect(readRequest(bytes, cuts: Array(0..<bytes.count), limits: limits) == .needMore)
            }
            #expect(elapsed < .seconds(2))
        }
    }
}
