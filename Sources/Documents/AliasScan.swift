import Bytes

/// Finds aliases before YAML is composed: a few lines of nested aliases stand for billions of nodes, and Yams hashes
/// whatever stands as a key.
///
/// An alias `*name` only works with an anchor `&name`, so a text without both is safe. The scan does not know quotes
/// and comments: a text that has both in prose is refused too, which says so and is easily reworded.
enum AliasScan {
    static func firstAlias(in text: String, file: String) -> DocumentMark? {
        let bytes = text.utf8.span
        let anchors = names(behind: UInt8(ascii: "&"), in: bytes)
        if anchors.isEmpty { return nil }
        let named = Set(anchors.map(\.name))
        guard let alias = names(behind: UInt8(ascii: "*"), in: bytes).first(where: { named.contains($0.name) }) else {
            return nil
        }
        var line = 1
        var column = 1
        for i in 0..<alias.offset {
            if bytes[i] == 0x0A {
                line += 1
                column = 1
            } else if bytes[i] & 0xC0 != 0x80 {
                column += 1
            }
        }
        return DocumentMark(file: file, line: line, column: column)
    }

    private static func names(behind sign: UInt8, in bytes: Span<UInt8>) -> [(name: [UInt8], offset: Int)] {
        var found: [(name: [UInt8], offset: Int)] = []
        var at = 0
        while let sign = bytes.firstIndex(of: sign, from: at) {
            var end = sign + 1
            while end < bytes.count, isNameByte(bytes[end]) { end += 1 }
            if end > sign + 1 { found.append((bytes.extracting(sign + 1..<end).array, sign)) }
            at = sign + 1
        }
        return found
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
