import Bytes
import JSON

/// Why a client certificate gives no principal. The chain was checked by TLS before; this is about its names.
package enum CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not one DER certificate, and nothing behind it.
    case unreadable
    /// No common name and no alternative name of a kind that is looked at.
    case nameless
    /// A name with a NUL or another control character, as in `admin\0.evil.example` (CVE-2009-2408).
    case illegalName
    /// Several common names: which one is meant is anybody's guess.
    case ambiguousName
    /// Before `notBefore`, or after `notAfter`.
    case outsideValidity

    package var description: String {
        switch self {
        case .unreadable: "the client certificate cannot be read"
        case .nameless: "the client certificate has no name"
        case .illegalName: "the client certificate has a name with a control character"
        case .ambiguousName: "the client certificate has several common names"
        case .outsideValidity: "the client certificate has expired or is not valid yet"
        }
    }
}

/// What a client certificate says about its owner. (RFC 5280 §4.1, §4.2.1.6)
package struct ClientCertificate: Sendable, Hashable {
    /// A name that can become the principal's subject.
    package enum Name: String, Sendable, Hashable, CaseIterable {
        /// First URI of the alternative names, as SPIFFE has it.
        case uri
        /// The subject's one common name.
        case commonName = "cn"
        /// First DNS name of the alternative names.
        case dns
        /// First e-mail address of the alternative names.
        case email
    }

    /// SHA-256 of the DER in base64url without padding, `x5t#S256`. (RFC 8705 §3.1)
    package let thumbprint: String
    package let commonName: String?
    package let dnsNames: [String]
    package let uris: [String]
    package let emails: [String]
    /// Distinguished name of the issuer as in RFC 2253, `CN=Plant CA,O=Mill`.
    package let issuer: String
    /// Serial number in upper-case hexadecimal.
    package let serial: String
    package let notBefore: WallInstant
    package let notAfter: WallInstant

    /// The names as claims, for rules: `cn`, `dns`, `uri`, `email` (arrays), `serial`.
    package var claims: JSONObject {
        var object = JSONObject()
        if let commonName { object["cn"] = .string(commonName) }
        for (name, values) in [("dns", dnsNames), ("uri", uris), ("email", emails)] where !values.isEmpty {
            object[name] = .array(values.map { .string($0) })
        }
        object["serial"] = .string(serial)
        return object
    }

    /// The principal that the certificate proves, once TLS has checked its chain and the possession of its key.
    ///
    /// - Parameter preferring: which name is the subject: the first of these that the certificate has.
    package func principal(
        now: WallInstant, preferring: [Name] = [.uri, .commonName, .dns, .email]
    ) throws(CertificateError) -> Principal {
        guard now >= notBefore, now < notAfter else { throw .outsideValidity }
        var subject: String?
        for name in preferring where subject == nil {
            switch name {
            case .uri: subject = uris.first
            case .commonName: subject = commonName
            case .dns: subject = dnsNames.first
            case .email: subject = emails.first
            }
        }
        guard let subject else { throw .nameless }
        return Principal(
            subject: subject, issuer: issuer, tokenID: serial, claims: claims, expires: notAfter,
            authentication: .clientCertificate(thumbprint: thumbprint), certificateThumbprint: thumbprint)
    }
}
