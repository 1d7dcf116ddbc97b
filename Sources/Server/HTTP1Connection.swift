import Bytes
import HTTP
import Reactor

/// Drives HTTP/1.1 on one accepted connection (RFC 9112).
///
/// Theory of operation. `drive` runs the connection as far as it can go and is safe to call at any time: from
/// readiness, from a deadline, from the handler's answer. It loops over the phases of `HTTP1Exchange`:
///
///     idle ──bytes──▶ head ──complete──▶ inFlight ──answered, body read──▶ head or idle
///                      │                    │ answered, body not read, or Connection: close
///                      └─malformed─▶ refuse ▼
///                                        closing ──all sent──▶ lingering ──end or time──▶ closed
///
/// One request is in flight at a time; pipelined ones wait in the input buffer, which is not read into meanwhile
/// beyond its size, so that pipelining cannot make memory grow. Answers to pipelined requests leave in one write.
public final class HTTP1Connection: SocketStream, ServerConnection, TunnelEnd {
    let server: ServerWorker
    let origin: ConnectionOrigin
    final var exchange: HTTP1Exchange?
    final var isBroken = false
    private final var isDriving = false
    private final var isShaken: Bool
    /// Its number among the handshakes, 0 in cleartext.
    final var handshake: UInt32 = 0
    private final var tunnel: Tunnel?
    private final var inputEnded = false
    /// Whether a request was answered on it.
    private final var hasServed = false
    final var headStarted = MonotonicInstant(nanoseconds: 0)
    /// Whether the first bytes may still turn out to be HTTP/2.
    private final var mayBeHTTP2: Bool
    /// Since when it waits for a request; before the first and in the handshake, when it was accepted. Only a request
    /// moves it: what else a peer may send must not keep a connection for ever.
    private(set) final var idleSince: MonotonicInstant
    private final var isCut = false

    init(fd: Int32, server: ServerWorker, origin: ConnectionOrigin) throws(ReactorError) {
        self.server = server
        self.origin = origin
        isShaken = origin.tls == nil
        mayBeHTTP2 = origin.http2 != .off
        idleSince = server.reactor.now
        try super.init(fd: fd, reactor: server.reactor, tls: origin.tls)
        setDeadline(
            reactor.now + (isShaken ? server.configuration.headTimeout : server.configuration.handshakeTimeout))
    }

    // MARK: Events

    override public func ready(_ events: ReadyEvents) {
        note(events)
        if let tunnel {
            tunnel.pump()
            return
        }
        if events.contains(.broken) { isBroken = true }
        drive()
    }

    override public func endOfTurn() { drive() }

    final var isIdle: Bool { exchange == nil && isShaken }

    /// Whether the TLS handshake is still to be done.
    final var isHandshaking: Bool { !isShaken }

    private func cut(_ reason: ConnectionCut) {
        if isCut { return }
        isCut = true
        server.statistics.cuts.add(reason)
    }

    override public func timedOut() {
        if let tunnel {
            tunnel.timedOut()
            return
        }
        if isHandshaking {
            server.statistics.handshakeFailures.add(1)
            cut(.slowHandshake)
            close(abruptly: true)
            return
        }
        guard let exchange else {
            server.statistics.idleTimeouts.add(1)
            close(abruptly: false)
            return
        }
        switch exchange.phase {
        case .head:
            if !exchange.output.isEmpty {
                server.statistics.slowReaders.add(1)
                cut(.slowReader)
                close(abruptly: true)
            } else if exchange.input.isEmpty {
                close(abruptly: false)
            } else {
                server.statistics.slowRequests.add(1)
                refuse(exchange, .requestTimeout)
                drive()
            }
        case .inFlight:
            if !exchange.output.isEmpty {
                server.statistics.slowReaders.add(1)
                cut(.slowReader)
                isBroken = true
            } else if !exchange.bodyEnded && !exchange.bodyPaused {
                server.statistics.slowRequests.add(1)
                failBody(exchange, .requestTimeout)
            }
            drive()
        case .closing:
            server.statistics.slowReaders.add(1)
            cut(.slowReader)
            close(abruptly: true)
        case .lingering:
            close(abruptly: false)
        }
    }

    // MARK: The loop

    final func drive() {
        if isDriving || !isOpen || tunnel != nil { return }
        isDriving = true
        var steps = server.configuration.stepsPerTurnMax
        while isOpen, tunnel == nil {
            if isBroken {
                close(abruptly: true)
                break
            }
            guard let exchange else {
                guard isReadable else { break }
                self.exchange = server.takeExchange(for: self, origin: origin)
                continue
            }
            guard walk(exchange, &steps) else { break }
            if steps == 0 {
                wantEndOfTurn()
                break
            }
        }
        isDriving = false
        if isOpen && tunnel == nil { armDeadline() }
    }

    /// Steps of one exchange, which is counted as referred to once for all of them; false when nothing can be done before
    /// the next event.
    private func walk(_ exchange: HTTP1Exchange, _ steps: inout Int) -> Bool {
        repeat {
            guard step(exchange) else { return false }
            steps -= 1
        } while steps > 0 && self.exchange === exchange && isOpen && !isBroken && tunnel == nil
        return true
    }

    @inline(__always)
    private func step(_ exchange: HTTP1Exchange) -> Bool {
        switch exchange.phase {
        case .head: return stepHead(exchange)
        case .inFlight: return stepInFlight(exchange)
        case .closing: return stepClosing(exchange)
        case .lingering: return stepLingering(exchange)
        }
    }

    private func stepHead(_ exchange: HTTP1Exchange) -> Bool {
        if exchange.output.count >= server.configuration.sendBufferBytesMax {
            if !flush(exchange) { return false }
        }
        if mayBeHTTP2, !exchange.input.isEmpty, let step = stepPreface(exchange) { return step }
        if !exchange.input.isEmpty {
            let complete: Bool
            do throws(HTTPError) {
                let input = exchange.input
                complete = try exchange.headReader.read(input.readable, into: exchange.head) == .complete
            } catch {
                refuse(exchange, error)
                return true
            }
            if complete {
                if case .length(let announced) = exchange.head.framing,
                    announced > server.configuration.http.bodyBytesMax
                {
                    // Said before a byte of it is sent: an early 413 spares both sides the upload.
                    refuse(exchange, .bodyTooLarge)
                    return true
                }
                exchange.begin(now: reactor.now)
                server.statistics.requests.add(1)
                server.handler.handle(exchange)
                if self.exchange !== exchange { return isOpen }
                let filled = exchange.input.freeAtEnd == 0
                exchange.input.consume(exchange.head.headBytes)
                exchange.isBodyWide = filled && !exchange.bodyEnded
                return true
            }
        }
        return readForHead(exchange)
    }

    /// Hands over to HTTP/2 where TLS has agreed on it, or, in cleartext, where the preface came; nil where this is HTTP/1.1.
    private func stepPreface(_ exchange: HTTP1Exchange) -> Bool? {
        if let tls = origin.tls {
            mayBeHTTP2 = false
            guard tls.hasChosenHTTP2 else { return nil }
        } else {
            let input = exchange.input
            switch HTTP2Preface.match(input.readable) {
            case .no where origin.http2 == .only: break
            case .no:
                mayBeHTTP2 = false
                return nil
            case .partly: return readForHead(exchange)
            case .yes: break
            }
        }
        let input = reactor.takeContents(of: exchange.input)
        server.giveExchange(exchange)
        self.exchange = nil
        server.handOver(self, input: input)
        return false
    }

    private func readForHead(_ exchange: HTTP1Exchange) -> Bool {
        if inputEnded {
            if !exchange.output.isEmpty {
                exchange.phase = .closing
                return true
            }
            close(abruptly: false)
            return false
        }
        guard isReadable else {
            if !flush(exchange) { return false }
            if exchange.input.isEmpty {
                server.giveExchange(exchange)
                self.exchange = nil
            }
            return false
        }
        if exchange.input.isEmpty { headStarted = reactor.now }
        if exchange.input.freeAtEnd == 0 { exchange.input.makeRoom(4_096) }
        return take(receive(into: exchange.input))
    }

    /// Whether the loop goes on.
    private func take(_ received: Received) -> Bool {
        if !isShaken, let tls, tls.isEstablished {
            isShaken = true
            idleSince = reactor.now
            server.endHandshake()
            server.statistics.handshakes.add(1)
            if tls.isResumed { server.statistics.resumptions.add(1) }
        }
        switch received {
        case .bytes, .nothing: return true
        case .end:
            inputEnded = true
            return true
        case .failed:
            if !isShaken {
                server.statistics.handshakeFailures.add(1)
                cut(.failedHandshake)
            } else if tls?.hasRepeatedHandshake ?? false {
                cut(.repeatedHandshake)
            }
            isBroken = true
            return true
        }
    }

    private func stepInFlight(_ exchange: HTTP1Exchange) -> Bool {
        if exchange.response == .complete {
            endExchange(exchange)
            return true
        }
        if !exchange.bodyEnded && !exchange.bodyPaused {
            if stepBody(exchange) { return true }
            if exchange.response == .complete { return true }
        }
        if !exchange.output.isEmpty && isWritable {
            if !flush(exchange) { return isBroken }
            if exchange.toldBackedUp {
                exchange.toldBackedUp = false
                exchange.consumer?.responseDrained()
                return true
            }
        }
        return false
    }

    /// Hands body bytes to the consumer; false when more must arrive first.
    private func stepBody(_ exchange: HTTP1Exchange) -> Bool {
        if exchange.expectsContinue && exchange.input.isEmpty {
            // RFC 9110 §10.1.1: the client waits to hear that its body is welcome.
            exchange.expectsContinue = false
            if exchange.response == .none {
                exchange.output.append("HTTP/1.1 100 Continue\r\n\r\n")
                if !flush(exchange) { return isBroken }
            }
        }
        if !exchange.input.isEmpty || exchange.bodyReader.isComplete {
            let before = exchange.input.count
            do throws(HTTPError) {
                let input = exchange.input
                switch try exchange.bodyReader.read(input.readable) {
                case .needMore(let consumed):
                    exchange.input.consume(consumed)
                case .data(let range, let consumed):
                    exchange.requestBodyBytes += Int64(range.count)
                    exchange.consumer?.requestBody(input.readable.extracting(range))
                    exchange.input.consume(consumed)
                    return true
                case .end(let consumed):
                    exchange.input.consume(consumed)
                    exchange.bodyEnded = true
                    exchange.consumer?.requestBodyEnded()
                    return true
                }
            } catch {
                failBody(exchange, error)
                return true
            }
            if exchange.input.count < before { return true }
        }
        if inputEnded {
            failBody(exchange, .bodyIncomplete)
            return true
        }
        guard isReadable else { return false }
        if exchange.isBodyWide {
            if let received = exchange.passBody(from: self) { return take(received) }
            reactor.widen(exchange.input)
        }
        if exchange.input.freeAtEnd == 0 { exchange.input.makeRoom(4_096) }
        let room = exchange.input.freeAtEnd
        let received = receive(into: exchange.input)
        if received == .bytes(room) { exchange.isBodyWide = true }
        return take(received)
    }

    /// The response is complete: take the next request, or close.
    private func endExchange(_ exchange: HTTP1Exchange) {
        server.handler.finished(exchange, completed: true)
        hasServed = true
        exchange.consumer = nil
        exchange.context = nil
        idleSince = reactor.now
        if !exchange.bodyEnded || !exchange.keepAlive || inputEnded || server.isDraining {
            exchange.phase = .closing
            return
        }
        exchange.reset()
    }

    private func stepClosing(_ exchange: HTTP1Exchange) -> Bool {
        if !flush(exchange) { return isBroken }
        if inputEnded || (exchange.bodyEnded && exchange.input.isEmpty && !isReadable) {
            close(abruptly: false)
            return false
        }
        finishSending()
        exchange.phase = .lingering
        exchange.lingered = 0
        setDeadline(reactor.now + server.configuration.lingerTimeout)
        return true
    }

    private func stepLingering(_ exchange: HTTP1Exchange) -> Bool {
        exchange.lingered += Int64(exchange.input.count)
        exchange.input.clear()
        guard !inputEnded, exchange.lingered <= server.configuration.lingerBytesMax else {
            close(abruptly: false)
            return false
        }
        guard isReadable else { return false }
        return take(receive(into: exchange.input))
    }

    // MARK: Refusing

    /// Lets the handler answer a request that cannot be read, and closes afterwards.
    private func refuse(_ exchange: HTTP1Exchange, _ error: HTTPError) {
        server.statistics.malformed.add(1)
        cut(ConnectionCut(error, inHead: exchange.phase == .head))
        if exchange.phase == .head {
            exchange.begin(now: reactor.now)
            exchange.bodyEnded = true
        }
        exchange.isRefused = true
        exchange.keepAlive = false
        server.handler.refuse(exchange, error)
        exchange.input.clear()
        exchange.bodyEnded = false
    }

    private func failBody(_ exchange: HTTP1Exchange, _ error: HTTPError) {
        let consumer = exchange.consumer
        exchange.consumer = nil
        exchange.bodyPaused = true
        consumer?.requestBodyFailed(error)
        if exchange.response == .none {
            refuse(exchange, error)
        } else if exchange.response != .complete {
            isBroken = true
        }
    }

    // MARK: Sending

    /// Sends what waits; false when some is left or the connection broke.
    private func flush(_ exchange: HTTP1Exchange) -> Bool {
        if exchange.output.isEmpty { return true }
        exchange.beginWaiting(now: reactor.now)
        guard isWritable else { return false }
        let before = exchange.output.count
        switch send(exchange.output) {
        case .all:
            exchange.isWaiting = false
            return true
        case .partly:
            if exchange.output.count < before { exchange.took(before - exchange.output.count, now: reactor.now) }
            return false
        case .failed:
            isBroken = true
            return false
        }
    }

    /// More output was appended outside the loop.
    final func noteOutput() {
        if !isDriving { wantEndOfTurn() }
    }

    // MARK: The end

    /// The next answer says it. (`isRetiring`)
    func retire() {}

    /// Whether answers say that the connection closes.
    final var isRetiring: Bool { server.isRetiring }

    /// Takes no further request. One that has come already, or that a new connection was made for, is still answered.
    final func drain() {
        guard exchange == nil, tunnel == nil else { return }
        if hasServed {
            isReadable = true
            drive()
            if isOpen && exchange == nil { close(abruptly: false) }
        } else {
            setDeadline(min(reactor.now + server.configuration.retireTime, reactor.now + .seconds(1)))
        }
    }

    final func close(abruptly: Bool) {
        guard isOpen else { return }
        if isHandshaking {
            isShaken = true
            server.endHandshake()
        }
        if let exchange {
            self.exchange = nil
            if exchange.phase == .inFlight {
                let consumer = exchange.consumer
                exchange.consumer = nil
                consumer?.clientGone()
                server.handler.finished(exchange, completed: exchange.response == .complete)
            }
            server.giveExchange(exchange)
        }
        closeStream(abruptly: abruptly)
        server.closed(self)
    }

    // MARK: Upgrade

    public func takeTunnelInput() -> IOBuffer {
        guard let exchange else { return IOBuffer(capacity: 16_384) }
        // The 101 leaves before any byte of the tunnel.
        _ = flush(exchange)
        // Inside `handle` the request head still stands before the client's first bytes.
        return reactor.takeContents(of: exchange.input)
    }

    public func setTunnel(_ tunnel: Tunnel?) {
        self.tunnel = tunnel
        if tunnel == nil { server.closed(self) }
        if tunnel != nil, let exchange {
            self.exchange = nil
            exchange.consumer = nil
            server.giveExchange(exchange)
        }
    }
}
