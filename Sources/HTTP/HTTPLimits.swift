/// How large the parts of a message may be. Each has a default that suits a gateway in front of business applications.
public struct HTTPLimits: Sendable, Hashable {
    /// Longest head, in bytes, from the first byte to the end of the empty line. Larger ones get 431. Default 16,384:
    /// one connection buffer. (RFC 9110 §5.4)
    public var headBytesMax: Int
    /// Longest request target, in bytes. Longer ones get 414. Default 8,192: RFC 9112 §3 asks for at least 8,000 for
    /// the request line.
    public var requestTargetBytesMax: Int
    /// Longest field line, in bytes without its CRLF. Longer ones get 431. Default 8,192: tokens of identity providers
    /// with many groups reach 4 KiB.
    public var fieldLineBytesMax: Int
    /// Most field lines of one head. More get 431. Default 100: browsers send about 20; bounds the work per head.
    public var fieldCountMax: Int
    /// Longest trailer section of a chunked body, in bytes. Longer ones get 431. Default 8,192.
    public var trailerBytesMax: Int
    /// Longest body, in bytes of payload. Longer ones get 413, at the head where it announces its length. Default
    /// 101 MiB: the largest batch; governed calls, scripts and routes have smaller bounds of their own.
    public var bodyBytesMax: Int64

    public init(
        headBytesMax: Int = 16_384, requestTargetBytesMax: Int = 8_192, fieldLineBytesMax: Int = 8_192,
        fieldCountMax: Int = 100, trailerBytesMax: Int = 8_192, bodyBytesMax: Int64 = 101 * 1_048_576
    ) {
        // Offsets are 32 bits wide and a field's index is 16 bits wide.
        precondition(headBytesMax > 0 && headBytesMax <= 1 << 30 && fieldCountMax >= 0 && fieldCountMax <= 32_767)
        self.headBytesMax = headBytesMax
        self.requestTargetBytesMax = requestTargetBytesMax
        self.fieldLineBytesMax = fieldLineBytesMax
        self.fieldCountMax = fieldCountMax
        self.trailerBytesMax = trailerBytesMax
        self.bodyBytesMax = bodyBytesMax
    }

    /// For answers of an upstream that we chose ourselves: heads up to 64 KiB, 200 field lines, and a body without
    /// bound, because it is streamed and never held.
    public static var upstream: HTTPLimits {
        HTTPLimits(
            headBytesMax: 65_536, fieldLineBytesMax: 16_384, fieldCountMax: 200, bodyBytesMax: .max)
    }
}
