import Bytes

/// What must hold in a complete head of a request, and what follows from it. (RFC 9112 §3.2, §6, §9; RFC 9110 §7, §10.1)
enum RequestRules {
    /// Fields that may stand once: with two, one reader takes the first and the next the last, and what was checked is not
    /// what is done.
    private static var singletons: UInt64 {
        FieldName.authorization.bit | FieldName.proxyAuthorization.bit | FieldName.contentType.bit
            | FieldName.idempotencyKey.bit | FieldName.expect.bit | FieldName.secWebSocketKey.bit
            | FieldName.secWebSocketVersion.bit
    }

    @inline(__always)
    static func apply(to head: MessageHead, _ bytes: Span<UInt8>, bodyMax: Int64) throws(HTTPError) {
        let state = head.state
        let present = state.pointee.present
        let repeated = state.pointee.repeated & ~FieldName.other.bit
        if repeated != 0 { try refuseRepeated(repeated) }

        // The body.
        if present & (FieldName.contentLength.bit | FieldName.transferEncoding.bit) != 0 {
            state.pointee.framing = try framing(of: head, bytes, bodyMax: bodyMax)
        }

        // Who is asked. (RFC 9112 §3.2: exactly one in HTTP/1.1)
        if let line = head.first(.host) {
            guard let host = Authority(bytes, line.valueRange) else { throw .hostInvalid }
            if let range = head.authorityRange { try compare(host, range, head, bytes) }
        } else if state.pointee.version == 1 {
            throw .hostMissing
        }

        // The connection.
        var keepAlive = state.pointee.version == 1
        if present & FieldName.connection.bit != 0 {
            let options = try FieldRules.connection(of: head, bytes)
            if options.transferEncoding { throw .connectionOptionForbidden }
            if state.pointee.version == 0 { keepAlive = options.keepAlive }
            if options.close { keepAlive = false }
            if options.upgrade, state.pointee.version == 1, present & FieldName.upgrade.bit != 0 {
                state.pointee.upgrade = true
                state.pointee.isWebSocketUpgrade = FieldRules.isWebSocket(head, bytes)
            }
        }
        state.pointee.keepAlive = keepAlive

        if present & FieldName.expect.bit != 0, let line = head.first(.expect) {
            // Other expectations cannot be met (417); in HTTP/1.0 there is nobody who waits. (RFC 9110 §10.1.1)
            guard bytes.extracting(line.valueRange).equalsIgnoringCase("100-continue") else {
                throw .expectationUnknown
            }
            state.pointee.expectsContinue = state.pointee.version == 1 && state.pointee.framing.mayHaveBytes
        }
    }

    @inline(never)
    private static func refuseRepeated(_ repeated: UInt64) throws(HTTPError) {
        if repeated & FieldName.contentLength.bit != 0 { throw .contentLengthRepeated }
        // Two lines make one list for some parsers; others read the first or the last. (TE.TE)
        if repeated & FieldName.transferEncoding.bit != 0 { throw .transferEncodingRepeated }
        if repeated & FieldName.host.bit != 0 { throw .hostRepeated }
        if repeated & singletons != 0 { throw .fieldRepeated }
    }

    @inline(never)
    private static func framing(
        of head: MessageHead, _ bytes: Span<UInt8>, bodyMax: Int64
    ) throws(HTTPError) -> BodyFraming {
        let length = head.first(.contentLength)
        if let line = head.first(.transferEncoding) {
            // CL.TE and TE.CL: the two say different things to different readers. (RFC 9112 §6.1, §11.2)
            if length != nil { throw .lengthAndTransferEncoding }
            if head.version == 0 { throw .transferEncodingInOldVersion }
            try FieldRules.transferEncoding(line, bytes)
            return .chunked
        }
        guard let line = length else { return .none }
        let count = try FieldRules.contentLength(line, bytes)
        if count > bodyMax { throw .bodyTooLarge }
        return .length(count)
    }

    /// Where the target names a host too, `Host` must be the same. (RFC 9112 §3.2: a proxy ignores `Host` then, an origin
    /// may not; so one of two readers would be led astray.)
    @inline(never)
    private static func compare(
        _ host: Authority, _ range: Range<Int>, _ head: MessageHead, _ bytes: Span<UInt8>
    ) throws(HTTPError) {
        let isTLS = RequestTarget.hasScheme("https://", bytes, head.targetRange)
        let port: Int? = head.targetForm == .authority ? nil : isTLS ? 443 : 80
        guard let target = Authority(bytes, range) else { throw .targetFormInvalid }
        // Clients write the `Host` of a CONNECT with or without the port.
        if head.targetForm == .authority, host.port == nil {
            if bytes.extracting(host.host).equalsIgnoringCase(bytes.extracting(target.host)) { return }
        }
        if !host.isSame(as: target, in: bytes, defaultPort: port) { throw .hostDisagrees }
    }
}

extension BodyFraming {
    /// Whether a body can follow that is not empty.
    var mayHaveBytes: Bool {
        switch self {
        case .none, .length(0): false
        case .length, .chunked, .untilClose: true
        }
    }
}
