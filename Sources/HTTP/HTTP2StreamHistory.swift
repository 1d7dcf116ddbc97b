/// What is known of streams that the library has forgotten: which of the last ones were opened, and which of these the
/// client has ended itself. It tells a client that goes on with a stream that it knows to be closed (a connection error,
/// STREAM_CLOSED) from one whose frames crossed our RST_STREAM (to be ignored), and both from one that uses an
/// identifier it had skipped (PROTOCOL_ERROR). (RFC 9113 §5.1, §5.1.1)
///
/// The last 256 streams of a connection; older ones count as opened and ended.
struct HTTP2StreamHistory: Sendable {
    private static let size = 256

    private struct Bits: Sendable {
        private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        subscript(place: Int) -> Bool {
            get { word(place >> 6) >> UInt64(place & 63) & 1 == 1 }
            set {
                let bit = UInt64(1) << UInt64(place & 63)
                let old = word(place >> 6)
                let new = newValue ? old | bit : old & ~bit
                switch place >> 6 {
                case 0: words.0 = new
                case 1: words.1 = new
                case 2: words.2 = new
                default: words.3 = new
                }
            }
        }

        private func word(_ index: Int) -> UInt64 {
            switch index {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        }
    }

    private var opened = Bits()
    private var ended = Bits()
    /// The highest identifier that the client has used; 0 before the first.
    private(set) var last: Int32 = 0

    private static func place(_ id: Int32) -> Int { Int(id >> 1) % size }

    private func isRecent(_ id: Int32) -> Bool { Int(last) - Int(id) < 2 * Self.size }

    func wasOpened(_ id: Int32) -> Bool { id <= last && (!isRecent(id) || opened[Self.place(id)]) }

    func wasEnded(_ id: Int32) -> Bool { id <= last && (!isRecent(id) || ended[Self.place(id)]) }

    /// A stream above all others begins; those between were skipped.
    mutating func open(_ id: Int32) {
        var skipped = max(last + 2, id - Int32(2 * Self.size) + 2)
        if last == 0 { skipped = max(1, id - Int32(2 * Self.size) + 2) }
        while skipped < id {
            opened[Self.place(skipped)] = false
            ended[Self.place(skipped)] = false
            skipped += 2
        }
        opened[Self.place(id)] = true
        ended[Self.place(id)] = false
        last = id
    }

    /// The client has sent END_STREAM or RST_STREAM.
    mutating func end(_ id: Int32) {
        if id <= last, isRecent(id) { ended[Self.place(id)] = true }
    }
}
