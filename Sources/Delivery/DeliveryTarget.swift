import Bytes
import Fetch
import Policy
import Webhooks

/// A subscriber with everything that its document only names.
package struct DeliveryTarget: Sendable {
    package typealias Secret = (secret: WebhookSecret, until: WallInstant?)

    package var subscriber: Subscriber
    /// The newest first; empty until one was made: then nothing is sent.
    package var secrets: [Secret]
    package var fetch: FetchConfiguration
    /// The policy, asked for `event.NAME` and the event's site: the members to mask, or nil where it is forbidden.
    package var grants: @Sendable (String, Resource) -> Set<String>?
    /// Whether the answer for an operation is the same for the same site until the policy changes.
    package var isConstant: @Sendable (String) -> Bool

    package init(
        subscriber: Subscriber, secrets: [Secret], fetch: FetchConfiguration,
        grants: @escaping @Sendable (String, Resource) -> Set<String>?,
        isConstant: @escaping @Sendable (String) -> Bool = { _ in false }
    ) {
        self.subscriber = subscriber
        self.secrets = secrets
        self.fetch = fetch
        self.grants = grants
        self.isConstant = isConstant
    }

    /// Those that are used at the moment; the newest always, so that nothing is ever sent unsigned.
    package func secrets(at now: WallInstant) -> [WebhookSecret] {
        secrets.enumerated().filter { index, entry in index == 0 || entry.until.map { now < $0 } ?? true }
            .map(\.element.secret)
    }
}
