import Bytes
import Delivery
import Events
import JSON
import Store
import Webhooks

/// What the admin interface shows of webhooks. Secrets are never among it.
enum WebhookJSON {
    private static func time(_ time: WallInstant?) -> JSONValue { time.map { .string($0.rfc3339) } ?? .null }

    static func report(_ report: EndpointReport, _ deadLetters: Int) -> JSONValue {
        let subscriber = report.subscriber
        var state = "active"
        if case .disabled = report.status { state = "disabled" }
        if !subscriber.isEnabled { state = "off" }
        return .object(
            JSONObject([
                ("subscriber", .string(subscriber.name)), ("url", .string(subscriber.url)), ("state", .string(state)),
                ("waits_for", report.waitsFor.map { .string($0) } ?? .null),
                ("events", .array(subscriber.events.map { .string($0.description) })),
                ("sites", .array(subscriber.sites.sorted().map { .string($0) })),
                ("format", .string(subscriber.format.rawValue)),
                ("ordering", .string(subscriber.settings.ordering.rawValue)),
                ("owner", .string(subscriber.owner)), ("contact", .string(subscriber.contact)),
                ("source", .string(subscriber.file)), ("secrets", JSONValue(report.secretCount)),
                ("position", JSONValue(Int(report.position))), ("behind", JSONValue(Int(report.behind))),
                ("in_flight", JSONValue(report.inFlight)), ("in_retry", JSONValue(report.inRetry)),
                ("dead_letters", JSONValue(deadLetters)), ("circuit_open", .bool(report.isCircuitOpen)),
                ("failing_since", time(report.failingSince)), ("delivered", JSONValue(report.counts.delivered)),
                ("failed", JSONValue(report.counts.failed)), ("last_delivery", time(report.counts.lastDelivery)),
                ("last_failure", report.counts.lastFailure.map { .string($0) } ?? .null),
            ]))
    }

    static func line(_ line: AttemptLine) -> JSONValue {
        .object(
            JSONObject([
                ("number", JSONValue(Int(line.number))), ("subscriber", .string(line.endpoint)),
                ("time", .string(line.time.rfc3339)), ("event", .string(line.event)), ("type", .string(line.type)),
                ("subject", .string(line.subject)), ("attempt", JSONValue(line.attempt)),
                ("milliseconds", JSONValue(Int(line.duration / 1_000_000))),
                ("status", line.status.map { JSONValue($0) } ?? .null), ("reason", .string(line.reason)),
            ]))
    }

    static func attempt(_ attempt: DeliveryStore.Attempt) -> JSONValue {
        .object(
            JSONObject([
                ("event_number", JSONValue(Int(attempt.number))), ("event", .string(attempt.event)),
                ("attempt", JSONValue(attempt.attempt)), ("time", .string(attempt.time.rfc3339)),
                ("milliseconds", JSONValue(Int(attempt.duration / 1_000_000))),
                ("status", attempt.status.map { JSONValue($0) } ?? .null), ("reason", .string(attempt.reason)),
                ("address", .string(attempt.address)), ("request", .string(attempt.request)),
                ("response", .string(attempt.response)),
            ]))
    }

    static func letter(_ found: (letter: DeliveryStore.DeadLetter, event: RecordedEvent?)) -> JSONValue {
        let message = found.letter.message
        var members: [(String, JSONValue)] = [
            ("event_number", JSONValue(Int(message.number))), ("subject", .string(message.subject)),
            ("attempts", JSONValue(message.attempts)), ("reason", .string(message.reason)),
            ("redrives", JSONValue(message.redrives)), ("first_tried", .string(message.since.rfc3339)),
            ("given_up", .string(found.letter.diedAt.rfc3339)),
        ]
        if let event = found.event?.event {
            members.append(("event", .string(event.id)))
            members.append(("type", .string(event.name)))
            members.append(("preview", .string(String(event.data.text.prefix(200)))))
        }
        return .object(JSONObject(members))
    }
}
