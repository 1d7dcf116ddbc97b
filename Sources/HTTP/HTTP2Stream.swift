import Bytes

/// Who takes what a client sends on one stream. Called from within `HTTP2Session.receive` and `produce`: the session may be
/// asked to answer, but neither to receive nor to produce.
public protocol HTTP2Receiver: AnyObject {
    /// The head is complete and right: `stream.head`, with positions into `stream.headBytes`.
    func requestHead()
    /// The head is understood and cannot be taken: to be answered with the error's status.
    func requestRefused(_ error: HTTPError)
    /// Payload of the body. Give its room back with `HTTP2Session.consume` once it was taken.
    func requestBody(_ bytes: Span<UInt8>)
    /// The client has finished the request; `stream.trailers` are complete.
    func requestEnded()
    /// Bytes of the response left for the client.
    func responseTaken(_ count: Int)
    /// The stream is closed, by both ends or by an error. The last call.
    func closed(_ code: UInt32)
}

/// One stream: the head of its request, and the part of its response that is not sent yet. Reused for many.
///
///     idle ─HEADERS─▶ open ─END_STREAM─▶ half-closed ─our END_STREAM─▶ closed
///                      └──────────── RST_STREAM from either ─────────────┘      (RFC 9113 §5.1)
public final class HTTP2Stream {
    /// The request head.
    public let head: MessageHead
    let headBuffer = IOBuffer(capacity: 1_024)
    /// Fields of the response head that is being written, each behind its lengths.
    let fields = IOBuffer(capacity: 1_024)
    /// Who takes the request. Set by who hands the stream out.
    public final var receiver: (any HTTP2Receiver)?
    /// Bytes of the response body that wait for the client's windows; nil where there were none yet.
    public final var waiting: IOBuffer?
    /// Odd, rising within a connection; 0 while the stream waits in a pool.
    public internal(set) final var id: Int32 = 0
    /// Trailer fields of the request, as lines with CRLF. (RFC 9113 §8.1)
    public internal(set) final var trailers: [UInt8] = []
    /// Whether the request is complete.
    public internal(set) final var requestEnded = false
    /// Whether the stream is to be reset, though that has not been said yet: no work is to be begun for it.
    public internal(set) final var isDoomed = false
    /// Whether the response's last byte was given, not necessarily sent.
    public internal(set) final var responseEnded = false

    final var pseudo = HTTP2PseudoFields()
    final var phase = Phase.head
    /// What is wrong with the head so far; it is decoded to its end nevertheless, for the compression's sake.
    final var fault: HTTPError?
    /// Size of the head as in SETTINGS_MAX_HEADER_LIST_SIZE. (RFC 9113 §6.5.2)
    final var listBytes = 0
    /// The producer has nothing ready, and the session waits to be told.
    final var isDeferred = false
    final var hasTrailers = false
    /// The final response head was submitted.
    final var isAnswered = false
    final var status = 0
    /// Fields collected in `fields`.
    final var fieldCount = 0

    enum Phase {
        case head
        case body
        case trailers
    }

    public init(limits: HTTPLimits) {
        // One more for `Host`, which comes as a pseudo-field, and two for an upgrade.
        head = MessageHead(capacity: min(32_767, limits.fieldCountMax + 3))
    }

    /// The bytes of the request head. Good until the stream is used for another request.
    public var headBytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let buffer = headBuffer
            return _overrideLifetime(buffer.readable, borrowing: self)
        }
    }

    /// Memory that the stream's buffers hold, in bytes. One that has grown is not worth keeping.
    public var bufferBytes: Int { headBuffer.capacity + fields.capacity }

    func begin(_ id: Int32) {
        self.id = id
        head.begin()
        headBuffer.clear()
        fields.clear()
        pseudo = HTTP2PseudoFields()
        phase = .head
        fault = nil
        listBytes = 0
        trailers = []
        requestEnded = false
        responseEnded = false
        isDoomed = false
        isDeferred = false
        hasTrailers = false
        isAnswered = false
        status = 0
        fieldCount = 0
    }
}

extension HTTP2Stream {
    /// Gives the head of an extended CONNECT the key that servers of HTTP/1.1 want to see, of 16 random bytes.
    public func addWebSocketKey(_ random: (UInt64, UInt64)) {
        let alphabet = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" as StaticString).bytes
        let nameStart = headBuffer.count
        headBuffer.append("sec-websocket-key")
        let start = headBuffer.count
        // 128 bits, six at a time; the last character carries two.
        var (high, low) = random
        for _ in 0..<21 {
            headBuffer.append(alphabet[Int(high >> 58)])
            high = high << 6 | low >> 58
            low <<= 6
        }
        headBuffer.append(alphabet[Int(high >> 62) << 4])
        headBuffer.append("==")
        let line = FieldLine(
            name: .secWebSocketKey, nameStart: UInt32(truncatingIfNeeded: nameStart),
            nameEnd: UInt32(truncatingIfNeeded: start), valueStart: UInt32(truncatingIfNeeded: start),
            valueEnd: UInt32(truncatingIfNeeded: headBuffer.count))
        if head.first(.secWebSocketKey) == nil {
            _ = head.addField(line)
        } else {
            head.replaceAll(.secWebSocketKey, by: line)
        }
    }
}
