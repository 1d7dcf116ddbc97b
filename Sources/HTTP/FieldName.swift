/// The field names this program knows, each with a number below 64 so that a set of them is one word.
///
/// Everything else is `other` and is compared by its bytes.
public enum FieldName: UInt8, Sendable, CaseIterable {
    case other = 0
    case host
    case contentLength
    case transferEncoding
    case connection
    case upgrade
    case expect
    case authorization
    case contentType
    case accept
    case te
    case trailer
    case keepAlive
    case proxyConnection
    case proxyAuthenticate
    case proxyAuthorization
    case via
    case forwarded
    case xForwardedFor
    case xForwardedHost
    case xForwardedProto
    case xForwardedPort
    case xRealIp
    case traceparent
    case tracestate
    case idempotencyKey
    case prefer
    case cookie
    case setCookie
    case date
    case server
    case retryAfter
    case wwwAuthenticate
    case location
    case etag
    case ifNoneMatch
    case secWebSocketKey
    case secWebSocketVersion
    case secWebSocketAccept
    case secWebSocketProtocol
    case userAgent
    case acceptEncoding
    case acceptLanguage
    case xRequestId
    case cacheControl
    case contentEncoding
    case contentRange
    case range
    case ifMatch
    case ifModifiedSince
    case lastModified
    case origin
    case referer
    case xPoweredBy
    case vary
    case age
    case contentLocation
    case pragma
    case http2Settings
    case maxForwards
    case contentDisposition
    case baggage

    /// This name as a set of one, to be tested against `MessageHead.present`.
    @inlinable public var bit: UInt64 { 1 &<< UInt64(rawValue) }

    /// The name as it is written on the wire; empty for `other`.
    public var text: StaticString {
        switch self {
        case .other: ""
        case .host: "Host"
        case .contentLength: "Content-Length"
        case .transferEncoding: "Transfer-Encoding"
        case .connection: "Connection"
        case .upgrade: "Upgrade"
        case .expect: "Expect"
        case .authorization: "Authorization"
        case .contentType: "Content-Type"
        case .accept: "Accept"
        case .te: "TE"
        case .trailer: "Trailer"
        case .keepAlive: "Keep-Alive"
        case .proxyConnection: "Proxy-Connection"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthorization: "Proxy-Authorization"
        case .via: "Via"
        case .forwarded: "Forwarded"
        case .xForwardedFor: "X-Forwarded-For"
        case .xForwardedHost: "X-Forwarded-Host"
        case .xForwardedProto: "X-Forwarded-Proto"
        case .xForwardedPort: "X-Forwarded-Port"
        case .xRealIp: "X-Real-IP"
        case .traceparent: "Traceparent"
        case .tracestate: "Tracestate"
        case .idempotencyKey: "Idempotency-Key"
        case .prefer: "Prefer"
        case .cookie: "Cookie"
        case .setCookie: "Set-Cookie"
        case .date: "Date"
        case .server: "Server"
        case .retryAfter: "Retry-After"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .location: "Location"
        case .etag: "ETag"
        case .ifNoneMatch: "If-None-Match"
        case .secWebSocketKey: "Sec-WebSocket-Key"
        case .secWebSocketVersion: "Sec-WebSocket-Version"
        case .secWebSocketAccept: "Sec-WebSocket-Accept"
        case .secWebSocketProtocol: "Sec-WebSocket-Protocol"
        case .userAgent: "User-Agent"
        case .acceptEncoding: "Accept-Encoding"
        case .acceptLanguage: "Accept-Language"
        case .xRequestId: "X-Request-ID"
        case .cacheControl: "Cache-Control"
        case .contentEncoding: "Content-Encoding"
        case .contentRange: "Content-Range"
        case .range: "Range"
        case .ifMatch: "If-Match"
        case .ifModifiedSince: "If-Modified-Since"
        case .lastModified: "Last-Modified"
        case .origin: "Origin"
        case .referer: "Referer"
        case .xPoweredBy: "X-Powered-By"
        case .vary: "Vary"
        case .age: "Age"
        case .contentLocation: "Content-Location"
        case .pragma: "Pragma"
        case .http2Settings: "HTTP2-Settings"
        case .maxForwards: "Max-Forwards"
        case .contentDisposition: "Content-Disposition"
        case .baggage: "Baggage"
        }
    }
}
