import Bytes

extension FieldName {
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }
    private static var tops: UInt64 { 0x8080_8080_8080_8080 }

    /// The top bit of the first `:` of a word; bits above it mean nothing.
    @inline(__always)
    private static func colon(_ word: UInt64) -> UInt64 {
        let x = word ^ (ones &* 0x3a)
        return (x &- ones) & ~x & tops
    }

    /// The bytes below the one whose top bit is the lowest bit of `hit`.
    @inline(__always)
    private static func below(_ hit: UInt64) -> UInt64 { (hit ^ (hit &- 1)) &>> 8 }

    /// The top bits of the control bytes of a word. `| 0x20` would fold them into `-` and digits.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 { (word &- ones &* 0x20) & ~word & tops }

    /// The known name that stands at `at` with a colon behind it, and its length; `other` for everything else.
    @inline(never)
    static func scan(_ bytes: Span<UInt8>, at: Int) -> (name: FieldName, length: Int) {
        scan(part(bytes, at), part(bytes, at &+ 8), part(bytes, at &+ 16))
    }

    /// The same, of the 24 bytes where the name begins.
    @inline(__always)
    static func scan(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> (name: FieldName, length: Int) {
        var (x, y, z) = (a | ones &* 0x20, UInt64(0), UInt64(0))
        var length: Int
        var bad: UInt64
        let inA = colon(a)
        if inA != 0 {
            length = inA.trailingZeroBitCount / 8
            x &= below(inA)
            bad = controls(a) & below(inA)
        } else {
            let inB = colon(b)
            y = b | ones &* 0x20
            if inB != 0 {
                length = 8 &+ inB.trailingZeroBitCount / 8
                y &= below(inB)
                bad = controls(a) | controls(b) & below(inB)
            } else {
                let inC = colon(c)
                if inC == 0 { return (.other, 0) }
                length = 16 &+ inC.trailingZeroBitCount / 8
                z = (c | ones &* 0x20) & below(inC)
                bad = controls(a) | controls(b) | controls(c) & below(inC)
            }
        }
        return (bad == 0 ? known(length: length, x, y, z) : .other, length)
    }

    /// Up to eight bytes at `offset`, those beyond the end as zeros.
    private static func part(_ bytes: Span<UInt8>, _ offset: Int) -> UInt64 {
        if offset &+ 8 <= bytes.count { return bytes.word(at: offset) }
        if bytes.count >= 8, offset < bytes.count {
            return bytes.word(at: bytes.count &- 8) &>> UInt64((offset &+ 8 &- bytes.count) &* 8)
        }
        var word: UInt64 = 0
        var i = min(bytes.count, offset &+ 8)
        while i > offset {
            i &-= 1
            word = word &<< 8 | UInt64(bytes[i])
        }
        return word
    }

    /// The known name with these bytes in any case, or `other`.
    package init(_ name: Span<UInt8>) {
        self = .other
        let length = name.count
        guard length > 0, length <= Self.lengthMax else { return }
        let (a, b, c) = (Self.part(name, 0), Self.part(name, 8), Self.part(name, 16))
        let (inA, inB, inC) = (Self.lowest(length), Self.lowest(length &- 8), Self.lowest(length &- 16))
        if Self.controls(a) & inA | Self.controls(b) & inB | Self.controls(c) & inC != 0 { return }
        let space = Self.ones &* 0x20
        self = Self.known(length: length, a | space & inA, b | space & inB, c | space & inC)
    }

    /// The `count` lowest bytes of a word, all of them from eight on, none below one.
    @inline(__always)
    private static func lowest(_ count: Int) -> UInt64 {
        count >= 8 ? ~0 : count <= 0 ? 0 : (1 &<< UInt64(count &* 8)) &- 1
    }

    /// The known name with this text in any case, or `other`.
    package init(_ text: String) { self.init(Array(text.utf8).span) }

    /// Whether the name has underscores and would be a known name had it hyphens in their place.
    static func isKnownWithHyphens(_ name: Span<UInt8>) -> Bool {
        guard name.count <= lengthMax, name.firstIndex(of: UInt8(ascii: "_")) != nil else { return false }
        var copy = name.array
        for i in copy.indices where copy[i] == UInt8(ascii: "_") { copy[i] = UInt8(ascii: "-") }
        return FieldName(copy.span) != .other
    }

    /// Whether the name is `Proxy` or begins with `Proxy-`.
    static func isForProxies(_ name: Span<UInt8>) -> Bool {
        guard name.count >= 5, name.extracting(0..<5).equalsIgnoringCase("proxy") else { return false }
        return name.count == 5 || name[5] == UInt8(ascii: "-")
    }

    /// The set of names that are always for the next recipient only. (RFC 9110 §7.6.1)
    static var hopByHop: UInt64 {
        FieldName.connection.bit | FieldName.keepAlive.bit | FieldName.proxyConnection.bit
            | FieldName.proxyAuthenticate.bit | FieldName.proxyAuthorization.bit | FieldName.te.bit
            | FieldName.trailer.bit | FieldName.transferEncoding.bit | FieldName.upgrade.bit
            | FieldName.http2Settings.bit
    }

    /// The set of names that `Connection` may not nominate: a recipient that obeyed would drop who asks, for what, or how
    /// long the body is. (RFC 9110 §7.6.1: "a field that is intended for all recipients")
    static var endToEnd: UInt64 {
        FieldName.host.bit | FieldName.contentLength.bit | FieldName.authorization.bit | FieldName.contentType.bit
            | FieldName.contentEncoding.bit | FieldName.contentRange.bit | FieldName.expect.bit
            | FieldName.cookie.bit | FieldName.setCookie.bit | FieldName.forwarded.bit | FieldName.xForwardedFor.bit
            | FieldName.xForwardedHost.bit | FieldName.xForwardedProto.bit | FieldName.xForwardedPort.bit
            | FieldName.xRealIp.bit | FieldName.via.bit | FieldName.idempotencyKey.bit | FieldName.traceparent.bit
            | FieldName.tracestate.bit | FieldName.cacheControl.bit | FieldName.location.bit
            | FieldName.wwwAuthenticate.bit | FieldName.date.bit | FieldName.etag.bit | FieldName.ifMatch.bit
            | FieldName.ifNoneMatch.bit
    }
}
