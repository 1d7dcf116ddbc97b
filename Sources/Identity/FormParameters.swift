import Bytes

/// The body of a request to an OAuth endpoint: `application/x-www-form-urlencoded`, each parameter once.
/// (RFC 6749 §3.2, appendix B)
package struct FormParameters: Sendable {
    private let values: [String: String]

    /// Longest body, in bytes.
    package static let bytesMax = 16_384

    /// Nil where a parameter is there twice (RFC 6749 §3.2), an escape is broken, or what comes out is not UTF-8.
    package init?(_ body: [UInt8]) {
        guard body.count <= Self.bytesMax else { return nil }
        var values: [String: String] = [:]
        for part in body.split(separator: UInt8(ascii: "&")) {
            let name = part.prefix { $0 != UInt8(ascii: "=") }
            guard let key = Self.decode(name), let value = Self.decode(part.dropFirst(name.count + 1)) else {
                return nil
            }
            guard values.updateValue(value, forKey: key) == nil else { return nil }
        }
        self.values = values
    }

    /// A parameter; nil when it is not there or empty. (RFC 6749 §3.2)
    package subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Undoes the encoding: `+` is a space, `%` and two hexadecimal digits a byte.
    package static func decode(_ encoded: some Sequence<UInt8>) -> String? {
        let bytes = Array(encoded)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "+"): out.append(0x20)
            case UInt8(ascii: "%"):
                guard at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) else {
                    return nil
                }
                out.append(high << 4 | low)
                at += 2
            default: out.append(bytes[at])
            }
            at += 1
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
