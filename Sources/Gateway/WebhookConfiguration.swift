import Bytes
import Webhooks

/// The section `webhooks`: what holds for every subscriber.
package struct WebhookConfiguration: Sendable {
    /// Networks that deliveries may go to though they are private, in CIDR notation. Default none.
    package var allowedNetworks: [String] = []
    /// Whether endpoints may be `http://`. Default no.
    package var allowsPlainText = false
    /// Proxy on the way to every endpoint; nil for none. It must guard what lies behind it.
    package var proxy: String?
    /// How long dead letters are kept. Default 30 days.
    package var deadLetterRetention: Nanoseconds = .hours(30 * 24)
    /// How long the log keeps events that an endpoint still waits for, beyond the log's own retention. Default 90 days.
    package var holdMax: Nanoseconds = .hours(90 * 24)
    /// How long a secret is used besides its successor. Default 24 h.
    package var secretOverlap: Nanoseconds = .hours(24)

    package init() {}

    /// Those that can be read; the reader has refused others.
    var ranges: [AddressRange] { allowedNetworks.compactMap { AddressRange($0) } }
}
