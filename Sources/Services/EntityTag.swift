import Bytes

/// The `ETag` of an answer: of its bytes as this caller gets them, so that two who may not see the same never share
/// one. (RFC 9110 §8.8.3)
enum EntityTag {
    /// Bytes of the digest that are kept. 16: equal by chance is out of the question.
    private static let digestBytes = 16

    static func of(_ body: [UInt8], _ sha256: ([UInt8]) -> [UInt8]) -> String {
        "\"\(Base64URL.encode(Array(sha256(body).prefix(digestBytes))))\""
    }

    /// Whether an `If-None-Match` field names the tag; weak and strong ones are the same to it. (RFC 9110 §13.1.2)
    static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { part in
            var text = part[...]
            while text.first == " " || text.first == "\t" { text.removeFirst() }
            while text.last == " " || text.last == "\t" { text.removeLast() }
            if text == "*" { return true }
            if text.hasPrefix("W/") { text.removeFirst(2) }
            return text == tag
        }
    }
}

extension ServiceAnswer {
    /// Adds the `ETag`; where the caller has this very answer already it becomes 304, without a body.
    mutating func validate(against ifNoneMatch: String?, _ sha256: ([UInt8]) -> [UInt8]) {
        let tag = EntityTag.of(body, sha256)
        fields.append(("ETag", tag))
        guard let ifNoneMatch, EntityTag.matches(ifNoneMatch, tag) else { return }
        status = 304
        body = []
    }
}
