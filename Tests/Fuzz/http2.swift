// Any bytes as what a client of HTTP/2 sends: no crash; the same requests however the network cuts them; no request whose
// head would mean something else as text; no more streams than allowed; no body beyond what was given back; and what
// the server says is frames to the last byte.
#if !FUZZ
    import Bytes
    import HTTP
#endif

/// The first byte of an input: what comes before the rest, and how the server behaves.
private struct Mode {
    var greets: Bool
    var consumes: Bool
    var answersAtOnce: Bool
    var cut: Int

    init(_ byte: UInt8) {
        greets = byte & 1 == 0
        consumes = byte & 2 == 0
        answersAtOnce = byte & 4 == 0
        cut = Int(byte >> 3) * 7
    }
}

private final class Server: HTTP2SessionOwner {
    let mode: Mode
    let limits: HTTP2Limits
    var session: HTTP2Session?
    var open: [Request] = []
    var heads: [[UInt8]] = []
    let output = IOBuffer(capacity: 65_536)
    static let http = HTTPLimits(headBytesMax: 4_096, fieldCountMax: 30, trailerBytesMax: 1_024, bodyBytesMax: 65_536)

    init(_ mode: Mode) {
        self.mode = mode
        var limits = HTTP2Limits()
        limits.streamsMax = 8
        limits.streamWindowBytesMax = 16_384
        limits.connectionWindowBytesMax = 65_535
        self.limits = limits
        let template = HTTP2Template(http: Self.http, limits: limits)
        session = HTTP2Session(template: template, owner: self, now: MonotonicInstant(nanoseconds: 0))
    }

    func takeStream() -> HTTP2Stream? {
        guard open.count < limits.streamsMax else { return nil }
        let request = Request(self)
        open.append(request)
        return request.stream
    }

    func cutOff(_ reason: HTTP2CutOff) {}

    func receive(_ bytes: Span<UInt8>) {
        session?.receive(bytes, now: MonotonicInstant(nanoseconds: 0))
        guard open.count <= limits.streamsMax else { fatalError("more streams than allowed") }
        for _ in 0..<64 {
            output.clear()
            session?.produce(into: output, bytesMax: 32_768, now: MonotonicInstant(nanoseconds: 0))
            if output.isEmpty { return }
            checkFrames(output)
        }
        fatalError("the server does not stop to speak")
    }

    private func checkFrames(_ output: IOBuffer) {
        let bytes = output.readable
        var at = 0
        while at < bytes.count {
            guard bytes.count - at >= 9 else { fatalError("a frame's header is cut") }
            at += 9 + (Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]))
        }
        guard at == bytes.count else { fatalError("a frame is cut") }
    }
}

private final class Request: HTTP2Receiver {
    let stream = HTTP2Stream(limits: Server.http)
    private let server: Server
    private var held = 0
    private var isClosed = false

    init(_ server: Server) {
        self.server = server
        stream.receiver = self
    }

    func requestHead() {
        let stream = stream
        let bytes = stream.headBytes
        let head = stream.head
        var lines: [UInt8] = []
        for range in [head.methodRange, head.targetRange] { add(bytes.extracting(range), to: &lines) }
        for i in 0..<head.count {
            add(bytes.extracting(head[i].nameRange), to: &lines)
            add(bytes.extracting(head[i].valueRange), to: &lines)
        }
        guard head.methodRange.count > 0, head.first(.host) != nil, head.count(of: .host) == 1 else {
            fatalError("a head without method or host")
        }
        for name in [FieldName.transferEncoding, .connection, .upgrade, .keepAlive] where head.first(name) != nil {
            fatalError("a field about the connection came through")
        }
        server.heads.append(lines)
        if server.mode.answersAtOnce { answer(200) }
    }

    private func add(_ part: Span<UInt8>, to lines: inout [UInt8]) {
        for i in 0..<part.count {
            guard part[i] != 0, part[i] != 10, part[i] != 13 else { fatalError("a line would end within a head") }
            lines.append(part[i])
        }
        lines.append(10)
    }

    func requestRefused(_ error: HTTPError) { answer(error.status) }

    func requestBody(_ bytes: Span<UInt8>) {
        if server.mode.consumes {
            server.session?.consume(stream, bytes.count)
        } else {
            held += bytes.count
            // The one frame that goes beyond the window is seen before its stream is reset.
            guard held <= 16_384 + 16_384 else { fatalError("a body beyond its window") }
        }
    }

    func requestEnded() { if !server.mode.answersAtOnce { answer(200) } }

    private func answer(_ status: Int) {
        stream.beginFields(status: status)
        let body = IOBuffer(capacity: 512)
        body.append("hello")
        stream.waiting = body
        stream.endResponse()
        server.session?.submitHead(stream, hasBody: true)
    }

    func responseTaken(_ count: Int) {}

    func closed(_ code: UInt32) {
        guard !isClosed else { fatalError("closed twice") }
        isClosed = true
        server.open.removeAll { $0 === self }
        stream.receiver = nil
    }
}

private func run(_ mode: Mode, _ input: [UInt8], cut: Int?) -> [[UInt8]] {
    let server = Server(mode)
    let greeting =
        mode.greets
        ? Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0] : []
    let bytes = greeting + input
    if let cut, cut < bytes.count {
        server.receive(bytes.span.extracting(0..<cut))
        server.receive(bytes.span.extracting(cut..<bytes.count))
    } else {
        server.receive(bytes.span)
    }
    server.session?.close()
    for request in server.open { request.stream.receiver = nil }
    // They hold the server, and it them.
    server.open = []
    return server.heads
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP2(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let mode = Mode(first)
    let rest = Array(input.dropFirst())
    let whole = run(mode, rest, cut: nil)
    let parts = run(mode, rest, cut: mode.cut + (mode.greets ? 42 : 0))
    // Between two parts the server has spoken: a stream may have ended that was still open as a whole, or the other way
    // round. What was read before must be the same.
    let common = min(whole.count, parts.count)
    guard Array(whole[..<common]) == Array(parts[..<common]) else { fatalError("a cut changes what is read") }
    return 0
}
