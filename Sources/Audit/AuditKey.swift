import Bytes

/// The secret that authenticates the log's segments and its head.
///
/// A new key starts with the next segment; verification accepts all keys it is given and picks by `id`.
package struct AuditKey: Sendable, Equatable {
    /// Fewest bytes of a secret: the strength of SHA-256. (RFC 2104 §3)
    package static let secretBytesMin = 32

    /// 16 hexadecimal digits that name the key in headers, seals and heads. Derived from the secret, reveals nothing.
    package let id: String
    private let secret: [UInt8]

    /// Nil when the secret is shorter than `secretBytesMin`. One line end after the secret, as text editors add it, is
    /// not part of it.
    package init?(secret: [UInt8]) {
        var secret = secret
        if secret.last == 10 { secret.removeLast() }
        if secret.last == 13 { secret.removeLast() }
        guard secret.count >= Self.secretBytesMin else { return nil }
        self.secret = secret
        let name = AuditDigest.mac(key: secret, message: Array("millgate audit key id".utf8))
        id = Hex.encode(Array(name.bytes.prefix(8)))
    }

    /// MAC over `domain`, a zero byte, `link` and `bytes`. The domain keeps a MAC made for one purpose from serving
    /// another.
    func mac(_ domain: StaticString, link: AuditDigest, _ bytes: Span<UInt8>) -> AuditDigest {
        var message: [UInt8] = []
        message.reserveCapacity(bytes.count + 64)
        message.append(copying: domain.bytes)
        message.append(0)
        message.append(contentsOf: link.bytes)
        message.append(copying: bytes)
        return .mac(key: secret, message: message)
    }

    package static func == (a: Self, b: Self) -> Bool { a.id == b.id && a.secret == b.secret }
}

extension AuditKey: CustomStringConvertible, CustomReflectable {
    // The secret must not reach a log by way of string interpolation or `dump`.
    package var description: String { "AuditKey(\(id))" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
