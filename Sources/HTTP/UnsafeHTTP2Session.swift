import Bytes
import CSystem

/// What a session asks of the connection that it belongs to.
public protocol HTTP2SessionOwner: AnyObject {
    /// A request begins: a stream with a receiver, or nil where there are too many.
    func takeStream() -> HTTP2Stream?
    /// A stream of this session was reset because of what its client sent. For the counters.
    func cutOff(_ reason: HTTP2CutOff)
}

/// The server's side of one HTTP/2 connection, without its socket: bytes in, calls to receivers, bytes out. (RFC 9113)
///
/// Theory of operation. nghttp2 keeps the protocol's state machine: frames, HPACK, streams, windows, and which error
/// answers which mistake. Around it stands what it leaves to its user:
///
/// - *Translation.* Fields are copied into the stream's buffer as they are decompressed, and judged by
///   `HTTP2RequestRules`; a `MessageHead` comes out, the same one that HTTP/1.1 fills.
/// - *Backpressure.* nothing is given back to a window before the receiver says so (`consume`), and DATA is written only
///   as the client's windows and the output allow (`produce`).
/// - *Budgets.* Each frame is judged by its header (`HTTP2Gate`) before the library sees it. A connection over budget ends: the
///   session refuses further input, and `produce` writes a GOAWAY that says ENHANCE_YOUR_CALM.
///
/// Between calls nothing happens: time comes in as an argument, and who owns the session looks at `isFinished`.
public final class HTTP2Session {
    let raw: OpaquePointer
    let httpLimits: HTTPLimits
    let limits: HTTP2Limits
    final var owner: (any HTTP2SessionOwner)?
    final var now: MonotonicInstant
    final var controls: HTTP2Meter
    final var resets: HTTP2Meter
    final var continuations = 0
    /// The stream whose fields come now: a block of them is not interrupted. (RFC 9113 §4.3)
    final var incoming: Unmanaged<HTTP2Stream>?
    final var history = HTTP2StreamHistory()
    private final var scanner = HTTP2FrameScanner()
    /// What the client is told at the end, if not what the reason says.
    final var goodbyeCode: HTTP2ErrorCode?
    /// Where `produce` writes to, while it runs.
    final var output: IOBuffer?
    /// Bytes of response payload that have not yet earned their client further control frames.
    final var unearnedBytes = 0

    /// Why the connection was cut off; nil while it is well.
    public internal(set) final var reason: HTTP2CutOff?
    /// Whether the client has acknowledged our SETTINGS.
    public internal(set) final var isSettled = false
    /// Whether a PING of ours waits for its answer.
    public internal(set) final var isPingOutstanding = false
    /// Whether a GOAWAY was sent, by which the client knows that it should go elsewhere.
    public internal(set) final var isGoingAway = false
    private final var saidGoodbye = false
    private final var isClosed = false

    /// - Parameter owner: held until `close`.
    public init?(
        template: HTTP2Template, owner: any HTTP2SessionOwner, now: MonotonicInstant
    ) {
        httpLimits = template.httpLimits
        limits = template.limits
        controls = HTTP2Meter(
            most: limits.controlFramesMax, perSecond: limits.controlFramesPerSecondMax, now: now)
        resets = HTTP2Meter(most: limits.resetsMax, perSecond: limits.resetsPerSecondMax, now: now)
        self.owner = owner
        self.now = now
        guard let raw = template.makeSession() else { return nil }
        self.raw = raw
        nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
        guard submitSettings() else {
            nghttp2_session_del(raw)
            isClosed = true
            return nil
        }
    }

    deinit { if !isClosed { nghttp2_session_del(raw) } }

    /// From now on calls go to `owner`, which is held until `close`.
    public func own(_ owner: any HTTP2SessionOwner) { self.owner = owner }

    /// Forgets the owner and all streams. Nothing may be called afterwards. Not from within a callback.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        owner = nil
        incoming = nil
        nghttp2_session_del(raw)
    }

    private func submitSettings() -> Bool {
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(limits.streamsMax)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(limits.streamWindowBytesMax)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(httpLimits.headBytesMax)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue),
                value: UInt32(limits.headerTableBytesMax)),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL.rawValue), value: 1),
            // Priorities are hints; none are kept, so that nobody can build a tree of them. (RFC 9113 §5.3, RFC 9218)
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue), value: 1),
        ]
        guard nghttp2_submit_settings(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count) == 0 else {
            return false
        }
        return nghttp2_session_set_local_window_size(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: limits.connectionWindowBytesMax)) == 0
    }

    // MARK: Bytes

    /// Takes what the client sent; receivers are called from within. All bytes are used up.
    public func receive(_ bytes: Span<UInt8>, now: MonotonicInstant) {
        self.now = now
        var at = 0
        var fed = 0
        while reason == nil, let header = scanner.next(bytes, at: &at) {
            guard judge(header, feedingBefore: at, bytes, &fed) else { return }
        }
        if scanner.hasFailed { _ = fault(.protocolError) }
        feed(bytes, &fed, to: bytes.count)
    }

    /// Lets the library read what it has not yet seen of the bytes before `end`.
    func feed(_ bytes: Span<UInt8>, _ fed: inout Int, to end: Int) {
        guard reason == nil, end > fed else { return }
        let n = bytes.extracting(fed..<end).withUnsafeBufferPointer {
            nghttp2_session_mem_recv(raw, $0.baseAddress, $0.count)
        }
        fed = end
        if n < 0, reason == nil {
            cutOff(n == Int(NGHTTP2_ERR_FLOODED.rawValue) ? .pingFlood : .protocolError)
        }
    }

    /// Writes frames that are due behind what is in `out`, until there are about `bytesMax`, or no more.
    public func produce(into out: IOBuffer, bytesMax: Int, now: MonotonicInstant) {
        self.now = now
        output = out
        defer { output = nil }
        while out.count < bytesMax {
            var start: UnsafePointer<UInt8>?
            let n = nghttp2_session_mem_send(raw, &start)
            if n <= 0 {
                if n < 0, reason == nil { cutOff(.protocolError) }
                break
            }
            guard let start else { break }
            out.append(copying: Span(_unsafeStart: start, count: n))
        }
        if let reason, !saidGoodbye {
            saidGoodbye = true
            isGoingAway = true
            sayGoodbye(goodbyeCode ?? reason.code, to: out)
        }
    }

    /// The last frame of a connection that is cut off: nghttp2 writes none after an error in a callback.
    private func sayGoodbye(_ code: HTTP2ErrorCode, to out: IOBuffer) {
        out.append(0)
        out.append(0)
        out.append(8)
        out.append(UInt8(NGHTTP2_GOAWAY.rawValue))
        for _ in 0..<5 { out.append(0) }
        let last = UInt32(bitPattern: nghttp2_session_get_last_proc_stream_id(raw))
        for word in [last, code.rawValue] {
            for shift: UInt32 in [24, 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
    }

    /// Whether frames wait that can be written.
    public var hasOutput: Bool {
        reason == nil ? nghttp2_session_want_write(raw) != 0 : !saidGoodbye
    }

    /// Frames that wait to be written, those with payload that has no window aside.
    public var queuedFrames: Int { nghttp2_session_get_outbound_queue_size(raw) }

    /// Whether everything was said: the connection is to be closed once what was produced has left.
    public var isFinished: Bool {
        if reason != nil { return saidGoodbye }
        return nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
    }

    /// Ends the connection for a reason that the owner has found.
    public func cutOff(_ reason: HTTP2CutOff) {
        guard self.reason == nil else { return }
        self.reason = reason
        owner?.cutOff(reason)
    }

    // MARK: Going away

    /// Tells the client to open no more streams, without losing those that are on their way. (RFC 9113 §6.8)
    public func announceEnd() {
        guard !isGoingAway else { return }
        isGoingAway = true
        nghttp2_submit_shutdown_notice(raw)
        ping()
    }

    /// Says which stream is the last one that is served. Later ones are ignored.
    public func goAway() {
        isGoingAway = true
        nghttp2_submit_goaway(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(raw),
            UInt32(NGHTTP2_NO_ERROR.rawValue), nil, 0)
    }

    /// Asks whether the client is still there.
    public func ping() {
        guard !isPingOutstanding else { return }
        isPingOutstanding = true
        nghttp2_submit_ping(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    // MARK: Windows

    /// Gives `count` bytes of the body back to the windows of stream and connection.
    public func consume(_ stream: HTTP2Stream, _ count: Int) {
        guard count > 0, stream.id != 0, !isClosed else { return }
        nghttp2_session_consume(raw, stream.id, count)
    }

    /// Gives bytes of a stream that is gone back to the connection's window.
    public func consumeForConnection(_ count: Int) {
        guard count > 0, !isClosed else { return }
        nghttp2_session_consume_connection(raw, count)
    }

    /// Bytes that the client may still send on the whole connection.
    public var connectionWindowBytes: Int {
        Int(nghttp2_session_get_local_window_size(raw))
    }

    /// Whether the library knows the stream: it is open or half-closed.
    func hasStream(_ id: Int32) -> Bool { nghttp2_session_find_stream(raw, id) != nil }

    // MARK: Answers

    /// Ends a stream at once, in both directions.
    public func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard stream.id != 0 else { return }
        stream.isDoomed = true
        nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
    }

    /// Tells that `waiting` has more, or that the response has ended.
    public func resume(_ stream: HTTP2Stream) {
        guard stream.isDeferred else { return }
        stream.isDeferred = false
        nghttp2_session_resume_data(raw, stream.id)
    }

    /// Submits the head that was collected in the stream. `hasBody` says whether DATA follows; without, the stream ends.
    public func submitHead(_ stream: HTTP2Stream, hasBody: Bool) {
        stream.isAnswered = true
        withFields(stream) { fields in
            guard hasBody else {
                nghttp2_submit_response(raw, stream.id, fields.baseAddress, fields.count, nil)
                return
            }
            var provider = nghttp2_data_provider()
            provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
            provider.read_callback = HTTP2Callbacks.readBody
            nghttp2_submit_response(raw, stream.id, fields.baseAddress, fields.count, &provider)
        }
        if !hasBody { stream.responseEnded = true }
    }

    /// Submits an interim response. (RFC 9110 §15.2)
    public func submitInterim(_ stream: HTTP2Stream) {
        withFields(stream) { fields in
            _ = nghttp2_submit_headers(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, fields.baseAddress, fields.count, nil)
        }
    }

    /// Submits the trailers that were collected; DATA before them has not ended the stream.
    func submitTrailers(_ stream: HTTP2Stream) {
        withFields(stream) { fields in
            _ = nghttp2_submit_trailer(raw, stream.id, fields.baseAddress, fields.count)
        }
    }

    /// The collected fields as nghttp2 wants them, copied by it before `body` returns.
    private func withFields(_ stream: HTTP2Stream, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void) {
        let buffer = stream.fields
        buffer.withReadable { bytes in
            guard let base = bytes.baseAddress else { return }
            let start = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: stream.fieldCount) { list in
                var at = 0
                var index = 0
                while index < stream.fieldCount, at + 8 <= bytes.count {
                    let nameCount = Int(bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
                    let valueCount = Int(bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
                    at += 8
                    precondition(at + nameCount + valueCount <= bytes.count)
                    list.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: start + at, value: start + at + nameCount, namelen: nameCount, valuelen: valueCount,
                            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                    at += nameCount + valueCount
                    index += 1
                }
                body(UnsafeBufferPointer(rebasing: list[0..<index]))
            }
        }
        buffer.clear()
        stream.fieldCount = 0
    }
}

extension HTTP2Stream {
    /// Begins a head: interim, final, or, without a status, the trailers.
    public func beginFields(status: Int) {
        fields.clear()
        fieldCount = 0
        guard status > 0 else { return }
        self.status = status
        appendLengths(7, 3)
        fields.append(":status")
        var sink = fields
        sink.append(padded: min(999, status), width: 3)
        fieldCount = 1
    }

    /// Adds a field. Fields about the connection do not exist in HTTP/2 and are left out. (RFC 9113 §8.2.2)
    public func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        switch name.count {
        case 2, 7, 10, 16, 17:
            switch FieldName(name) {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te: return
            default: break
            }
        default: break
        }
        appendLengths(name.count, value.count)
        fields.append(copying: name)
        fields.append(copying: value)
        fieldCount += 1
    }

    public func addContentLength(_ count: Int64) {
        var digits = count <= 0 ? 1 : 0
        var rest = max(0, count)
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        appendLengths(14, digits)
        fields.append("content-length")
        fields.append(decimal: Int(max(0, count)))
        fieldCount += 1
    }

    /// Adds a field that is sent behind the body. (RFC 9113 §8.1)
    public func addTrailer(_ name: String, _ value: String) {
        let name = Array(name.utf8)
        let value = Array(value.utf8)
        addField(name.span, value.span)
        hasTrailers = fieldCount > 0
    }

    /// No more bytes of the response will come.
    public func endResponse() { responseEnded = true }

    private func appendLengths(_ name: Int, _ value: Int) {
        fields.makeRoom(8 + name + value)
        _ = fields.fill { free in
            free.storeBytes(of: UInt32(truncatingIfNeeded: name), toByteOffset: 0, as: UInt32.self)
            free.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: 4, as: UInt32.self)
            return 8
        }
    }
}
