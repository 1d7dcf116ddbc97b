import Bytes

/// What a reader of bodies answers. `consumed` counts from the start of the bytes given; so many are to be consumed
/// before the next call.
public enum BodyStep: Sendable, Hashable {
    /// More bytes are needed.
    case needMore(consumed: Int)
    /// Payload stands in this range of the bytes given; use it, then consume.
    case data(Range<Int>, consumed: Int)
    /// The body is complete; what follows belongs to the next message.
    case end(consumed: Int)
}

/// Reads one body: skips the framing and hands out ranges of payload; nothing is copied but trailers.
/// (RFC 9112 §6, §7.1)
///
///     size ─▶ size LF ─▶ data ─▶ data CR ─▶ data LF ─▶ size …
///       └─ size of zero ─▶ size LF ─▶ trailers ─▶ done
public struct BodyReader: Sendable {
    private enum State: Sendable {
        case done
        case length(left: Int64)
        case untilClose
        /// Digits of a chunk size; `digits` of them were read.
        case size(Int64, digits: Int)
        case sizeLineFeed(Int64)
        case data(left: Int64)
        case dataReturn
        case dataLineFeed
        case trailers
        case failed(HTTPError)
    }

    /// Most digits of a chunk size, leading zeros counted. 16 hold any 64-bit number.
    private static let sizeDigitsMax = 16

    private let bodyMax: Int64
    private let trailerBytesMax: Int
    private var state: State
    /// Payload so far, in bytes; of a chunked body what its size lines announced so far.
    private var total: Int64 = 0
    private var section = TrailerSection()

    public init(framing: BodyFraming, limits: HTTPLimits = HTTPLimits()) {
        bodyMax = limits.bodyBytesMax
        trailerBytesMax = limits.trailerBytesMax
        switch framing {
        case .none, .length(0): state = .done
        case .length(let length): state = length > limits.bodyBytesMax ? .failed(.bodyTooLarge) : .length(left: length)
        case .chunked: state = .size(0, digits: 0)
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the end was reached.
    public var isComplete: Bool {
        if case .done = state { return true }
        return false
    }

    /// Whether payload was announced or seen that is not handed out yet, or the end is still to come.
    public var isOpen: Bool { !isComplete }

    /// Payload still to come of a body whose length was told; 0 of any other.
    public var lengthLeft: Int64 {
        if case .length(let left) = state { return left }
        return 0
    }

    /// Counts payload that went on without coming by here, at most `lengthLeft` bytes.
    public mutating func skip(_ count: Int) {
        let left = lengthLeft
        precondition(count >= 0 && Int64(count) <= left)
        if count > 0 { state = left == Int64(count) ? .done : .length(left: left - Int64(count)) }
    }

    /// The trailer fields, in their order, once the body is complete. Names as they came.
    package var trailers: [(String, String)] { section.fields }

    /// Reads on. To be called again, behind what was consumed, until it says `end` or `needMore`.
    ///
    /// - Throws: the reason of refusal, the same one at each later call.
    public mutating func read(_ bytes: Span<UInt8>) throws(HTTPError) -> BodyStep {
        switch state {
        case .done:
            return .end(consumed: 0)
        case .length(let left):
            let n = take(bytes.count, left)
            if n == 0 { return .needMore(consumed: 0) }
            state = left == Int64(n) ? .done : .length(left: left - Int64(n))
            return .data(0..<n, consumed: n)
        case .untilClose:
            if bytes.count == 0 { return .needMore(consumed: 0) }
            total += Int64(bytes.count)
            if total > bodyMax { throw fail(.bodyTooLarge) }
            return .data(0..<bytes.count, consumed: bytes.count)
        case .failed(let error):
            throw error
        default:
            do {
                return try readChunked(bytes)
            } catch {
                throw fail(error)
            }
        }
    }

    /// To be called where the connection ends.
    ///
    /// - Throws: `bodyIncomplete` unless the body is complete, or ends just so. What was received of it must not be
    ///   taken for the whole. (RFC 9112 §8)
    public mutating func finish() throws(HTTPError) {
        switch state {
        case .done: return
        case .untilClose: state = .done
        case .failed(let error): throw error
        default: throw fail(.bodyIncomplete)
        }
    }

    private mutating func fail(_ error: HTTPError) -> HTTPError {
        state = .failed(error)
        return error
    }

    /// The smaller of what is there and what is left.
    @inline(__always)
    private func take(_ count: Int, _ left: Int64) -> Int {
        Int64(count) < left ? count : Int(truncatingIfNeeded: left)
    }

    private mutating func readChunked(_ bytes: Span<UInt8>) throws(HTTPError) -> BodyStep {
        var at = 0
        let count = bytes.count
        while at < count {
            let byte = bytes[at]
            switch state {
            case .size(let size, let digits):
                at += 1
                if let digit = Self.hex(byte) {
                    // The top four bits, and the sign, must be free for another digit.
                    if digits == Self.sizeDigitsMax || size >> 59 != 0 { throw .chunkSizeInvalid }
                    state = .size(size << 4 | digit, digits: digits + 1)
                    continue
                }
                if digits == 0 { throw .chunkSizeInvalid }
                // Nobody needs chunk extensions, and readers disagree on where they end: a line feed alone, or quotes,
                // in one hides a whole request. (RFC 9112 §7.1.1 allows to ignore them; we refuse.)
                if byte == UInt8(ascii: ";") { throw .chunkExtension }
                // White space before the extension or the line's end is read as part of the number by some.
                if byte != 0x0d { throw byte == 0x0a ? .lineEndingInvalid : .chunkSizeInvalid }
                let (sum, overflow) = total.addingReportingOverflow(size)
                if overflow || sum > bodyMax { throw .bodyTooLarge }
                total = sum
                state = .sizeLineFeed(size)
            case .sizeLineFeed(let size):
                if byte != 0x0a { throw .lineEndingInvalid }
                at += 1
                state = size == 0 ? .trailers : .data(left: size)
            case .data(let left):
                let n = take(count - at, left)
                state = left == Int64(n) ? .dataReturn : .data(left: left - Int64(n))
                return .data(at..<at + n, consumed: at + n)
            case .dataReturn:
                // Without this check a chunk can be longer for the next reader than it was for us.
                if byte != 0x0d { throw .chunkEndingInvalid }
                at += 1
                state = .dataLineFeed
            case .dataLineFeed:
                if byte != 0x0a { throw .chunkEndingInvalid }
                at += 1
                state = .size(0, digits: 0)
            case .trailers:
                let (consumed, isComplete) = try section.read(
                    bytes.extracting(at..<count), bytesMax: trailerBytesMax)
                at += consumed
                guard isComplete else { return .needMore(consumed: at) }
                state = .done
                return .end(consumed: at)
            case .done, .length, .untilClose, .failed:
                return .end(consumed: at)
            }
        }
        return .needMore(consumed: at)
    }

    @inline(__always)
    private static func hex(_ byte: UInt8) -> Int64? {
        if byte &- 48 < 10 { return Int64(byte &- 48) }
        let lowered = byte | 0x20
        return lowered &- 97 < 6 ? Int64(lowered &- 87) : nil
    }
}
