import Bytes
import HTTP
import Reactor

/// Drives HTTP/1.1 as a client on one connection to a server (RFC 9112).
///
/// Theory of operation. A connection is made for a call, serves one call at a time, and then waits in its pool while
/// both sides want to keep it. An answer may begin before the request has ended; such a connection is not used again.
/// Bytes that come while no call is under way break the connection: nothing that the server says unasked may be taken
/// for the next call's answer (response splitting).
package final class UpstreamConnection: SocketStream, TunnelEnd {
    enum State {
        case connecting
        case head
        case body
        case idle
        case tunnel
        case closed
    }

    let pool: UpstreamPool
    final var state = State.connecting
    final var call: (any UpstreamCall)?
    private final var passage: UpstreamPassage
    private let head = MessageHead()
    private final var headReader: ResponseHeadReader
    final var bodyReader: BodyReader
    let input: IOBuffer
    /// What is to be sent. Calls append to it and then call `flush`.
    package let output: IOBuffer
    private final var isPaused = false
    /// Whether the answer's body comes so fast that a larger buffer is worth its memory.
    final var isBodyWide = false
    private final var isDriving = false
    final var requestEnded = false
    private final var answered = false
    /// Until when the answer to a call that was given up is read. (`abandon`)
    final var discardUntil: MonotonicInstant?
    /// Status of the final answer, 0 before it came.
    package private(set) final var answerStatus = 0
    private final var interims = 0
    /// Trailer fields of the answer, once it has ended.
    package final var answerTrailers: [(String, String)] { head.framing == .chunked ? bodyReader.trailers : [] }
    /// Since when the client holds the call up, as of the pool's last look. (`lookAtProgress`)
    private(set) final var heldUpSince: MonotonicInstant?
    /// Bytes of request and answer that went on since then.
    final var passed = 0
    private final var lookedAt = MonotonicInstant(nanoseconds: 0)
    private final var wasIdle = false
    private final var inputEnded = false
    private final var toldBackedUp = false
    private final var tunnel: Tunnel?
    /// Requests that this connection has carried.
    package private(set) final var served = 0

    init(
        fd: Int32, pool: UpstreamPool, tls: TLSSession?, call: any UpstreamCall, passage: UpstreamPassage
    ) throws(ReactorError) {
        self.pool = pool
        self.call = call
        self.passage = passage
        let limits = pool.configuration.http
        headReader = ResponseHeadReader(limits: limits)
        bodyReader = BodyReader(framing: .none, limits: limits)
        input = pool.reactor.buffers.take()
        output = pool.reactor.buffers.take()
        try super.init(fd: fd, reactor: pool.reactor, tls: tls)
        setDeadline(reactor.now + pool.configuration.connectTimeout)
    }

    // MARK: For calls

    /// Whether the request body should wait until `requestDrained`: because much waits, or because the server's socket is
    /// full, when each byte that is read would only be copied.
    package final var isBackedUp: Bool {
        if output.count >= pool.configuration.sendBufferBytesMax || (!output.isEmpty && !isWritable) {
            toldBackedUp = true
            return true
        }
        return false
    }

    /// Sends what was appended to `output`. `ended` says that the request is complete.
    package final func flush(ended: Bool) {
        if ended { requestEnded = true }
        passed += output.count
        guard state != .connecting, state != .closed else { return }
        if isWritable { _ = sendOutput() }
        if state == .head || state == .body { setDeadline(reactor.now + pool.configuration.responseTimeout) }
    }

    /// Sends bytes of the request's body behind what is in `output`. Many go to the socket from where they are; only what
    /// it does not take is copied.
    package final func sendBody(_ bytes: Span<UInt8>) {
        var sent = 0
        if bytes.count > 4_096, isWritable, state == .head || state == .body {
            guard let n = send(output, then: bytes) else { return failSending() }
            sent = n
            passed += n
        }
        output.append(copying: bytes.extracting(sent..<bytes.count))
        flush(ended: false)
    }

    /// Sends what was appended to `output` at the end of this turn: a head in one call with what of its body comes before
    /// that, and all requests of a turn together, so that a server that sleeps is woken once for them.
    package final func flushSoon(ended: Bool = false) {
        if ended {
            requestEnded = true
            passed += output.count
        }
        if state == .head { setDeadline(reactor.now + pool.configuration.responseTimeout) }
        wantEndOfTurn()
    }

    /// Holds the answer back: the server is not read from.
    package final func pauseAnswer() { isPaused = true }

    package final func resumeAnswer() {
        guard isPaused else { return }
        isPaused = false
        drive()
    }

    /// Whether nothing can go on before the client has taken some of the answer or sent some of the request.
    private final var waitsForClient: Bool {
        switch state {
        case .head: !requestEnded && output.isEmpty
        case .body: isPaused
        case .connecting, .idle, .tunnel, .closed: false
        }
    }

    /// Bytes that must have gone on since the last look for a client not to be called slow: 16 KiB/s of a request that
    /// comes; an answer goes on by whole buffers.
    private static let progressMin = 4_096

    /// Looks whether the client holds the call up, and since when.
    final func lookAtProgress(now: MonotonicInstant) {
        heldUpSince = waitsForClient && passed < Self.progressMin ? heldUpSince ?? lookedAt : nil
        passed = 0
        lookedAt = now
    }

    /// Breaks the call off, so that its place goes to the next.
    final func yieldPlace() {
        pool.target.statistics.yielded.add()
        fail(.heldUp)
    }

    /// Gives the call up. The connection is closed, unless it does not stand yet: then nothing was sent on it, and the
    /// next call may have it. Who asks and takes back without end makes no connections without end.
    package final func cancel() {
        guard call != nil else { return }
        call = nil
        if state != .connecting || !pool.keepsSpare(self) { close() }
        pool.ended(passage, failure: .cancelled)
    }

    private final var answerDeadline: MonotonicInstant {
        discardUntil ?? reactor.now + pool.configuration.responseTimeout
    }

    // MARK: Upgrade

    /// What the server sent behind its 101.
    package final func takeTunnelInput() -> IOBuffer {
        reactor.takeContents(of: input)
    }

    package final func setTunnel(_ tunnel: Tunnel?) {
        self.tunnel = tunnel
    }

    // MARK: For the pool

    /// Gives a connection that does not stand yet, and that nobody wants any more, to the next call.
    final func adopt(_ call: any UpstreamCall, _ passage: UpstreamPassage) {
        self.call = call
        self.passage = passage
        setDeadline(reactor.now + pool.configuration.connectTimeout)
        call.connecting(self)
    }

    /// Starts the next call on an idle connection.
    final func reuse(for call: any UpstreamCall, _ passage: UpstreamPassage) {
        wasIdle = true
        self.passage = passage
        start(call)
    }

    private final func start(_ call: any UpstreamCall) {
        self.call = call
        state = .head
        headReader = ResponseHeadReader(limits: pool.configuration.http)
        requestEnded = false
        answered = false
        discardUntil = nil
        answerStatus = 0
        interims = 0
        isPaused = false
        toldBackedUp = false
        served += 1
        if let ticket = passage.ticket {
            heldUpSince = nil
            passed = 0
            lookedAt = reactor.now
            pool.began(ticket, on: self)
        }
        setDeadline(reactor.now + pool.configuration.responseTimeout)
        call.connected(self)
    }

    // MARK: Events

    override public final func ready(_ events: ReadyEvents) {
        note(events)
        if let tunnel {
            tunnel.pump()
            return
        }
        if state == .connecting {
            guard !events.isDisjoint(with: [.writable, .broken]) else { return }
            if let code = connectError {
                fail(.connect(code: code))
                return
            }
            if let call {
                start(call)
            } else {
                wait()
            }
        }
        drive()
    }

    override public final func timedOut() {
        if let tunnel {
            tunnel.timedOut()
            return
        }
        switch state {
        case .connecting: fail(.connectTimeout)
        case .idle: close()
        case .head, .body: fail(.timeout)
        case .tunnel, .closed: break
        }
    }

    override public final func endOfTurn() { drive() }

    /// Steps of one turn: a server that is always faster must not keep the loop for itself.
    private static let stepsPerTurnMax = 64

    private final func drive() {
        if isDriving { return }
        isDriving = true
        var steps = Self.stepsPerTurnMax
        while isOpen, tunnel == nil, step() {
            steps -= 1
            if steps == 0 {
                wantEndOfTurn()
                break
            }
        }
        isDriving = false
    }

    private final func step() -> Bool {
        if !output.isEmpty && isWritable {
            guard sendOutput() else { return false }
        }
        switch state {
        case .connecting, .tunnel, .closed: return false
        case .idle:
            guard isReadable else { return false }
            // The server closes, or speaks unasked: either way this connection is done.
            close()
            return false
        case .head: return stepHead()
        case .body: return stepBody()
        }
    }

    private final func stepHead() -> Bool {
        guard let call else { return false }
        if !input.isEmpty {
            let complete: Bool
            do throws(HTTPError) {
                let buffer = input
                let step = try headReader.read(
                    buffer.readable, requestMethod: call.method, upgradeRequested: call.wantsUpgrade, into: head)
                complete = step == .complete
            } catch {
                fail(.malformed(error))
                return false
            }
            if complete { return takeHead(call) }
        }
        return readMore()
    }

    private final func takeHead(_ call: any UpstreamCall) -> Bool {
        let status = head.status
        if status >= 100 && status < 200 && status != 101 {
            interims += 1
            let buffer = input
            call.interim(head, buffer.readable)
            guard isOpen, self.call != nil else { return false }
            input.consume(head.headBytes)
            headReader = ResponseHeadReader(limits: pool.configuration.http)
            if interims > pool.configuration.interimMax {
                fail(.malformed(.statusLineMalformed))
                return false
            }
            return true
        }
        if status == 101 && !(call.wantsUpgrade && WebSocketHandshake.isAccepted(head)) {
            fail(.malformed(.switchingNotAsked))
            return false
        }
        answered = true
        answerStatus = status
        let framing = head.framing
        bodyReader = BodyReader(framing: framing, limits: pool.configuration.http)
        state = status == 101 ? .tunnel : .body
        let buffer = input
        call.answerHead(head, buffer.readable)
        guard isOpen, self.call != nil else { return false }
        if input.freeAtEnd == 0, call.takesWideReads { isBodyWide = true }
        input.consume(head.headBytes)
        if status == 101 {
            // The call builds the tunnel, which may live for days: it does not hold a place in the gate.
            clearDeadline()
            self.call = nil
            pool.ended(passage, status: 101)
            call.answerEnded()
            return false
        }
        if framing == .none || framing == .length(0) {
            endAnswer()
            return isOpen
        }
        return true
    }

    private final func stepBody() -> Bool {
        if isPaused { return false }
        if !input.isEmpty || bodyReader.isComplete {
            do throws(HTTPError) {
                let buffer = input
                switch try bodyReader.read(buffer.readable) {
                case .needMore(let consumed):
                    input.consume(consumed)
                case .data(let range, let consumed):
                    passed += range.count
                    call?.answerBody(input, offset: range.lowerBound, count: range.count)
                    guard isOpen, call != nil else { return false }
                    input.consume(consumed)
                    return true
                case .end(let consumed):
                    input.consume(consumed)
                    endAnswer()
                    return isOpen
                }
            } catch {
                fail(.malformed(error))
                return false
            }
        }
        return readMore()
    }

    private final func readMore() -> Bool {
        if inputEnded {
            if state == .body {
                do throws(HTTPError) {
                    try bodyReader.finish()
                    endAnswer()
                } catch {
                    fail(.torn)
                }
            } else if answered || !input.isEmpty || interims > 0 {
                fail(.torn)
            } else {
                closedWithoutAnswer()
            }
            return false
        }
        guard isReadable else { return false }
        switch passBody() ?? receiveInput() {
        case .bytes:
            setDeadline(answerDeadline)
            return isOpen
        case .nothing: return false
        case .end:
            inputEnded = true
            return true
        case .failed:
            if tls.map({ !$0.isEstablished }) ?? false {
                fail(.tls)
            } else if answered || !input.isEmpty {
                fail(.torn)
            } else {
                closedWithoutAnswer()
            }
            return false
        }
    }

    private final func receiveInput() -> Received {
        if isBodyWide { reactor.widen(input) }
        if input.freeAtEnd == 0 { input.makeRoom(4_096) }
        let room = input.freeAtEnd
        let received = receive(into: input)
        if received == .bytes(room), state == .body, call?.takesWideReads ?? false { isBodyWide = true }
        return received
    }

    /// The server closed a connection without a byte of answer. One that had been idle was probably closed before the
    /// request arrived, yet that is not certain: only calls that may be repeated are.
    private final func closedWithoutAnswer() {
        if wasIdle, let call, call.canRepeat, call.method.isIdempotent {
            self.call = nil
            close()
            pool.target.statistics.repeated.add()
            pool.repeatOnFreshConnection(call, passage)
            return
        }
        fail(.closedWithoutAnswer(reused: wasIdle))
    }

    private final func endAnswer() {
        let reusable = head.keepAlive && requestEnded && output.isEmpty && !inputEnded && isDrained
        if !requestEnded { pool.target.statistics.early.add() }
        let ended = call
        call = nil
        if discardUntil != nil { pool.target.statistics.discarded.add() }
        if isBodyWide {
            isBodyWide = false
            reactor.narrow(input)
        }
        reactor.narrow(output)
        if reusable {
            wait()
        } else {
            close()
        }
        pool.ended(passage, status: answerStatus)
        ended?.answerEnded()
    }

    /// Waits in the pool for the next call.
    private final func wait() {
        state = .idle
        setDeadline(reactor.now + pool.configuration.idleTimeout)
        pool.giveBack(self)
    }

    private final func sendOutput() -> Bool {
        switch send(output) {
        case .all, .partly:
            // The socket's own buffer is full then, so that the server does not wait for what is read next.
            if toldBackedUp && output.isEmpty {
                toldBackedUp = false
                call?.requestDrained()
            }
            return true
        case .failed:
            failSending()
            return true
        }
    }

    /// The server may have answered before it closed: what it said is read first.
    final func failSending() {
        output.clear()
        isReadable = true
        requestEnded = false
    }

    private final func fail(_ failure: UpstreamFailure) {
        guard let failedCall = call else { return close() }
        call = nil
        close()
        pool.ended(passage, failure: discardUntil == nil ? failure : .cancelled)
        failedCall.failed(failure)
    }

    final func close() {
        guard isOpen else { return }
        pool.forget(self)
        state = .closed
        reactor.buffers.give(input)
        reactor.buffers.give(output)
        closeStream()
    }
}
