import Bytes

/// Where the values of the pseudo-fields stand in the head's bytes; empty means that the field was not sent, which is the
/// same as an empty value: neither is allowed for any of them. (RFC 9113 §8.3)
struct HTTP2PseudoFields: Sendable {
    var method = 0..<0
    var scheme = 0..<0
    var authority = 0..<0
    var path = 0..<0
    var `protocol` = 0..<0
    /// A pseudo-field after another field, twice, or of an unknown name.
    var isDisordered = false
}

/// Translates a request of HTTP/2 into the head that HTTP/1.1 fills too, or refuses it.
///
/// nghttp2 has refused much before: upper-case names, bytes that no field may hold, disordered pseudo-fields, fields about
/// the connection. What decides between two readings of a request is checked here once more, so that it does not depend
/// on a library's version: behind this gateway everything becomes text, where CR and LF end lines. (RFC 9113 §8.2.1, §10.3)
enum HTTP2RequestRules {
    /// Longest method, in bytes, as in HTTP/1.1.
    private static let methodBytesMax = 32

    // MARK: Field by field

    /// Takes one field of the head. Errors are kept until the head is complete.
    static func add(_ name: Span<UInt8>, _ value: Span<UInt8>, to stream: HTTP2Stream, limits: HTTPLimits) {
        stream.listBytes += name.count + value.count + 32
        if stream.fault != nil { return }
        guard stream.listBytes <= limits.headBytesMax else { return stream.fail(.headTooLong) }
        guard name.count > 0 else { return stream.fail(.fieldNameInvalid) }
        if value.firstControl(from: 0) < value.count { return stream.fail(.controlCharacter) }
        if name[0] == UInt8(ascii: ":") {
            addPseudo(name, value, to: stream)
            return
        }
        let head = stream.head
        guard name.count + value.count <= limits.fieldLineBytesMax else { return stream.fail(.fieldLineTooLong) }
        guard head.count < limits.fieldCountMax else { return stream.fail(.tooManyFields) }
        let known = FieldName(name)
        var isHopByHop = false
        if known == .other || FieldName.hopByHop & known.bit != 0 {
            guard let verdict = judge(known, name, value, stream) else { return }
            isHopByHop = verdict
        }
        // As a whole line of HTTP/1.1, so that lines which are passed on can be copied together.
        let start = stream.headBuffer.count
        stream.headBuffer.append(field: name, value)
        let colon = start &+ name.count
        _ = head.addField(
            FieldLine(
                name: known, isHopByHop: isHopByHop, nameStart: UInt32(truncatingIfNeeded: start),
                nameEnd: UInt32(truncatingIfNeeded: colon), valueStart: UInt32(truncatingIfNeeded: colon &+ 2),
                valueEnd: UInt32(truncatingIfNeeded: colon &+ 2 &+ value.count)))
    }

    /// A name that is unknown or about the connection: whether it goes no further; nil where it is refused.
    @inline(never)
    private static func judge(
        _ known: FieldName, _ name: Span<UInt8>, _ value: Span<UInt8>, _ stream: HTTP2Stream
    ) -> Bool? {
        if known == .other {
            for i in 0..<name.count where name[i] &- 65 < 26 {
                stream.fail(.fieldNameInvalid)
                return nil
            }
            if ByteClass.token.firstStranger(in: name, from: 0, to: name.count) < name.count {
                stream.fail(.fieldNameInvalid)
                return nil
            }
            if FieldName.isKnownWithHyphens(name) {
                stream.fail(.fieldNameAmbiguous)
                return nil
            }
            return FieldName.isForProxies(name)
        }
        switch known {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            // Whoever passes them on as text lets the client speak about a connection that is not its own.
            // (RFC 9113 §8.2.2)
            stream.fail(.connectionOptionForbidden)
            return nil
        case .te where !value.equalsIgnoringCase("trailers"):
            stream.fail(.connectionOptionForbidden)
            return nil
        default: return true
        }
    }

    private static func addPseudo(_ name: Span<UInt8>, _ value: Span<UInt8>, to stream: HTTP2Stream) {
        let start = stream.headBuffer.count
        let range = start..<start + value.count
        var known = true
        func set(_ place: inout Range<Int>) {
            if !place.isEmpty || value.count == 0 { stream.pseudo.isDisordered = true }
            place = range
        }
        if stream.head.count > 0 { stream.pseudo.isDisordered = true }
        var pseudo = stream.pseudo
        switch name.count {
        case 5 where name.equals(":path"): set(&pseudo.path)
        case 7 where name.equals(":method"): set(&pseudo.method)
        case 7 where name.equals(":scheme"): set(&pseudo.scheme)
        case 9 where name.equals(":protocol"): set(&pseudo.protocol)
        case 10 where name.equals(":authority"): set(&pseudo.authority)
        default: known = false
        }
        pseudo.isDisordered = stream.pseudo.isDisordered || !known
        stream.pseudo = pseudo
        stream.headBuffer.append(copying: value)
    }

    /// Takes one field of the trailer section, as a line for the server behind. (RFC 9113 §8.1, RFC 9110 §6.5.1)
    static func addTrailer(_ name: Span<UInt8>, _ value: Span<UInt8>, to stream: HTTP2Stream, limits: HTTPLimits) {
        if stream.fault != nil { return }
        stream.listBytes += name.count + value.count + 32
        guard stream.trailers.count + name.count + value.count + 4 <= limits.trailerBytesMax else {
            return stream.fail(.trailersTooLong)
        }
        guard HTTPWriter.isToken(name), HTTPWriter.isFieldValue(value) else { return stream.fail(.fieldNameInvalid) }
        guard TrailerSection.isAllowed(name) else { return stream.fail(.trailerForbidden) }
        HTTPWriter.field(name, value, to: &stream.trailers)
    }

    // MARK: The whole head

    /// Completes the head. `ended` says that no body follows.
    static func complete(_ stream: HTTP2Stream, ended: Bool, limits: HTTPLimits) throws(HTTPError) {
        if let fault = stream.fault { throw fault }
        let pseudo = stream.pseudo
        let state = stream.head.state
        if pseudo.isDisordered || pseudo.method.isEmpty { throw .requestLineMalformed }
        guard pseudo.method.count <= methodBytesMax else { throw .methodTooLong }
        let buffer = stream.headBuffer
        let bytes = buffer.readable
        let method = bytes.extracting(pseudo.method)
        guard HTTPWriter.isToken(method) else { throw .requestLineMalformed }
        state.pointee.method = Method(method)
        state.pointee.methodStart = UInt32(truncatingIfNeeded: pseudo.method.lowerBound)
        state.pointee.methodEnd = UInt32(truncatingIfNeeded: pseudo.method.upperBound)
        state.pointee.version = 1
        if state.pointee.method == .connect, pseudo.protocol.isEmpty {
            // To be refused by who routes; only its form is checked. (RFC 9113 §8.5)
            guard pseudo.scheme.isEmpty, pseudo.path.isEmpty, !pseudo.authority.isEmpty else {
                throw .targetFormInvalid
            }
            setTarget(pseudo.authority, pathEnd: pseudo.authority.upperBound, form: .authority, stream.head)
            state.pointee.authorityStart = state.pointee.targetStart
            state.pointee.authorityEnd = state.pointee.targetEnd
        } else {
            try target(stream, limits)
        }
        try host(stream)
        if state.pointee.repeated & FieldName.cookie.bit != 0 { joinCookies(stream) }
        let opensProtocol = !pseudo.protocol.isEmpty
        state.pointee.framing = ended || opensProtocol ? .none : .chunked
        // The buffer has grown since, and may have moved.
        let whole = stream.headBuffer
        try RequestRules.apply(to: stream.head, whole.readable, bodyMax: limits.bodyBytesMax)
        if ended, state.pointee.framing.mayHaveBytes { throw .bodyIncomplete }
        if opensProtocol { try upgrade(stream, ended: ended) }
    }

    private static func setTarget(
        _ target: Range<Int>, pathEnd: Int, form: TargetForm, _ head: MessageHead
    ) {
        let state = head.state
        state.pointee.targetForm = form
        state.pointee.targetStart = UInt32(truncatingIfNeeded: target.lowerBound)
        state.pointee.targetEnd = UInt32(truncatingIfNeeded: target.upperBound)
        state.pointee.pathStart = form == .authority ? state.pointee.targetEnd : state.pointee.targetStart
        state.pointee.pathEnd = UInt32(truncatingIfNeeded: pathEnd)
        state.pointee.hasQuery = pathEnd != target.upperBound
    }

    /// `:scheme` and `:path`, which must be in origin-form: another form would be read by the next server as a target of
    /// its own. (RFC 9113 §8.3.1)
    private static func target(_ stream: HTTP2Stream, _ limits: HTTPLimits) throws(HTTPError) {
        let pseudo = stream.pseudo
        let buffer = stream.headBuffer
        let bytes = buffer.readable
        let scheme = bytes.extracting(pseudo.scheme)
        guard scheme.equalsIgnoringCase("https") || scheme.equalsIgnoringCase("http") else { throw .targetFormInvalid }
        let path = pseudo.path
        guard path.count <= limits.requestTargetBytesMax else { throw .targetTooLong }
        guard !path.isEmpty else { throw .targetFormInvalid }
        let state = stream.head.state
        if bytes[path.lowerBound] == UInt8(ascii: "*") {
            guard state.pointee.method == .options, path.count == 1 else { throw .targetFormInvalid }
            setTarget(path, pathEnd: path.upperBound, form: .asterisk, stream.head)
            return
        }
        guard bytes[path.lowerBound] == UInt8(ascii: "/") else { throw .targetFormInvalid }
        let pathEnd = ByteClass.path.firstStranger(in: bytes, from: path.lowerBound, to: path.upperBound)
        var end = pathEnd
        if pathEnd < path.upperBound, bytes[pathEnd] == UInt8(ascii: "?") {
            end = ByteClass.query.firstStranger(in: bytes, from: pathEnd + 1, to: path.upperBound)
        }
        guard end == path.upperBound else { throw .targetInvalid }
        setTarget(path, pathEnd: pathEnd, form: .origin, stream.head)
    }

    /// Makes `:authority` the field `Host`. Where both came they must name the same. (RFC 9113 §8.3.1)
    private static func host(_ stream: HTTP2Stream) throws(HTTPError) {
        let authority = stream.pseudo.authority
        guard !authority.isEmpty else { return }
        let buffer = stream.headBuffer
        let bytes = buffer.readable
        guard let named = Authority(bytes, authority) else { throw .hostInvalid }
        if let line = stream.head.first(.host) {
            guard let host = Authority(bytes, line.valueRange) else { throw .hostInvalid }
            let port = bytes.extracting(stream.pseudo.scheme).count == 5 ? 443 : 80
            guard host.isSame(as: named, in: bytes, defaultPort: port) else { throw .hostDisagrees }
            return
        }
        let start = UInt32(truncatingIfNeeded: stream.headBuffer.count)
        stream.headBuffer.append("host")
        let added = stream.head.addField(
            FieldLine(
                name: .host, nameStart: start, nameEnd: start + 4,
                valueStart: UInt32(truncatingIfNeeded: authority.lowerBound),
                valueEnd: UInt32(truncatingIfNeeded: authority.upperBound)))
        if !added { throw .tooManyFields }
    }

    /// Cookies may come crumb by crumb, for the compression's sake; servers of HTTP/1.1 read one line. (RFC 9113 §8.2.3)
    @inline(never)
    private static func joinCookies(_ stream: HTTP2Stream) {
        let head = stream.head
        let start = stream.headBuffer.count
        var line: FieldLine?
        for i in 0..<head.count where head[i].name == .cookie {
            if line == nil { line = head[i] } else { stream.headBuffer.append("; ") }
            let value = head[i].valueRange
            let buffer = stream.headBuffer
            for offset in value { buffer.append(buffer.readable[offset]) }
        }
        guard var line else { return }
        line.valueStart = UInt32(truncatingIfNeeded: start)
        line.valueEnd = UInt32(truncatingIfNeeded: stream.headBuffer.count)
        head.replaceAll(.cookie, by: line)
    }

    /// Extended CONNECT of `websocket` becomes the upgrade that servers of HTTP/1.1 know: a GET. The key, which HTTP/2 does
    /// without, is made by who knows chance. (RFC 8441 §5)
    private static func upgrade(_ stream: HTTP2Stream, ended: Bool) throws(HTTPError) {
        let state = stream.head.state
        guard state.pointee.method == .connect else { throw .requestLineMalformed }
        let buffer = stream.headBuffer
        let bytes = buffer.readable
        guard bytes.extracting(stream.pseudo.protocol).equals("websocket") else { throw .connectProtocolUnknown }
        // A length would say where the stream of the other protocol ends.
        guard !ended, stream.head.first(.contentLength) == nil else { throw .bodyNotAllowed }
        let start = stream.headBuffer.count
        stream.headBuffer.append("GET")
        state.pointee.method = .get
        state.pointee.methodStart = UInt32(truncatingIfNeeded: start)
        state.pointee.methodEnd = UInt32(truncatingIfNeeded: start + 3)
        state.pointee.upgrade = true
        state.pointee.isWebSocketUpgrade = true
    }
}

extension HTTP2Stream {
    func fail(_ error: HTTPError) { if fault == nil { fault = error } }
}

extension HTTPError {
    /// Whether RFC 9113 calls such a request malformed: its stream is reset without an answer (§8.1.1). The rest is valid
    /// HTTP/2 that is not taken here, and is answered with its status.
    var isMalformedInHTTP2: Bool {
        switch self {
        case .requestLineMalformed, .targetInvalid, .targetFormInvalid, .fieldNameInvalid, .fieldValueInvalid,
            .controlCharacter, .connectionOptionForbidden, .hostDisagrees, .hostInvalid, .hostMissing, .hostRepeated,
            .contentLengthInvalid, .contentLengthRepeated, .bodyIncomplete, .bodyNotAllowed, .trailerForbidden:
            true
        default: false
        }
    }
}
