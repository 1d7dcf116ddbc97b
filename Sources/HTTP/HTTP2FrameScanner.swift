import Bytes

/// The first nine bytes of a frame. (RFC 9113 §4.1)
struct HTTP2FrameHeader: Sendable, Equatable {
    /// Bytes of payload.
    var length: Int
    var type: UInt8
    var flags: UInt8
    /// 0 for the connection.
    var stream: Int32
    /// Of a PRIORITY frame, the stream that it depends on.
    var dependency: Int32?

    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    /// Nil for the types that RFC 9113 does not know.
    var kind: Kind? { Kind(rawValue: type) }
    /// Also ACK, of SETTINGS and PING.
    var hasEndStream: Bool { flags & 0x1 != 0 }
    var isPadded: Bool { flags & 0x8 != 0 }
}

/// Finds the frames in what a client sends, wherever the network cuts it.
///
/// The library reads the frames; but it says nothing of those that it ignores, and ignoring is work too. So each is looked
/// at here, before the library sees it.
struct HTTP2FrameScanner: Sendable {
    private enum State: Sendable {
        /// So many bytes of the preface were right.
        case preface(Int)
        /// So many bytes of a header are in `word` and `rest`.
        case header(Int)
        /// So many bytes of payload are to be skipped.
        case payload(Int)
        case failed
    }

    private static let headerBytes = 9
    private static let prefaceBytes = 24
    private var state = State.preface(0)
    /// The first eight bytes of the header, and behind them up to five.
    private var word: UInt64 = 0
    private var rest: UInt64 = 0

    /// Whether what came first was not the preface. (RFC 9113 §3.4)
    var hasFailed: Bool {
        if case .failed = state { return true }
        return false
    }

    /// Goes on to the end of the next header, or of the bytes; `at` is moved there. The four bytes in which a PRIORITY frame
    /// names its dependency are read with its header. (RFC 9113 §6.3)
    mutating func next(_ bytes: Span<UInt8>, at: inout Int) -> HTTP2FrameHeader? {
        while at < bytes.count {
            switch state {
            case .failed:
                at = bytes.count
            case .preface(let count):
                guard bytes[at] == HTTP2Preface.bytes[count] else {
                    state = .failed
                    return nil
                }
                at += 1
                state = count + 1 == Self.prefaceBytes ? .header(0) : .preface(count + 1)
            case .payload(let left):
                let n = min(left, bytes.count - at)
                at += n
                state = n == left ? .header(0) : .payload(left - n)
            case .header(let count):
                if count == 0, bytes.count - at >= Self.headerBytes {
                    word = bytes.word(at: at).byteSwapped
                    rest = UInt64(bytes[at + 8])
                    at += Self.headerBytes
                    if let header = complete(Self.headerBytes) { return header }
                    continue
                }
                if count < 8 {
                    word = (count == 0 ? 0 : word << 8) | UInt64(bytes[at])
                    rest = 0
                } else {
                    rest = rest << 8 | UInt64(bytes[at])
                }
                at += 1
                state = .header(count + 1)
                if count + 1 >= Self.headerBytes, let header = complete(count + 1) { return header }
            }
        }
        return nil
    }

    /// The header, once enough bytes are there.
    private mutating func complete(_ count: Int) -> HTTP2FrameHeader? {
        let length = Int(word >> 40)
        let type = UInt8(truncatingIfNeeded: word >> 32)
        let wanted = type == HTTP2FrameHeader.Kind.priority.rawValue && length == 5 ? 13 : Self.headerBytes
        guard count >= wanted else {
            state = .header(count)
            return nil
        }
        let low = wanted == 13 ? rest >> 32 : rest
        let stream = UInt32(truncatingIfNeeded: word & 0xff_ffff) << 8 | UInt32(truncatingIfNeeded: low & 0xff)
        let left = length - (wanted - Self.headerBytes)
        state = left == 0 ? .header(0) : .payload(left)
        return HTTP2FrameHeader(
            length: length, type: type, flags: UInt8(truncatingIfNeeded: word >> 24),
            stream: Int32(bitPattern: stream & 0x7fff_ffff),
            dependency: wanted == 13 ? Int32(bitPattern: UInt32(truncatingIfNeeded: rest) & 0x7fff_ffff) : nil)
    }
}
