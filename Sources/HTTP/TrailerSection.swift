import Bytes

/// The field lines behind the last chunk. They are rare: their bytes are collected, bounded, and parsed as strictly as
/// those of a head once the empty line is there. (RFC 9112 §7.1.2, RFC 9110 §6.5)
struct TrailerSection: Sendable {
    private var bytes: [UInt8] = []
    private(set) var fields: [(String, String)] = []

    /// Most trailer fields. Real ones have one or two: a digest, a status.
    private static let fieldCountMax = 32

    /// Takes bytes up to the end of the empty line; says how many, and whether it was there.
    mutating func read(
        _ input: Span<UInt8>, bytesMax: Int
    ) throws(HTTPError) -> (consumed: Int, isComplete: Bool) {
        // The common case: no trailers at all.
        if bytes.isEmpty, input.count >= 2, input[0] == 0x0d, input[1] == 0x0a { return (2, true) }
        for i in 0..<input.count {
            bytes.append(input[i])
            if input[i] == 0x0a, isAtEmptyLine {
                try parse(bytesMax: bytesMax)
                return (i + 1, true)
            }
            if bytes.count > bytesMax { throw .trailersTooLong }
        }
        return (input.count, false)
    }

    /// Whether the line that just ended is empty, by the loosest of readings; the parser is strict about it.
    private var isAtEmptyLine: Bool {
        var end = bytes.count - 1
        if end > 0, bytes[end - 1] == 0x0d { end -= 1 }
        return end == 0 || bytes[end - 1] == 0x0a
    }

    private mutating func parse(bytesMax: Int) throws(HTTPError) {
        if bytes.count > bytesMax { throw .trailersTooLong }
        let head = MessageHead(capacity: Self.fieldCountMax)
        var scanner = HeadScanner()
        let step = try scanner.readFields(
            bytes.span, into: head, headMax: bytesMax, lineMax: bytesMax, countMax: Self.fieldCountMax)
        guard case .complete = step, scanner.lineStart == bytes.count else { throw .lineEndingInvalid }
        for i in 0..<head.count {
            let line = head[i]
            // Who adds trailers to the head, as some do, would let them change what was already checked.
            if line.isHopByHop || Self.forbidden & line.name.bit & ~FieldName.other.bit != 0 {
                throw .trailerForbidden
            }
            fields.append((bytes.span.extracting(line.nameRange).text, bytes.span.extracting(line.valueRange).text))
        }
    }

    /// Whether a field of this name may stand in a trailer section.
    static func isAllowed(_ name: Span<UInt8>) -> Bool {
        let known = FieldName(name)
        return (FieldName.hopByHop | forbidden) & known.bit & ~FieldName.other.bit == 0
            && !FieldName.isForProxies(name) && !FieldName.isKnownWithHyphens(name)
    }

    /// Framing, routing, authentication, request modifiers and content handling. (RFC 9110 §6.5.1)
    private static var forbidden: UInt64 {
        FieldName.endToEnd | FieldName.hopByHop | FieldName.accept.bit | FieldName.acceptEncoding.bit
            | FieldName.acceptLanguage.bit | FieldName.prefer.bit | FieldName.range.bit | FieldName.ifModifiedSince.bit
            | FieldName.maxForwards.bit | FieldName.pragma.bit | FieldName.retryAfter.bit | FieldName.vary.bit
            | FieldName.age.bit | FieldName.origin.bit | FieldName.referer.bit | FieldName.userAgent.bit
            | FieldName.secWebSocketKey.bit | FieldName.secWebSocketVersion.bit | FieldName.secWebSocketAccept.bit
            | FieldName.secWebSocketProtocol.bit | FieldName.xRequestId.bit | FieldName.contentLocation.bit
            | FieldName.contentDisposition.bit | FieldName.baggage.bit
    }
}
