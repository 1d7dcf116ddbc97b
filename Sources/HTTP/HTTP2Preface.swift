import Bytes

/// What a client sends first. (RFC 9113 §3.4)
public enum HTTP2Preface {
    public enum Match: Sendable, Equatable {
        /// Something else, HTTP/1.1 perhaps.
        case no
        /// So far; more bytes will tell.
        case partly
        case yes
    }

    static var bytes: Span<UInt8> {
        @_lifetime(immortal)
        get { ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" as StaticString).bytes }
    }

    /// Whether `bytes` begin with the preface.
    public static func match(_ bytes: Span<UInt8>) -> Match {
        let preface = Self.bytes
        let count = min(bytes.count, preface.count)
        for i in 0..<count where bytes[i] != preface[i] { return .no }
        return count == preface.count ? .yes : .partly
    }
}
