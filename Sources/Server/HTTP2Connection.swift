import Bytes
import HTTP
import Reactor

/// Drives HTTP/2 on one connection: moves bytes between its socket and the `HTTP2Session`. (RFC 9113)
///
/// Theory of operation. It begins as an `HTTP1Connection`, which hands its socket over once TLS has agreed on `h2`
/// (RFC 9113 §3.2) or the first bytes are the preface (§3.3); the upgrade of HTTP/1.1 is not offered (§3.1).
///
/// `drive` reads what is there, which calls exchanges and through them the handler, and then writes what is due. What
/// exchanges answer outside of it is written at the end of the turn, so that the answers of one turn leave in one write. An
/// idle connection holds no buffer: input and output pass through two that the reactor's connections share, and only what
/// the socket did not take waits in one of its own.
///
///     open ──GOAWAY of either side, no stream left──▶ finishing ──all sent──▶ lingering ──end or time──▶ closed
final class HTTP2Connection: SocketStream, ServerConnection, HTTP2SessionOwner {
    let server: ServerWorker
    let origin: ConnectionOrigin
    private(set) final var session: HTTP2Session
    final var exchanges: [HTTP2Exchange] = []
    /// Places of requests whose client has gone and whose work goes on.
    final var heldSlots = 0
    /// Response bytes of all streams that wait for the client.
    final var waitingBytes = 0
    /// Bytes that the socket did not take.
    private final var pending: IOBuffer?
    private final var drained: [HTTP2Exchange] = []
    private final var telling: [HTTP2Exchange] = []
    /// Requests that have come and not begun, and how many of them have been looked at.
    private final var fresh: [HTTP2Exchange] = []
    private final var freshDone = 0
    private final var isDriving = false
    private final var inputEnded = false
    private final var isBroken = false
    private final var isLingering = false
    private final var lingered: Int64 = 0
    // When things last happened, for the deadlines in `HTTP2Deadlines`.
    let opened: MonotonicInstant
    final var lastRead: MonotonicInstant
    final var lastWritten: MonotonicInstant
    final var lastStreamEnded: MonotonicInstant
    final var pingSent = MonotonicInstant(nanoseconds: 0)
    final var goAwayAt: MonotonicInstant?
    /// When the streams were last looked at.
    final var checked: MonotonicInstant

    /// Takes over the socket of `other`; nil where memory or epoll refuses.
    init?(replacing other: HTTP1Connection, server: ServerWorker) {
        self.server = server
        origin = other.origin
        let now = server.reactor.now
        opened = now
        lastRead = now
        lastWritten = now
        lastStreamEnded = now
        checked = now
        let placeholder = SessionPlaceholder()
        guard let session = HTTP2Session(template: server.http2, owner: placeholder, now: now) else { return nil }
        self.session = session
        do throws(ReactorError) {
            try super.init(fd: other.releaseDescriptor(), reactor: server.reactor, tls: other.origin.tls)
        } catch {
            return nil
        }
        session.own(self)
    }

    /// Begins with the bytes that were read before.
    func begin(with first: IOBuffer) {
        isReadable = true
        isWritable = true
        isDriving = true
        if !first.isEmpty { take(first) }
        isDriving = false
        drive()
    }

    // MARK: Events

    override func ready(_ events: ReadyEvents) {
        note(events)
        if events.contains(.broken) { isBroken = true }
        drive()
    }

    override func endOfTurn() { drive() }

    override func timedOut() {
        if isLingering {
            close(abruptly: false)
            return
        }
        checkDeadlines()
        drive()
    }

    // MARK: The loop

    final func drive() {
        if isDriving || !isOpen { return }
        isDriving = true
        if isLingering { linger() } else { work() }
        isDriving = false
        if isOpen && !isLingering { setDeadline(nextDeadline) }
    }

    private func work() {
        var reads = 0
        if !fresh.isEmpty { startFresh() }
        while isOpen && !isBroken {
            // Others have their turn before a client that sends without pause is read from again.
            if reads == Self.readsPerTurnMax {
                wantEndOfTurn()
                return
            }
            let hasRead = read()
            if hasRead { reads += 1 }
            let hasWritten = write()
            if isBroken || !isOpen { break }
            if session.isFinished && pending == nil {
                finishConnection()
                return
            }
            if !hasRead && !hasWritten { break }
        }
        if isBroken || (inputEnded && pending == nil && !session.hasOutput) { close(abruptly: isBroken) }
    }

    /// Whether something came.
    private func read() -> Bool {
        guard isReadable, !inputEnded else { return false }
        // A client that sends and does not read makes frames pile up that answer it: it is not read from until they leave.
        if pending != nil, session.queuedFrames >= Self.queuedFramesMax { return false }
        let input = server.http2Input
        input.clear()
        switch receive(into: input) {
        case .bytes:
            lastRead = reactor.now
            take(input)
            return true
        case .nothing: return false
        case .end:
            // A client that has closed takes no answers: what it asked for is of no use any more.
            inputEnded = true
            return true
        case .failed:
            isBroken = true
            return false
        }
    }

    /// How often 16 KiB are read from one connection before others have their turn.
    private static let readsPerTurnMax = 2

    /// Lets the session have what came, and then starts the requests that are still wanted.
    private func take(_ input: IOBuffer) {
        session.receive(input.readable, now: reactor.now)
        startFresh()
        pumpTunnels()
    }

    /// A request is complete enough to begin, but more may have come with it: a reset, for one.
    final func noteFresh(_ exchange: HTTP2Exchange) { fresh.append(exchange) }

    /// How many requests of one connection begin before others have their turn. What is left begins in the next ones,
    /// where it has not been taken back by then.
    private static let startsPerTurnMax = 8

    private func startFresh() {
        var starts = 0
        // By index: a handler may close the connection, but adds no requests to it.
        while freshDone < fresh.count {
            if starts == Self.startsPerTurnMax {
                wantEndOfTurn()
                return
            }
            let exchange = fresh[freshDone]
            freshDone += 1
            if exchange.connection === self, exchange.start() { starts += 1 }
        }
        fresh.removeAll(keepingCapacity: true)
        freshDone = 0
    }

    /// Whether something left that lets the producers go on.
    private func write() -> Bool {
        guard isWritable else { return false }
        if let waiting = pending {
            guard flush(waiting) else { return false }
        }
        let output = server.http2Output
        output.clear()
        session.produce(into: output, bytesMax: Self.writeBytesMax, now: reactor.now)
        guard !output.isEmpty else { return tellDrained() }
        lastWritten = reactor.now
        if send(output) == .failed {
            isBroken = true
            return false
        }
        if !output.isEmpty {
            let rest = reactor.buffers.take()
            rest.append(from: output, offset: 0, count: output.count)
            pending = rest
        }
        _ = tellDrained()
        return true
    }

    /// Frames that may wait behind a socket that takes nothing, before its client is no longer read from. Those of the
    /// streams alone are fewer; the rest are window updates and acknowledgements.
    private static let queuedFramesMax = 1_024

    /// Frames are gathered up to about this many bytes for one write: two TLS records.
    private static let writeBytesMax = 32_768

    /// Sends what the socket refused before; whether all of it left.
    private func flush(_ waiting: IOBuffer) -> Bool {
        let before = waiting.count
        let sent = send(waiting)
        if waiting.count < before { lastWritten = reactor.now }
        guard sent != .failed else {
            isBroken = true
            return false
        }
        guard waiting.isEmpty else { return false }
        reactor.buffers.give(waiting)
        pending = nil
        return true
    }

    /// More is to be written; at the end of the turn, if not within `drive`.
    final func noteOutput() {
        if !isDriving { wantEndOfTurn() }
    }

    final var hasPendingOutput: Bool { pending != nil }

    // MARK: Backpressure

    /// The client has taken what an exchange was held for; told when no session is at work.
    final func noteDrained(_ exchange: HTTP2Exchange) {
        if exchange.isNotedDrained { return }
        exchange.isNotedDrained = true
        drained.append(exchange)
    }

    private func tellDrained() -> Bool {
        if drained.isEmpty { return false }
        swap(&drained, &telling)
        for exchange in telling {
            exchange.isNotedDrained = false
            guard exchange.connection === self else { continue }
            if let tunnel = exchange.tunnel {
                tunnel.pump()
            } else if exchange.toldBackedUp {
                exchange.toldBackedUp = false
                exchange.consumer?.responseDrained()
            }
        }
        telling.removeAll(keepingCapacity: true)
        return true
    }

    private final var tunnels: [HTTP2Exchange] = []

    /// Bytes came for a tunnel; told when no session is at work.
    final func noteTunnel(_ exchange: HTTP2Exchange) {
        if !tunnels.contains(where: { $0 === exchange }) { tunnels.append(exchange) }
        noteOutput()
    }

    private func pumpTunnels() {
        if tunnels.isEmpty { return }
        let list = tunnels
        tunnels.removeAll(keepingCapacity: true)
        for exchange in list where exchange.connection === self { exchange.tunnel?.pump() }
    }

    // MARK: Streams

    func takeStream() -> HTTP2Stream? {
        guard exchanges.count + heldSlots < server.configuration.http2.streamsMax else { return nil }
        if exchanges.isEmpty { checked = reactor.now }
        let exchange = server.takeHTTP2Exchange()
        exchange.begin(on: self)
        exchange.index = exchanges.count
        exchanges.append(exchange)
        return exchange.stream
    }

    final func remove(_ exchange: HTTP2Exchange) {
        let index = exchange.index
        guard let last = exchanges.popLast() else { return }
        if last !== exchange {
            exchanges[index] = last
            last.index = index
        }
        if exchanges.isEmpty { lastStreamEnded = reactor.now }
    }

    func cutOff(_ reason: HTTP2CutOff) {
        server.statistics.cutOffs.add(reason)
        if reason.isFlood { origin.flooded?(origin.peer) }
    }

    // MARK: The end

    /// Lets the client go elsewhere: no new streams, those in flight are finished. (RFC 9113 §6.8)
    func retire() { drain() }

    var isIdle: Bool { exchanges.isEmpty }

    var idleSince: MonotonicInstant { lastStreamEnded }

    func drain() {
        guard isOpen, !session.isGoingAway else { return }
        session.announceEnd()
        goAwayAt = reactor.now + .seconds(1)
        setDeadline(reactor.now + .seconds(1))
        noteOutput()
    }

    /// Everything was said. What still comes is thrown away for a moment, so that the client reads the GOAWAY and not a
    /// reset of the connection.
    private func finishConnection() {
        leaveAll()
        if inputEnded {
            close(abruptly: false)
            return
        }
        finishSending()
        isLingering = true
        setDeadline(reactor.now + server.configuration.lingerTimeout)
        linger()
    }

    private func linger() {
        let input = server.http2Input
        while isReadable {
            input.clear()
            switch receive(into: input) {
            case .bytes(let n):
                lingered += Int64(n)
                if lingered > server.configuration.lingerBytesMax { return close(abruptly: false) }
            case .nothing: return
            case .end, .failed: return close(abruptly: false)
            }
        }
    }

    private func leaveAll() {
        while let exchange = exchanges.last { exchange.leave(self, completed: false) }
    }

    func close(abruptly: Bool) {
        guard isOpen else { return }
        leaveAll()
        if let pending { reactor.buffers.give(pending) }
        pending = nil
        session.close()
        closeStream(abruptly: abruptly)
        server.closed(self)
    }
}

/// Stands in for the connection while it is being made: a session calls nobody before its first bytes.
private final class SessionPlaceholder: HTTP2SessionOwner {
    func takeStream() -> HTTP2Stream? { nil }
    func cutOff(_ reason: HTTP2CutOff) {}
}
