import Bytes
import Testing

@testable import Webhooks

@Suite struct SignatureTests {
    /// The example of the specification and of its published libraries.
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    static let time = WallInstant(seconds: 1_614_265_330)
    static let body = Array(#"{"test": 2432232314}"#.utf8)

    @Test func thePublishedExampleIsSignedAsPublished() throws {
        let secret = try #require(WebhookSecret(Self.secret))
        let field = WebhookSignature.field(id: Self.id, timestamp: 1_614_265_330, body: Self.body, secrets: [secret])
        #expect(field == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func aPrivateKeyKnowsItsPublicKey() throws {
        let text = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
        let key = try #require(WebhookSecret(text))
        #expect(key.forReceiver.text == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=")
        #expect(key.text == text)
    }

    @Test func everySecretOfARotationVerifiesAndNoOther() throws {
        let first = try #require(WebhookSecret.symmetric(random: Array(repeating: 1, count: 32)))
        let second = try #require(WebhookSecret.symmetric(random: Array(repeating: 2, count: 24)))
        let pair = try #require(WebhookSecret.privateKey(random: Array(repeating: 3, count: 32)))
        let other = try #require(WebhookSecret.privateKey(random: Array(repeating: 4, count: 32)))
        let field = WebhookSignature.field(
            id: "m", timestamp: 1_614_265_330, body: Self.body, secrets: [first, second, pair])
        #expect(field.split(separator: " ").count == 3)
        func verify(_ secret: WebhookSecret, _ field: String, body: [UInt8] = Self.body, id: String = "m") throws {
            try WebhookSignature.verify(
                id: id, timestamp: "1614265330", signature: field, body: body, secrets: [secret], now: Self.time)
        }
        for secret in [first, second, pair, pair.forReceiver] { try verify(secret, field) }
        for secret in [other, other.forReceiver, try #require(WebhookSecret(Self.secret))] {
            #expect(throws: WebhookSignature.Refusal.noMatch) { try verify(secret, field) }
        }
        #expect(throws: WebhookSignature.Refusal.noMatch) { try verify(first, field, body: Self.body + [32]) }
        #expect(throws: WebhookSignature.Refusal.noMatch) { try verify(first, field, id: "n") }
        // A v1 signature says nothing as v1a, and the other way round.
        let v1 = field.split(separator: " ")[0]
        #expect(throws: WebhookSignature.Refusal.noMatch) { try verify(first, "v1a," + v1.dropFirst(3)) }
        #expect(throws: WebhookSignature.Refusal.noMatch) { try verify(pair, "v1,AAAA v1a,AAAA v1a, v1 ,") }
    }

    static let times: [(String?, WebhookSignature.Refusal)] = [
        ("1614265029", .tooOld), ("1614265631", .tooNew), ("x", .badTimestamp), ("-5", .badTimestamp),
        (nil, .missingField),
    ]

    @Test(arguments: times) func aTimeThatIsFarOffIsRefused(_ timestamp: String?, _ refusal: WebhookSignature.Refusal)
        throws
    {
        let secret = try #require(WebhookSecret(Self.secret))
        #expect(throws: refusal) {
            try WebhookSignature.verify(
                id: "m", timestamp: timestamp, signature: "v1,x", body: [], secrets: [secret], now: Self.time)
        }
    }

    @Test(arguments: [
        "", "whsec_", "whsec_AAAA", "whsec_!!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whpk_AAAA",
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6KvA==",
    ]) func whatIsNoSecretIsRefused(_ text: String) { #expect(WebhookSecret(text) == nil) }

    @Test func base64IsReadAsItIsWrittenAndNothingElse() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        for text in ["A", "AA", "AAA", "AA=A", "A===", "AB==", "AAB=", "AA==AA==", "AA-_", " AAA"] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
