/// Base64 with the alphabet of RFC 4648 §4 and with padding: what Standard Webhooks writes.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var i = 0
        while i < bytes.count {
            let b = i + 1 < bytes.count ? bytes[i + 1] : 0
            let c = i + 2 < bytes.count ? bytes[i + 2] : 0
            let word = UInt32(bytes[i]) << 16 | UInt32(b) << 8 | UInt32(c)
            out.append(alphabet[Int(word >> 18)])
            out.append(alphabet[Int(word >> 12 & 63)])
            out.append(i + 1 < bytes.count ? alphabet[Int(word >> 6 & 63)] : UInt8(ascii: "="))
            out.append(i + 2 < bytes.count ? alphabet[Int(word & 63)] : UInt8(ascii: "="))
            i += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil for what `encode` would not write: other characters, missing padding, bits behind the end.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count % 4 == 0 else { return nil }
        var out: [UInt8] = []
        for i in stride(from: 0, to: bytes.count, by: 4) {
            let isLast = i + 4 == bytes.count
            let padding =
                isLast ? (bytes[i + 3] == UInt8(ascii: "=") ? (bytes[i + 2] == UInt8(ascii: "=") ? 2 : 1) : 0) : 0
            var word: UInt32 = 0
            for j in 0..<4 {
                if j >= 4 - padding {
                    word <<= 6
                    continue
                }
                guard let value = value(bytes[i + j]) else { return nil }
                word = word << 6 | value
            }
            if padding == 2, word & 0xFFFF != 0 { return nil }
            if padding == 1, word & 0xFF != 0 { return nil }
            out.append(UInt8(word >> 16 & 255))
            if padding < 2 { out.append(UInt8(word >> 8 & 255)) }
            if padding < 1 { out.append(UInt8(word & 255)) }
        }
        return out
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
