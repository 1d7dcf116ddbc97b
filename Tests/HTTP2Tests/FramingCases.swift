import HTTP
import Wire

/// RFC 9113 §3 to §6: frames, streams, and the rules of each type.
enum FramingCases {
    private static let big = [UInt8](repeating: 0, count: 16_385)
    private static func raw(_ kind: Frames.Kind, _ flags: UInt8 = 0, _ stream: UInt32 = 0, _ payload: [UInt8] = [])
        -> [UInt8]
    { Frames.frame(kind, flags: flags, stream: stream, payload) }
    private static let open = Frames.headers(1, Frames.request("POST", "/open"), end: false)

    static let preface: [Case] = [
        Case(
            "9113 §3.4", "another preface", .connection(.protocolError), greets: false,
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r".utf8)),
        Case(
            "9113 §3.4", "the first frame is not SETTINGS", .connection(.protocolError), greets: false,
            Frames.preface + Frames.ping()),
        Case("9113 §4.2", "DATA longer than the largest frame", .any(1, .frameSizeError), open + Frames.data(1, big)),
        Case(
            "9113 §4.2", "HEADERS longer than the largest frame", .connection(.frameSizeError), raw(.headers, 5, 1, big)
        ),
        Case(
            "9113 §4.2", "SETTINGS longer than the largest frame", .connection(.frameSizeError),
            raw(.settings, 0, 0, [UInt8](repeating: 0, count: 16_386))),
        Case(
            "9113 §4.3", "a PRIORITY frame within a header block", .connection(.protocolError),
            Frames.headers(1, whole: false) + raw(.priority, 0, 1, [0, 0, 0, 0, 1])),
        Case(
            "9113 §4.3", "HEADERS of another stream within a header block", .connection(.protocolError),
            Frames.headers(1, whole: false) + Frames.headers(3)),
        Case(
            "9113 §4.3", "DATA within a header block", .connection(.protocolError),
            Frames.headers(1, whole: false) + Frames.data(1, "x")),
        Case("9113 §5.5", "an unknown frame type", .ignored, Frames.frame(0xaa, flags: 0xff, stream: 7, [1, 2, 3])),
        Case(
            "9113 §5.5", "an unknown frame type within a header block", .connection(.protocolError),
            Frames.headers(1, whole: false) + Frames.frame(0xaa, stream: 1)),
        Case(
            "9113 §4.1", "unknown flags and the reserved bit", .answered(1),
            Frames.frame(.headers, flags: 0xd5 & ~0x28, stream: 1 | 1 << 31, Frames.block(Frames.request()))),
    ]

    static let streams: [Case] = [
        Case("9113 §5.1", "idle: DATA", .connection(.protocolError), Frames.data(1, "x")),
        Case("9113 §5.1", "idle: RST_STREAM", .connection(.protocolError), Frames.reset(1)),
        Case("9113 §5.1", "idle: WINDOW_UPDATE", .connection(.protocolError), Frames.windowUpdate(1, 10)),
        Case(
            "9113 §5.1", "idle: CONTINUATION", .connection(.protocolError),
            raw(.continuation, 4, 1, Frames.block(Frames.request()))),
        Case("9113 §5.1", "idle: PRIORITY", .ignored, raw(.priority, 0, 1, [0, 0, 0, 0, 1])),
        Case(
            "9113 §5.1", "half-closed (remote): DATA", .any(1, .streamClosed),
            Frames.headers(1, Frames.request("GET", "/open")), Frames.data(1, "x", end: true)),
        Case(
            "9113 §5.1", "half-closed (remote): HEADERS", .any(1, .streamClosed),
            Frames.headers(1, Frames.request("GET", "/open")), Frames.headers(1)),
        Case(
            "9113 §5.1", "half-closed (remote): WINDOW_UPDATE, PRIORITY, RST_STREAM", .ignored,
            Frames.headers(1, Frames.request("GET", "/open")),
            Frames.windowUpdate(1, 1) + raw(.priority, 0, 1, [0, 0, 0, 0, 1]) + Frames.reset(1)),
        Case(
            "9113 §5.1", "closed by RST_STREAM: DATA", .any(1, .streamClosed), open,
            Frames.reset(1) + Frames.data(1, "x")),
        Case(
            "9113 §5.1", "closed by RST_STREAM: HEADERS", .any(1, .streamClosed), open,
            Frames.reset(1) + Frames.headers(1)),
        Case(
            "9113 §5.1", "closed by both ends: DATA", .connection(.streamClosed), Frames.headers(1), Frames.data(1, "x")
        ),
        Case(
            "9113 §5.1", "closed by both ends: HEADERS", .connection(.streamClosed), Frames.headers(1),
            Frames.headers(1)),
        Case(
            "9113 §5.1", "closed by both ends: WINDOW_UPDATE, RST_STREAM, PRIORITY", .ignored, Frames.headers(1),
            Frames.windowUpdate(1, 1) + Frames.reset(1) + raw(.priority, 0, 1, [0, 0, 0, 0, 1])),
        Case(
            "9113 §5.1", "closed by our RST_STREAM: DATA on its way is ignored", .stream(1, .protocolError),
            Frames.headers(1, Frames.request("POST", "/", [("connection", "x")]), end: false),
            Frames.data(1, "x") + Frames.data(1, "y", end: true)),
        Case("9113 §5.1.1", "an even stream", .connection(.protocolError), Frames.headers(2)),
        Case(
            "9113 §5.1.1", "a stream below one that was used", .connection(.protocolError), Frames.headers(5),
            Frames.headers(3)),
        Case(
            "9113 §5.1.1", "a stream below an open one", .connection(.protocolError),
            Frames.headers(5, Frames.request("POST", "/open"), end: false) + Frames.headers(3)),
        Case(
            "9113 §5.3.1", "HEADERS that depend on their own stream", .any(1, .protocolError),
            raw(.headers, 0x25, 1, [0, 0, 0, 1, 16] + Frames.block(Frames.request()))),
        Case(
            "7540 §5.3.1", "PRIORITY that depends on its own stream", .any(1, .protocolError),
            raw(.priority, 0, 1, [0, 0, 0, 1, 16])),
    ]

    static let types: [Case] = [
        Case("9113 §6.1", "DATA on stream 0", .connection(.protocolError), Frames.data(0, "x")),
        Case(
            "9113 §6.1", "DATA with as much padding as frame", .connection(.protocolError),
            open + raw(.data, 9, 1, [4, 0, 0, 0])),
        Case(
            "9113 §6.1", "padded DATA", .answered(1),
            Frames.headers(1, Frames.request("POST"), end: false) + raw(.data, 9, 1, [2, 120, 0, 0])),
        Case("9113 §6.2", "HEADERS on stream 0", .connection(.protocolError), Frames.headers(0)),
        Case(
            "9113 §6.2", "HEADERS with as much padding as frame", .connection(.protocolError),
            raw(.headers, 0x0d, 1, [8, 0, 0, 0])),
        Case(
            "9113 §6.2", "HEADERS with padding and priority", .answered(1),
            raw(.headers, 0x2d, 1, [2, 0, 0, 0, 0, 16] + Frames.block(Frames.request()) + [0, 0])),
        Case("9113 §6.3", "PRIORITY of four bytes", .any(1, .frameSizeError), raw(.priority, 0, 1, [0, 0, 0, 0])),
        Case("9113 §6.3", "PRIORITY on stream 0", .connection(.protocolError), raw(.priority, 0, 0, [0, 0, 0, 1, 1])),
        Case("9113 §6.4", "RST_STREAM on stream 0", .connection(.protocolError), Frames.reset(0)),
        Case(
            "9113 §6.4", "RST_STREAM of three bytes", .connection(.frameSizeError), open + raw(.reset, 0, 1, [0, 0, 0])),
        Case("9113 §6.5", "SETTINGS ACK with a payload", .connection(.frameSizeError), raw(.settings, 1, 0, [0])),
        Case("9113 §6.5", "SETTINGS on a stream", .connection(.protocolError), raw(.settings, 0, 1)),
        Case(
            "9113 §6.5", "SETTINGS that are no multiple of six bytes", .connection(.frameSizeError),
            raw(.settings, 0, 0, [0, 3, 0])),
        Case("9113 §6.5.2", "ENABLE_PUSH of 2", .connection(.protocolError), Frames.settings([(2, 2)])),
        Case(
            "9113 §6.5.2", "INITIAL_WINDOW_SIZE above 2^31-1", .connection(.flowControlError),
            Frames.settings([(4, 1 << 31)])),
        Case("9113 §6.5.2", "MAX_FRAME_SIZE below 16,384", .connection(.protocolError), Frames.settings([(5, 16_383)])),
        Case(
            "9113 §6.5.2", "MAX_FRAME_SIZE above 2^24-1", .connection(.protocolError), Frames.settings([(5, 1 << 24)])),
        Case("9113 §6.5.2", "an unknown setting", .answered(1), Frames.settings([(0xff, 1)]) + Frames.headers(1)),
        Case(
            "9113 §6.6", "PUSH_PROMISE from a client", .connection(.protocolError),
            raw(.pushPromise, 4, 1, [0, 0, 0, 2] + Frames.block(Frames.request()))),
        Case("9113 §6.7", "PING on a stream", .connection(.protocolError), raw(.ping, 0, 1, Array("12345678".utf8))),
        Case("9113 §6.7", "PING of six bytes", .connection(.frameSizeError), raw(.ping, 0, 0, [1, 2, 3, 4, 5, 6])),
        Case("9113 §6.7", "PING ACK that nobody asked for", .ignored, raw(.ping, 1, 0, Array("12345678".utf8))),
        Case(
            "9113 §6.8", "GOAWAY on a stream", .connection(.protocolError),
            raw(.goAway, 0, 1, [UInt8](repeating: 0, count: 8))),
        Case(
            "9113 §6.8", "GOAWAY of seven bytes", .connection(.frameSizeError),
            raw(.goAway, 0, 0, [UInt8](repeating: 0, count: 7))),
        Case(
            "9113 §6.9", "WINDOW_UPDATE of nothing on the connection", .connection(.protocolError),
            Frames.windowUpdate(0, 0)),
        Case(
            "9113 §6.9", "WINDOW_UPDATE of nothing on a stream", .any(1, .protocolError),
            open + Frames.windowUpdate(1, 0)),
        Case(
            "9113 §6.9", "WINDOW_UPDATE of three bytes", .connection(.frameSizeError),
            raw(.windowUpdate, 0, 0, [0, 0, 1])),
        Case(
            "9113 §6.9.1", "a connection's window above 2^31-1", .connection(.flowControlError),
            Frames.windowUpdate(0, 0x7fff_ffff)),
        Case(
            "9113 §6.9.1", "a stream's window above 2^31-1", .any(1, .flowControlError),
            open + Frames.windowUpdate(1, 0x7fff_ffff)),
        Case(
            "9113 §6.9.2", "a stream's window above 2^31-1 by a setting", .any(1, .flowControlError),
            open + Frames.windowUpdate(1, 0x7000_0000) + Frames.settings([(4, 0x7fff_ffff)])),
        Case(
            "9113 §6.10", "CONTINUATION on stream 0", .connection(.protocolError),
            Frames.headers(1, whole: false) + raw(.continuation, 4, 0)),
        Case(
            "9113 §6.10", "CONTINUATION behind END_HEADERS", .connection(.protocolError),
            open + raw(.continuation, 4, 1)),
        Case(
            "9113 §6.10", "CONTINUATION of another stream", .connection(.protocolError),
            Frames.headers(1, whole: false) + raw(.continuation, 4, 3)),
        Case(
            "9113 §6.10", "CONTINUATION behind DATA", .connection(.protocolError),
            open + Frames.data(1, "x") + raw(.continuation, 4, 1)),
        Case(
            "9113 §6.10", "a head in three frames", .answered(1),
            raw(.headers, 1, 1, Frames.block(Array(Frames.request()[..<2])))
                + raw(.continuation, 0, 1, Frames.block([Frames.request()[2]]))
                + raw(.continuation, 4, 1, Frames.block([Frames.request()[3]]))),
    ]
}
