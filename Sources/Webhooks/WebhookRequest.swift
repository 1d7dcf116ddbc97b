import Bytes
import Events
import JSON

/// What is sent for one attempt, without where.
package struct WebhookRequest: Sendable {
    package let fields: [(name: String, value: String)]
    package let body: [UInt8]

    /// The parts that are the same in every attempt and for every subscriber with the same format and mask.
    package struct Content: Sendable {
        package let id: String
        package let fields: [(name: String, value: String)]
        package let body: [UInt8]

        package init(_ recorded: RecordedEvent, format: Subscriber.Format) {
            var event = CloudEvent(recorded)
            id = event.id
            switch format {
            case .structured:
                fields = [("content-type", CloudEvent.mediaType)]
                body = event.json.bytes
            case .binary:
                fields = [("content-type", "application/json")] + event.fields
                body = event.body
            case .thin:
                event.data = nil
                fields = [("content-type", CloudEvent.mediaType)]
                body = event.json.bytes
            }
        }
    }

    /// - Parameter now: of this attempt: each has its own time and signature, and the same id.
    package init(
        _ content: Content, own: [(name: String, value: String)], signer: WebhookSigner, now: WallInstant
    ) {
        let timestamp = String(now.seconds)
        fields =
            content.fields + [
                (WebhookSignature.idField, content.id), (WebhookSignature.timestampField, timestamp),
                (
                    WebhookSignature.signatureField,
                    signer.field(id: content.id, timestamp: timestamp, body: content.body)
                ),
            ] + own
        body = content.body
    }
}
