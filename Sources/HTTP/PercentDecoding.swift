import Bytes

/// Percent-encoding, strictly. (RFC 3986 §2.1)
package enum PercentDecoding {
    /// The byte that the triplet at `at` stands for; nil where it is cut or not hexadecimal.
    static func byte(_ bytes: Span<UInt8>, at: Int) -> UInt8? {
        guard at + 2 < bytes.count, bytes[at] == UInt8(ascii: "%") else { return nil }
        guard let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) else { return nil }
        return high << 4 | low
    }

    /// The text that the bytes stand for; nil where a triplet is malformed or the result is not UTF-8 or holds NUL.
    ///
    /// - Parameter plusIsSpace: as in forms and queries.
    package static func decode(_ bytes: Span<UInt8>, plusIsSpace: Bool = false) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "%"):
                guard let byte = byte(bytes, at: at), byte != 0 else { return nil }
                decoded.append(byte)
                at += 3
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(0x20)
                at += 1
            case 0:
                return nil
            case let byte:
                decoded.append(byte)
                at += 1
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- 48 < 10 { return byte &- 48 }
        let lowered = byte | 0x20
        return lowered &- 97 < 6 ? lowered &- 87 : nil
    }
}
