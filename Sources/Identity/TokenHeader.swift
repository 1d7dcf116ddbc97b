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
