import Bytes
import CSystem

extension WebSocketHandshake {
    /// Whether `value` is what `Sec-WebSocket-Accept` must say to `key`. (RFC 6455 §4.2.2)
    package static func accepts(_ value: Span<UInt8>, key: Span<UInt8>) -> Bool {
        var text = key.array
        text.append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11" as StaticString)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        SHA1(text, text.count, &digest)
        // Base64 of 20 bytes: 27 characters and one of padding.
        var expected = [UInt8](repeating: 0, count: 29)
        EVP_EncodeBlock(&expected, digest, Int32(digest.count))
        guard value.count == 28 else { return false }
        for i in 0..<28 where value[i] != expected[i] { return false }
        return true
    }
}
