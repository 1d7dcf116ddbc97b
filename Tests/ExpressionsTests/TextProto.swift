/// A message in protocol buffers' text format, as far as the conformance cases of cel-spec use it.
struct TextProto {
    enum Value {
        case scalar([UInt8])
        case message(TextProto)
    }

    private(set) var fields: [(name: String, value: Value)] = []

    func all(_ name: String) -> [Value] { fields.filter { $0.name == name }.map(\.value) }

    subscript(name: String) -> TextProto? {
        for case .message(let message) in all(name) { return message }
        return nil
    }

    func bytes(_ name: String) -> [UInt8]? {
        for case .scalar(let bytes) in all(name) { return bytes }
        return nil
    }

    func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    func messages(_ name: String) -> [TextProto] {
        all(name).compactMap { if case .message(let message) = $0 { message } else { nil } }
    }

    func has(_ name: String) -> Bool { fields.contains { $0.name == name } }

    struct Failure: Error { let line: Int }

    static func parse(_ text: String) throws(Failure) -> TextProto {
        var reader = Reader(bytes: Array(text.utf8))
        return try reader.message(until: nil)
    }

    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        var failure: Failure { Failure(line: bytes.prefix(place).count { $0 == 10 } + 1) }

        mutating func skipSpace() {
            while place < bytes.count {
                switch bytes[place] {
                case 9, 10, 13, 32, UInt8(ascii: ","), UInt8(ascii: ";"): place += 1
                case UInt8(ascii: "#"): while place < bytes.count, bytes[place] != 10 { place += 1 }
                default: return
                }
            }
        }

        mutating func take(_ byte: Character) -> Bool {
            skipSpace()
            guard place < bytes.count, bytes[place] == byte.asciiValue else { return false }
            place += 1
            return true
        }

        mutating func message(until close: Character?) throws(Failure) -> TextProto {
            var message = TextProto()
            while true {
                skipSpace()
                if let close, take(close) { return message }
                guard place < bytes.count else {
                    if close == nil { return message }
                    throw failure
                }
                let name = try name()
                let colon = take(":")
                if take("{") {
                    message.fields.append((name, .message(try self.message(until: "}"))))
                } else if take("[") {
                    while !take("]") { message.fields.append((name, try element())) }
                } else {
                    guard colon else { throw failure }
                    message.fields.append((name, try element()))
                }
            }
        }

        private mutating func element() throws(Failure) -> Value {
            if take("{") { return .message(try message(until: "}")) }
            return .scalar(try scalar())
        }

        private mutating func name() throws(Failure) -> String {
            if take("[") {
                let start = place
                while place < bytes.count, bytes[place] != UInt8(ascii: "]") { place += 1 }
                defer { place += 1 }
                return "[" + String(decoding: bytes[start..<min(place, bytes.count)], as: UTF8.self) + "]"
            }
            let word = word()
            if word.isEmpty { throw failure }
            return word
        }

        private mutating func word() -> String {
            skipSpace()
            let start = place
            while place < bytes.count {
                let byte = bytes[place]
                let isWord =
                    byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || [95, 43, 45, 46].contains(byte)
                guard isWord else { break }
                place += 1
            }
            return String(decoding: bytes[start..<place], as: UTF8.self)
        }

        private mutating func scalar() throws(Failure) -> [UInt8] {
            skipSpace()
            guard place < bytes.count else { throw failure }
            guard bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'") else {
                let word = word()
                if word.isEmpty { throw failure }
                return Array(word.utf8)
            }
            var out: [UInt8] = []
            // Texts that follow one another are one.
            while place < bytes.count, bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'") {
                let quote = bytes[place]
                place += 1
                while place < bytes.count, bytes[place] != quote {
                    if bytes[place] == UInt8(ascii: "\\") {
                        try escape(into: &out)
                    } else {
                        out.append(bytes[place])
                        place += 1
                    }
                }
                place += 1
                skipSpace()
            }
            return out
        }

        private mutating func escape(into out: inout [UInt8]) throws(Failure) {
            place += 1
            guard place < bytes.count else { throw failure }
            let letter = bytes[place]
            place += 1
            func digits(_ most: Int, _ radix: Int) -> UInt32 {
                var value: UInt32 = 0
                var count = 0
                while count < most, place < bytes.count,
                    let digit = Character(Unicode.Scalar(bytes[place])).hexDigitValue, digit < radix
                {
                    value = value * UInt32(radix) + UInt32(digit)
                    place += 1
                    count += 1
                }
                return value
            }
            switch letter {
            case UInt8(ascii: "n"): out.append(10)
            case UInt8(ascii: "t"): out.append(9)
            case UInt8(ascii: "r"): out.append(13)
            case UInt8(ascii: "a"): out.append(7)
            case UInt8(ascii: "b"): out.append(8)
            case UInt8(ascii: "f"): out.append(12)
            case UInt8(ascii: "v"): out.append(11)
            case UInt8(ascii: "x"): out.append(UInt8(truncatingIfNeeded: digits(2, 16)))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let value = digits(letter == UInt8(ascii: "u") ? 4 : 8, 16)
                out += String(Character(Unicode.Scalar(value) ?? "?")).utf8
            case 48...55:
                place -= 1
                out.append(UInt8(truncatingIfNeeded: digits(3, 8)))
            default: out.append(letter)
            }
        }
    }
}
