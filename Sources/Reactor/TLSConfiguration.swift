/// What a listener needs for TLS. Certificates and keys are PEM text that the caller has read.
public struct TLSServerConfiguration: Sendable {
    public struct Certificate: Sendable {
        /// Where it came from, for errors.
        public var name: String
        /// The server's certificate followed by its intermediates, PEM.
        public var chain: [UInt8]
        /// The private key, PEM. Never logged.
        public var key: [UInt8]

        public init(name: String, chain: [UInt8], key: [UInt8]) {
            self.name = name
            self.chain = chain
            self.key = key
        }
    }

    public enum ClientCertificates: String, Sendable, CaseIterable {
        /// None is asked for.
        case off
        /// Asked for, and verified when sent.
        case optional
        /// A handshake without a valid one fails.
        case required
    }

    /// The first is used where the client names no server, or one that nobody has.
    public var certificates: [Certificate]
    public var clientCertificates: ClientCertificates
    /// Authorities that client certificates must come from, PEM.
    public var clientAuthorities: [UInt8]
    /// Whether TLS 1.2 is offered beside 1.3.
    public var allowsTLS12: Bool
    /// Protocols for ALPN, best first.
    public var protocols: [String]

    public init(
        certificates: [Certificate], clientCertificates: ClientCertificates = .off, clientAuthorities: [UInt8] = [],
        allowsTLS12: Bool = true, protocols: [String] = ["http/1.1"]
    ) {
        self.certificates = certificates
        self.clientCertificates = clientCertificates
        self.clientAuthorities = clientAuthorities
        self.allowsTLS12 = allowsTLS12
        self.protocols = protocols
    }
}

/// What a client needs for TLS.
public struct TLSClientConfiguration: Sendable {
    /// The name that the server's certificate must carry, also sent as SNI.
    public var serverName: String
    /// Authorities, PEM; empty means the system's.
    public var authorities: [UInt8]

    public init(serverName: String, authorities: [UInt8] = []) {
        self.serverName = serverName
        self.authorities = authorities
    }
}
