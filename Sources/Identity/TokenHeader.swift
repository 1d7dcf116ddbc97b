import Bytes
import JSON

/// What the verifier looks at in a JOSE header. Everything else in it, `jku`, `x5u`, `jwk`, `x5c` above all, is
/// ignored: a token does not bring its own key. (RFC 7515 §4.1, RFC 8725 §3.10)
struct TokenHeader {
    let algorithm: SignatureAlgorithm
    let keyID: String?
    /// `typ` as written.
    let type: String?

    static let limits = JSONLimits(depthMax: 16, bytesMax: 16_384)

    init(_ json: [UInt8]) throws(TokenError) {
        let object = try Self.object(json)
        // Exact spelling: `alg` is case-sensitive (RFC 7515 §4.1.1), and `none`, `None`, `nOnE` are all no algorithm.
        guard let name = object["alg"]?.string else { throw .malformed }
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .algorithmNotAllowed }
        if object.contains("crit") { throw .criticalHeader }
        self.algorithm = algorithm
        keyID = try Self.text(object, "kid")
        type = try Self.text(object, "typ")
        if let keyID, keyID.utf8.count > JWK.keyIDBytesMax { throw .malformed }
    }

    private static func parse(_ text: Span<UInt8>) throws(TokenError) -> TokenHeader {
        guard let bytes = Base64URL.decode(text) else { throw .malformed }
        return try TokenHeader(bytes)
    }

    /// The header whose base64url is `text`, from `memo` where it is the same as there.
    static func read(_ text: Span<UInt8>, memo: borrowing TokenHeaderMemo) throws(TokenError) -> TokenHeader {
        if let known = memo.header, TokenBytes.equal(memo.text, text) { return known }
        return try parse(text)
    }

    /// A JSON object without duplicate members: two readers must not see two different tokens. (RFC 7515 §5.2)
    static func object(_ json: [UInt8]) throws(TokenError) -> JSONObject {
        do {
            guard let object = try JSONValue.parse(json, limits: limits).object else { throw TokenError.malformed }
            return object
        } catch {
            throw .malformed
        }
    }

    private static func text(_ object: JSONObject, _ name: String) throws(TokenError) -> String? {
        guard let value = object[name] else { return nil }
        guard let text = value.string else { throw .malformed }
        return text
    }
}

/// The header of the last token that was verified. Tokens of one issuer and key differ in their claims and hardly ever in
/// their headers, which then need not be read again. What it holds follows from the bytes alone, so that it stays true
/// whatever becomes of keys and issuers. One per reactor.
package struct TokenHeaderMemo {
    fileprivate(set) var text: [UInt8] = []
    fileprivate(set) var header: TokenHeader?

    package init() {}

    /// Longest header that is kept, in bytes of its base64url.
    private static let textBytesMax = 1_024

    mutating func keep(_ header: TokenHeader, _ text: Span<UInt8>) {
        if text.count > Self.textBytesMax || TokenBytes.equal(self.text, text) { return }
        self.text = text.array
        self.header = header
    }
}
