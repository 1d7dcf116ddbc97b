import CSystem
import Simulation

/// A client of HTTP/2 that asks for many things at once, dawdles, takes requests back and gives up, and checks every
/// answer to the byte. Its side of the protocol is nghttp2's own, with small and large windows.
final class HTTP2Client: SimulatedClient {
    private final class Stream {
        let id: Int32
        let script: Script
        let body: [UInt8]
        var sent = 0
        var status = 0
        var fields: [String: String] = [:]
        var received: [UInt8] = []
        var isComplete = false

        init(_ id: Int32, _ script: Script) {
            self.id = id
            self.script = script
            body = Script.pattern(script.id, script.bodySize)
        }
    }

    private let notes: ClientNotes
    private unowned let network: SimulatedNetwork
    private let connect: (HTTP2Client) -> SimulatedWire?
    private var wire: SimulatedWire?
    private var session: OpaquePointer?
    /// Asked and not answered.
    private var open: [Stream] = []
    private var unsent: [UInt8] = []
    private var unsentStart = 0
    private var isLast = false
    private let callbacks: OpaquePointer?
    /// Requests of its connections together.
    private(set) var asked = 0
    var isWilling = true

    init(_ notes: ClientNotes, _ network: SimulatedNetwork, connect: @escaping (HTTP2Client) -> SimulatedWire?) {
        self.notes = notes
        self.network = network
        self.connect = connect
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        self.callbacks = callbacks
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, frame, name, n, value, m, _, me in
            guard let frame, let name, let value, let client = HTTP2Client.behind(me) else { return 0 }
            client.field(
                frame.pointee.hd.stream_id, String(decoding: UnsafeBufferPointer(start: name, count: n), as: UTF8.self),
                String(decoding: UnsafeBufferPointer(start: value, count: m), as: UTF8.self))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, me in
            guard let frame, let client = HTTP2Client.behind(me) else { return 0 }
            client.frame(frame.pointee.hd)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, me in
            guard let data, let client = HTTP2Client.behind(me) else { return 0 }
            client.stream(id)?.received += UnsafeBufferPointer(start: data, count: count)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, me in
            HTTP2Client.behind(me)?.closed(id, code)
            return 0
        }
    }

    deinit {
        if let session { nghttp2_session_del(session) }
        nghttp2_session_callbacks_del(callbacks)
    }

    private static func behind(_ me: UnsafeMutableRawPointer?) -> HTTP2Client? {
        me.map { Unmanaged<HTTP2Client>.fromOpaque($0).takeUnretainedValue() }
    }

    private func stream(_ id: Int32) -> Stream? { open.first { $0.id == id } }

    var isIdle: Bool {
        open.isEmpty && unsentStart == unsent.count && (session.map { nghttp2_session_want_write($0) == 0 } ?? true)
    }

    func act() {
        guard let wire else {
            if isWilling { begin() }
            return
        }
        gather()
        if unsentStart < unsent.count {
            let left = unsent.count - unsentStart
            let n = network.random.oneIn(2) ? left : min(left, 1 + network.random.below(900))
            wire.send(unsent[unsentStart..<unsentStart + n])
            unsentStart += n
            if unsentStart == unsent.count {
                unsent.removeAll(keepingCapacity: true)
                unsentStart = 0
            }
        }
        if isWilling, !isLast, open.count < 8, network.random.oneIn(2) {
            ask()
            if network.random.oneIn(30), let stream = open.popLast() {
                // Taken back in the same breath.
                gather()
                takeBack(stream)
            }
        }
        // No longer wanted: maybe while its body is sent, maybe while its answer comes.
        if isWilling, network.random.oneIn(60), !open.isEmpty { takeBack(open.removeFirst()) }
        if isLast, open.isEmpty, unsentStart == unsent.count {
            end(wire)
            wire.finish()
        } else if isWilling, network.random.oneIn(400) {
            giveUp(wire)
        }
    }

    private func takeBack(_ stream: Stream) {
        guard let session else { return }
        nghttp2_submit_rst_stream(session, 0, stream.id, UInt32(NGHTTP2_CANCEL.rawValue))
        notes.givenUp += 1
    }

    /// Frames that are due, behind those that were not sent yet.
    private func gather() {
        guard let session, unsent.count - unsentStart < 4_096 else { return }
        var start: UnsafePointer<UInt8>?
        while case let n = nghttp2_session_mem_send(session, &start), n > 0, let start {
            unsent += UnsafeBufferPointer(start: start, count: n)
        }
    }

    private func begin() {
        var made: OpaquePointer?
        nghttp2_session_client_new(&made, callbacks, Unmanaged.passUnretained(self).toOpaque())
        guard let made else { return }
        session = made
        isLast = false
        let window: UInt32 = [4_096, 65_535, 1 << 20][network.random.below(3)]
        var settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: window),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
        ]
        nghttp2_submit_settings(made, 0, &settings, settings.count)
        wire = connect(self)
    }

    private func ask() {
        guard let session else { return }
        let script = Script(notes.nextID, &network.random)
        notes.nextID += 1
        asked += 1
        var fields = [(":method", script.method), (":scheme", "http"), (":authority", "plant"), (":path", script.path)]
        let hasBody = script.method == "POST"
        if hasBody, network.random.oneIn(2) { fields.append(("content-length", "\(script.bodySize)")) }
        if hasBody, network.random.oneIn(8) { fields.append(("expect", "100-continue")) }
        // Copied by the library before it returns.
        let bytes = fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        let flat = bytes.flatMap { $0.0 + $0.1 }
        let id = flat.withUnsafeBufferPointer { flat -> Int32 in
            guard let base = flat.baseAddress else { return -1 }
            let start = UnsafeMutablePointer(mutating: base)
            var at = 0
            let list = bytes.map { name, value in
                defer { at += name.count + value.count }
                return nghttp2_nv(
                    name: start + at, value: start + at + name.count, namelen: name.count, valuelen: value.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            guard hasBody else { return nghttp2_submit_request(session, nil, list, list.count, nil, nil) }
            var provider = nghttp2_data_provider()
            provider.read_callback = { _, id, into, bytesMax, flags, _, me in
                guard let into, let flags, let client = HTTP2Client.behind(me) else { return 0 }
                return client.give(id, into, bytesMax, flags)
            }
            return nghttp2_submit_request(session, nil, list, list.count, &provider, nil)
        }
        if id > 0 { open.append(Stream(id, script)) }
    }

    /// Some of a request's body.
    private func give(
        _ id: Int32, _ into: UnsafeMutablePointer<UInt8>, _ bytesMax: Int, _ flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let stream = stream(id) else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let left = stream.body.count - stream.sent
        let n = min(left, bytesMax, network.random.oneIn(3) ? 1 + network.random.below(600) : left)
        for i in 0..<n { into[i] = stream.body[stream.sent + i] }
        stream.sent += n
        if stream.sent == stream.body.count { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return n
    }

    private func giveUp(_ wire: SimulatedWire) {
        notes.givenUp += open.count
        end(wire)
        switch network.random.below(3) {
        case 0: wire.finish()
        case 1: wire.reset()
        default:
            // In the middle of whatever it was: no frame.
            wire.send((0..<40).map { _ in UInt8(truncatingIfNeeded: network.random.next()) })
            wire.finish()
        }
    }

    private func end(_ wire: SimulatedWire) {
        open = []
        unsent = []
        unsentStart = 0
        self.wire = nil
        if let session { nghttp2_session_del(session) }
        session = nil
    }

    // MARK: What comes

    func received(_ bytes: ArraySlice<UInt8>, on wire: SimulatedWire) {
        guard wire === self.wire, let session else { return }
        let n = bytes.withUnsafeBufferPointer { nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        if n < 0 { notes.wrong.append("the gateway sent what is no HTTP/2: \(n)") }
    }

    func ended(abruptly: Bool, on wire: SimulatedWire) {
        guard wire === self.wire else { return }
        notes.torn += open.count
        end(wire)
        wire.finish()
    }

    private func field(_ id: Int32, _ name: String, _ value: String) {
        guard let stream = stream(id) else { return }
        if name == ":status" { stream.status = Int(value) ?? 0 } else { stream.fields[name] = value }
    }

    private func frame(_ header: nghttp2_frame_hd) {
        switch UInt32(header.type) {
        case NGHTTP2_GOAWAY.rawValue: isLast = true
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            guard let stream = stream(header.stream_id) else { return }
            if stream.status / 100 == 1, UInt32(header.type) == NGHTTP2_HEADERS.rawValue {
                // Those of servers are handed on, other than to clients of HTTP/1.1.
                if ![100, 103].contains(stream.status) { notes.wrong.append("interim: \(stream.status)") }
                stream.status = 0
                stream.fields = [:]
            }
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { stream.isComplete = true }
        default: break
        }
    }

    private func closed(_ id: Int32, _ code: UInt32) {
        guard let index = open.firstIndex(where: { $0.id == id }) else { return }
        let stream = open.remove(at: index)
        guard stream.isComplete else {
            // A server's mistake is handed on as an error of the stream, never as an end of the answer.
            if code == UInt32(NGHTTP2_NO_ERROR.rawValue) {
                notes.wrong.append("\(stream.script.path): it ended well without its end")
            }
            notes.torn += 1
            return
        }
        if let fault = notes.fault(stream.status, stream.fields, stream.received, stream.script) {
            notes.wrong.append(
                "\(stream.script.path) over HTTP/2: \(stream.status), \(stream.received.count) bytes: \(fault)")
        }
    }
}
