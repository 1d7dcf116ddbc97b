import Bytes
import JSON

/// Writes entries on the hot path: fragments that were escaped before are copied, numbers are written in place, and only
/// what a stranger sent in this request is escaped. No String, no allocation.
public enum AuditLine {
    /// Longest request target in an entry, in bytes. Longer ones are cut: the log's size must not be the client's to
    /// choose. The access log has the same bound.
    public static let targetBytesMax = 512

    /// Appends the entry of one request that was decided and, where it was passed on, answered.
    ///
    /// - Parameters:
    ///   - clock: the reactor's, so that date and time are formatted once a second.
    ///   - request: the request's id; untrusted, because a client may choose it.
    ///   - trace: 32 hexadecimal digits that were read as such, or empty.
    ///   - who: of the caller, `.empty` before one is known.
    ///   - from: of the connection.
    ///   - decision: of the route and decision.
    ///   - method: as sent; untrusted.
    ///   - target: as sent, cut at `targetBytesMax`; untrusted.
    ///   - microseconds: from the request's head to its last byte out.
    ///   - bytesIn: body bytes from the client.
    ///   - bytesOut: body bytes to the client.
    @inlinable
    public static func append<S: ByteSink>(
        _ kind: AuditKind, at now: WallInstant, clock: inout AuditClock,
        request: Span<UInt8>, trace: Span<UInt8>,
        who: borrowing AuditFragment, from: borrowing AuditFragment, decision: borrowing AuditFragment,
        method: Span<UInt8>, target: Span<UInt8>,
        status: Int, outcome: AuditOutcome, microseconds: Int, bytesIn: Int, bytesOut: Int,
        to sink: inout S
    ) {
        sink.append("{\"time\":\"")
        clock.append(now, to: &sink)
        sink.append("\",\"kind\":\"")
        sink.append(kind.word)
        sink.append("\",\"request\":")
        appendText(request, to: &sink)
        if !trace.isEmpty {
            sink.append(",\"trace\":\"")
            sink.append(copying: trace)
            sink.append(UInt8(ascii: "\""))
        }
        append(who, to: &sink)
        append(from, to: &sink)
        append(decision, to: &sink)
        sink.append(",\"method\":")
        appendText(method, to: &sink)
        sink.append(",\"target\":")
        appendText(target.count <= targetBytesMax ? target : target.extracting(0..<targetBytesMax), to: &sink)
        sink.append(",\"status\":")
        sink.append(decimal: status)
        sink.append(",\"outcome\":\"")
        sink.append(outcome.word)
        sink.append("\",\"us\":")
        sink.append(decimal: microseconds)
        sink.append(",\"bytes_in\":")
        sink.append(decimal: bytesIn)
        sink.append(",\"bytes_out\":")
        sink.append(decimal: bytesOut)
        sink.append("}\n")
    }

    /// Appends a quoted string. Nearly all of them are plain ASCII with nothing to escape: that is found out eight bytes at
    /// a time, and then they are copied; the others take the long way.
    @inlinable
    static func appendText<S: ByteSink>(_ text: Span<UInt8>, to sink: inout S) {
        guard isPlain(text) else {
            JSONText.appendString(text, to: &sink)
            return
        }
        sink.append(UInt8(ascii: "\""))
        sink.append(copying: text)
        sink.append(UInt8(ascii: "\""))
    }

    /// Whether all bytes are ASCII from the space on, other than `"` and `\`. May say no where the answer is yes.
    @inlinable
    static func isPlain(_ text: Span<UInt8>) -> Bool {
        let count = text.count
        if count < 8 {
            for i in 0..<count {
                let byte = text[i]
                if byte &- 0x20 > 0x5F || byte == 0x22 || byte == 0x5C { return false }
            }
            return true
        }
        let ones: UInt64 = 0x0101_0101_0101_0101
        var found: UInt64 = 0
        var i = 0
        // The last word overlaps the one before it.
        while i < count {
            let word = text.word(at: min(i, count &- 8))
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            found |= word | (quote &- ones) | (backslash &- ones) | (word &- (ones &* 0x20))
            i &+= 8
        }
        return found & (ones &* 0x80) == 0
    }

    /// Appends a comma and the fragment's members; nothing when it is empty.
    @inlinable
    public static func append<S: ByteSink>(_ fragment: borrowing AuditFragment, to sink: inout S) {
        if fragment.bytes.isEmpty { return }
        sink.append(UInt8(ascii: ","))
        sink.append(copying: fragment.bytes.span)
    }
}

/// Formats the time of entries, and the part before the milliseconds once a second only. One per reactor.
public struct AuditClock {
    @usableFromInline var second = Int64.min
    /// `2026-11-24T03:00:00.` of `second`.
    @usableFromInline var prefix: [UInt8] = []

    public init() { prefix.reserveCapacity(24) }

    /// Appends the 24 bytes of `now.rfc3339`.
    @inlinable
    public mutating func append<S: ByteSink>(_ now: WallInstant, to sink: inout S) {
        let seconds = now.seconds
        if seconds != second { turn(to: now, second: seconds) }
        sink.append(copying: prefix.span)
        let milliseconds = UInt32(truncatingIfNeeded: (now.nanoseconds &- seconds &* 1_000_000_000) / 1_000_000)
        sink.append(UInt8(truncatingIfNeeded: milliseconds / 100) &+ 48)
        sink.append(UInt8(truncatingIfNeeded: milliseconds / 10 % 10) &+ 48)
        sink.append(UInt8(truncatingIfNeeded: milliseconds % 10) &+ 48)
        sink.append(UInt8(ascii: "Z"))
    }

    @usableFromInline
    mutating func turn(to now: WallInstant, second: Int64) {
        prefix.removeAll(keepingCapacity: true)
        now.appendRFC3339(to: &prefix)
        prefix.removeLast(4)
        self.second = second
    }
}
