import Bytes

/// Reads heads of requests, one after the other, from bytes that always begin at the start of a message.
/// (RFC 9112 §2, §3)
///
///     line ──▶ fields ──▶ (rules of framing) ──▶ line …
///       └────────┴──▶ failed: the connection is of no more use
public struct RequestHeadReader: Sendable {
    private enum Phase: Sendable {
        case line
        case fields
        case failed(HTTPError)
    }

    /// Longest method that is read, in bytes. Longer ones get 501 (RFC 9112 §3). The longest registered one has 17.
    private static let methodBytesMax = 32

    private let limits: HTTPLimits
    private var phase = Phase.line
    private var scanner = HeadScanner()

    public init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

    /// Reads on. When it is complete, `head.headBytes` bytes are to be consumed before the body, and the reader is ready for
    /// the next message.
    ///
    /// - Parameter bytes: all bytes since the start of this message; on later calls the same and more.
    /// - Parameter head: the same one until it is complete.
    /// - Throws: the reason of refusal, the same one at each later call.
    public mutating func read(_ bytes: Span<UInt8>, into head: MessageHead) throws(HTTPError) -> HeadStep {
        do {
            return try step(bytes, into: head)
        } catch {
            phase = .failed(error)
            throw error
        }
    }

    /// Whether some bytes of a message have been looked at, so that the end of the connection cuts a request.
    public var isInMessage: Bool {
        if case .line = phase { return scanner.hasSeenBytes }
        return true
    }

    @inline(__always)
    private mutating func step(_ bytes: Span<UInt8>, into head: MessageHead) throws(HTTPError) -> HeadStep {
        switch phase {
        case .line:
            if try !readRequestLine(bytes, into: head) {
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
        try RequestRules.apply(to: head, bytes, bodyMax: limits.bodyBytesMax)
        phase = .line
        scanner = HeadScanner()
        return .complete
    }

    /// True when the line is complete.
    @inline(__always)
    private mutating func readRequestLine(_ bytes: Span<UInt8>, into head: MessageHead) throws(HTTPError) -> Bool {
        // What stands beyond the longest head is not looked at, or the answer would depend on how much had come.
        let count = min(bytes.count, limits.headBytesMax)
        let targetMax = limits.requestTargetBytesMax
        var at = scanner.lineStart
        // Beyond this, method, target or version is certainly wrong or too long, and parsing says which.
        let lineMax = min(targetMax &+ Self.methodBytesMax &+ 16, limits.headBytesMax &- at)
        if !scanner.isWorthParsing(bytes, limit: lineMax) { return false }
        if at == 0, count > 0, bytes[0] == 0x0d {
            // One empty line is tolerated: old clients send it behind a body. (RFC 9112 §2.2)
            guard count > 1 else { return wait(bytes) }
            if bytes[1] != 0x0a { throw .lineEndingInvalid }
            at = 2
            scanner.advance(to: 2)
        }
        let state = head.state
        head.begin()

        // The method.
        var (method, methodLength) = (Method.other, 0)
        if at &+ 8 <= count { (method, methodLength) = Method.known(bytes.word(at: at)) }
        if method == .other {
            let limit = min(count, at &+ Self.methodBytesMax &+ 1)
            let end = ByteClass.token.firstStranger(in: bytes, from: at, to: limit)
            methodLength = end &- at
            if methodLength > Self.methodBytesMax { throw .methodTooLong }
            if end == count { return wait(bytes) }
            if bytes[end] != 0x20 || methodLength == 0 { throw .requestLineMalformed }
        }

        // The target: everything up to the next space; what may not stand in it ends it too.
        let targetStart = at &+ methodLength &+ 1
        let targetLimit = min(count, targetStart &+ targetMax &+ 1)
        let pathEnd = ByteClass.path.firstStranger(in: bytes, from: targetStart, to: targetLimit)
        var targetEnd = pathEnd
        if pathEnd < targetLimit, bytes[pathEnd] == UInt8(ascii: "?") {
            targetEnd = ByteClass.query.firstStranger(in: bytes, from: pathEnd &+ 1, to: targetLimit)
        }
        if targetEnd &- targetStart > targetMax { throw .targetTooLong }
        if targetEnd >= count { return wait(bytes) }
        if bytes[targetEnd] != 0x20 {
            // The line ends without a version: HTTP/0.9 is not spoken. Other bytes, `#` among them, may not stand in
            // a target, where one parser cuts and the next does not.
            throw bytes[targetEnd] == 0x0d || bytes[targetEnd] == 0x0a ? .requestLineMalformed : .targetInvalid
        }
        if targetEnd == targetStart { throw .requestLineMalformed }

        // The version.
        guard let (version, lineEnd) = try Self.version(bytes, at: targetEnd &+ 1) else { return wait(bytes) }

        state.pointee.method = method
        state.pointee.methodStart = UInt32(truncatingIfNeeded: at)
        state.pointee.methodEnd = UInt32(truncatingIfNeeded: at &+ methodLength)
        state.pointee.targetStart = UInt32(truncatingIfNeeded: targetStart)
        state.pointee.targetEnd = UInt32(truncatingIfNeeded: targetEnd)
        state.pointee.pathStart = UInt32(truncatingIfNeeded: targetStart)
        state.pointee.pathEnd = UInt32(truncatingIfNeeded: pathEnd)
        state.pointee.hasQuery = pathEnd != targetEnd
        state.pointee.version = version
        if bytes[targetStart] != UInt8(ascii: "/") || method == .connect {
            try RequestTarget.readUncommonForm(bytes, into: head)
        }
        scanner.advance(to: lineEnd)
        return true
    }

    private mutating func wait(_ bytes: Span<UInt8>) -> Bool {
        scanner.wait(bytes)
        return false
    }

    /// The minor version of the `HTTP/1.x` at `at`, and where the next line begins; nil where more bytes are needed.
    @inline(__always)
    private static func version(
        _ bytes: Span<UInt8>, at: Int
    ) throws(HTTPError) -> (version: UInt8, lineEnd: Int)? {
        let count = bytes.count
        guard at &+ 8 <= count else {
            for i in at..<max(at, count) where bytes[i] == 0x0d || bytes[i] == 0x0a { throw .versionMalformed }
            return nil
        }
        let word = bytes.word(at: at)
        // "HTTP/1." and a last byte of "0" or "1".
        guard word & 0xfeff_ffff_ffff_ffff == 0x302e_312f_5054_5448 else { throw otherVersion(word) }
        guard at &+ 8 < count else { return nil }
        if bytes[at &+ 8] != 0x0d {
            throw bytes[at &+ 8] == 0x0a ? .lineEndingInvalid : .versionMalformed
        }
        guard at &+ 9 < count else { return nil }
        if bytes[at &+ 9] != 0x0a { throw .lineEndingInvalid }
        return (UInt8(truncatingIfNeeded: word &>> 56) & 1, at &+ 10)
    }

    /// 505 for `HTTP/` digit `.` digit, 400 for everything else. (RFC 9112 §2.3)
    private static func otherVersion(_ word: UInt64) -> HTTPError {
        let major = UInt8(truncatingIfNeeded: word >> 40)
        let minor = UInt8(truncatingIfNeeded: word >> 56)
        let isVersion =
            word & 0x00ff_00ff_ffff_ffff == 0x002e_002f_5054_5448 && major &- 48 < 10 && minor &- 48 < 10
        return isVersion ? .versionUnsupported : .versionMalformed
    }
}
