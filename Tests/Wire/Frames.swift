/// Frames and header blocks as bytes, written without the library under test: what is right, and what is not.
/// (RFC 9113 §4, §6; RFC 7541)
package enum Frames {
    package static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    package enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    package static let endStream: UInt8 = 0x1
    package static let ack: UInt8 = 0x1
    package static let endHeaders: UInt8 = 0x4
    package static let padded: UInt8 = 0x8
    package static let priorityFlag: UInt8 = 0x20

    package static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let n = payload.count
        return [UInt8(n >> 16 & 255), UInt8(n >> 8 & 255), UInt8(n & 255), type, flags] + word(stream) + payload
    }

    package static func frame(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        frame(kind.rawValue, flags: flags, stream: stream, payload)
    }

    package static func word(_ n: UInt32) -> [UInt8] {
        [UInt8(n >> 24), UInt8(n >> 16 & 255), UInt8(n >> 8 & 255), UInt8(n & 255)]
    }

    package static func settings(_ list: [(UInt16, UInt32)] = []) -> [UInt8] {
        frame(.settings, list.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + word($0.1) })
    }

    package static var settingsAck: [UInt8] { frame(.settings, flags: ack) }

    package static func ping(_ text: String = "12345678") -> [UInt8] { frame(.ping, Array(text.utf8)) }

    package static func headers(
        _ stream: UInt32, _ fields: [(String, String)] = request(), end: Bool = true, whole: Bool = true
    ) -> [UInt8] {
        frame(
            .headers, flags: (end ? endStream : 0) | (whole ? endHeaders : 0), stream: stream, block(fields))
    }

    package static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = false) -> [UInt8] {
        frame(.data, flags: end ? endStream : 0, stream: stream, bytes)
    }

    package static func data(_ stream: UInt32, _ text: String, end: Bool = false) -> [UInt8] {
        data(stream, Array(text.utf8), end: end)
    }

    package static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        frame(.windowUpdate, stream: stream, word(increment))
    }

    package static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] {
        frame(.reset, stream: stream, word(code))
    }

    /// The pseudo-fields of a request, and others behind them.
    package static func request(
        _ method: String = "GET", _ path: String = "/", _ more: [(String, String)] = []
    ) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":authority", "plant.example"), (":path", path)] + more
    }

    // MARK: Header blocks

    /// Literals without indexing and without Huffman coding. (RFC 7541 §6.2.2)
    package static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0x00] + string($0.0) + string($0.1) }
    }

    package static func string(_ text: String) -> [UInt8] {
        let bytes = text.unicodeScalars.map { UInt8($0.value & 255) }
        return integer(bytes.count, prefix: 7) + bytes
    }

    /// RFC 7541 §5.1
    package static func integer(_ value: Int, prefix: Int, first: UInt8 = 0) -> [UInt8] {
        let most = 1 << prefix - 1
        if value < most { return [first | UInt8(value)] }
        var rest = value - most
        var out = [first | UInt8(most)]
        while rest >= 128 {
            out.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    // MARK: Reading

    package struct Frame: CustomStringConvertible {
        package var type: UInt8
        package var flags: UInt8
        package var stream: UInt32
        package var payload: [UInt8]

        package var kind: Kind? { Kind(rawValue: type) }
        /// The error code of a RST_STREAM or GOAWAY.
        package var code: UInt32? {
            switch kind {
            case .reset where payload.count == 4: Self.word(payload, 0)
            case .goAway where payload.count >= 8: Self.word(payload, 4)
            default: nil
            }
        }
        package var description: String {
            "\(kind.map { "\($0)" } ?? "type \(type)") flags \(flags) stream \(stream)"
                + (code.map { " code \($0)" } ?? " \(payload.count) bytes")
        }
        package static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
            bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// The frames in what a server sent; an unfinished one at the end is left out.
    package static func parse(_ bytes: [UInt8]) -> [Frame] {
        var out: [Frame] = []
        var at = 0
        while at + 9 <= bytes.count {
            let length = Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            guard at + 9 + length <= bytes.count else { break }
            out.append(
                Frame(
                    type: bytes[at + 3], flags: bytes[at + 4], stream: Frame.word(bytes, at + 5) & 0x7fff_ffff,
                    payload: Array(bytes[at + 9..<at + 9 + length])))
            at += 9 + length
        }
        return out
    }
}
