import Bytes

@testable import Identity

extension VerificationKey {
    /// For `#expect`, whose arguments cannot be spans.
    func accepts(_ message: [UInt8], _ signature: [UInt8]) -> Bool {
        verify(message.span, signature: signature)
    }
}

/// A token's bytes, in parts.
struct Parts {
    let signed: [UInt8]
    let signature: [UInt8]

    init?(_ token: String) {
        let bytes = Array(token.utf8)
        guard let parts = try? CompactToken(bytes.span),
            let signature = Base64URL.decode(bytes.span.extracting(parts.signature))
        else { return nil }
        signed = Array(bytes[parts.signed])
        self.signature = signature
    }
}
