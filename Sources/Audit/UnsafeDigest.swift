import Bytes
import CSystem

/// 32 bytes of SHA-256 or HMAC-SHA-256, without an allocation.
package struct AuditDigest: Hashable, Sendable {
    // The bytes in memory order, eight to a word.
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    private var c: UInt64 = 0
    private var d: UInt64 = 0

    /// Length of the base64url text.
    package static let textCount = 43

    /// 32 zero bytes: what the first line of a log follows.
    package static let zero = AuditDigest()

    private init() {}

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// Nil unless the text is the canonical base64url of 32 bytes.
    package init?(text: Span<UInt8>) {
        guard text.count == Self.textCount, let bytes = Base64URL.decode(text) else { return nil }
        self.init(bytes)
    }

    /// SHA-256 of `bytes`. Off the hot path: `AuditHasher` is faster for many.
    package init(of bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { input in
            withUnsafeMutableBytes(of: &self) { output in
                _ = SHA256(input.baseAddress, input.count, output.bindMemory(to: UInt8.self).baseAddress)
            }
        }
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }

    /// base64url without padding, 43 characters.
    package var text: String { Base64URL.encode(bytes) }

    /// Appends the 43 characters of `text`.
    package func appendText<S: ByteSink>(to sink: inout S) {
        withUnsafeBytes(of: self) { raw in
            Base64URL.append(Span(_unsafeElements: raw.bindMemory(to: UInt8.self)), to: &sink)
        }
    }

    /// HMAC-SHA-256 of `message` under `key`. (RFC 2104)
    static func mac(key: [UInt8], message: [UInt8]) -> AuditDigest {
        var result = AuditDigest()
        withUnsafeMutableBytes(of: &result) { output in
            var length: CUnsignedInt = 0
            let made = HMAC(
                EVP_sha256(), key, CInt(key.count), message, message.count,
                output.bindMemory(to: UInt8.self).baseAddress, &length)
            // Only an allocation can fail here; a zero MAC in its place would be a proof of nothing.
            precondition(made != nil && length == 32, "HMAC-SHA-256 is not available")
        }
        return result
    }
}

/// SHA-256 with a context made once: about a microsecond for an entry. One per thread.
package final class AuditHasher {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    package init() {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil), let context = EVP_MD_CTX_new() else {
            preconditionFailure("SHA-256 is not available")
        }
        self.algorithm = algorithm
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// SHA-256 of the 32 bytes of `previous` followed by `bytes`.
    package func link(after previous: AuditDigest, _ bytes: Span<UInt8>) -> AuditDigest {
        var result = previous
        let made = withUnsafeMutableBytes(of: &result) { output in
            bytes.withUnsafeBufferPointer { input in
                EVP_DigestInit_ex(context, algorithm, nil) == 1
                    && EVP_DigestUpdate(context, output.baseAddress, 32) == 1
                    && EVP_DigestUpdate(context, input.baseAddress, input.count) == 1
                    && EVP_DigestFinal_ex(context, output.bindMemory(to: UInt8.self).baseAddress, nil) == 1
            }
        }
        precondition(made, "SHA-256 is not available")
        return result
    }
}
