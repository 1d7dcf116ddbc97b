import Bytes
import Events
import Fetch
import Reactor
import Store
import Webhooks

/// One attempt: from the event to what came of it.
extension Deliverer {
    func send(_ name: String, _ message: WebhookMessage, _ recorded: RecordedEvent?) {
        guard let endpoint = endpoint(name) else { return dropped() }
        guard let recorded else {
            return finished(
                endpoint, message, nil, .failed("the event is not kept any more"), nil, nil, Clock.wall())
        }
        send(endpoint, message, CachedEvent(recorded), Clock.wall())
    }

    func send(_ endpoint: Endpoint, _ message: WebhookMessage, _ event: CachedEvent, _ now: WallInstant) {
        guard let mask = endpoint.mask(event.recorded) else {
            // The policy or the document has changed since: it is not for this subscriber any more.
            endpoint.queue.finish(message.number, .answered(status: 204, retryAfter: nil), now: now)
            changed(endpoint)
            return ended(endpoint)
        }
        let request = endpoint.request(event, mask: mask, now: now)
        endpoint.client.begin(request, on: reactor) { [weak self, weak endpoint] result in
            guard let self else { return }
            guard let endpoint else { return dropped() }
            answered(endpoint, message, event.recorded.event, request, result, began: now)
        }
    }

    private func answered(
        _ endpoint: Endpoint, _ message: WebhookMessage, _ event: BusinessEvent, _ request: OutboundRequest,
        _ result: Result<OutboundResponse, FetchError>, began: WallInstant
    ) {
        switch result {
        case .success(let response):
            let wait =
                response.status < 400
                ? nil : DeliveryOutcome.retryAfter(response["retry-after"], now: Clock.wall())
            finished(
                endpoint, message, event, .answered(status: response.status, retryAfter: wait), request, response,
                began)
        // The endpoint was replaced or is going: nothing is known of it.
        case .failure(.closed) where isStopped: dropped()
        case .failure(let error):
            finished(endpoint, message, event, .failed(error.description), request, nil, began)
        }
    }

    private func finished(
        _ endpoint: Endpoint, _ message: WebhookMessage, _ event: BusinessEvent?, _ outcome: DeliveryOutcome,
        _ request: OutboundRequest?, _ response: OutboundResponse?, _ began: WallInstant
    ) {
        let now = Clock.wall()
        endpoint.queue.finish(message.number, outcome, now: now)
        endpoint.counts.observe(now - began)
        let isDelivered = outcome.meaning == .delivered
        recent.add(
            AttemptLine(
                number: 0, endpoint: endpoint.name, event: event?.id ?? "", type: event?.name ?? "",
                subject: message.subject, attempt: message.attempts + 1, time: began, duration: now - began,
                status: response?.status, reason: isDelivered ? "" : outcome.reason))
        if isDelivered {
            endpoint.counts.delivered += 1
            endpoint.counts.lastDelivery = now
        } else {
            endpoint.counts.failed += 1
            endpoint.counts.lastFailure = outcome.reason
            keeping.attempts.append(
                DeliveryStore.Attempt(
                    endpoint: endpoint.name, number: message.number, event: event?.id ?? "",
                    attempt: message.attempts + 1, time: began, duration: now - began, status: response?.status,
                    reason: outcome.reason, address: response?.address ?? "",
                    request: request.map { AttemptText.of($0, hiding: endpoint.target.subscriber.fields) } ?? "",
                    response: response.map(AttemptText.of) ?? ""))
            // What was learned of the event is told with it.
            collect(endpoint, about: event)
        }
        changed(endpoint)
        ended(endpoint)
    }
}

/// A request and an answer as text for people: heads and the beginning of bodies.
package enum AttemptText {
    static func of(_ request: OutboundRequest, hiding own: [(name: String, value: String)]) -> String {
        let hidden = Set(own.map { $0.name.lowercased() })
        let lines = request.fields.map { "\($0.name): \(hidden.contains($0.name.lowercased()) ? "…" : $0.value)" }
        return text("\(request.method) \(request.url)", lines, request.body)
    }

    static func of(_ response: OutboundResponse) -> String {
        text(
            "\(response.version.rawValue) \(response.status)", response.fields.map { "\($0.name): \($0.value)" },
            response.body)
    }

    private static func text(_ first: String, _ lines: [String], _ body: [UInt8]) -> String {
        let head = ([first] + lines).joined(separator: "\n")
        let body = String(decoding: body.prefix(DeliveryStore.previewBytesMax), as: UTF8.self)
        // No NUL and no escape sequence of a terminal: the answer is a stranger's.
        let text = String(
            String.UnicodeScalarView(
                "\(head)\n\n\(body)".unicodeScalars.prefix(DeliveryStore.previewBytesMax).map { scalar in
                    scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
                        ? "\u{FFFD}" : scalar
                }))
        return text
    }
}
