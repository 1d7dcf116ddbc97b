import Bytes
import Reactor

/// How a `FetchClient` reaches servers. PEM texts are bytes that the caller has read.
package struct FetchConfiguration: Sendable {
    /// A way through another machine.
    package struct Proxy: Sendable {
        /// `http://proxy:3128`; `https://…` and `socks5h://…` too.
        package var url: String
        /// `user:password`. Never logged.
        package var credentials: String?

        package init(url: String, credentials: String? = nil) {
            self.url = url
            self.credentials = credentials
        }
    }

    /// What the client shows a server that asks who it is.
    package struct ClientCertificate: Sendable {
        /// Certificate and intermediates, PEM.
        package var chain: [UInt8]
        /// Private key, PEM, not encrypted. Never logged.
        package var key: [UInt8]

        package init(chain: [UInt8], key: [UInt8]) {
            self.chain = chain
            self.key = key
        }
    }

    /// Authorities that servers' certificates must come from, PEM; empty means the system's.
    package var authorities: [UInt8] = []
    package var clientCertificate: ClientCertificate?
    package var proxy: Proxy?
    /// Whether `http://` URLs are allowed beside `https://`.
    package var allowsPlainText = false
    /// Whether the address may be connected to: asked after resolving, for each address that is tried, so that a name
    /// which resolves to something else the second time (DNS rebinding) gains nothing. Runs on the loop. Nil allows
    /// all. With a proxy it is the proxy's address that is asked about: the proxy must guard what lies behind.
    package var addressGuard: (@Sendable (SocketAddress) -> Bool)?
    /// `User-Agent`.
    package var userAgent = "millgate"

    /// Longest time to a connection that stands, name and TLS included. Default 5 s.
    package var connectTimeout: Nanoseconds = .seconds(5)
    /// Longest time for the whole request. Default 15 s.
    package var timeout: Nanoseconds = .seconds(15)
    /// Largest head of an answer, in bytes. Default 32 KiB.
    package var headBytesMax = 32_768
    /// Largest body of an answer that is kept, in bytes. The rest is not read. Default 1 MiB.
    package var bodyBytesMax = 1_048_576
    /// Requests under way at once, those that wait for a connection included. Default 256.
    package var requestsMax = 256
    /// Connections at once to one host. Default 8.
    package var hostConnectionsMax = 8
    /// Connections at once. Default 64.
    package var connectionsMax = 64
    /// How long a connection may stand idle before it is not used again. Default 60 s.
    package var idleTimeout: Nanoseconds = .seconds(60)

    package init() {}
}
