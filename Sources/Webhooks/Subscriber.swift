import Bytes
import Events
import Expressions
import JSON

/// Where a secret is kept: documents name it, nobody writes it.
package enum SecretSource: Sendable, Hashable {
    case file(String)
    case environment(String)
}

/// One subscriber and its endpoint, as its document says.
package struct Subscriber: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        /// One JSON object. (CloudEvents, structured mode)
        case structured
        /// Attributes in fields, data in the body. (CloudEvents, binary mode)
        case binary
        /// Attributes without data: the receiver asks the feed for the rest.
        case thin
    }

    /// A secret that deliveries are signed with.
    package struct Secret: Sendable, Hashable {
        package var source: SecretSource
        /// Until when it is used besides the others; nil for good. What rotation leaves behind for a while.
        package var until: WallInstant?
    }

    package struct TLS: Sendable, Hashable {
        /// PEM files: authorities in place of the system's, and what to show a server that asks who calls.
        package var authorities: String?
        package var certificate: String?
        package var key: String?

        package init() {}
    }

    package var name: String
    package var description = ""
    package var owner = ""
    package var contact = ""
    package var url: String
    package var isEnabled = true
    /// Whom the policy is asked about: issuer, and client id or subject.
    package var issuer: String
    package var clientID: String?
    package var subject: String
    package var events: [EventPattern]
    /// Empty for all that the policy permits.
    package var sites: Set<String> = []
    package var filter: SubscriberFilter?
    package var format = Format.structured
    /// Members of the data that are null for this subscriber, at any depth, besides the policy's own.
    package var mask: Set<String> = []
    /// The newest first. Empty where the gateway makes and keeps them itself.
    package var secrets: [Secret]
    package var fields: [(name: String, value: String)] = []
    package var timeout: Nanoseconds = .seconds(20)
    package var tls = TLS()
    package var settings = EndpointSettings()
    package var file = ""

    /// Whether the event is asked for at all; the policy is another question.
    package func wants(_ recorded: RecordedEvent) -> Bool {
        let event = recorded.event
        guard events.contains(where: { $0.matches(event.name, version: event.version) }) else { return false }
        if !sites.isEmpty, !(event.site.map(sites.contains) ?? false) { return false }
        return filter?.holds(recorded) ?? true
    }
}

/// A condition on events, in the policies' expression language.
package struct SubscriberFilter: Sendable {
    package let expression: Expression

    static let environment = ExpressionEnvironment([
        .init("id", .string, countMax: 128), .init("name", .string, countMax: 128),
        .init("type", .string, countMax: 256), .init("subject", .string, countMax: 256),
        .init("site", .string, countMax: 128), .init("sequence", .int), .init("time", .timestamp), .init("data", .dyn),
    ])

    package init(_ text: String) throws(ExpressionErrors) {
        expression = try Expression(text, in: Self.environment, result: .bool)
    }

    /// What cannot be evaluated for an event, because it has no such member, does not select it.
    package func holds(_ recorded: RecordedEvent) -> Bool {
        let event = recorded.event
        let bindings = ExpressionBindings([
            .string(event.id), .string(event.name),
            .string(CloudEvent.type(name: event.name, version: event.version)), .string(event.subject),
            .string(event.site ?? ""), .int(recorded.sequence),
            ExpressionValue(.string(event.time.rfc3339), as: .timestamp), ExpressionValue(event.data, as: .dyn),
        ])
        return (try? expression.holds(bindings)) ?? false
    }
}
