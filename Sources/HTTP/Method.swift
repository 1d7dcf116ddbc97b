/// The request methods this program knows. (RFC 9110 §9, RFC 5789)
public enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, connect, trace
    /// A well-formed token that is none of the above; its bytes are at `MessageHead.methodRange`.
    case other

    /// Whether the client asks for no change of state. (RFC 9110 §9.2.1)
    @inlinable public var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        default: false
        }
    }

    /// Whether doing it twice is meant to be the same as doing it once. (RFC 9110 §9.2.2)
    @inlinable public var isIdempotent: Bool { isSafe || self == .put || self == .delete }

    /// The method as it is written; empty for `other`.
    public var text: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other: ""
        }
    }

    /// The method that is written with exactly these bytes; methods are case-sensitive.
    package init(_ bytes: Span<UInt8>) {
        for known in Method.allCases where known != .other && bytes.equals(known.text) {
            self = known
            return
        }
        self = .other
    }

    /// The known method at the start of a request line whose first eight bytes are `word`, with its length. The
    /// following space is compared too, so that `GETX` is not `GET`.
    @inline(__always)
    static func known(_ word: UInt64) -> (method: Method, length: Int) {
        switch UInt32(truncatingIfNeeded: word) {
        case 0x2054_4547: return (.get, 3)  // "GET "
        case 0x2054_5550: return (.put, 3)  // "PUT "
        case 0x5453_4f50: if word >> 32 & 0xff == 0x20 { return (.post, 4) }  // "POST" " "
        case 0x4441_4548: if word >> 32 & 0xff == 0x20 { return (.head, 4) }  // "HEAD" " "
        case 0x4354_4150: if word >> 32 & 0xffff == 0x2048 { return (.patch, 5) }  // "PATC" "H "
        case 0x4341_5254: if word >> 32 & 0xffff == 0x2045 { return (.trace, 5) }  // "TRAC" "E "
        case 0x454c_4544: if word >> 32 & 0xff_ffff == 0x20_4554 { return (.delete, 6) }  // "DELE" "TE "
        case 0x4954_504f: if word >> 32 == 0x2053_4e4f { return (.options, 7) }  // "OPTI" "ONS "
        case 0x4e4e_4f43: if word >> 32 == 0x2054_4345 { return (.connect, 7) }  // "CONN" "ECT "
        default: break
        }
        return (.other, 0)
    }
}
