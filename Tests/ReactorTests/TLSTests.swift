import Bytes
import Foundation
import Synchronization
import Testing

@testable import Reactor

/// Certificates made by the `openssl` command for one test run.
struct TestPKI {
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "millgate-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    func selfSigned(_ name: String, dns: [String]) throws -> TLSServerConfiguration.Certificate {
        let names = dns.map { "DNS:\($0)" }.joined(separator: ",") + ",IP:127.0.0.1"
        try run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", "\(name).key", "-out", "\(name).pem", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=\(names)",
        ])
        return .init(name: name, chain: try read("\(name).pem"), key: try read("\(name).key"))
    }

    func read(_ file: String) throws -> [UInt8] { Array(try Data(contentsOf: directory.appending(path: file))) }

    private func run(_ arguments: [String]) throws {
        var openssl = ChildProcess.Configuration("openssl", arguments)
        openssl.directory = directory.path
        try #require(try ChildProcess(openssl).wait() == .exit(0))
    }
}

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    struct Seen: Sendable, Equatable {
        var echoed = false
        var version = ""
        var cipherSuite: String?
        var applicationProtocol: String?
        var wasResumed = false
        var hasPeer = false
    }

    /// One echo over TLS between our own server and client sides.
    func exchange(
        _ server: TLSServerContext, _ client: TLSClientContext, size: Int = 5_000
    ) async throws -> Seen {
        let seen = Mutex(Seen())
        let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await onReactor { reactor, done in
            guard
                let listener = try? Listener(
                    SocketTests.loopback(), reactor: reactor,
                    accepted: { fd, _ in
                        guard let session = server.makeSession() else { return done() }
                        _ = try? Echo(fd: fd, reactor: reactor, tls: session) { echo in
                            seen.withLock {
                                $0.version = echo.tls?.version ?? ""
                                $0.cipherSuite = echo.tls?.cipherSuite
                                $0.applicationProtocol = echo.tls?.applicationProtocol
                                $0.hasPeer = echo.tls?.peerCertificate != nil
                            }
                            done()
                        }
                    }),
                let fd = try? SocketStream.beginConnect(listener.address), let session = client.makeSession()
            else { return done() }
            _ = try? Caller(fd: fd, reactor: reactor, tls: session, message: message) { back in
                seen.withLock { $0.echoed = back == message }
                listener.close()
                if back == nil { done() }
            }
        }
        return seen.withLock { $0 }
    }

    @Test(arguments: [10, 200_000])
    func bytesPassThroughTLS13(size: Int) async throws {
        let pki = try TestPKI()
        let certificate = try pki.selfSigned("one", dns: ["one.test"])
        let server = try TLSServerContext(TLSServerConfiguration(certificates: [certificate]))
        let client = try TLSClientContext(
            TLSClientConfiguration(serverName: "one.test", authorities: certificate.chain))
        let seen = try await exchange(server, client, size: size)
        #expect(seen.echoed)
        #expect(seen.version == "TLSv1.3")
        #expect(!seen.hasPeer)
    }

    @Test func theServerPrefersTheSuiteThatHashesBySHA256() async throws {
        let certificate = try TestPKI().selfSigned("one", dns: ["one.example"])
        let server = try TLSServerContext(TLSServerConfiguration(certificates: [certificate]))
        // OpenSSL's client offers AES-256 first.
        let client = try TLSClientContext(
            TLSClientConfiguration(serverName: "one.example", authorities: certificate.chain))
        #expect(try await exchange(server, client).cipherSuite == "TLS_AES_128_GCM_SHA256")
    }

    @Test func theCertificateIsChosenByServerName() async throws {
        let pki = try TestPKI()
        let one = try pki.selfSigned("one", dns: ["one.test"])
        let two = try pki.selfSigned("two", dns: ["two.test", "*.plant.test"])
        let server = try TLSServerContext(TLSServerConfiguration(certificates: [one, two]))
        for (name, authority, works) in [
            ("one.test", one, true), ("two.test", two, true), ("line.plant.test", two, true),
            ("two.test", one, false), ("a.line.plant.test", two, false), ("nobody.test", two, false),
        ] {
            let client = try TLSClientContext(
                TLSClientConfiguration(serverName: name, authorities: authority.chain))
            #expect(try await exchange(server, client).echoed == works, "\(name)")
        }
    }

    @Test func aClientRefusesACertificateThatItDoesNotTrust() async throws {
        let pki = try TestPKI()
        let one = try pki.selfSigned("one", dns: ["one.test"])
        let other = try pki.selfSigned("other", dns: ["one.test"])
        let server = try TLSServerContext(TLSServerConfiguration(certificates: [one]))
        let client = try TLSClientContext(TLSClientConfiguration(serverName: "one.test", authorities: other.chain))
        #expect(try await exchange(server, client).echoed == false)
    }

    @Test func aServerThatRequiresClientCertificatesRefusesAClientWithoutOne() async throws {
        let pki = try TestPKI()
        let one = try pki.selfSigned("one", dns: ["one.test"])
        var configuration = TLSServerConfiguration(certificates: [one])
        configuration.clientCertificates = .required
        configuration.clientAuthorities = one.chain
        let server = try TLSServerContext(configuration)
        let client = try TLSClientContext(TLSClientConfiguration(serverName: "one.test", authorities: one.chain))
        #expect(try await exchange(server, client).echoed == false)
    }

    @Test func aKeyOfAnotherCertificateIsRefusedAtLoad() throws {
        let pki = try TestPKI()
        let one = try pki.selfSigned("one", dns: ["one.test"])
        let two = try pki.selfSigned("two", dns: ["two.test"])
        let mixed = TLSServerConfiguration.Certificate(name: "mixed", chain: one.chain, key: two.key)
        #expect(throws: ReactorError.self) { try TLSServerContext(TLSServerConfiguration(certificates: [mixed])) }
        let empty = TLSServerConfiguration.Certificate(name: "empty", chain: [], key: [])
        #expect(throws: ReactorError.self) { try TLSServerContext(TLSServerConfiguration(certificates: [empty])) }
    }
}
