import Bytes
import Events
import Fetch
import Policy
import Reactor
import Store
import Webhooks

/// One endpoint while the gateway runs. Lives on the deliverer's loop.
final class Endpoint {
    private(set) var target: DeliveryTarget
    var queue: EndpointQueue
    private(set) var client: FetchClient
    /// Clients of earlier documents, until what they have in flight has ended.
    private var retired: [FetchClient] = []
    var counts = EndpointCounts()
    /// While it is served: what ends meanwhile goes on by itself.
    var isServing = false
    /// Whether it waits for room among all deliveries.
    var isStarved = false
    /// Whether it stands in the list of those whose changes are to be kept.
    var isChanged = false
    /// Whether it waits for a chunk of the log.
    var isReading = false
    /// When it will be served again by time alone.
    var wakeAt: WallInstant?

    private struct Grant: Hashable {
        let name: String
        let site: String?
    }

    private var grants: [Grant: Set<String>?] = [:]
    private var signer = WebhookSigner([])
    /// When `signer` must be put together again.
    private var secretsUntil = WallInstant(nanoseconds: .min)

    init(_ target: DeliveryTarget, queue: EndpointQueue, home: ReactorHandle) {
        self.target = target
        self.queue = queue
        client = FetchClient(home: home, configuration: target.fetch)
    }

    var name: String { target.subscriber.name }

    /// Whether anything may be sent at all.
    var isServed: Bool { target.subscriber.isEnabled && !target.secrets.isEmpty }

    /// Takes over a changed document; what is in flight ends under the old one.
    func replace(_ target: DeliveryTarget, home: ReactorHandle) {
        self.target = target
        queue.settings = target.subscriber.settings
        grants = [:]
        secretsUntil = WallInstant(nanoseconds: .min)
        if queue.inFlightCount > 0 { retired.append(client) }
        client = FetchClient(home: home, configuration: target.fetch)
    }

    func attemptEnded() {
        if !retired.isEmpty, queue.inFlightCount == 0 { retired = [] }
    }

    /// What of the event's data is masked for it; nil where it does not get the event.
    func mask(_ recorded: RecordedEvent) -> Set<String>? {
        guard target.subscriber.wants(recorded) else { return nil }
        let event = recorded.event
        let key = Grant(name: event.name, site: event.site)
        if let known = grants[key] { return known }
        let operation = EventDefinition.operation(event.name)
        let mask = target.grants(operation, Resource(site: event.site)).map { $0.union(target.subscriber.mask) }
        if target.isConstant(operation), grants.count < 4_096 { grants[key] = .some(mask) }
        return mask
    }

    func request(_ event: CachedEvent, mask: Set<String>, now: WallInstant) -> OutboundRequest {
        request(event.content(target.subscriber.format, masking: mask), now: now)
    }

    func request(_ content: WebhookRequest.Content, now: WallInstant) -> OutboundRequest {
        if now >= secretsUntil {
            signer = WebhookSigner(target.secrets(at: now))
            secretsUntil =
                target.secrets.compactMap(\.until).filter { $0 > now }.min() ?? WallInstant(nanoseconds: .max)
        }
        let request = WebhookRequest(content, own: target.subscriber.fields, signer: signer, now: now)
        return OutboundRequest(
            method: "POST", url: target.subscriber.url, fields: request.fields, body: request.body)
    }

    /// Why nothing is sent, where nothing is.
    func hindrance(_ now: WallInstant, head: Int64) -> String? {
        if !target.subscriber.isEnabled { return "its document says 'enabled: false'" }
        if target.secrets.isEmpty { return "it has no secret yet: millgate webhook rotate \(name)" }
        return queue.hindrance(now, isBehind: queue.taken < head)
    }
}

/// What was counted of an endpoint since the start.
package struct EndpointCounts: Sendable, Hashable {
    package var delivered = 0
    package var failed = 0
    package var deadLetters = 0
    package var lastDelivery: WallInstant?
    package var lastFailure: String?
    /// Attempts by how long they took: at most 5, 25, 100, 500 ms, 2.5 s, 10 s, longer.
    package var durations = [Int](repeating: 0, count: EndpointCounts.bounds.count + 1)
    package var durationSum: Nanoseconds = 0

    package static let bounds: [Nanoseconds] = [
        .milliseconds(5), .milliseconds(25), .milliseconds(100), .milliseconds(500), .milliseconds(2_500),
        .seconds(10),
    ]

    mutating func observe(_ duration: Nanoseconds) {
        durations[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] += 1
        durationSum += duration
    }
}

/// An endpoint as operators see it.
package struct EndpointReport: Sendable {
    package var subscriber: Subscriber
    package var status: EndpointStatus
    package var position: Int64
    /// Events of the log behind its position.
    package var behind: Int64
    package var inRetry: Int
    package var inFlight: Int
    package var isCircuitOpen: Bool
    package var failingSince: WallInstant?
    package var counts: EndpointCounts
    /// Why nothing is sent that waits; nil while deliveries go on or nothing waits.
    package var waitsFor: String?
    package var secretCount: Int
}
