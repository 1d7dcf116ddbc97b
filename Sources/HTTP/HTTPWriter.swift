import Bytes

/// Writes the parts of messages. (RFC 9112 §2)
///
/// What takes a `Span` or a `StaticString` writes it as it is: for constants, and for bytes that a reader here has checked.
/// What takes a `String` checks it, so that no text from outside can end a line and begin another.
public enum HTTPWriter {
    /// `HTTP/1.1 200 OK CRLF`. - Parameter status: 100 to 999.
    @inlinable
    public static func statusLine<S: ByteSink>(_ status: Int, to sink: inout S) {
        if let line = ReasonPhrases.statusLine(status) {
            sink.append(copying: line.bytes)
        } else {
            sink.append(copying: ("HTTP/1.1 " as StaticString).bytes)
            sink.append(padded: status, width: 3)
            sink.append(copying: (" \r\n" as StaticString).bytes)
        }
    }

    /// A status line with the reason phrase that an upstream gave.
    @inlinable
    public static func statusLine<S: ByteSink>(_ status: Int, reason: Span<UInt8>, to sink: inout S) {
        sink.append(copying: ("HTTP/1.1 " as StaticString).bytes)
        sink.append(padded: status, width: 3)
        sink.append(UInt8(ascii: " "))
        sink.append(copying: reason)
        crlf(to: &sink)
    }

    /// `GET /path HTTP/1.1 CRLF`, of checked bytes.
    @inlinable
    public static func requestLine<S: ByteSink>(method: Span<UInt8>, target: Span<UInt8>, to sink: inout S) {
        sink.append(copying: method)
        sink.append(UInt8(ascii: " "))
        sink.append(copying: target)
        sink.append(copying: (" HTTP/1.1\r\n" as StaticString).bytes)
    }

    /// `name: value CRLF`, of checked bytes.
    @inlinable
    public static func field<S: ByteSink>(_ name: Span<UInt8>, _ value: Span<UInt8>, to sink: inout S) {
        sink.append(copying: name)
        sink.append(copying: (": " as StaticString).bytes)
        sink.append(copying: value)
        crlf(to: &sink)
    }

    /// `name: value CRLF`, of a constant name and checked bytes.
    @inlinable
    public static func field<S: ByteSink>(_ name: StaticString, _ value: Span<UInt8>, to sink: inout S) {
        field(name.bytes, value, to: &sink)
    }

    /// `name: value CRLF`, of constants.
    @inlinable
    public static func field<S: ByteSink>(_ name: StaticString, _ value: StaticString, to sink: inout S) {
        field(name.bytes, value.bytes, to: &sink)
    }

    /// `name: value CRLF`, of a number.
    @inlinable
    public static func field<S: ByteSink>(_ name: StaticString, decimal value: Int, to sink: inout S) {
        sink.append(copying: name.bytes)
        sink.append(copying: (": " as StaticString).bytes)
        sink.append(decimal: value)
        crlf(to: &sink)
    }

    /// `name: value CRLF`, of any text. Off the hot path.
    ///
    /// - Throws: `fieldNameInvalid`, `fieldValueInvalid`; nothing is written then.
    package static func field<S: ByteSink>(
        checking name: String, _ value: String, to sink: inout S
    ) throws(HTTPError) {
        let nameBytes = Array(name.utf8)
        let valueBytes = Array(value.utf8)
        guard isToken(nameBytes.span) else { throw .fieldNameInvalid }
        guard isFieldValue(valueBytes.span) else { throw .fieldValueInvalid }
        field(nameBytes.span, valueBytes.span, to: &sink)
    }

    /// `Content-Length: n CRLF`
    @inlinable
    public static func contentLength<S: ByteSink>(_ count: Int, to sink: inout S) {
        field("Content-Length", decimal: count, to: &sink)
    }

    /// `Transfer-Encoding: chunked CRLF`
    @inlinable
    public static func chunkedEncoding<S: ByteSink>(to sink: inout S) {
        sink.append(copying: ("Transfer-Encoding: chunked\r\n" as StaticString).bytes)
    }

    /// What stands before the payload of a chunk. - Parameter count: above zero; zero would end the body.
    @inlinable
    public static func chunkHead<S: ByteSink>(_ count: Int, to sink: inout S) {
        precondition(count > 0)
        var shift = (63 &- UInt64(count).leadingZeroBitCount) & ~3
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: count &>> shift) & 15
            sink.append(digit < 10 ? digit &+ 48 : digit &+ 87)
            shift &-= 4
        }
        crlf(to: &sink)
    }

    /// What stands behind the payload of a chunk.
    @inlinable
    public static func chunkEnd<S: ByteSink>(to sink: inout S) { crlf(to: &sink) }

    /// The last chunk, without trailers.
    @inlinable
    public static func lastChunk<S: ByteSink>(to sink: inout S) {
        sink.append(copying: ("0\r\n\r\n" as StaticString).bytes)
    }

    /// The interim response that lets a waiting client send its body. (RFC 9110 §15.2.1)
    @inlinable
    public static func continueResponse<S: ByteSink>(to sink: inout S) {
        sink.append(copying: ("HTTP/1.1 100 Continue\r\n\r\n" as StaticString).bytes)
    }

    /// The end of a line, and, alone, of a head.
    @inlinable
    public static func crlf<S: ByteSink>(to sink: inout S) {
        sink.append(copying: ("\r\n" as StaticString).bytes)
    }

    /// Whether the bytes are a token, as names of fields and methods must be. (RFC 9110 §5.6.2)
    package static func isToken(_ bytes: Span<UInt8>) -> Bool {
        bytes.count > 0 && ByteClass.token.firstStranger(in: bytes, from: 0, to: bytes.count) == bytes.count
    }

    /// Whether the bytes may stand as the value of a field: no control characters, no white space around.
    /// (RFC 9110 §5.5)
    package static func isFieldValue(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 0 else { return true }
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        if isSpace(bytes[0]) || isSpace(bytes[bytes.count - 1]) { return false }
        return bytes.firstControl(from: 0) == bytes.count
    }
}
