import Bytes

/// The place of a request in a distributed trace: the `traceparent` field of W3C Trace Context.
/// (https://www.w3.org/TR/trace-context/ §3.2)
///
/// What a gateway does with the two fields:
/// - exactly one valid `traceparent`: continue the trace with a `child`, and pass `tracestate` on unchanged (several
///   `tracestate` lines are one list, in their order; we add no member of our own, and never shorten it);
/// - no `traceparent`, an invalid one, or more than one: `create` a new trace and drop `tracestate`, which means
///   nothing without its parent (§4.3).
/// Neither field is trusted for anything but correlation.
package struct TraceContext: Hashable, Sendable {
    /// 128 bits that name the trace. Never all zero.
    package let traceHigh: UInt64
    package let traceLow: UInt64
    /// 64 bits that name the caller's span (`parent-id`). Never zero.
    package let span: UInt64
    /// Only the flags that version 00 knows: sampled (1) and, of level 2, random trace id (2).
    package let flags: UInt8

    /// Whether the caller may have recorded the trace.
    @inlinable package var isSampled: Bool { flags & 1 != 0 }

    @usableFromInline
    init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.flags = flags
    }

    /// Length of the text, in bytes.
    package static let textLength = 55

    /// A new trace, from random bits. Bits that are all zero, which the standard forbids, become 1.
    package static func create(
        random first: UInt64, _ second: UInt64, span: UInt64, sampled: Bool
    ) -> TraceContext {
        TraceContext(
            traceHigh: first, traceLow: first == 0 && second == 0 ? 1 : second, span: span == 0 ? 1 : span,
            flags: sampled ? 3 : 2)
    }

    /// The same trace with a span of our own, to be passed on.
    @inlinable
    package func child(span: UInt64) -> TraceContext {
        TraceContext(traceHigh: traceHigh, traceLow: traceLow, span: span == 0 ? 1 : span, flags: flags)
    }

    /// Reads the value of a `traceparent` field, nil when it is invalid.
    ///
    /// Version 00 is exactly 55 bytes: `00-` 32 digits `-` 16 digits `-` 2 digits, lower case only. A later version
    /// may go on after these with a `-` and is read as far as we know it. Version ff does not exist.
    package static func parse(_ text: Span<UInt8>) -> TraceContext? {
        guard text.count >= textLength, let version = hex(text, 0, 2), version != 0xFF,
            version == 0 ? text.count == textLength : text.count == textLength || text[55] == UInt8(ascii: "-"),
            text[2] == UInt8(ascii: "-"), text[35] == UInt8(ascii: "-"), text[52] == UInt8(ascii: "-"),
            let high = hex(text, 3, 16), let low = hex(text, 19, 16), high | low != 0,
            let span = hex(text, 36, 16), span != 0,
            let flags = hex(text, 53, 2)
        else { return nil }
        return TraceContext(
            traceHigh: high, traceLow: low, span: span, flags: UInt8(truncatingIfNeeded: flags) & 3)
    }

    /// Appends the 55 bytes of version 00.
    @inlinable
    package func append<Sink: ByteSink>(to sink: inout Sink) {
        sink.append("00-")
        appendTraceID(to: &sink)
        sink.append(UInt8(ascii: "-"))
        sink.append(hex: span)
        sink.append("-0")
        sink.append(UInt8(ascii: "0") &+ flags)
    }

    /// Appends the 32 digits of the trace id, for logs and the audit.
    @inlinable
    package func appendTraceID<Sink: ByteSink>(to sink: inout Sink) {
        sink.append(hex: traceHigh)
        sink.append(hex: traceLow)
    }

    // The same on the hot path, where nothing need be found out about the sink.

    package func append(to out: IOBuffer) {
        out.append("00-")
        appendTraceID(to: out)
        out.append(UInt8(ascii: "-"))
        out.append(hex: span)
        out.append("-0")
        out.append(UInt8(ascii: "0") &+ flags)
    }

    package func appendTraceID(to out: IOBuffer) {
        out.append(hex: traceHigh)
        out.append(hex: traceLow)
    }

    /// The field's value. Off the hot path.
    package var text: String {
        var out: [UInt8] = []
        append(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The 32 digits of the trace id. Off the hot path.
    package var traceID: String {
        var out: [UInt8] = []
        appendTraceID(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private static func hex(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64? {
        var value: UInt64 = 0
        for i in start..<start + count {
            let c = text[i]
            let digit: UInt8
            switch c {
            case 48...57: digit = c - 48
            case 97...102: digit = c - 87
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
