import Bytes

/// What a reader of heads answers.
public enum HeadStep: Sendable {
    /// More bytes are needed; call again with the same bytes and those that came since.
    case needMore
    /// The head is complete; `MessageHead.headBytes` are to be consumed.
    case complete
}

/// Reads field lines up to the empty line: what heads of requests, heads of responses and trailer sections have in
/// common. (RFC 9112 §5)
///
/// A line is parsed in one go. Where it is not complete yet, only its new bytes are searched for a control character
/// until there is one, so that a peer that sends byte by byte costs linear time.
struct HeadScanner: Sendable {
    /// Offset of the line that is to be parsed next.
    var lineStart = 0
    /// Up to where the current line has been searched; 0 when it was not tried yet.
    private var searched = 0

    /// Whether parsing the current line can get anywhere: it is new, or has a new control character, or is over `limit`.
    @inline(__always)
    mutating func isWorthParsing(_ bytes: Span<UInt8>, limit: Int) -> Bool {
        if searched == 0 { return true }
        return isComplete(bytes, limit: limit)
    }

    @inline(never)
    private mutating func isComplete(_ bytes: Span<UInt8>, limit: Int) -> Bool {
        if searched > bytes.count || bytes.firstControl(from: searched) < bytes.count { return true }
        searched = bytes.count
        return bytes.count &- lineStart > limit
    }

    /// Whether a byte of the current line was looked at.
    var hasSeenBytes: Bool { searched > lineStart }

    /// Remembers that the current line is not complete.
    @inline(__always)
    mutating func wait(_ bytes: Span<UInt8>) { searched = bytes.count }

    /// The next line begins at `offset`.
    @inline(__always)
    mutating func advance(to offset: Int) {
        lineStart = offset
        searched = 0
    }

    /// Reads field lines. Complete means that the empty line was read; `lineStart` is then behind it.
    @inline(__always)
    mutating func readFields(
        _ bytes: Span<UInt8>, into head: MessageHead, headMax: Int, lineMax: Int, countMax: Int
    ) throws(HTTPError) -> HeadStep {
        let count = bytes.count
        if !isWorthParsing(bytes, limit: min(lineMax, headMax &- lineStart)) { return .needMore }
        var at = lineStart
        while true {
            at = head.addPlainLines(bytes, from: at, lineMax: lineMax, end: headMax, countMax: countMax)
            guard at < count else { break }
            if bytes[at] == 0x0d {
                guard at &+ 1 < count else {
                    if at &+ 2 > headMax { throw .headTooLong }
                    break
                }
                // A CR alone is taken for a line's end by some and for a space by others. (RFC 9112 §2.2)
                if bytes[at &+ 1] != 0x0a { throw .lineEndingInvalid }
                if at &+ 2 > headMax { throw .headTooLong }
                advance(to: at &+ 2)
                return .complete
            }
            // The name.
            let (name, nameLength) = FieldName.scan(bytes, at: at)
            var isHopByHop = FieldName.hopByHop & name.bit != 0
            var colon = at &+ nameLength
            if name == .other {
                colon = try Self.unknownName(bytes, at: at, lineMax: lineMax, isHopByHop: &isHopByHop)
                if colon < 0 { break }
            }
            // The value, without the white space around it.
            var valueStart = colon &+ 1
            let end = bytes.firstControl(from: valueStart)
            if end &- at > lineMax { throw .fieldLineTooLong }
            if end > headMax { throw .headTooLong }
            guard end &+ 1 < count else {
                if end < count, bytes[end] != 0x0d { throw Self.illegal(bytes[end]) }
                break
            }
            if bytes[end] != 0x0d { throw Self.illegal(bytes[end]) }
            if bytes[end &+ 1] != 0x0a { throw .lineEndingInvalid }
            while valueStart < end, bytes[valueStart] == 0x20 || bytes[valueStart] == 0x09 { valueStart &+= 1 }
            var valueEnd = end
            while valueEnd > valueStart, bytes[valueEnd &- 1] == 0x20 || bytes[valueEnd &- 1] == 0x09 {
                valueEnd &-= 1
            }
            if head.count >= countMax { throw .tooManyFields }
            let added = head.addField(
                FieldLine(
                    name: name, isHopByHop: isHopByHop, nameStart: UInt32(truncatingIfNeeded: at),
                    nameEnd: UInt32(truncatingIfNeeded: colon), valueStart: UInt32(truncatingIfNeeded: valueStart),
                    valueEnd: UInt32(truncatingIfNeeded: valueEnd)))
            if !added { throw .tooManyFields }
            at = end &+ 2
        }
        advance(to: at)
        wait(bytes)
        if count > headMax { throw .headTooLong }
        return .needMore
    }

    /// The error for a control character where CR LF should be.
    private static func illegal(_ byte: UInt8) -> HTTPError {
        // A line feed alone ends a line for some parsers and not for others. (RFC 9112 §2.2)
        byte == 0x0a ? .lineEndingInvalid : .controlCharacter
    }

    /// Offset of the colon behind a name that is not known, or -1 where the bytes end before it.
    @inline(never)
    private static func unknownName(
        _ bytes: Span<UInt8>, at: Int, lineMax: Int, isHopByHop: inout Bool
    ) throws(HTTPError) -> Int {
        let colon = ByteClass.token.firstStranger(in: bytes, from: at, to: bytes.count)
        if colon &- at > lineMax { throw .fieldLineTooLong }
        if colon == bytes.count { return -1 }
        let byte = bytes[colon]
        if byte == 0x20 || byte == 0x09 {
            // A line that begins with white space continues the last one for some parsers (RFC 9112 §5.2); white space
            // before the colon makes a name that only some recognise (RFC 9112 §5.1). Both have smuggled requests.
            throw colon == at ? .foldedLine : .whiteSpaceAroundFieldName
        }
        if byte == 0x0d || byte == 0x0a {
            guard byte == 0x0d else { throw .lineEndingInvalid }
            guard colon &+ 1 < bytes.count else { return -1 }
            throw bytes[colon &+ 1] == 0x0a ? .fieldNameInvalid : .lineEndingInvalid
        }
        if byte != 0x3a || colon == at { throw .fieldNameInvalid }
        let name = bytes.extracting(at..<colon)
        // CGI and WSGI write `-` and `_` alike, so `Content_Length` would become the length behind us, past our check.
        if FieldName.isKnownWithHyphens(name) { throw .fieldNameAmbiguous }
        // `Proxy-…` is for proxies; `Proxy` alone becomes the variable HTTP_PROXY of CGI programs (httpoxy).
        if FieldName.isForProxies(name) { isHopByHop = true }
        return colon
    }
}
