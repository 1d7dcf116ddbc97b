// The look-up of a field name, by its length and up to three little-endian words of it. The words are in lower case and
// padded with zero bytes; the caller has made sure that no control byte was folded into `-` or a digit by `| 0x20`.
// FieldNameTests holds every constant here against the name's text.

extension FieldName {
    /// Longest known name, in bytes. Longer ones are `other` without a look.
    static let lengthMax = 23

    /// The known name with these bytes, or `other`.
    @inline(__always)
    static func known(length: Int, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> FieldName {
        switch length {
        case 2:
            // te
            if a == 0x0000_0000_0000_6574 { return .te }
        case 3:
            // via
            if a == 0x0000_0000_0061_6976 { return .via }
            // age
            if a == 0x0000_0000_0065_6761 { return .age }
        case 4:
            // host
            if a == 0x0000_0000_7473_6f68 { return .host }
            // date
            if a == 0x0000_0000_6574_6164 { return .date }
            // etag
            if a == 0x0000_0000_6761_7465 { return .etag }
            // vary
            if a == 0x0000_0000_7972_6176 { return .vary }
        case 5:
            // range
            if a == 0x0000_0065_676e_6172 { return .range }
        case 6:
            // expect
            if a == 0x0000_7463_6570_7865 { return .expect }
            // accept
            if a == 0x0000_7470_6563_6361 { return .accept }
            // prefer
            if a == 0x0000_7265_6665_7270 { return .prefer }
            // cookie
            if a == 0x0000_6569_6b6f_6f63 { return .cookie }
            // server
            if a == 0x0000_7265_7672_6573 { return .server }
            // origin
            if a == 0x0000_6e69_6769_726f { return .origin }
            // pragma
            if a == 0x0000_616d_6761_7270 { return .pragma }
        case 7:
            // upgrade
            if a == 0x0065_6461_7267_7075 { return .upgrade }
            // trailer
            if a == 0x0072_656c_6961_7274 { return .trailer }
            // referer
            if a == 0x0072_6572_6566_6572 { return .referer }
            // baggage
            if a == 0x0065_6761_6767_6162 { return .baggage }
        case 8:
            // location
            if a == 0x6e6f_6974_6163_6f6c { return .location }
            // if-match
            if a == 0x6863_7461_6d2d_6669 { return .ifMatch }
        case 9:
            // forwarded
            if a == 0x6564_7261_7772_6f66, b == 0x0000_0000_0000_0064 { return .forwarded }
            // x-real-ip
            if a == 0x692d_6c61_6572_2d78, b == 0x0000_0000_0000_0070 { return .xRealIp }
        case 10:
            // connection
            if a == 0x6974_6365_6e6e_6f63, b == 0x0000_0000_0000_6e6f { return .connection }
            // keep-alive
            if a == 0x696c_612d_7065_656b, b == 0x0000_0000_0000_6576 { return .keepAlive }
            // tracestate
            if a == 0x6174_7365_6361_7274, b == 0x0000_0000_0000_6574 { return .tracestate }
            // set-cookie
            if a == 0x6b6f_6f63_2d74_6573, b == 0x0000_0000_0000_6569 { return .setCookie }
            // user-agent
            if a == 0x6567_612d_7265_7375, b == 0x0000_0000_0000_746e { return .userAgent }
        case 11:
            // traceparent
            if a == 0x7261_7065_6361_7274, b == 0x0000_0000_0074_6e65 { return .traceparent }
            // retry-after
            if a == 0x6661_2d79_7274_6572, b == 0x0000_0000_0072_6574 { return .retryAfter }
        case 12:
            // content-type
            if a == 0x2d74_6e65_746e_6f63, b == 0x0000_0000_6570_7974 { return .contentType }
            // x-request-id
            if a == 0x7365_7571_6572_2d78, b == 0x0000_0000_6469_2d74 { return .xRequestId }
            // x-powered-by
            if a == 0x6572_6577_6f70_2d78, b == 0x0000_0000_7962_2d64 { return .xPoweredBy }
            // max-forwards
            if a == 0x7772_6f66_2d78_616d, b == 0x0000_0000_7364_7261 { return .maxForwards }
        case 13:
            // authorization
            if a == 0x7a69_726f_6874_7561, b == 0x0000_006e_6f69_7461 { return .authorization }
            // if-none-match
            if a == 0x2d65_6e6f_6e2d_6669, b == 0x0000_0068_6374_616d { return .ifNoneMatch }
            // cache-control
            if a == 0x6f63_2d65_6863_6163, b == 0x0000_006c_6f72_746e { return .cacheControl }
            // content-range
            if a == 0x2d74_6e65_746e_6f63, b == 0x0000_0065_676e_6172 { return .contentRange }
            // last-modified
            if a == 0x646f_6d2d_7473_616c, b == 0x0000_0064_6569_6669 { return .lastModified }
        case 14:
            // content-length
            if a == 0x2d74_6e65_746e_6f63, b == 0x0000_6874_676e_656c { return .contentLength }
            // http2-settings
            if a == 0x6573_2d32_7074_7468, b == 0x0000_7367_6e69_7474 { return .http2Settings }
        case 15:
            // x-forwarded-for
            if a == 0x7261_7772_6f66_2d78, b == 0x0072_6f66_2d64_6564 { return .xForwardedFor }
            // idempotency-key
            if a == 0x6574_6f70_6d65_6469, b == 0x0079_656b_2d79_636e { return .idempotencyKey }
            // accept-encoding
            if a == 0x652d_7470_6563_6361, b == 0x0067_6e69_646f_636e { return .acceptEncoding }
            // accept-language
            if a == 0x6c2d_7470_6563_6361, b == 0x0065_6761_7567_6e61 { return .acceptLanguage }
        case 16:
            // proxy-connection
            if a == 0x6f63_2d79_786f_7270, b == 0x6e6f_6974_6365_6e6e { return .proxyConnection }
            // x-forwarded-host
            if a == 0x7261_7772_6f66_2d78, b == 0x7473_6f68_2d64_6564 { return .xForwardedHost }
            // x-forwarded-port
            if a == 0x7261_7772_6f66_2d78, b == 0x7472_6f70_2d64_6564 { return .xForwardedPort }
            // www-authenticate
            if a == 0x6874_7561_2d77_7777, b == 0x6574_6163_6974_6e65 { return .wwwAuthenticate }
            // content-encoding
            if a == 0x2d74_6e65_746e_6f63, b == 0x676e_6964_6f63_6e65 { return .contentEncoding }
            // content-location
            if a == 0x2d74_6e65_746e_6f63, b == 0x6e6f_6974_6163_6f6c { return .contentLocation }
        case 17:
            // transfer-encoding
            if a == 0x7265_6673_6e61_7274, b == 0x6e69_646f_636e_652d, c == 0x0000_0000_0000_0067 {
                return .transferEncoding
            }
            // x-forwarded-proto
            if a == 0x7261_7772_6f66_2d78, b == 0x746f_7270_2d64_6564, c == 0x0000_0000_0000_006f {
                return .xForwardedProto
            }
            // sec-websocket-key
            if a == 0x7362_6577_2d63_6573, b == 0x656b_2d74_656b_636f, c == 0x0000_0000_0000_0079 {
                return .secWebSocketKey
            }
            // if-modified-since
            if a == 0x6669_646f_6d2d_6669, b == 0x636e_6973_2d64_6569, c == 0x0000_0000_0000_0065 {
                return .ifModifiedSince
            }
        case 18:
            // proxy-authenticate
            if a == 0x7561_2d79_786f_7270, b == 0x6163_6974_6e65_6874, c == 0x0000_0000_0000_6574 {
                return .proxyAuthenticate
            }
        case 19:
            // proxy-authorization
            if a == 0x7561_2d79_786f_7270, b == 0x7461_7a69_726f_6874, c == 0x0000_0000_006e_6f69 {
                return .proxyAuthorization
            }
            // content-disposition
            if a == 0x2d74_6e65_746e_6f63, b == 0x7469_736f_7073_6964, c == 0x0000_0000_006e_6f69 {
                return .contentDisposition
            }
        case 20:
            // sec-websocket-accept
            if a == 0x7362_6577_2d63_6573, b == 0x6361_2d74_656b_636f, c == 0x0000_0000_7470_6563 {
                return .secWebSocketAccept
            }
        case 21:
            // sec-websocket-version
            if a == 0x7362_6577_2d63_6573, b == 0x6576_2d74_656b_636f, c == 0x0000_006e_6f69_7372 {
                return .secWebSocketVersion
            }
        case 22:
            // sec-websocket-protocol
            if a == 0x7362_6577_2d63_6573, b == 0x7270_2d74_656b_636f, c == 0x0000_6c6f_636f_746f {
                return .secWebSocketProtocol
            }
        default: break
        }
        return .other
    }
}
