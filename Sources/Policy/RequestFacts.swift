import Bytes
import Identity

/// What a decision may depend on besides caller, operation, resource and input.
package struct RequestFacts: Sendable, Hashable {
    package var now: WallInstant
    /// The client's address, without port.
    package var address: String?
    /// Name of the listener that accepted the connection.
    package var listener: String?
    /// The connection has a verified client certificate.
    package var hasClientCertificate: Bool

    package init(
        now: WallInstant, address: String? = nil, listener: String? = nil, hasClientCertificate: Bool = false
    ) {
        self.now = now
        self.address = address
        self.listener = listener
        self.hasClientCertificate = hasClientCertificate
    }
}

extension Principal {
    /// When the person signed in (`auth_time`, OpenID Connect Core §2), or else when the token was issued. Nil for
    /// certificates, and for tokens that say neither.
    var signedIn: WallInstant? {
        guard case .bearer = authentication else { return nil }
        guard let seconds = (claims["auth_time"] ?? claims["iat"])?.int else { return nil }
        // Times that no nanosecond count can hold say nothing.
        guard (0...9_000_000_000).contains(seconds) else { return nil }
        return WallInstant(seconds: Int64(seconds))
    }
}
