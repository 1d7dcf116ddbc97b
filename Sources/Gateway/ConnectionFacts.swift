import Audit
import Bytes
import Identity
import Limits
import Reactor
import Server

/// What would be the same for all requests of one connection.
final class ConnectionFacts {
    /// `from` of audit entries.
    let from: AuditFragment
    /// The client's address as limits count it.
    let addressKey: LimitKey
    /// The verified client certificate's principal and thumbprint.
    let certificatePrincipal: Principal?
    let certificateThumbprint: String?
    /// The caller made of it under one configuration.
    var certificateCaller: Caller?
    var generation: UInt64 = 0

    init(_ exchange: Exchange, snapshot: Snapshot, now: WallInstant) {
        let origin = exchange.origin
        addressKey = snapshot.keys.key(origin.peer.addressKey)
        if let der = origin.tls?.peerCertificate, let certificate = try? ClientCertificate(der: der) {
            certificatePrincipal = try? certificate.principal(now: now)
            certificateThumbprint = certificate.thumbprint
        } else {
            certificatePrincipal = nil
            certificateThumbprint = nil
        }
        from =
            AuditOrigin(
                address: origin.peerHost, listener: origin.listener, protocol: exchange.wireProtocol.name,
                hasCertificate: certificateThumbprint != nil
            ).fragment
    }
}

extension SocketAddress {
    /// Whether it is this very machine: 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        let bytes = octets
        return isIPv6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 : bytes.first == 127
    }

    /// The address as connection and rate limits count it.
    var addressKey: AddressKey {
        let words = addressWords
        if isIPv6 { return AddressKey(ipv6: UInt64(bigEndian: words.0), UInt64(bigEndian: words.1)) }
        return AddressKey(ipv4: UInt32(bigEndian: UInt32(truncatingIfNeeded: words.0)))
    }
}
