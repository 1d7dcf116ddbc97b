import Bytes
import HTTP
import Reactor

/// An exchange over one stream of HTTP/2. Streams and their exchanges wait together in a pool of their reactor.
public final class HTTP2Exchange: Exchange, HTTP2Receiver {
    enum ResponseState {
        case none
        case head
        case body
        case complete
    }

    let stream: HTTP2Stream
    /// The connection it belongs to, until it is given back.
    final var connection: HTTP2Connection?
    /// Its place in the connection's list.
    final var index = 0
    final var response = ResponseState.none
    /// Whether the handler knows of no more body to come.
    final var bodyEnded = true
    /// Whether the request's head was complete.
    private(set) final var hasHead = false
    /// Whether the request waits until everything that came with it has been read: what its client takes back in the same
    /// breath must cost nothing behind us (CVE-2023-44487).
    private final var isFresh = false
    final var bodyPaused = false
    /// Body bytes that came while the handler held them back; they still count in the client's windows.
    final var held: IOBuffer?
    private final var isDelivering = false
    private final var hasNoResponseBody = false
    private final var isAborted = false
    final var toldBackedUp = false
    /// Whether its connection will tell it that its client has taken what it was held for.
    final var isNotedDrained = false
    /// When the present wait for the client's bytes or windows began, and how many have moved since.
    final var bodyStarted = MonotonicInstant(nanoseconds: 0)
    final var bodyMoved = MonotonicInstant(nanoseconds: 0)
    final var sendStarted = MonotonicInstant(nanoseconds: 0)
    final var sentBytes: Int64 = 0
    final var isSending = false
    private final weak var place: HTTP2Place?
    /// Whether the server's answer to the handshake that was made for it is right.
    private final var isHandshakeRight = false
    /// Set while the stream carries a WebSocket.
    final var tunnel: Tunnel?
    final var tunnelDeadline = MonotonicInstant(nanoseconds: .max)
    final var tunnelSaidEnd = false

    init(reactor: Reactor, configuration: ServerConfiguration, origin: ConnectionOrigin) {
        stream = HTTP2Stream(limits: configuration.http)
        super.init(reactor: reactor, head: stream.head, origin: origin)
    }

    /// Makes the exchange ready for a stream of `connection`.
    func begin(on connection: HTTP2Connection) {
        self.connection = connection
        origin = connection.origin
        stream.receiver = self
        response = .none
        hasHead = false
        isFresh = false
        bodyStarted = reactor.now
        bodyEnded = true
        bodyPaused = false
        isDelivering = false
        hasNoResponseBody = false
        isAborted = false
        toldBackedUp = false
        isNotedDrained = false
        isSending = false
        sentBytes = 0
        tunnelSaidEnd = false
        isHandshakeRight = false
        place = nil
        status = 0
        requestBodyBytes = 0
        responseBodyBytes = 0
    }

    /// Gives its buffers back and forgets everything.
    func end() {
        if let held { reactor.buffers.give(held) }
        if let waiting = stream.waiting { reactor.buffers.give(waiting) }
        held = nil
        stream.waiting = nil
        stream.receiver = nil
        connection = nil
        consumer = nil
        context = nil
        tunnel = nil
        isFresh = false
    }

    override public var wireProtocol: WireProtocol { .http2 }

    // MARK: The request

    override public var headBytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let stream = stream
            return _overrideLifetime(stream.headBytes, borrowing: self)
        }
    }

    public func requestHead() {
        guard let connection else { return }
        hasHead = true
        bodyEnded = head.framing == .none || head.framing == .length(0)
        isFresh = true
        connection.noteFresh(self)
    }

    /// Hands the request on, with what has come of its body; false where nothing is to begin any more.
    func start() -> Bool {
        // What is to be reset for its client's own error is not begun either (CVE-2025-8671).
        guard isFresh, !stream.isDoomed, let connection else { return false }
        isFresh = false
        let server = connection.server
        begin(server, now: reactor.now)
        if head.isWebSocketUpgrade { stream.addWebSocketKey(server.webSocketKey()) }
        server.handler.handle(self)
        if requestBodyBytes > server.configuration.http.bodyBytesMax {
            failBody(.bodyTooLarge)
        } else if !bodyEnded, tunnel == nil, !head.isWebSocketUpgrade {
            if head.expectsContinue, response == .none, !bodyPaused, held == nil { sendContinue() }
            deliver()
        } else if stream.requestEnded {
            requestEnded()
        }
        return true
    }

    public func requestRefused(_ error: HTTPError) {
        guard let connection else { return }
        let server = connection.server
        begin(server, now: reactor.now)
        server.statistics.malformed.add(1)
        server.handler.refuse(self, error)
    }

    private func begin(_ server: ServerWorker, now: MonotonicInstant) {
        hasHead = true
        started = now
        bodyStarted = now
        bodyMoved = now
        server.statistics.requests.add(1)
        server.statistics.http2Requests.add(1)
    }

    private func sendContinue() {
        stream.beginFields(status: 100)
        connection?.session.submitInterim(stream)
        connection?.noteOutput()
    }

    public func requestBody(_ bytes: Span<UInt8>) {
        guard let connection else { return }
        bodyMoved = reactor.now
        if head.isWebSocketUpgrade, !stream.responseEnded, response == .none || tunnel != nil {
            // What comes before the server has agreed waits for it.
            hold(bytes)
            connection.noteTunnel(self)
            return
        }
        if bodyEnded || response == .complete {
            connection.session.consume(stream, bytes.count)
            return
        }
        requestBodyBytes += Int64(bytes.count)
        if isFresh {
            hold(bytes)
            return
        }
        if requestBodyBytes > connection.server.configuration.http.bodyBytesMax {
            failBody(.bodyTooLarge)
            return
        }
        if bodyPaused || held != nil {
            hold(bytes)
            return
        }
        consumer?.requestBody(bytes)
        self.connection?.session.consume(stream, bytes.count)
    }

    private func hold(_ bytes: Span<UInt8>) {
        let buffer = held ?? reactor.buffers.take()
        held = buffer
        buffer.append(copying: bytes)
    }

    public func requestEnded() {
        if tunnel != nil {
            connection?.noteTunnel(self)
            return
        }
        guard !bodyEnded, held == nil, !bodyPaused, !isFresh else { return }
        bodyEnded = true
        consumer?.requestBodyEnded()
    }

    /// Hands on what was held, a piece at a time, as long as the handler takes it.
    private func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        while !bodyPaused, response != .complete, let held, let session = connection?.session {
            let count = min(held.count, 16_384)
            if count > 0 {
                consumer?.requestBody(held.readable.extracting(0..<count))
                held.consume(count)
                session.consume(stream, count)
            }
            if held.isEmpty {
                reactor.buffers.give(held)
                self.held = nil
            }
        }
        if !bodyPaused, held == nil, stream.requestEnded, !bodyEnded {
            bodyEnded = true
            consumer?.requestBodyEnded()
        }
        connection?.noteOutput()
    }

    override public func pauseBody() { bodyPaused = true }

    override public func resumeBody() {
        guard bodyPaused else { return }
        bodyPaused = false
        bodyMoved = reactor.now
        bodyStarted = reactor.now + .seconds(-requestBodyBytes / max(1, bodyRateMin))
        if head.expectsContinue, requestBodyBytes == 0, response == .none { sendContinue() }
        deliver()
    }

    private var bodyRateMin: Int64 { connection?.server.configuration.bodyBytesPerSecondMin ?? 1 }

    /// The body cannot be taken any further.
    func failBody(_ error: HTTPError) {
        guard let connection else { return }
        let consumer = consumer
        self.consumer = nil
        bodyEnded = true
        if let held {
            connection.session.consume(stream, held.count)
            reactor.buffers.give(held)
            self.held = nil
        }
        consumer?.requestBodyFailed(error)
        if response == .none {
            connection.server.statistics.malformed.add(1)
            connection.server.handler.refuse(self, error)
        } else if response != .complete {
            abort()
        }
    }

    // MARK: The response

    override public func startResponse(status: Int) {
        self.status = status
        response = .head
        // What HTTP/1.1 says with 101 is said with 200. (RFC 8441 §5.1)
        stream.beginFields(status: status == 101 ? 200 : status)
    }

    override public func addField(_ name: StaticString, _ value: Span<UInt8>) { addField(name.bytes, value) }

    override public func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if status == 101, name.count == 20, FieldName(name) == .secWebSocketAccept {
            // The handshake is ours, so the check is too (RFC 6455 §4.1); HTTP/2 knows no such field.
            if let key = head.first(.secWebSocketKey) {
                isHandshakeRight = WebSocketHandshake.accepts(value, key: headBytes.extracting(key.valueRange))
            }
            return
        }
        stream.addField(name, value)
    }

    override public func endHead(_ body: ResponseBody) {
        guard let connection else { return }
        hasNoResponseBody = head.method == .head || status == 204 || status == 304
        switch body {
        case .absent: hasNoResponseBody = true
        case .length(let count):
            if status != 204 { stream.addContentLength(count) }
            if count == 0 { hasNoResponseBody = true }
        case .streamed: break
        }
        response = .body
        connection.session.submitHead(stream, hasBody: !hasNoResponseBody)
        connection.noteOutput()
    }

    override public func sendBody(_ buffer: IOBuffer, offset: Int, count: Int) {
        responseBodyBytes += Int64(count)
        if hasNoResponseBody || count == 0 { return }
        guard let connection else { return }
        give(buffer, offset: offset, count: count, to: connection)
    }

    /// Puts bytes behind those that wait for the client.
    func give(_ buffer: IOBuffer, offset: Int, count: Int, to connection: HTTP2Connection) {
        let waiting = stream.waiting ?? reactor.buffers.take()
        stream.waiting = waiting
        if !isSending {
            isSending = true
            sendStarted = reactor.now
            sentBytes = 0
        }
        waiting.append(from: buffer, offset: offset, count: count)
        connection.waitingBytes += count
        connection.session.resume(stream)
        connection.noteOutput()
    }

    override public func finish() {
        response = .complete
        guard let connection else { return }
        stream.endResponse()
        connection.session.resume(stream)
        connection.noteOutput()
    }

    override public func abort() {
        response = .complete
        isAborted = true
        guard let connection else { return }
        connection.session.reset(stream, .internalError)
        connection.noteOutput()
    }

    override public var isBackedUp: Bool {
        guard let connection, let waiting = stream.waiting else { return false }
        let most = connection.server.configuration.sendBufferBytesMax
        if waiting.count >= most || connection.waitingBytes >= connection.server.configuration.http2.sendBufferBytesMax
        {
            toldBackedUp = true
            return true
        }
        return false
    }

    public func responseTaken(_ count: Int) {
        guard let connection else { return }
        connection.waitingBytes -= count
        sentBytes += Int64(count)
        let left = stream.waiting?.count ?? 0
        if left == 0 {
            isSending = false
            if let waiting = stream.waiting {
                reactor.buffers.give(waiting)
                stream.waiting = nil
            }
        }
        guard toldBackedUp || tunnel != nil else { return }
        if left == 0 || left < connection.server.configuration.sendBufferBytesMax / 2 { connection.noteDrained(self) }
    }

    override public func holdPlace() -> AnyObject? {
        let place = place ?? HTTP2Place()
        self.place = place
        return place
    }

    override public func startInterim(status: Int) -> Bool {
        guard response == .none, connection != nil else { return false }
        stream.beginFields(status: status)
        return true
    }

    override public func endInterim() {
        connection?.session.submitInterim(stream)
        connection?.noteOutput()
    }

    override public func addTrailer(_ name: String, _ value: String) {
        if !hasNoResponseBody { stream.addTrailer(name, value) }
    }

    override public func closeAfterwards() { connection?.drain() }

    override public func takeOver() -> (any TunnelEnd)? {
        guard let connection, isHandshakeRight else { return nil }
        connection.session.submitHead(stream, hasBody: true)
        response = .complete
        connection.noteOutput()
        return self
    }

    // MARK: The end

    public func closed(_ code: UInt32) {
        guard let connection else { return }
        let completed = response == .complete && !isAborted && code == HTTP2ErrorCode.noError.rawValue
        leave(connection, completed: completed)
    }

    /// Tells everybody that the stream is gone, and goes back to the pool.
    func leave(_ connection: HTTP2Connection, completed: Bool) {
        if let waiting = stream.waiting { connection.waitingBytes -= waiting.count }
        if let held { connection.session.consumeForConnection(held.count) }
        place?.keep(on: connection)
        let consumer = consumer
        self.consumer = nil
        consumer?.clientGone()
        tunnel?.lost()
        if isFresh {
            connection.server.statistics.takenBack.add(1)
        } else if hasHead {
            connection.server.handler.finished(self, completed: completed)
        }
        connection.remove(self)
        connection.server.give(self)
    }
}

/// The place of a request whose work may go on after its stream has ended.
final class HTTP2Place {
    private var connection: HTTP2Connection?

    /// The stream has ended; the place is taken until this object is gone.
    func keep(on connection: HTTP2Connection) {
        self.connection = connection
        connection.heldSlots += 1
    }

    deinit { connection?.heldSlots -= 1 }
}
