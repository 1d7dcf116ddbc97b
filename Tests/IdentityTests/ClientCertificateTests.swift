import Bytes
import JSON
import Seeded
import Testing

@testable import Identity

/// Client certificates, and the development authority that makes them.
struct ClientCertificateTests {
    static let now = TestKeys.now

    private func make(
        commonName: String = "line-2", names: [String] = [], from: Int64 = -60, to: Int64 = 60
    ) throws -> ClientCertificate {
        let contents = X509Maker.Contents(
            commonName: commonName, purpose: .client, alternativeNames: names,
            notBefore: WallInstant(seconds: Self.now.seconds + from),
            notAfter: WallInstant(seconds: Self.now.seconds + to))
        let pem = try X509Maker.make(contents, key: TestKeys.p256, by: nil)
        return try ClientCertificate(der: X509Maker.der(pem: pem) ?? [])
    }

    @Test func theNamesOfACertificateBecomeAPrincipal() throws {
        let certificate = try make(names: [
            "DNS:line-2.mill.example", "URI:spiffe://mill/line-2", "email:line2@mill.example", "DNS:second",
            "IP:127.0.0.1",
        ])
        #expect(certificate.commonName == "line-2")
        #expect(certificate.dnsNames == ["line-2.mill.example", "second"])
        #expect(certificate.uris == ["spiffe://mill/line-2"])
        #expect(certificate.emails == ["line2@mill.example"])
        #expect(certificate.issuer == "CN=line-2,O=Millgate development")
        #expect(certificate.thumbprint.utf8.count == 43)
        let principal = try certificate.principal(now: Self.now)
        #expect(principal.subject == "spiffe://mill/line-2")
        #expect(principal.authentication == .clientCertificate(thumbprint: certificate.thumbprint))
        #expect(principal.certificateThumbprint == certificate.thumbprint)
        #expect(principal.expires == WallInstant(seconds: Self.now.seconds + 60))
        #expect(principal.claims["cn"] == "line-2")
        #expect(principal.claims["dns"] == ["line-2.mill.example", "second"])
        #expect(principal.tokenID == certificate.serial)
        #expect(try certificate.principal(now: Self.now, preferring: [.commonName]).subject == "line-2")
        #expect(try certificate.principal(now: Self.now, preferring: [.dns]).subject == "line-2.mill.example")
        #expect(try certificate.principal(now: Self.now, preferring: [.email]).subject == "line2@mill.example")
        #expect(throws: CertificateError.nameless) { try make().principal(now: Self.now, preferring: [.uri, .dns]) }
    }

    @Test func aCertificateCountsWithinItsValidityOnly() throws {
        let certificate = try make()
        for (offset, valid) in [(Int64(-61), false), (-60, true), (0, true), (59, true), (60, false)] {
            let at = WallInstant(seconds: Self.now.seconds + offset)
            let principal = try? certificate.principal(now: at)
            #expect((principal != nil) == valid)
        }
    }

    @Test func aNameWithANULOrALineBreakIsRefused() {
        for name in ["admin\0.evil.example", "admin\nroot", "\u{7F}"] {
            #expect(throws: CertificateError.illegalName) { try make(commonName: name) }
        }
    }

    @Test func namesBeyondASCIIStayWhatTheyAre() throws {
        #expect(try make(commonName: "Sägewerk Straße 2").commonName == "Sägewerk Straße 2")
    }

    @Test func everythingButOneWholeCertificateIsUnreadable() throws {
        let der = try DevelopmentPKI.make(now: Self.now).authority.der
        #expect(try ClientCertificate(der: der).commonName == "Millgate development CA")
        for count in stride(from: 0, to: der.count, by: 7) {
            #expect(throws: CertificateError.unreadable) { try ClientCertificate(der: Array(der.prefix(count))) }
        }
        #expect(throws: CertificateError.unreadable) { try ClientCertificate(der: der + [0]) }
        #expect(throws: CertificateError.unreadable) { try ClientCertificate(der: der + der) }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            var damaged = der
            damaged[Int.random(in: 0..<der.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            _ = try? ClientCertificate(der: damaged)
        }
    }

    @Test func theDevelopmentAuthorityIssuesServersAndClients() throws {
        let pki = try DevelopmentPKI.make(now: Self.now)
        let server = try pki.server(now: Self.now, hostNames: ["gateway.mill.example", "localhost"])
        let read = try ClientCertificate(der: server.der)
        #expect(read.dnsNames == ["localhost", "gateway.mill.example"])
        #expect(read.issuer == "CN=Millgate development CA,O=Millgate development")
        #expect(read.notAfter == Self.now + .hours(24 * 397))
        let client = try pki.client(now: Self.now, name: "line-2", uri: "spiffe://mill/line-2", email: "a@b.example")
        #expect(try ClientCertificate(der: client.der).principal(now: Self.now).subject == "spiffe://mill/line-2")
        #expect(PublicKeyOf.certificate(server.certificatePEM) == (try PrivateKey.pem(server.privatePEM).publicKey.pem))
        #expect(PublicKeyOf.certificate(client.certificatePEM) == (try PrivateKey.pem(client.privatePEM).publicKey.pem))
        #expect(server.privatePEM != client.privatePEM)

        let again = try DevelopmentPKI(
            certificatePEM: pki.authority.certificatePEM, privatePEM: pki.authority.privatePEM)
        for identity in [server, client, try again.client(now: Self.now, name: "later")] {
            #expect(
                X509Maker.verifies(identity.certificatePEM, against: pki.authority.certificatePEM, at: Self.now))
        }
        let other = try DevelopmentPKI.make(now: Self.now)
        #expect(!X509Maker.verifies(server.certificatePEM, against: other.authority.certificatePEM, at: Self.now))
    }

    @Test func aNameCannotBringAnotherNameWithIt() throws {
        let pki = try DevelopmentPKI.make(now: Self.now)
        for host in ["a,DNS:evil", "a\nb", "", "a b", "*", "dirName:x"] {
            #expect(throws: KeyError.self) { try pki.server(now: Self.now, hostNames: [host]) }
        }
        #expect(throws: KeyError.self) { try pki.client(now: Self.now, name: "a", uri: "x,URI:y") }
        #expect(throws: KeyError.self) { try pki.client(now: Self.now, name: "a", email: "x@y,DNS:z") }
        #expect(throws: KeyError.self) { try pki.client(now: Self.now, name: "") }
    }
}

private enum PublicKeyOf {
    static func certificate(_ pem: String) -> String? {
        try? PublicKey.pem(Array(pem.utf8)).pem
    }
}
