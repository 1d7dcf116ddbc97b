import Bytes
import HTTP
import Limits
import Reactor
import Synchronization

/// How to treat one server behind the gateway.
package struct UpstreamConfiguration: Sendable {
    /// Its name in the configuration.
    package var name: String
    package var addresses: [SocketAddress]
    /// Value of the `Host` field, `erp.example:8069`.
    package var authority: String
    package var tls: TLSClientContext?
    /// From `connect` to a standing connection, TLS included. Default 5 s.
    package var connectTimeout: Nanoseconds = .seconds(5)
    /// From the last byte of the request to the answer's head, and between two bytes of the answer. Default 120 s: a
    /// little more than Odoo's `limit_time_real`.
    package var responseTimeout: Nanoseconds = .seconds(120)
    /// How long an idle connection is kept. Default 30 s. Odoo itself closes after every answer.
    package var idleTimeout: Nanoseconds = .seconds(30)
    /// Idle connections kept per reactor. Default 1,024: ten clients of HTTP/2 have a thousand requests under way, and a
    /// connection made anew costs more than all else of a request.
    package var idleMax = 1_024
    /// Bytes of a request body that wait in memory for a slow server before the client is held. Default 64 KiB.
    package var sendBufferBytesMax = 65_536
    /// Interim (1xx) answers before one final answer. Default 8. (endless 1xx)
    package var interimMax = 8
    /// How long a client may hold up its call in a row, by taking nothing of the answer or sending next to nothing of the
    /// request, while others wait for its place. Then it breaks off: a few slow clients must not hold a server that works
    /// on eight calls at once. Default 1 s, with the 64 KiB that wait for each client as good as 64 KiB/s.
    package var stallTimeout: Nanoseconds = .seconds(1)
    /// How long the answer to a call whose client is gone is still read, to be thrown away: the call keeps its place
    /// meanwhile, and its connection afterwards. Default 1 s; 0 breaks such calls off at once. (rapid reset)
    package var discardTimeout: Nanoseconds = .seconds(1)
    package var http = HTTPLimits.upstream

    package init(name: String, addresses: [SocketAddress], authority: String, tls: TLSClientContext? = nil) {
        self.name = name
        self.addresses = addresses
        self.authority = authority
        self.tls = tls
    }
}
