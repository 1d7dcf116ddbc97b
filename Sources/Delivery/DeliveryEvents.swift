import Bytes
import Events
import JSON
import Webhooks

/// What deliveries tell of themselves. Told before it is kept that it happened, with a key: a crash in between tells it
/// again, and the log drops the second.
extension BusinessEvent {
    static func endpointDisabled(
        _ endpoint: Endpoint, reason: String, since: WallInstant, head: Int64
    ) -> BusinessEvent {
        let id = "\(endpoint.name)-disabled-\(since.nanoseconds)"
        return BusinessEvent(
            id: id, name: "webhook-endpoint.disabled", subject: "subscriber/\(endpoint.name)", time: since,
            data: [
                "subscriber": .string(endpoint.name), "reason": .string(reason), "since": .string(since.rfc3339),
                "waiting": JSONValue(Int(head - endpoint.queue.position)),
            ], key: id)
    }

    static func deliveryGivenUp(
        _ endpoint: Endpoint, _ letter: WebhookMessage, _ event: BusinessEvent, now: WallInstant
    ) -> BusinessEvent {
        let id = "\(endpoint.name)-dead-\(letter.number)-\(letter.redrives)"
        return BusinessEvent(
            id: id, name: "webhook-delivery.dead-lettered", subject: "subscriber/\(endpoint.name)", site: event.site,
            time: now,
            data: [
                "subscriber": .string(endpoint.name), "event": .string(event.id),
                "type": .string(CloudEvent.type(name: event.name, version: event.version)),
                "attempts": JSONValue(letter.attempts), "reason": .string(letter.reason),
            ], key: id, causationID: event.id)
    }
}
