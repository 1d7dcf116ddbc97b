import HTTP
import Wire

/// RFC 9113 §8 and RFC 8441: requests, and what would smuggle another meaning into one.
enum MessageCases {
    private static func sends(_ fields: [(String, String)], end: Bool = true) -> [UInt8] {
        Frames.headers(1, fields, end: end)
    }
    private static func with(_ more: (String, String)...) -> [UInt8] { sends(Frames.request("GET", "/", more)) }
    private static func without(_ name: String) -> [UInt8] { sends(Frames.request().filter { $0.0 != name }) }
    private static func posts(_ more: [(String, String)], _ body: String) -> [UInt8] {
        sends(Frames.request("POST", "/", more), end: false) + Frames.data(1, body, end: true)
    }
    private static let malformed = Case.Expectation.stream(1, .protocolError)

    static let fields: [Case] = [
        Case("9113 §8.2", "a name in upper case", malformed, with(("X-Upper", "1"))),
        Case("9113 §8.2.1", "a space in a name", malformed, with(("x y", "1"))),
        Case("9113 §8.2.1", "a colon in a name", malformed, with(("x:y", "1"))),
        Case("9113 §8.2.1", "a control character in a name", malformed, with(("x\u{1}", "1"))),
        Case("9113 §8.2.1", "a byte above ASCII in a name", malformed, with(("x\u{e4}", "1"))),
        Case("9113 §8.2.1", "an empty name", malformed, with(("", "1"))),
        Case("9113 §8.2.1", "NUL in a value", malformed, with(("x", "a\u{0}b"))),
        Case("9113 §8.2.1", "CR in a value", malformed, with(("x", "a\rb"))),
        Case("9113 §8.2.1", "LF in a value", malformed, with(("x", "a\nb"))),
        Case("9113 §8.2.1", "CR LF and a field in a value", malformed, with(("x", "a\r\nTransfer-Encoding: chunked"))),
        Case("9113 §8.2.1", "a space before a value", malformed, with(("x", " a"))),
        Case("9113 §8.2.1", "a tab behind a value", malformed, with(("x", "a\t"))),
        Case("9113 §8.2.2", "connection", malformed, with(("connection", "close"))),
        Case("9113 §8.2.2", "keep-alive", malformed, with(("keep-alive", "5"))),
        Case("9113 §8.2.2", "proxy-connection", malformed, with(("proxy-connection", "close"))),
        Case("9113 §8.2.2", "transfer-encoding", malformed, posts([("transfer-encoding", "chunked")], "0\r\n\r\n")),
        Case("9113 §8.2.2", "upgrade", malformed, with(("upgrade", "h2c"))),
        Case("9113 §8.2.2", "te other than trailers", malformed, with(("te", "trailers, gzip"))),
        Case("9113 §8.2.2", "te: trailers", .answered(1), with(("te", "trailers"))),
        Case("9113 §8.2.3", "cookies in crumbs", .answered(1), with(("cookie", "a=1"), ("cookie", "b=2"))),
        Case("9110 §5.1", "a known name with underscores", .answered(1), with(("content_length", "5"))),
    ]

    static let pseudo: [Case] = [
        Case("9113 §8.3", "an unknown pseudo-field", malformed, sends(Frames.request() + [(":x", "1")])),
        Case("9113 §8.3", "a pseudo-field of responses", malformed, sends(Frames.request() + [(":status", "200")])),
        Case("9113 §8.3", "a pseudo-field behind a field", malformed, sends([("x", "1")] + Frames.request())),
        Case(
            "9113 §8.3", "a pseudo-field in trailers", malformed,
            posts([], "").dropLastFrame() + Frames.headers(1, [(":method", "GET")])),
        Case("9113 §8.3.1", "no :method", malformed, without(":method")),
        Case("9113 §8.3.1", "no :scheme", malformed, without(":scheme")),
        Case("9113 §8.3.1", "no :path", malformed, without(":path")),
        Case("9113 §8.3.1", "two of :method", malformed, sends(Frames.request() + [(":method", "GET")])),
        Case("9113 §8.3.1", "two of :scheme", malformed, sends(Frames.request() + [(":scheme", "http")])),
        Case("9113 §8.3.1", "two of :path", malformed, sends(Frames.request() + [(":path", "/")])),
        Case(
            "9113 §8.3.1", "two of :authority", malformed, sends(Frames.request() + [(":authority", "plant.example")])),
        Case("9113 §8.3.1", "an empty :path", malformed, sends(Frames.request("GET", ""))),
        Case("9113 §8.3.1", "a :path without its slash", malformed, sends(Frames.request("GET", "web"))),
        Case("9113 §8.3.1", "a :path in absolute-form", malformed, sends(Frames.request("GET", "http://other/"))),
        Case("9113 §8.3.1", "`*` of GET", malformed, sends(Frames.request("GET", "*"))),
        Case("9113 §8.3.1", "`*` of OPTIONS", .answered(1), sends(Frames.request("OPTIONS", "*"))),
        Case("9113 §8.3.1", "a space in :path", malformed, sends(Frames.request("GET", "/ HTTP/1.1"))),
        Case("9113 §8.3.1", "CR LF in :path", malformed, sends(Frames.request("GET", "/\r\nHost: x"))),
        Case("9113 §8.3.1", "a fragment in :path", malformed, sends(Frames.request("GET", "/#x"))),
        Case("9113 §8.3.1", "a byte above ASCII in :path", malformed, sends(Frames.request("GET", "/\u{e4}"))),
        Case("9113 §8.3.1", "a space in :method", malformed, sends(Frames.request("GET /x"))),
        Case(
            "9113 §8.3.1", "another :scheme", malformed,
            sends([(":method", "GET"), (":scheme", "ftp"), (":authority", "plant.example"), (":path", "/")])),
        Case(
            "9113 §8.3.1", "user information in :authority", malformed,
            sends([(":method", "GET"), (":scheme", "http"), (":authority", "a@plant.example"), (":path", "/")])),
        Case("9113 §8.3.1", "another host than :authority", malformed, with(("host", "other.example"))),
        Case("9113 §8.3.1", "another port than :authority", malformed, with(("host", "plant.example:8080"))),
        Case("9113 §8.3.1", "the same host as :authority", .answered(1), with(("host", "PLANT.example:80"))),
        Case("9113 §8.3.1", "two hosts", malformed, with(("host", "plant.example"), ("host", "plant.example"))),
        Case(
            "9113 §8.3.1", "host alone", .answered(1),
            sends(Frames.request("GET", "/", [("host", "plant.example")]).filter { $0.0 != ":authority" })),
        Case("9113 §8.3.1", "neither host nor :authority", malformed, without(":authority")),
    ]

    static let bodies: [Case] = [
        Case("9113 §8.1.1", "less DATA than content-length", malformed, posts([("content-length", "2")], "x")),
        Case("9113 §8.1.1", "more DATA than content-length", malformed, posts([("content-length", "2")], "xyz")),
        Case("9113 §8.1.1", "a content-length and no DATA", malformed, with(("content-length", "2"))),
        Case("9113 §8.1.1", "as much DATA as content-length", .answered(1), posts([("content-length", "2")], "xy")),
        Case("9110 §8.6", "two lengths", malformed, posts([("content-length", "2"), ("content-length", "2")], "xy")),
        Case("9110 §8.6", "a list of lengths", malformed, posts([("content-length", "2, 2")], "xy")),
        Case("9110 §8.6", "a length with a sign", malformed, posts([("content-length", "+2")], "xy")),
        Case(
            "9110 §8.6", "a length beyond 64 bits", malformed, posts([("content-length", "18446744073709551618")], "xy")
        ),
        Case(
            "9113 §8.1", "trailers without END_STREAM", malformed,
            Frames.headers(1, Frames.request("POST"), end: false) + Frames.headers(1, [("x-sum", "1")], end: false)),
        Case(
            "9113 §8.1", "trailers", .answered(1),
            Frames.headers(1, Frames.request("POST"), end: false) + Frames.data(1, "x")
                + Frames.headers(1, [("x-sum", "1")])),
        Case(
            "9110 §6.5.1", "a length in trailers", malformed,
            Frames.headers(1, Frames.request("POST"), end: false) + Frames.headers(1, [("content-length", "0")])),
        Case(
            "9110 §6.5.1", "authorization in trailers", malformed,
            Frames.headers(1, Frames.request("POST"), end: false) + Frames.headers(1, [("authorization", "Bearer x")])),
        Case(
            "9113 §8.5", "CONNECT", .answered(1), sends([(":method", "CONNECT"), (":authority", "plant.example:443")])),
        Case("9113 §8.5", "CONNECT with a path", malformed, sends(Frames.request("CONNECT", "/"))),
        Case(
            "8441 §4", "a protocol without CONNECT", malformed, sends(Frames.request() + [(":protocol", "websocket")])),
        Case(
            "8441 §4", "a protocol without a path", malformed,
            sends(
                [
                    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
                    (":authority", "plant.example"),
                ], end: false)),
        Case(
            "8441 §4", "a protocol that is not opened here", .answered(1),
            sends(Frames.request("CONNECT") + [(":protocol", "connect-udp")], end: false)),
        Case(
            "8441 §4", "a WebSocket that ends at once", malformed,
            sends(Frames.request("CONNECT") + [(":protocol", "websocket")])),
        Case(
            "8441 §5", "a WebSocket", .answered(1),
            sends(
                Frames.request("CONNECT", "/websocket") + [
                    (":protocol", "websocket"), ("sec-websocket-version", "13"),
                ], end: false)),
    ]
}

extension [UInt8] {
    /// Without the empty DATA frame at the end.
    fileprivate func dropLastFrame() -> [UInt8] { Array(dropLast(9)) }
}
