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
    /// anything is spent on it. `inherited` is a socket that listens at this address already.
    public func listen(
        name: String, address: SocketAddress, backlog: Int32 = 1_024, tls: ContextSource? = nil,
        http2: HTTP2Offer = .on, inherited: Int32? = nil, admit: @escaping (SocketAddress) -> Bool = { _ in true },
        released: @escaping (SocketAddress) -> Void = { _ in }
    ) throws(ReactorError) -> SocketAddress {
        let accepted: (Int32, SocketAddress) -> Void = { [weak self] fd, peer in
            guard let self else { return Descriptor.discard(fd) }
            accept(fd, peer, name: name, tls: tls, http2: http2, admit: admit, released: released)
        }
        let listener: Listener
        if let inherited {
            listener = try Listener(inherited: inherited, reactor: reactor, accepted: accepted)
        } else {
            listener = try Listener(address, reactor: reactor, backlog: backlog, accepted: accepted)
        }
        listeners.append((name, listener))
        return listener.address
    }

    private func accept(
        _ fd: Int32, _ peer: SocketAddress, name: String, tls: ContextSource?, http2: HTTP2Offer,
        admit: (SocketAddress) -> Bool,
        released: @escaping (SocketAddress) -> Void
    ) {
        guard connections.count < configuration.connectionsMax, !isDraining else {
            statistics.refusedConnections.add(1)
            Descriptor.discard(fd)
            return
        }
        guard admit(peer) else {
            statistics.refusedConnections.add(1)
            Descriptor.discard(fd)
            return
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
        do throws(ReactorError) {
            let connection = try HTTP1Connection(fd: fd, server: self, origin: origin)
            connections[ObjectIdentifier(connection)] = connection
            statistics.accepted.add(1)
            statistics.open.add(1)
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
        guard free.count < Self.freeMax, exchange.input.capacity == reactor.buffers.bufferBytes,
            exchange.output.capacity == reactor.buffers.bufferBytes
        else { return }
        free.append(exchange)
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
    /// Takes no further requests, and closes when those in flight are done.
    func drain()
    /// Asks its client to leave it.
    func retire()
    func close(abruptly: Bool)
}
