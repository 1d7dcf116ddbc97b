import Bytes
import Events
import JSON
import Testing

@testable import Webhooks

@Suite struct RequestTests {
    static let secret = WebhookSecret.symmetric([UInt8](repeating: 7, count: 32))

    static func value(_ request: WebhookRequest, _ name: String) -> String? {
        request.fields.first { $0.name == name }?.value
    }

    static func content(_ format: Subscriber.Format) -> WebhookRequest.Content {
        WebhookRequest.Content(Plant.event(), format: format)
    }

    @Test(arguments: Subscriber.Format.allCases) func itIsSignedAndVerifies(_ format: Subscriber.Format) throws {
        let request = WebhookRequest(
            Self.content(format), own: [("x-own", "1")], signer: WebhookSigner([Self.secret]), now: t0)
        try WebhookSignature.verify(
            id: Self.value(request, "webhook-id"), timestamp: Self.value(request, "webhook-timestamp"),
            signature: Self.value(request, "webhook-signature"), body: request.body, secrets: [Self.secret], now: t0)
        #expect(Self.value(request, "webhook-id") == "01J" && Self.value(request, "x-own") == "1")
        #expect(Self.value(request, "webhook-timestamp") == String(t0.seconds))
    }

    @Test func structuredIsOneCloudEvent() throws {
        let content = Self.content(.structured)
        #expect(content.fields.map(\.value) == ["application/cloudevents+json"])
        let json = try JSONValue.parse(content.body)
        #expect(json["specversion"]?.string == "1.0" && json["id"]?.string == "01J")
        #expect(json["data"]?["quantity"]?.int == 2 && json["sequence"]?.string == "000000000003")
    }

    @Test func binaryHasAttributesInFieldsAndDataInTheBody() throws {
        let content = Self.content(.binary)
        #expect(content.fields[0].value == "application/json")
        #expect(content.fields.contains { $0.name == "ce-type" && $0.value == "dev.millgate.scrap.reported.v1" })
        #expect(try JSONValue.parse(content.body) == ["quantity": 2])
    }

    @Test func thinLeavesTheDataOut() throws {
        let json = try JSONValue.parse(Self.content(.thin).body)
        #expect(json["data"] == nil && json["subject"]?.string == "production-order/26")
    }

    @Test func anotherAttemptHasTheSameIdAndAnotherTimeAndSignature() {
        let content = Self.content(.structured)
        let first = WebhookRequest(content, own: [], signer: WebhookSigner([Self.secret]), now: t0)
        let second = WebhookRequest(content, own: [], signer: WebhookSigner([Self.secret]), now: t0 + .minutes(5))
        #expect(Self.value(first, "webhook-id") == Self.value(second, "webhook-id") && first.body == second.body)
        #expect(Self.value(first, "webhook-signature") != Self.value(second, "webhook-signature"))
    }

    @Test func duringARotationEverySecretSigns() throws {
        let older = WebhookSecret.symmetric([UInt8](repeating: 8, count: 32))
        let request = WebhookRequest(
            Self.content(.structured), own: [], signer: WebhookSigner([Self.secret, older]), now: t0)
        for secret in [Self.secret, older] {
            try WebhookSignature.verify(
                id: "01J", timestamp: String(t0.seconds), signature: Self.value(request, "webhook-signature"),
                body: request.body, secrets: [secret], now: t0)
        }
    }
}
