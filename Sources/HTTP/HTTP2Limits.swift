import Bytes

/// How much of HTTP/2 one connection may use. Each bound is there because of a known attack; all are in the
/// configuration under `server.http2`. Sizes of heads, fields and bodies are those of `HTTPLimits`, for both protocols.
public struct HTTP2Limits: Sendable, Hashable {
    /// Requests of one connection at a time: open streams, and requests whose client has gone while their work goes on
    /// (CVE-2023-44487). More get REFUSED_STREAM. Default 100, the least that RFC 9113 §6.5.2 recommends.
    public var streamsMax = 100
    /// Bytes of one request body that may wait here: its flow-control window, given back as the server behind takes
    /// them. Default 128 KiB, which a LAN fills in a millisecond.
    public var streamWindowBytesMax = 131_072
    /// The same for all streams of a connection together. Default 512 KiB.
    public var connectionWindowBytesMax = 524_288
    /// Response bytes of all streams of a connection that wait for the client before their servers are held. Each
    /// stream may have up to one read of 16 KiB beyond it. Default 1 MiB.
    public var sendBufferBytesMax = 1_048_576
    /// CONTINUATION frames behind one HEADERS frame (CVE-2024-27316 and others). Default 8: with frames of 16 KiB
    /// more than any head that is accepted.
    public var continuationsMax = 8
    /// Frames that carry no request and no payload which a client may send at once: SETTINGS, PING, PRIORITY,
    /// WINDOW_UPDATE, empty or padded DATA, unknown ones (CVE-2019-9512, -9515, -9518 and others). Each request brings
    /// four more, and so does each 4 KiB of response. Default 256.
    public var controlFramesMax = 256
    /// How many of them come back in a second. Default 64.
    public var controlFramesPerSecondMax = 64
    /// Streams that a client may reset, or make us reset by an error of its own, at once (CVE-2023-44487,
    /// CVE-2025-8671). Default 200: a browser that leaves a page cancels up to a hundred requests.
    public var resetsMax = 200
    /// How many of them come back in a second. Default 20.
    public var resetsPerSecondMax = 20
    /// Dynamic table of the compression, in bytes, for each direction (RFC 7541 §4.2). Default 4,096, the protocol's.
    public var headerTableBytesMax = 4_096
    /// How long a client may take to acknowledge our SETTINGS. Default 10 s. (RFC 9113 §6.5.3)
    public var settingsTimeout: Nanoseconds = .seconds(10)
    /// Silence on a connection with open streams after which we ask by PING whether its client still lives. Default 30 s.
    public var pingInterval: Nanoseconds = .seconds(30)
    /// How long it may take to answer. Default 10 s.
    public var pingTimeout: Nanoseconds = .seconds(10)
    /// Least average speed at which a client takes a response that is there, in bytes per second, after a grace of
    /// `sendTimeout`. Slower streams are reset: windows of zero or of a few bytes (CVE-2019-9517). Default 1,024.
    public var responseBytesPerSecondMin: Int64 = 1_024

    public init() {}
}
