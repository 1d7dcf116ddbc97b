import HTTP
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
    /// Of these, over HTTP/2.
    public let http2Requests = Count()
    /// Requests over HTTP/2 that their client took back before they were begun.
    public let takenBack = Count()
    /// Connections that went over to HTTP/2.
    public let http2Connections = Count()
    /// Connections and streams of HTTP/2 that were cut off.
    public let cutOffs = CutOffs()
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
    /// Connections refused or cut off, by reason.
    public let cuts = Cuts()

    public init() {}

    /// One count for each reason.
    public final class CutOffs: Sendable {
        private let boxes = HTTP2CutOff.allCases.map { _ in Box() }

        func add(_ reason: HTTP2CutOff) { boxes[reason.rawValue].count.add(1) }

        public subscript(reason: HTTP2CutOff) -> Int { boxes[reason.rawValue].count.current }
    }

    /// One count for each reason.
    public final class Cuts: Sendable {
        private let boxes = ConnectionCut.allCases.map { _ in Box() }

        func add(_ reason: ConnectionCut) { boxes[reason.rawValue].count.add(1) }

        public subscript(reason: ConnectionCut) -> Int { boxes[reason.rawValue].count.current }
    }

    private final class Box: Sendable {
        let count = Count()
    }
}
