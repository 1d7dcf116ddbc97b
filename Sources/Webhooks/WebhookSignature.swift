import Bytes

/// The signature of a delivery. (Standard Webhooks 1.0.0, "Webhook headers", "Signature scheme")
package enum WebhookSignature {
    package static let idField = "webhook-id"
    package static let timestampField = "webhook-timestamp"
    package static let signatureField = "webhook-signature"
    /// How far the time of a delivery may be from the receiver's. Default 5 minutes.
    package static let tolerance: Nanoseconds = .minutes(5)

    /// `webhook-signature` for once; `WebhookSigner` for many.
    package static func field(id: String, timestamp: Int64, body: [UInt8], secrets: [WebhookSecret]) -> String {
        WebhookSigner(secrets).field(id: id, timestamp: String(timestamp), body: body)
    }

    private static func content(id: String, timestamp: String, body: [UInt8]) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(id.utf8.count + timestamp.utf8.count + body.count + 2)
        content += id.utf8
        content.append(UInt8(ascii: "."))
        content += timestamp.utf8
        content.append(UInt8(ascii: "."))
        content += body
        return content
    }

    /// Why a delivery is not accepted.
    package enum Refusal: String, Error, Sendable {
        case missingField = "a field is missing: webhook-id, webhook-timestamp and webhook-signature belong together"
        case badTimestamp = "webhook-timestamp is no number of seconds"
        case tooOld = "webhook-timestamp is too old"
        case tooNew = "webhook-timestamp is in the future"
        case noMatch = "no signature matches"
    }

    /// What a receiver does. Throws unless one signature is by one of the secrets and the time is near `now`.
    package static func verify(
        id: String?, timestamp: String?, signature: String?, body: [UInt8], secrets: [WebhookSecret], now: WallInstant
    ) throws(Refusal) {
        guard let id, let timestamp, let signature, !id.isEmpty else { throw .missingField }
        guard let seconds = Int64(timestamp), (0...(1 << 33)).contains(seconds) else { throw .badTimestamp }
        let age = now - WallInstant(seconds: seconds)
        if age > tolerance { throw .tooOld }
        if age < -tolerance { throw .tooNew }
        let content = Self.content(id: id, timestamp: timestamp, body: body)
        var matches = false
        for part in signature.split(separator: " ") {
            let halves = part.split(separator: ",", maxSplits: 1)
            guard halves.count == 2, let given = Base64.decode(halves[1]) else { continue }
            for secret in secrets {
                switch (halves[0], secret) {
                case ("v1", .symmetric(let key)):
                    if WebhookCryptography.equal(given, WebhookCryptography.mac(key: key, message: content)) {
                        matches = true
                    }
                case ("v1a", .publicKey(let key)), ("v1a", .privateKey(_, let key)):
                    if WebhookCryptography.verify(publicKey: key, message: content, signature: given) { matches = true }
                default: continue
                }
            }
        }
        guard matches else { throw .noMatch }
    }
}
