import Bytes
import HTTP
import Reactor

/// The server side of one reactor: its listeners, its connections, and the exchanges that wait for the next request.
public final class ServerWorker {
    public let reactor: Reactor
    public let configuration: ServerConfiguration
    public let statistics: ServerStatistics
    let handler: any ExchangeHandler
    private var listeners: [(name: String, listener: Listener)] = []
    private var connections: [ObjectIdentifier: any ServerConnection] = [:]
    private var free: [HTTP1Exchange] = []
    private static let freeMax = 512
    private var freeHTTP2: [HTTP2Exchange] = []
    /// One connection's worth for each of some busy ones.
    private static let freeHTTP2Max = 1_024
    let http2: HTTP2Template
    /// Through these pass the bytes of all HTTP/2 connections; nothing stays in them.
    private(set) lazy var http2Input = IOBuffer(capacity: 16_384)
    private(set) lazy var http2Output = IOBuffer(capacity: 65_536)
    /// Whether connections close after the request that they have.
    public private(set) var isDraining = false
    /// Whether each answer says that its connection closes behind it, while new connections are still taken.
    public private(set) var isRetiring = false
    private var drained: (() -> Void)?
    private var handshakes = HandshakeQueue()
    private var shedAt = MonotonicInstant(nanoseconds: .min / 2)
    private let nowhere = ConnectionOrigin(listener: "", peer: SocketAddress(), tls: nil)

    public init(
        reactor: Reactor, configuration: ServerConfiguration, statistics: ServerStatistics,
        handler: any ExchangeHandler
    ) {
        self.reactor = reactor
        self.configuration = configuration
        self.statistics = statistics
        self.handler = handler
        http2 = HTTP2Template(http: configuration.http, limits: configuration.http2)
    }

    /// Where a listener gets the TLS context for the next connection: asked each time, so that certificates can be
    /// replaced without a restart. Nil means cleartext.
    public typealias ContextSource = () -> TLSServerContext?

    /// Listens on `address`; returns the address with the port that was chosen. `admit` may refuse a peer before
    /// anything is spent on it; each that it admits is `released` once, and one that was cut off for a flood is
    /// `flooded` before. `inherited` is a socket that listens at this address already.
    public func listen(
        name: String, address: SocketAddress, backlog: Int32 = 1_024, tls: ContextSource? = nil,
        http2: HTTP2Offer = .on, inherited: Int32? = nil,
        admit: @escaping (SocketAddress) -> ConnectionAdmission = { _ in .admitted },
        released: @escaping (SocketAddress) -> Void = { _ in },
        flooded: @escaping (SocketAddress) -> Void = { _ in }
    ) throws(ReactorError) -> SocketAddress {
        let accepted: (Int32, SocketAddress) -> Void = { [weak self] fd, peer in
            guard let self else { return Descriptor.discard(fd) }
            accept(fd, peer, name: name, tls: tls, http2: http2, admit: admit, released: released, flooded: flooded)
        }
        let listener: Listener
        if let inherited {
            listener = try Listener(inherited: inherited, reactor: reactor, accepted: accepted)
        } else {
            listener = try Listener(address, reactor: reactor, backlog: backlog, accepted: accepted)
        }
        listener.exhausted = { [weak self] in
            self?.statistics.cuts.add(.noDescriptors)
            self?.shedIdle()
        }
        listeners.append((name, listener))
        return listener.address
    }

    /// Takes over an accepted connection.
    package func accept(
        _ fd: Int32, _ peer: SocketAddress, name: String, tls: ContextSource?, http2: HTTP2Offer,
        admit: (SocketAddress) -> ConnectionAdmission,
        released: @escaping (SocketAddress) -> Void, flooded: @escaping (SocketAddress) -> Void = { _ in }
    ) {
        if connections.count >= configuration.connectionsMax - configuration.connectionsMax / 16 { shedIdle() }
        guard connections.count < configuration.connectionsMax, !isDraining else {
            return refuse(fd, isDraining ? nil : .tooMany)
        }
        var verdict = admit(peer)
        if verdict == .refused(.tooMany) {
            shedIdle()
            verdict = admit(peer)
        }
        switch verdict {
        case .admitted: break
        case .crowded: shedIdle()
        case .refused(let reason): return refuse(fd, reason)
        }
        var session: TLSSession?
        if let tls {
            session = tls()?.makeSession()
            if session == nil {
                released(peer)
                Descriptor.discard(fd)
                return
            }
        }
        let origin = ConnectionOrigin(listener: name, peer: peer, tls: session, http2: http2)
        origin.released = released
        origin.flooded = flooded
        do throws(ReactorError) {
            let connection = try HTTP1Connection(fd: fd, server: self, origin: origin)
            connections[ObjectIdentifier(connection)] = connection
            statistics.accepted.add(1)
            statistics.open.add(1)
            if tls != nil { beginHandshake(connection) }
        } catch {
            released(peer)
        }
    }

    /// Lets HTTP/2 go on with the socket and the input of a connection that began as HTTP/1.1.
    func handOver(_ connection: HTTP1Connection, input: IOBuffer) {
        guard let next = HTTP2Connection(replacing: connection, server: self) else {
            reactor.buffers.give(input)
            closed(connection)
            return
        }
        connections.removeValue(forKey: ObjectIdentifier(connection))
        connections[ObjectIdentifier(next)] = next
        statistics.http2Connections.add(1)
        next.begin(with: input)
        reactor.buffers.give(input)
    }

    private func refuse(_ fd: Int32, _ reason: ConnectionCut?) {
        statistics.refusedConnections.add(1)
        if let reason { statistics.cuts.add(reason) }
        Descriptor.discard(fd)
    }

    // MARK: Attacks that only hold something

    /// Notes a handshake that begins, and cuts off the oldest where too many are under way.
    private func beginHandshake(_ connection: HTTP1Connection) {
        connection.handshake = handshakes.begin(ObjectIdentifier(connection)) { handshaking($0) != nil }
        while handshakes.underWay > configuration.handshakesMax, let oldest = handshakes.popOldest() {
            guard let connection = handshaking(oldest) else { continue }
            statistics.cuts.add(.crowdedHandshake)
            connection.close(abruptly: true)
        }
    }

    /// The connection of a handshake, nil when it is over.
    private func handshaking(_ entry: HandshakeQueue.Entry) -> HTTP1Connection? {
        guard let connection = connections[entry.connection] as? HTTP1Connection, connection.isHandshaking,
            connection.handshake == entry.number
        else { return nil }
        return connection
    }

    /// A connection's handshake is over, well or not.
    func endHandshake() { handshakes.end() }

    /// Makes room by closing connections that wait for a request: first of the network that has the most of them, and of
    /// these the ones that have waited longest. Who has one keeps it, unless nobody has more. Not so often
    /// that the search itself becomes work, and an eighth at a time, so that the room lasts until the next.
    private func shedIdle() {
        guard reactor.now >= shedAt + .microseconds(16) * Int64(connections.count) else { return }
        shedAt = reactor.now
        let idle = connections.values.filter { $0.isIdle }
        var held: [UInt64: Int] = [:]
        for connection in idle { held[connection.origin.peer.network, default: 0] += 1 }
        let order = idle.map { (count: held[$0.origin.peer.network] ?? 0, connection: $0) }.sorted {
            $0.count != $1.count ? $0.count > $1.count : $0.connection.idleSince < $1.connection.idleSince
        }
        let most = max(16, connections.count / 8)
        var shed = 0
        for (count, connection) in order where shed < most {
            let network = connection.origin.peer.network
            if count > 1 {
                guard let left = held[network], left > 1 else { continue }
                held[network] = left - 1
            } else if shed > 0, order[0].count > 1 {
                break
            }
            shed += 1
            statistics.cuts.add(.shedIdle)
            connection.close(abruptly: false)
        }
    }

    func closed(_ connection: any ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        statistics.open.add(-1)
        connection.origin.released?(connection.origin.peer)
        if isDraining && connections.isEmpty {
            drained?()
            drained = nil
        }
    }

    // MARK: Exchanges

    func takeExchange(for connection: HTTP1Connection, origin: ConnectionOrigin) -> HTTP1Exchange {
        let exchange: HTTP1Exchange
        if let waiting = free.popLast() {
            exchange = waiting
            exchange.origin = origin
        } else {
            exchange = HTTP1Exchange(reactor: reactor, configuration: configuration, origin: origin)
        }
        exchange.keepAlive = true
        exchange.connection = connection
        return exchange
    }

    /// Takes an exchange back, with its buffers: it is given to the next connection that has something to read, so that
    /// idle ones hold none and busy ones do not go through the pool of buffers twice per request.
    func giveExchange(_ exchange: HTTP1Exchange) {
        exchange.connection = nil
        exchange.origin = nowhere
        // Between two requests of a connection nothing is left to be cleared.
        if exchange.phase != .head || exchange.headReader.isInMessage || !exchange.input.isEmpty
            || !exchange.output.isEmpty
        {
            exchange.reset()
            exchange.input.clear()
            exchange.output.clear()
        }
        // Buffers that a large message has made grow do not stay.
        reactor.narrow(exchange.input)
        reactor.narrow(exchange.output)
        if free.count < Self.freeMax { free.append(exchange) }
    }

    func takeHTTP2Exchange() -> HTTP2Exchange {
        freeHTTP2.popLast() ?? HTTP2Exchange(reactor: reactor, configuration: configuration, origin: nowhere)
    }

    func give(_ exchange: HTTP2Exchange) {
        exchange.end()
        exchange.origin = nowhere
        // One that a large head has grown is not kept.
        if freeHTTP2.count < Self.freeHTTP2Max, exchange.stream.bufferBytes <= 8_192 { freeHTTP2.append(exchange) }
    }

    /// Sixteen random bytes for a handshake that HTTP/2 does without. (RFC 6455 §4.1)
    func webSocketKey() -> (UInt64, UInt64) {
        var generator = SystemRandomNumberGenerator()
        return (generator.next(), generator.next())
    }

    // MARK: Stopping

    /// From now on each answer says that its connection closes behind it, so that clients come back on new ones.
    public func retire() {
        isRetiring = true
        for connection in connections.values { connection.retire() }
    }

    /// Descriptors of the listening sockets that stay open across `execve`, with the listeners' names.
    public func descriptorsForExec() -> [(name: String, descriptor: Int32)] {
        listeners.compactMap { name, listener in listener.descriptorForExec().map { (name, $0) } }
    }

    /// Stops accepting, lets requests in flight finish, closes idle connections now, and calls `done` when the last
    /// connection is gone or `deadline` has passed.
    public func drain(deadline: MonotonicInstant, done: @escaping () -> Void) {
        isRetiring = true
        isDraining = true
        for (_, listener) in listeners { listener.close() }
        listeners = []
        for connection in connections.values { connection.drain() }
        if connections.isEmpty {
            done()
            return
        }
        drained = done
        reactor.schedule(at: deadline) { [weak self] _ in
            guard let self, let drained = self.drained else { return }
            self.drained = nil
            for connection in connections.values { connection.close(abruptly: true) }
            drained()
        }
    }
}

/// A connection that its worker can end, whatever it speaks.
protocol ServerConnection: AnyObject {
    var origin: ConnectionOrigin { get }
    /// Whether it only waits for a request, and since when.
    var isIdle: Bool { get }
    var idleSince: MonotonicInstant { get }
    /// Takes no further requests, and closes when those in flight are done.
    func drain()
    /// Asks its client to leave it.
    func retire()
    func close(abruptly: Bool)
}
