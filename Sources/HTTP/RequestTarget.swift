import Bytes

/// The forms of a request target other than origin-form. (RFC 9112 §3.2)
enum RequestTarget {
    /// Refines the head of a request whose target does not begin with `/`, or whose method is CONNECT.
    @inline(never)
    static func readUncommonForm(_ bytes: Span<UInt8>, into head: MessageHead) throws(HTTPError) {
        let state = head.state
        let target = head.targetRange
        if head.method == .connect {
            // CONNECT has authority-form and nothing else; a port is required. (RFC 9110 §9.3.6)
            guard let authority = Authority(bytes, target), authority.port != nil else { throw .targetFormInvalid }
            state.pointee.targetForm = .authority
            state.pointee.authorityStart = state.pointee.targetStart
            state.pointee.authorityEnd = state.pointee.targetEnd
            state.pointee.pathStart = state.pointee.targetEnd
            state.pointee.pathEnd = state.pointee.targetEnd
            return
        }
        if bytes[target.lowerBound] == UInt8(ascii: "*") {
            guard head.method == .options, target.count == 1 else { throw .targetFormInvalid }
            state.pointee.targetForm = .asterisk
            return
        }
        // absolute-form, of the two schemes that HTTP has. Others, and `host/path` without a scheme, would be routed
        // by one reader and resolved as a path by the next.
        let scheme: Int
        if hasScheme("http://", bytes, target) {
            scheme = 7
        } else if hasScheme("https://", bytes, target) {
            scheme = 8
        } else {
            throw .targetFormInvalid
        }
        let start = target.lowerBound + scheme
        let pathEnd = Int(state.pointee.pathEnd)
        var end = min(start, pathEnd)
        while end < pathEnd, bytes[end] != UInt8(ascii: "/") { end += 1 }
        guard end > start, Authority(bytes, start..<end) != nil else { throw .targetFormInvalid }
        state.pointee.targetForm = .absolute
        state.pointee.authorityStart = UInt32(truncatingIfNeeded: start)
        state.pointee.authorityEnd = UInt32(truncatingIfNeeded: end)
        state.pointee.pathStart = UInt32(truncatingIfNeeded: end)
    }

    static func hasScheme(_ scheme: StaticString, _ bytes: Span<UInt8>, _ target: Range<Int>) -> Bool {
        let length = scheme.utf8CodeUnitCount
        guard target.count >= length else { return false }
        return bytes.extracting(target.lowerBound..<target.lowerBound + length).equalsIgnoringCase(scheme)
    }
}
