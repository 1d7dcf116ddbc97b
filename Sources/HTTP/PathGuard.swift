import Bytes

/// Whether a raw path means to everybody what its bytes say, so that a policy may compare it with prefixes and forward it
/// untouched. Whoever decodes it once more, merges its slashes or resolves its dots behind us must arrive at the same
/// place, or a closed route could be reached by another spelling of it.
package enum PathGuard {
    package enum Risk: Sendable, Hashable {
        /// Does not begin with `/`.
        case notAbsolute
        /// `//`: merged by some servers, the start of an authority to others.
        case emptySegment
        /// `.` or `..`, plain, encoded, or before a `;`.
        case dotSegment
        /// A `%` without two hexadecimal digits.
        case malformedEncoding
        /// An encoded `/`, `\`, NUL or other control character.
        case encodedDelimiter
        /// An encoded letter, digit, `-`, `.` or `_`: another spelling of the same path. (RFC 3986 §6.2.2.2)
        case encodedPlainCharacter
        /// `%25` before two hexadecimal digits: decodes twice.
        case doubleEncoding
        /// A plain `\`, which some servers take for `/`, or a control character.
        case illegalCharacter
        /// What it decodes to is not UTF-8.
        case invalidText
    }

    /// The first risk of a path without its query; nil where there is none.
    package static func risk(of path: Span<UInt8>) -> Risk? {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { return .notAbsolute }
        var at = 1
        var segment = 1
        var hasHighBytes = false
        while at <= path.count {
            if at == path.count || path[at] == UInt8(ascii: "/") {
                // The last segment may be empty: `/web/`.
                if at == segment, at < path.count { return .emptySegment }
                if at > segment, path[segment] == UInt8(ascii: "."), isDots(path.extracting(segment..<at)) {
                    return .dotSegment
                }
                at += 1
                segment = at
                continue
            }
            let byte = path[at]
            guard byte == UInt8(ascii: "%") else {
                if byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "\\") { return .illegalCharacter }
                if byte >= 0x80 { hasHighBytes = true }
                at += 1
                continue
            }
            guard let decoded = PercentDecoding.byte(path, at: at) else { return .malformedEncoding }
            if decoded < 0x20 || decoded == 0x7f || decoded == UInt8(ascii: "/") || decoded == UInt8(ascii: "\\") {
                return .encodedDelimiter
            }
            if decoded == UInt8(ascii: ".") { return .dotSegment }
            let isPlain =
                decoded &- 48 < 10 || (decoded | 0x20) &- 97 < 26 || decoded == UInt8(ascii: "-")
                || decoded == UInt8(ascii: "_")
            if isPlain { return .encodedPlainCharacter }
            if decoded == UInt8(ascii: "%"), isHexPair(path, at: at + 3) { return .doubleEncoding }
            if decoded >= 0x80 { hasHighBytes = true }
            at += 3
        }
        if hasHighBytes, PercentDecoding.decode(path) == nil { return .invalidText }
        return nil
    }

    /// Whether a segment is `.` or `..`, also with parameters behind it: `..;x` is `..` to servers that know them.
    private static func isDots(_ segment: Span<UInt8>) -> Bool {
        let name = segment.extracting(0..<(segment.firstIndex(of: UInt8(ascii: ";")) ?? segment.count))
        return name.equals(".") || name.equals("..")
    }

    private static func isHexPair(_ path: Span<UInt8>, at: Int) -> Bool {
        guard at + 1 < path.count else { return false }
        let isHex = { (byte: UInt8) in byte &- 48 < 10 || (byte | 0x20) &- 97 < 6 }
        return isHex(path[at]) && isHex(path[at + 1])
    }
}
