import Contracts

/// The `Idempotency-Key` of a write: an item of structured fields, a string in quotes; without quotes it is taken as it
/// stands, because most clients send it so. (draft-ietf-httpapi-idempotency-key-header-07 §2.1)
struct IdempotencyKey: Hashable, Sendable, CustomStringConvertible {
    /// Without the quotes.
    let text: String

    /// Longest key, in characters. Default 255; a UUID has 36.
    static let lengthMax = 255

    var description: String { text }

    /// - Throws: a problem when there is none, or when it is no key.
    init(field: String?) throws(ServiceStop) {
        guard let field else {
            throw ServiceStop(
                .refused,
                Problem(
                    .idempotencyKeyRequired,
                    "send `Idempotency-Key: \"…\"` with a value of your own, such as a UUID, new for each write"))
        }
        guard let text = Self.unquoted(field) else {
            throw .invalid(
                Violation(
                    .header("Idempotency-Key"),
                    "is no string of 1 to \(Self.lengthMax) visible ASCII characters, in quotes or without"))
        }
        self.text = text
    }

    /// Visible ASCII only: so a blank can mark later tries in the ledger.
    private static func unquoted(_ field: String) -> String? {
        var bytes = Array(field.utf8)
        while bytes.last == 32 || bytes.last == 9 { bytes.removeLast() }
        while bytes.first == 32 || bytes.first == 9 { bytes.removeFirst() }
        if bytes.first == UInt8(ascii: "\"") {
            guard bytes.count >= 2, bytes.last == UInt8(ascii: "\"") else { return nil }
            var inner: [UInt8] = []
            var rest = bytes.dropFirst().dropLast()
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\\") {
                    // Only these two may be escaped. (RFC 9651 §3.3.3)
                    guard let escaped = rest.popFirst(), escaped == UInt8(ascii: "\\") || escaped == UInt8(ascii: "\"")
                    else { return nil }
                    inner.append(escaped)
                } else if byte == UInt8(ascii: "\"") {
                    return nil
                } else {
                    inner.append(byte)
                }
            }
            bytes = inner
        } else if bytes.contains(UInt8(ascii: "\"")) {
            return nil
        }
        guard !bytes.isEmpty, bytes.count <= lengthMax, bytes.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The key under which try number `number` stands in the ledger. The first one that ended without anything done,
    /// for reasons that pass, is closed; the next gets a row of its own. A blank occurs in no client's key.
    func inLedger(try number: Int) -> String { number == 1 ? text : "\(text) \(number)" }
}
