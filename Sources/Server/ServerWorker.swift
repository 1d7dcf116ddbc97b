import Bytes
import HTTP
import Reactor

/// The server side of one reactor: its listeners, its connections, and the exchanges that wait for the next request.
public final class ServerWorker {
    public let reactor: Reactor
    public let configuration: ServerConfiguration
    public let statistics: ServerStatistics
    let handler: any ExchangeHandler
    private var listeners: [Listener] = []
    private var connections: [ObjectIdentifier: HTTP1Connection] = [:]
    private var free: [HTTP1Exchange] = []
    private static let freeMax = 512
    /// Whether connections close after the request that they have.
    public private(set) var isDraining = false
    private var drained: (() -> Void)?
    private let noBuffer = IOBuffer(capacity: 1)
    private let nowhere = ConnectionOrigin(listener: "", peer: SocketAddress(), tls: nil)

    public init(
        reactor: Reactor, configuration: ServerConfiguration, statistics: ServerStatistics,
        handler: any ExchangeHandler
    ) {
        self.reactor = reactor
        self.configuration = configuration
        self.statistics = statistics
        self.handler = handler
    }

    /// Where a listener gets the TLS context for the next connection: asked each time, so that certificates can be
    /// replaced without a restart. Nil means cleartext.
    public typealias ContextSource = () -> TLSServerContext?

    /// Listens on `address`; returns the address with the port that was chosen. `admit` may refuse a peer before
    /// anything is spent on it.
    public func listen(
        name: String, address: SocketAddress, backlog: Int32 = 1_024, tls: ContextSource? = nil,
        admit: @escaping (SocketAddress) -> Bool = { _ in true }, released: @escaping (SocketAddress) -> Void = { _ in }
    ) throws(ReactorError) -> SocketAddress {
        let listener = try Listener(address, reactor: reactor, backlog: backlog) { [weak self] fd, peer in
            guard let self else { return Descriptor.discard(fd) }
            accept(fd, peer, name: name, tls: tls, admit: admit, released: released)
        }
        listeners.append(listener)
        return listener.address
    }

    private func accept(
        _ fd: Int32, _ peer: SocketAddress, name: String, tls: ContextSource?, admit: (SocketAddress) -> Bool,
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
        let origin = ConnectionOrigin(listener: name, peer: peer, tls: session)
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

    func closed(_ connection: HTTP1Connection) {
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
            exchange.input = reactor.buffers.take()
            exchange.output = reactor.buffers.take()
        } else {
            exchange = HTTP1Exchange(reactor: reactor, configuration: configuration, origin: origin)
        }
        exchange.reset()
        exchange.keepAlive = true
        exchange.connection = connection
        return exchange
    }

    func giveExchange(_ exchange: HTTP1Exchange) {
        reactor.buffers.give(exchange.input)
        reactor.buffers.give(exchange.output)
        exchange.connection = nil
        exchange.consumer = nil
        exchange.context = nil
        exchange.origin = nowhere
        exchange.input = noBuffer
        exchange.output = noBuffer
        if free.count < Self.freeMax { free.append(exchange) }
    }

    // MARK: Stopping

    /// Stops accepting, lets requests in flight finish, closes idle connections now, and calls `done` when the last
    /// connection is gone or `deadline` has passed.
    public func drain(deadline: MonotonicInstant, done: @escaping () -> Void) {
        isDraining = true
        for listener in listeners { listener.close() }
        listeners = []
        for connection in connections.values where connection.exchange == nil { connection.close(abruptly: false) }
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
