import Bytes
import Identity
import JSON
import Policy

/// For whom a batch is carried out when its request, and its token, are gone: what the policy decides by, and what the
/// audit log names. Never the token itself.
struct BatchContext: Sendable {
    let principal: Principal
    /// Of the request that brought it; `now` is the line's.
    let facts: RequestFacts
    let `protocol`: String
    let traceID: String

    init(principal: Principal, facts: RequestFacts, protocol: String, traceID: String) {
        self.principal = principal
        self.facts = facts
        self.protocol = `protocol`
        self.traceID = traceID
    }

    // MARK: On the disk

    var json: JSONValue {
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        let proof: JSONValue
        switch principal.authentication {
        case .bearer(let key, let algorithm): proof = ["kid": text(key), "alg": .string(algorithm.rawValue)]
        case .clientCertificate(let thumbprint): proof = ["x5t": .string(thumbprint)]
        }
        return [
            "subject": .string(principal.subject), "issuer": .string(principal.issuer),
            "token_id": text(principal.tokenID), "client_id": text(principal.clientID),
            "claims": .object(principal.claims), "issued": text(principal.issued?.rfc3339),
            "expires": .string(principal.expires.rfc3339), "proof": proof,
            "certificate": text(principal.certificateThumbprint), "address": text(facts.address),
            "listener": text(facts.listener), "has_certificate": .bool(facts.hasClientCertificate),
            "protocol": .string(`protocol`), "trace_id": .string(traceID),
        ]
    }

    /// Nil when it is not what `json` writes.
    init?(_ json: JSONValue) {
        guard let subject = json["subject"]?.string, let issuer = json["issuer"]?.string,
            let claims = json["claims"]?.object,
            let expires = json["expires"]?.string.flatMap({ WallInstant($0) }), let proof = json["proof"],
            let `protocol` = json["protocol"]?.string, let traceID = json["trace_id"]?.string,
            let hasCertificate = json["has_certificate"]?.bool
        else { return nil }
        let authentication: Principal.Authentication
        if let thumbprint = proof["x5t"]?.string {
            authentication = .clientCertificate(thumbprint: thumbprint)
        } else if let algorithm = proof["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:)) {
            authentication = .bearer(keyID: proof["kid"]?.string, algorithm: algorithm)
        } else {
            return nil
        }
        principal = Principal(
            subject: subject, issuer: issuer, tokenID: json["token_id"]?.string, clientID: json["client_id"]?.string,
            claims: claims, issued: json["issued"]?.string.flatMap { WallInstant($0) }, expires: expires,
            authentication: authentication, certificateThumbprint: json["certificate"]?.string)
        facts = RequestFacts(
            now: WallInstant(seconds: 0), address: json["address"]?.string, listener: json["listener"]?.string,
            hasClientCertificate: hasCertificate)
        self.protocol = `protocol`
        self.traceID = traceID
    }
}
