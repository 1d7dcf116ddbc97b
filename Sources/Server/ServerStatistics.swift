import Synchronization

/// What the server side of one reactor counts. Written by the reactor alone, read by whoever scrapes.
public final class ServerStatistics: Sendable {
    /// One number with a single writer: a relaxed load and store, without the bus lock of an atomic addition.
    public struct Count: ~Copyable, Sendable {
        private let value = Atomic<Int>(0)
        public borrowing func add(_ n: Int) {
            value.store(value.load(ordering: .relaxed) &+ n, ordering: .relaxed)
        }
        public var current: Int { value.load(ordering: .relaxed) }
    }

    /// Connections accepted.
    public let accepted = Count()
    /// Connections closed at once: too many, or too many from one address.
    public let refusedConnections = Count()
    /// Connections now open.
    public let open = Count()
    /// Request heads read.
    public let requests = Count()
    /// Requests refused as malformed, too large or too slow.
    public let malformed = Count()
    /// Requests whose head or body came too slowly.
    public let slowRequests = Count()
    /// Clients that did not read their response.
    public let slowReaders = Count()
    /// Idle connections closed.
    public let idleTimeouts = Count()
    /// TLS handshakes completed, and of these resumed ones.
    public let handshakes = Count()
    public let resumptions = Count()
    public let handshakeFailures = Count()

    public init() {}
}
