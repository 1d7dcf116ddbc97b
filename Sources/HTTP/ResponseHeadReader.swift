import Bytes

/// Reads heads of responses from bytes that always begin at the start of a message. (RFC 9112 §4)
///
/// Interim responses (1xx) are reported as heads without a body; the final one follows. (RFC 9110 §15.2)
public struct ResponseHeadReader: Sendable {
    private enum Phase: Sendable {
        case line
        case fields
        case failed(HTTPError)
    }

    private let limits: HTTPLimits
    private var phase = Phase.line
    private var scanner = HeadScanner()

    public init(limits: HTTPLimits = .upstream) { self.limits = limits }

    /// Reads on. When it is complete, `head.headBytes` bytes are to be consumed before the body, and the reader is ready for
    /// the next message.
    ///
    /// - Parameter bytes: all bytes since the start of this message; on later calls the same and more.
    /// - Parameter requestMethod: that of the request that is answered: after HEAD, and CONNECT, there is no body.
    /// - Parameter upgradeRequested: whether that request asked for an upgrade; otherwise 101 is refused.
    /// - Throws: the reason of refusal, the same one at each later call; to the client it is a 502.
    public mutating func read(
        _ bytes: Span<UInt8>, requestMethod: Method, upgradeRequested: Bool = false, into head: MessageHead
    ) throws(HTTPError) -> HeadStep {
        do {
            return try step(bytes, requestMethod, upgradeRequested, head)
        } catch {
            phase = .failed(error)
            throw error
        }
    }

    /// Whether some bytes of a message have been looked at, so that the end of the connection cuts a response.
    public var isInMessage: Bool {
        if case .line = phase { return scanner.hasSeenBytes }
        return true
    }

    @inline(__always)
    private mutating func step(
        _ bytes: Span<UInt8>, _ method: Method, _ upgradeRequested: Bool, _ head: MessageHead
    ) throws(HTTPError) -> HeadStep {
        switch phase {
        case .line:
            if try !readStatusLine(bytes, into: head) {
                if bytes.count > limits.headBytesMax { throw .headTooLong }
                return .needMore
            }
            phase = .fields
        case .fields: break
        case .failed(let error): throw error
        }
        let step = try scanner.readFields(
            bytes, into: head, headMax: limits.headBytesMax, lineMax: limits.fieldLineBytesMax,
            countMax: limits.fieldCountMax)
        guard case .complete = step else { return .needMore }
        head.state.pointee.headBytes = UInt32(truncatingIfNeeded: scanner.lineStart)
        try ResponseRules.apply(
            to: head, bytes, method: method, upgradeRequested: upgradeRequested, bodyMax: limits.bodyBytesMax)
        phase = .line
        scanner = HeadScanner()
        return .complete
    }

    /// True when the line is complete.
    @inline(__always)
    private mutating func readStatusLine(_ bytes: Span<UInt8>, into head: MessageHead) throws(HTTPError) -> Bool {
        let count = bytes.count
        if !scanner.isWorthParsing(bytes, limit: limits.fieldLineBytesMax) { return false }
        head.begin()
        guard count >= 12 else {
            for i in 0..<count where bytes[i] == 0x0d || bytes[i] == 0x0a { throw .statusLineMalformed }
            scanner.wait(bytes)
            return false
        }
        // "HTTP/1." and a last byte of "0" or "1", then a space and three digits.
        let word = bytes.word(at: 0)
        guard word & 0xfeff_ffff_ffff_ffff == 0x302e_312f_5054_5448, bytes[8] == 0x20,
            let status = bytes.extracting(9..<12).decimal, status >= 100, status < 600
        else { throw .statusLineMalformed }
        // The reason phrase: any text without control characters. Some servers leave out the space before an empty one.
        let end = bytes.firstControl(from: 12)
        if end > limits.fieldLineBytesMax { throw .fieldLineTooLong }
        if end > 12, bytes[12] != 0x20 { throw .statusLineMalformed }
        if end < count, bytes[end] != 0x0d { throw bytes[end] == 0x0a ? .lineEndingInvalid : .controlCharacter }
        guard end &+ 1 < count else {
            scanner.wait(bytes)
            return false
        }
        if bytes[end &+ 1] != 0x0a { throw .lineEndingInvalid }
        let state = head.state
        state.pointee.version = UInt8(truncatingIfNeeded: word &>> 56) & 1
        state.pointee.status = UInt16(truncatingIfNeeded: status)
        state.pointee.reasonStart = UInt32(truncatingIfNeeded: min(13, end))
        state.pointee.reasonEnd = UInt32(truncatingIfNeeded: end)
        scanner.advance(to: end &+ 2)
        return true
    }
}
