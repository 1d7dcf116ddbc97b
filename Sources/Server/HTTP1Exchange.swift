import Bytes
import HTTP
import Reactor

/// An exchange over HTTP/1.1, with the buffers that its connection needs while it is at work. Idle connections hold
/// none: exchanges wait in a pool of their reactor.
public final class HTTP1Exchange: Exchange {
    enum Phase {
        /// Reading a head.
        case head
        /// The handler has the request.
        case inFlight
        /// No further request: what is left is sent, then the connection closes.
        case closing
        /// The answer is out and the write side closed; the client's remaining bytes are thrown away for a moment.
        case lingering
    }

    enum ResponseState {
        case none
        case head
        case body
        case complete
    }

    final var phase = Phase.head
    final var response = ResponseState.none
    // Constants, so that nobody counts references to them: what is in them goes elsewhere by `Reactor.takeContents`.
    final let input: IOBuffer
    final let output: IOBuffer
    final var headReader: RequestHeadReader
    final var bodyReader = BodyReader(framing: .none, limits: HTTPLimits())
    final var bodyEnded = true
    final var bodyPaused = false
    /// Whether the body comes so fast that a larger buffer is worth its memory.
    final var isBodyWide = false
    final var bodyStarted = MonotonicInstant(nanoseconds: 0)
    final var keepAlive = true
    final var expectsContinue = false
    final var isChunkedResponse = false
    final var hasNoResponseBody = false
    final var toldBackedUp = false
    final var isRefused = false
    final var lingered: Int64 = 0
    /// Whose turn it is. Strong, and cut by `ServerWorker.giveExchange`, which every connection that ends calls: a weak
    /// reference sent each count of the connection's references through a side table, 840 instructions per request.
    final var connection: HTTP1Connection?
    private final var pausedAt = MonotonicInstant(nanoseconds: 0)
    /// Whether output waits for the client; since when, how much it has taken meanwhile, and when it last took some.
    final var isWaiting = false
    private final var waitingSince = MonotonicInstant(nanoseconds: 0)
    private final var tookLast = MonotonicInstant(nanoseconds: 0)
    private final var tookBytes: Int64 = 0
    private let configuration: ServerConfiguration

    init(reactor: Reactor, configuration: ServerConfiguration, origin: ConnectionOrigin) {
        self.configuration = configuration
        input = reactor.buffers.take()
        output = reactor.buffers.take()
        headReader = RequestHeadReader(limits: configuration.http)
        super.init(reactor: reactor, head: MessageHead(), origin: origin)
    }

    /// Makes the exchange ready for the next request of its connection.
    func reset() {
        phase = .head
        response = .none
        headReader = RequestHeadReader(limits: configuration.http)
        bodyEnded = true
        bodyPaused = false
        if isBodyWide {
            isBodyWide = false
            reactor.narrow(input)
        }
        expectsContinue = false
        isChunkedResponse = false
        hasNoResponseBody = false
        isRefused = false
        isWaiting = false
        status = 0
        requestBodyBytes = 0
        responseBodyBytes = 0
        if consumer != nil { consumer = nil }
        if context != nil { context = nil }
    }

    // MARK: How the client reads

    /// Output is there that the client has not taken.
    func beginWaiting(now: MonotonicInstant) {
        if isWaiting { return }
        isWaiting = true
        waitingSince = now
        tookLast = now
        tookBytes = 0
    }

    func took(_ count: Int, now: MonotonicInstant) {
        tookBytes += Int64(count)
        tookLast = now
    }

    /// When a client that takes no more is given up: after the send timeout without a byte, and the sooner the slower it
    /// has taken what waits for it.
    func sendDeadline(now: MonotonicInstant) -> MonotonicInstant {
        beginWaiting(now: now)
        let earned = tookBytes / max(1, configuration.responseBytesPerSecondMin)
        return min(tookLast, waitingSince + .seconds(earned)) + configuration.sendTimeout
    }

    /// Called when the head is complete.
    func begin(now: MonotonicInstant) {
        phase = .inFlight
        started = now
        keepAlive = head.keepAlive
        expectsContinue = head.expectsContinue
        bodyEnded = head.framing == .none || head.framing == .length(0)
        if !bodyEnded { bodyReader = BodyReader(framing: head.framing, limits: configuration.http) }
        bodyStarted = now
    }

    /// Lets the consumer take bytes of a large body straight from the socket; nil where they must be read.
    func passBody(from connection: HTTP1Connection) -> SocketStream.Received? {
        let left = bodyReader.lengthLeft
        guard left > 0, input.isEmpty,
            let received = consumer?.requestBody(from: connection, upTo: Int(clamping: left))
        else { return nil }
        if case .bytes(let n) = received {
            bodyReader.skip(n)
            requestBodyBytes += Int64(n)
        }
        return received
    }

    // MARK: The response

    override public var headBytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // The buffer stays this exchange's own until it is reset.
            let input = input
            return _overrideLifetime(input.readable, borrowing: self)
        }
    }

    override public func startResponse(status: Int) {
        self.status = status
        response = .head
        if let line = ReasonPhrases.statusLine(status) {
            output.append(copying: line.bytes)
        } else {
            var sink = output
            HTTPWriter.statusLine(status, to: &sink)
        }
    }

    override public func addField(_ name: StaticString, _ value: Span<UInt8>) {
        output.append(field: name.bytes, value)
    }

    override public func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) { output.append(field: name, value) }

    override public func addFields(of head: MessageHead, _ bytes: Span<UInt8>, except: UInt64) {
        head.appendFields(of: bytes, except: except, to: output)
    }

    override public func endHead(_ body: ResponseBody) {
        hasNoResponseBody = head.method == .head || status == 204 || status == 304
        switch body {
        case .absent:
            hasNoResponseBody = true
        case .length(let count):
            if status != 204 {
                output.append("Content-Length: ")
                output.append(decimal: Int(count))
                output.append("\r\n")
            }
        case .streamed:
            if head.version == 1 {
                isChunkedResponse = !hasNoResponseBody
                if status != 204 && status != 304 { output.append("Transfer-Encoding: chunked\r\n") }
            } else if !hasNoResponseBody {
                // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
                keepAlive = false
            }
        }
        if connection?.isRetiring ?? false { keepAlive = false }
        // RFC 9112 §9.6: a body that is not read to its end cannot be followed by another request.
        if !keepAlive {
            output.append("Connection: close\r\n")
        } else if head.version == 0 {
            output.append("Connection: keep-alive\r\n")
        }
        output.append("\r\n")
        response = .body
    }

    override public func sendBody(_ buffer: IOBuffer, offset: Int, count: Int) {
        responseBodyBytes += Int64(count)
        if hasNoResponseBody || count == 0 { return }
        guard let connection else { return }
        if isChunkedResponse {
            var sink = output
            HTTPWriter.chunkHead(count, to: &sink)
            output.append(from: buffer, offset: offset, count: count)
            output.append("\r\n")
        } else {
            var sent = 0
            // Large bodies go from the producer's buffer to the socket; only what the socket refuses is copied.
            if count > 4_096 && connection.isWritable {
                guard let n = connection.send(output, then: buffer.readable.extracting(offset..<offset + count)) else {
                    connection.isBroken = true
                    connection.wantEndOfTurn()
                    return
                }
                sent = n
                if isWaiting { took(n, now: reactor.now) }
            }
            output.append(from: buffer, offset: offset + sent, count: count - sent)
        }
        connection.noteOutput()
    }

    override public func sendBody(from stream: SocketStream, upTo count: Int) -> SocketStream.Received? {
        guard !isChunkedResponse, !hasNoResponseBody, output.isEmpty, let connection, connection.isWritable,
            let passed = stream.pass(upTo: count, to: connection, rest: output)
        else { return nil }
        guard case .bytes(let n) = passed.received else { return passed.received }
        responseBodyBytes += Int64(n)
        if let sent = passed.sent {
            if isWaiting { took(sent, now: reactor.now) }
            connection.noteOutput()
        } else {
            connection.isBroken = true
            connection.wantEndOfTurn()
        }
        return passed.received
    }

    override public func finish() {
        if isChunkedResponse { output.append("0\r\n\r\n") }
        response = .complete
        connection?.drive()
    }

    override public func abort() {
        response = .complete
        keepAlive = false
        guard let connection else { return }
        connection.isBroken = true
        connection.drive()
    }

    override public var isBackedUp: Bool {
        if output.count >= configuration.sendBufferBytesMax {
            toldBackedUp = true
            return true
        }
        return false
    }

    override public func pauseBody() {
        if bodyPaused { return }
        bodyPaused = true
        pausedAt = reactor.now
    }

    override public func resumeBody() {
        guard bodyPaused else { return }
        bodyPaused = false
        // The client was not slow while it was held.
        bodyStarted = bodyStarted + (reactor.now - pausedAt)
        connection?.drive()
    }

    override public func closeAfterwards() { keepAlive = false }

    override public func takeOver() -> (any TunnelEnd)? {
        guard let connection else { return nil }
        output.append("\r\n")
        response = .complete
        return connection
    }
}
