import Bytes

/// What the fields of a head say about the connection and the body, for requests and responses alike.
enum FieldRules {
    /// Most options of `Connection` that are looked at; more are refused. Real ones have up to three; bounds the work.
    private static let connectionOptionsMax = 16

    struct ConnectionOptions {
        var close = false
        var keepAlive = false
        var upgrade = false
        /// `Connection: transfer-encoding`: an old server's habit in answers, and in a request a way to make somebody
        /// behind us forget how its body is framed.
        var transferEncoding = false
    }

    /// Reads all lines of `Connection` and marks the fields they nominate. (RFC 9110 §7.6.1)
    static func connection(of head: MessageHead, _ bytes: Span<UInt8>) throws(HTTPError) -> ConnectionOptions {
        var options = ConnectionOptions()
        guard let first = head.first(.connection) else { return options }
        if head.state.pointee.repeated & FieldName.connection.bit == 0 {
            let value = bytes.extracting(first.valueRange)
            switch value.count {
            case 5 where value.equalsIgnoringCase("close"):
                options.close = true
                return options
            case 10 where value.equalsIgnoringCase("keep-alive"):
                options.keepAlive = true
                return options
            default: break
            }
        }
        try connectionLists(of: head, bytes, &options)
        return options
    }

    @inline(never)
    private static func connectionLists(
        of head: MessageHead, _ bytes: Span<UInt8>, _ options: inout ConnectionOptions
    ) throws(HTTPError) {
        var left = connectionOptionsMax
        for i in 0..<head.count where head[i].name == .connection {
            var list = FieldList(head[i].valueRange)
            while let element = list.next(bytes) {
                left -= 1
                let option = bytes.extracting(element)
                let stranger = ByteClass.token.firstStranger(in: option, from: 0, to: option.count)
                if left < 0 || stranger < option.count { throw .connectionOptionForbidden }
                if option.equalsIgnoringCase("close") {
                    options.close = true
                } else if option.equalsIgnoringCase("keep-alive") {
                    options.keepAlive = true
                } else if option.equalsIgnoringCase("upgrade") {
                    options.upgrade = true
                } else {
                    if option.equalsIgnoringCase("transfer-encoding") { options.transferEncoding = true }
                    try nominate(option, in: head, bytes)
                }
            }
        }
    }

    private static func nominate(
        _ option: Span<UInt8>, in head: MessageHead, _ bytes: Span<UInt8>
    ) throws(HTTPError) {
        let name = FieldName(option)
        // `Connection: Authorization` asks us to forward the request without it, past whoever checks it behind us.
        if FieldName.endToEnd & name.bit & ~FieldName.other.bit != 0 { throw .connectionOptionForbidden }
        for j in 0..<head.count where head[j].name == name {
            if name != .other || bytes.extracting(head[j].nameRange).equalsIgnoringCase(option) {
                head.markHopByHop(j)
            }
        }
    }

    /// Whether `Upgrade` asks for, or grants, `websocket` and nothing else: a list would let the other side choose what we
    /// do not understand, `h2c` for one, and talk past us.
    static func isWebSocket(_ head: MessageHead, _ bytes: Span<UInt8>) -> Bool {
        guard let line = head.first(.upgrade), head.state.pointee.repeated & FieldName.upgrade.bit == 0 else {
            return false
        }
        return bytes.extracting(line.valueRange).equalsIgnoringCase("websocket")
    }

    /// The one `Content-Length`. Repeated or list-valued ones are refused even where all are equal: some parsers take the
    /// first, some the last, some the sum of the text. Signs, spaces and anything but digits too. (RFC 9112 §6.3)
    static func contentLength(_ line: FieldLine, _ bytes: Span<UInt8>) throws(HTTPError) -> Int64 {
        guard let length = bytes.extracting(line.valueRange).decimal else { throw .contentLengthInvalid }
        return Int64(length)
    }

    /// Accepts `chunked` and nothing else. Where the value is a clean list of other codings it is merely not supported;
    /// where it plays with `chunked` it is an attempt to be read in two ways. (RFC 9112 §6.1, §7)
    static func transferEncoding(_ line: FieldLine, _ bytes: Span<UInt8>) throws(HTTPError) {
        let value = bytes.extracting(line.valueRange)
        if value.count == 7, value.equalsIgnoringCase("chunked") { return }
        throw otherTransferEncoding(line.valueRange, bytes)
    }

    private static func otherTransferEncoding(_ range: Range<Int>, _ bytes: Span<UInt8>) -> HTTPError {
        var list = FieldList(range)
        var sawChunked = false
        var count = 0
        while let element = list.next(bytes) {
            count += 1
            let coding = bytes.extracting(element)
            // `chunked` must be the last coding and stand once.
            if sawChunked { return .transferEncodingObfuscated }
            if ByteClass.token.firstStranger(in: coding, from: 0, to: coding.count) < coding.count {
                return .transferEncodingObfuscated
            }
            sawChunked = coding.equalsIgnoringCase("chunked")
        }
        // Nothing, or `chunked` alone with empty elements around it: `, chunked`.
        return count == 0 || count == 1 && sawChunked ? .transferEncodingObfuscated : .transferEncodingUnsupported
    }
}

/// Walks a comma-separated list (RFC 9110 §5.6.1). Elements are without the white space around them; empty ones are passed
/// over. Quoted strings are not understood: the lists read with it hold tokens.
struct FieldList {
    private var at: Int
    private let end: Int

    init(_ range: Range<Int>) {
        at = range.lowerBound
        end = range.upperBound
    }

    mutating func next(_ bytes: Span<UInt8>) -> Range<Int>? {
        while at < end {
            var start = at
            while at < end, bytes[at] != UInt8(ascii: ",") { at += 1 }
            var stop = at
            at += 1
            while start < stop, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
            while stop > start, bytes[stop - 1] == 0x20 || bytes[stop - 1] == 0x09 { stop -= 1 }
            if start < stop { return start..<stop }
        }
        return nil
    }
}
