import Bytes

/// A certificate authority for one machine: what `make run` needs for TLS and for trying client certificates. Values
/// only; the caller writes the files, the keys readable for their owner alone.
///
/// The authority's key is made with it; keep its PEM to issue more certificates later, or forget it.
package struct DevelopmentPKI: Sendable {
    /// A certificate and its private key, both PEM.
    package struct Identity: Sendable {
        package let certificatePEM: String
        package let privatePEM: String

        package init(certificatePEM: String, privatePEM: String) {
            self.certificatePEM = certificatePEM
            self.privatePEM = privatePEM
        }

        /// Whether the certificate is of the private key.
        package var isPair: Bool {
            guard let pair = try? PrivateKey.pem(privatePEM),
                let certified = try? PublicKey.pem(Array(certificatePEM.utf8))
            else { return false }
            return pair.publicKey.pem == certified.pem
        }

        /// The first certificate's DER; empty when there is none.
        package var der: [UInt8] { X509Maker.der(pem: certificatePEM) ?? [] }
    }

    package let authority: Identity
    private let key: PrivateKey

    /// How long an authority is valid: ten years, so that a demonstration does not break of itself.
    package static let authorityYears = 10
    /// How long a server or client certificate is valid, in days: 397, the most that browsers take.
    package static let leafDays = 397

    /// A new authority with an EC P-256 key, valid from an hour before `now` for clocks that are behind.
    package static func make(now: WallInstant, name: String = "Millgate development CA") throws(KeyError)
        -> DevelopmentPKI
    {
        let key = try PrivateKey.make(for: .es256)
        let days = Int64(authorityYears) * 365 + 2
        let pem = try X509Maker.make(
            X509Maker.Contents(
                commonName: checked(name), purpose: .authority, alternativeNames: [],
                notBefore: now + Nanoseconds.hours(-1),
                notAfter: now + .hours(24 * days)), key: key, by: nil)
        return DevelopmentPKI(authority: Identity(certificatePEM: pem, privatePEM: key.pem), key: key)
    }

    private init(authority: Identity, key: PrivateKey) {
        self.authority = authority
        self.key = key
    }

    /// The authority that was made earlier, from its two PEM texts.
    package init(certificatePEM: String, privatePEM: String) throws(KeyError) {
        key = try PrivateKey.pem(privatePEM)
        authority = Identity(certificatePEM: certificatePEM, privatePEM: privatePEM)
    }

    /// Whether this authority issued the certificate and both are good at `now`.
    package func vouches(for identity: Identity, now: WallInstant) -> Bool {
        X509Maker.verifies(identity.certificatePEM, against: authority.certificatePEM, at: now)
    }

    /// A server certificate for `localhost`, `127.0.0.1`, `::1` and the names given.
    ///
    /// - Parameter hostNames: more DNS names, such as the machine's.
    package func server(now: WallInstant, hostNames: [String] = []) throws(KeyError) -> Identity {
        var names = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]
        for host in hostNames where host != "localhost" {
            names.append("DNS:" + (try Self.checkedHost(host)))
        }
        return try leaf("localhost", .server, names, now: now)
    }

    /// A client certificate.
    ///
    /// - Parameters:
    ///   - name: the common name.
    ///   - uri: a URI among the alternative names, `spiffe://plant/line-2`.
    ///   - email: an address among the alternative names.
    package func client(
        now: WallInstant, name: String, uri: String? = nil, email: String? = nil
    ) throws(KeyError) -> Identity {
        var names: [String] = []
        if let uri { names.append("URI:" + (try Self.checked(uri))) }
        if let email { names.append("email:" + (try Self.checked(email))) }
        return try leaf(Self.checked(name), .client, names, now: now)
    }

    private func leaf(
        _ name: String, _ purpose: X509Maker.Purpose, _ names: [String], now: WallInstant
    ) throws(KeyError) -> Identity {
        let fresh = try PrivateKey.make(for: .es256)
        let contents = X509Maker.Contents(
            commonName: name, purpose: purpose, alternativeNames: names, notBefore: now + Nanoseconds.hours(-1),
            notAfter: now + .hours(24 * Int64(Self.leafDays)))
        let by = X509Maker.Authority(certificatePEM: authority.certificatePEM, key: key)
        return Identity(
            certificatePEM: try X509Maker.make(contents, key: fresh, by: by), privatePEM: fresh.pem)
    }

    /// A comma would begin another alternative name, a line break another section of OpenSSL's notation.
    private static func checked(_ name: String) throws(KeyError) -> String {
        guard !name.isEmpty, name.utf8.count <= 200, !name.contains(","),
            name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw KeyError("a certificate's name has no commas and no control characters") }
        return name
    }

    private static func checkedHost(_ name: String) throws(KeyError) -> String {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.".utf8)
        guard !name.isEmpty, name.utf8.count <= 253, name.utf8.allSatisfy(allowed.contains) else {
            throw KeyError("'\(name)' is not a host name")
        }
        return name
    }
}
