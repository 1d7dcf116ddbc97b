import Bytes
import HTTP

/// Limits in time and size of the server side. All are in the configuration under `limits`.
public struct ServerConfiguration: Sendable {
    /// Sizes of heads, fields and bodies.
    public var http = HTTPLimits()
    /// What one connection of HTTP/2 may use.
    public var http2 = HTTP2Limits()
    /// How long a keepalive connection may wait for its next request. Default 75 s, a little more than the 60 s that
    /// clients and balancers usually wait, so that they close first.
    public var idleTimeout: Nanoseconds = .seconds(75)
    /// From the first byte of a request head to its last, however slowly it drips. Default 10 s. (slow headers)
    public var headTimeout: Nanoseconds = .seconds(10)
    /// Longest pause within a request body. Default 30 s.
    public var bodyTimeout: Nanoseconds = .seconds(30)
    /// Least average speed of a request body in bytes per second, after a grace of `bodyTimeout`. Default 1,024.
    /// (slow body)
    public var bodyBytesPerSecondMin: Int64 = 1_024
    /// Longest pause in which a client takes no byte of its response. Default 30 s. (slow reader)
    public var sendTimeout: Nanoseconds = .seconds(30)
    /// Least average speed at which a client takes a response that waits for it, in bytes per second, after a grace of
    /// `sendTimeout`. Default 1,024. (slow readers that take a byte now and then)
    public var responseBytesPerSecondMin: Int64 = 1_024
    /// Bytes of a response that wait in memory for a slow client before its producer is held. Default 64 KiB.
    public var sendBufferBytesMax = 65_536
    /// From accept to the end of the TLS handshake. Default 10 s.
    public var handshakeTimeout: Nanoseconds = .seconds(10)
    /// TLS handshakes under way on one reactor. Beyond it the oldest is cut off, so that connections which never finish
    /// theirs cannot keep out those that do. Default 1,024. (half-open TLS)
    public var handshakesMax = 1_024
    /// How long the rest of a body is read and thrown away after an early answer, so that the client reads the answer
    /// and not a reset. Default 2 s.
    public var lingerTimeout: Nanoseconds = .seconds(2)
    /// Bytes thrown away in that time. Default 1 MiB.
    public var lingerBytesMax: Int64 = 1_048_576
    /// Before an upgrade: how long answers already say that their connection closes while new connections are still
    /// taken, so that clients that use their connections leave them in peace. Default 1 s.
    public var retireTime: Nanoseconds = .seconds(1)
    /// Connections on one reactor. More are closed at once. Default 16,384.
    public var connectionsMax = 16_384
    /// Steps of one connection, a request or a piece of a body each, before others have their turn. Default 64.
    /// (pipelining bombs)
    public var stepsPerTurnMax = 64

    public init() {}
}
