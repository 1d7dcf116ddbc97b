/// How the end of a body is found. Decided once, when the head is complete. (RFC 9112 §6.3)
public enum BodyFraming: Sendable, Hashable {
    /// There is no body.
    case none
    /// So many bytes follow.
    case length(Int64)
    /// Chunks follow, then trailers.
    case chunked
    /// Everything until the connection ends; answers only.
    case untilClose
}
