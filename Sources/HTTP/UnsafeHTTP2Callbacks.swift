import Bytes
import CSystem

/// What all sessions of a server have in common: nghttp2's table of callbacks and its options, made once.
public final class HTTP2Template {
    public let httpLimits: HTTPLimits
    public let limits: HTTP2Limits
    private let callbacks: OpaquePointer?
    private let options: OpaquePointer?

    public init(http: HTTPLimits, limits: HTTP2Limits) {
        httpLimits = http
        self.limits = limits
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        self.callbacks = callbacks
        HTTP2Callbacks.install(in: callbacks)
        var options: OpaquePointer?
        nghttp2_option_new(&options)
        self.options = options
        // Windows are given back by `consume` alone.
        nghttp2_option_set_no_auto_window_update(options, 1)
        // Closed streams are forgotten: there is no tree of priorities that would need them.
        nghttp2_option_set_no_closed_streams(options, 1)
        nghttp2_option_set_max_deflate_dynamic_table_size(options, limits.headerTableBytesMax)
        // Our own budgets (`HTTP2Gate`) are met first and know our clock. What the library counts is set wider.
        // The library counts each time that it looks for the next CONTINUATION, up to nine times where the network cuts the
        // frame's header into bytes.
        nghttp2_option_set_max_continuations(options, (limits.continuationsMax + 1) * 16)
        nghttp2_option_set_stream_reset_rate_limit(options, 1 << 40, 1 << 20)
        nghttp2_option_set_max_outbound_ack(options, limits.controlFramesMax)
        nghttp2_option_set_max_settings(options, 32)
    }

    deinit {
        nghttp2_session_callbacks_del(callbacks)
        nghttp2_option_del(options)
    }

    func makeSession() -> OpaquePointer? {
        var session: OpaquePointer?
        return nghttp2_session_server_new2(&session, callbacks, nil, options) == 0 ? session : nil
    }
}

/// Calls the session that nghttp2 calls. Its connection holds it meanwhile, so that no reference need be counted.
private func session<R>(_ me: UnsafeMutableRawPointer, _ body: (HTTP2Session) -> R) -> R {
    Unmanaged<HTTP2Session>.fromOpaque(me)._withUnsafeGuaranteedRef(body)
}

/// nghttp2's calls, each with the session behind its user data: no captures, no allocation.
enum HTTP2Callbacks {
    static func install(in callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, me in
            guard let frame, let me else { return 0 }
            session(me) { $0.headersBegan(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            raw, frame, name, nameCount, value, valueCount, _, me in
            guard let frame, let me, let name, let value else { return 0 }
            let taken = session(me) {
                $0.field(
                    frame.pointee.hd.stream_id, Span(_unsafeStart: name, count: nameCount),
                    Span(_unsafeStart: value, count: valueCount))
            }
            return taken ? 0 : Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        // Without this nghttp2 would leave an invalid field out and go on; the request is malformed. (RFC 9113 §8.2.1)
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, me in
            guard let frame, let me else { return 0 }
            session(me) { $0.frameReceived(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, _, me in
            guard let frame, let me else { return 0 }
            session(me) { $0.invalidFrame(frame.pointee.hd) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, me in
            guard let data, let me else { return 0 }
            session(me) { $0.dataReceived(id, Span(_unsafeStart: data, count: count)) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, me in
            guard let frame, let me else { return 0 }
            session(me) { $0.frameSent(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { raw, id, code, me in
            guard let me else { return 0 }
            session(me) { $0.streamClosed(id, code) }
            return 0
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, source, me in
            guard let header, let source, let pointer = source.pointee.ptr, let me else { return 0 }
            let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
            session(me) { $0.sendData(stream, header: Span(_unsafeStart: header, count: 9), count: count) }
            return 0
        }
    }

    /// How much of a response's body goes into the next DATA frame; `sendData` writes it.
    static let readBody: nghttp2_data_source_read_callback = { raw, _, _, bytesMax, flags, source, me in
        guard let flags, let pointer = source?.pointee.ptr, let me else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
        let count = stream.waiting?.count ?? 0
        let n = min(bytesMax, count)
        if n == 0 && !stream.responseEnded {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if n == count && stream.responseEnded {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if stream.hasTrailers {
                flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                session(me) { $0.submitTrailers(stream) }
            }
        }
        return n
    }
}

// What the callbacks do, in the order in which a request meets them.
extension HTTP2Session {
    private func stream(_ id: Int32) -> HTTP2Stream? {
        guard let pointer = nghttp2_session_get_stream_user_data(raw, id) else { return nil }
        // The owner keeps each stream alive until its `closed`.
        return Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
    }

    func headersBegan(_ frame: nghttp2_frame) {
        let id = frame.hd.stream_id
        guard frame.headers.cat == NGHTTP2_HCAT_REQUEST else {
            let stream = stream(id)
            stream?.phase = .trailers
            incoming = stream.map(Unmanaged.passUnretained)
            return
        }
        incoming = nil
        guard let stream = owner?.takeStream() else {
            owner?.cutOff(.refusedStream)
            nghttp2_submit_rst_stream(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, HTTP2ErrorCode.refusedStream.rawValue)
            return
        }
        stream.begin(id)
        incoming = Unmanaged.passUnretained(stream)
        nghttp2_session_set_stream_user_data(raw, id, Unmanaged.passUnretained(stream).toOpaque())
    }

    /// False ends the connection.
    func field(_ id: Int32, _ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        guard let incoming else { return true }
        return incoming._withUnsafeGuaranteedRef { stream in
            // One that has gone meanwhile has no number, or another.
            guard stream.id == id else { return true }
            if stream.phase == .trailers {
                HTTP2RequestRules.addTrailer(name, value, to: stream, limits: httpLimits)
            } else {
                HTTP2RequestRules.add(name, value, to: stream, limits: httpLimits)
            }
            // A few bytes of compressed head name kilobytes of the table each: what is far over the limit is no mistake.
            if stream.listBytes > 4 * httpLimits.headBytesMax {
                cutOff(.headerListBomb)
                return false
            }
            return true
        }
    }

    func frameReceived(_ frame: nghttp2_frame) {
        let ended = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isAck = frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let stream = stream(frame.hd.stream_id) else { return }
            if stream.phase == .trailers {
                trailersReceived(stream)
            } else {
                headReceived(stream, ended: ended)
            }
        case NGHTTP2_DATA.rawValue:
            if ended, let stream = stream(frame.hd.stream_id) { end(stream) }
        case NGHTTP2_SETTINGS.rawValue: if isAck { isSettled = true }
        case NGHTTP2_PING.rawValue: if isAck { isPingOutstanding = false }
        default: break
        }
    }

    private func headReceived(_ stream: HTTP2Stream, ended: Bool) {
        do throws(HTTPError) {
            try HTTP2RequestRules.complete(stream, ended: ended, limits: httpLimits)
        } catch {
            stream.requestEnded = ended
            refuse(stream, error)
            return
        }
        stream.phase = .body
        stream.receiver?.requestHead()
        if ended { end(stream) }
    }

    private func refuse(_ stream: HTTP2Stream, _ error: HTTPError) {
        stream.phase = .body
        if error.isMalformedInHTTP2 {
            owner?.cutOff(.malformedRequest)
            reset(stream, .protocolError)
        } else {
            stream.receiver?.requestRefused(error)
        }
    }

    private func trailersReceived(_ stream: HTTP2Stream) {
        guard stream.fault == nil else {
            owner?.cutOff(.malformedRequest)
            reset(stream, .protocolError)
            return
        }
        end(stream)
    }

    private func end(_ stream: HTTP2Stream) {
        guard stream.id != 0, !stream.requestEnded else { return }
        stream.requestEnded = true
        stream.receiver?.requestEnded()
    }

    func invalidFrame(_ header: nghttp2_frame_hd) {
        stream(header.stream_id)?.isDoomed = true
        if header.stream_id != 0, UInt32(header.type) == NGHTTP2_HEADERS.rawValue { owner?.cutOff(.malformedRequest) }
    }

    func dataReceived(_ id: Int32, _ bytes: Span<UInt8>) {
        guard let stream = stream(id), let receiver = stream.receiver else {
            nghttp2_session_consume(raw, id, bytes.count)
            return
        }
        receiver.requestBody(bytes)
    }

    func frameSent(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            // Who is answered before the request has ended need not send the rest. (RFC 9113 §8.1)
            if frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0, let stream = stream(frame.hd.stream_id),
                !stream.requestEnded
            {
                reset(stream, .noError)
            }
        case NGHTTP2_RST_STREAM.rawValue:
            let code = HTTP2ErrorCode(rawValue: frame.rst_stream.error_code)
            if code?.isTheClients == true { _ = chargeReset() }
        case NGHTTP2_GOAWAY.rawValue:
            isGoingAway = true
            if frame.goaway.error_code != 0 { owner?.cutOff(.protocolError) }
        default: break
        }
    }

    func sendData(_ stream: HTTP2Stream, header: Span<UInt8>, count: Int) {
        guard let output else { return }
        output.append(copying: header)
        guard count > 0, let waiting = stream.waiting else { return }
        output.append(from: waiting, offset: 0, count: count)
        waiting.consume(count)
        // What a client has received lets it send window updates.
        unearnedBytes += count
        if unearnedBytes >= 1_024 {
            controls.earn(Int64(unearnedBytes / 1_024))
            unearnedBytes %= 1_024
        }
        stream.receiver?.responseTaken(count)
    }

    func streamClosed(_ id: Int32, _ code: UInt32) {
        guard let stream = stream(id) else { return }
        if incoming?.toOpaque() == Unmanaged.passUnretained(stream).toOpaque() { incoming = nil }
        nghttp2_session_set_stream_user_data(raw, id, nil)
        stream.id = 0
        stream.receiver?.closed(code)
    }
}
