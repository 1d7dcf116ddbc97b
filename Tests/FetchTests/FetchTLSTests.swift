import Bytes
import Foundation
import Reactor
import Testing

@testable import Fetch

@Suite(.timeLimit(.minutes(2)))
struct FetchTLSTests {
    static let shared = Result { try TestPKI() }
    let pki: TestPKI
    let loop: Loop

    init() throws {
        pki = try Self.shared.get()
        loop = try Loop()
    }

    @Test func certificatesAreVerifiedAgainstTheGivenAuthorities() async throws {
        let server = try LocalServer(tls: [pki.path("server.pem"), pki.path("server.key")])
        let request = OutboundRequest(url: server.url("/hello", scheme: "https"))
        let authorities = try pki.bytes("ca.pem")
        #expect(try await loop.client { $0.authorities = authorities }.send(request).text == "hello")
        #expect(await loop.client().failure(request) == .certificateRefused)
        let wrong = try pki.bytes("client.pem")
        #expect(await loop.client { $0.authorities = wrong }.failure(request) == .certificateRefused)
        let broken = loop.client { $0.authorities = Array("no certificate".utf8) }
        #expect(await broken.failure(request)?.nothingWasSent == true)
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        let server = try LocalServer(tls: [pki.path("other.pem"), pki.path("other.key")])
        let authorities = try pki.bytes("ca.pem")
        let client = loop.client { $0.authorities = authorities }
        #expect(
            await client.failure(OutboundRequest(url: server.url("/hello", scheme: "https"))) == .certificateRefused)
    }

    @Test func aServerThatSpeaksNoTLSIsATLSFailure() async throws {
        let server = try LocalServer()
        let failure = await loop.client().failure(OutboundRequest(url: server.url("/hello", scheme: "https")))
        #expect(failure == .tlsFailed)
    }

    @Test func theClientShowsItsCertificateWhereOneIsAsked() async throws {
        let server = try LocalServer(tls: [pki.path("server.pem"), pki.path("server.key"), pki.path("ca.pem")])
        let request = OutboundRequest(url: server.url("/who", scheme: "https"))
        let authorities = try pki.bytes("ca.pem")
        let own = FetchConfiguration.ClientCertificate(
            chain: try pki.bytes("client.pem"), key: try pki.bytes("client.key"))
        let client = loop.client {
            $0.authorities = authorities
            $0.clientCertificate = own
        }
        #expect(try await client.send(request).text == "client")
        let nameless = loop.client { $0.authorities = authorities }
        #expect(await nameless.failure(request) != nil)
        let key = try pki.bytes("server.key")
        let mismatched = loop.client {
            $0.authorities = authorities
            $0.clientCertificate = .init(chain: own.chain, key: key)
        }
        #expect(await mismatched.failure(request) == .credentialsUnusable)
    }

    @Test func aLongBodyGoesByHTTP1() async throws {
        let server = try LocalServer(tls: [pki.path("server.pem"), pki.path("server.key")])
        let authorities = try pki.bytes("ca.pem")
        let body = [UInt8](repeating: 7, count: 200_000)
        let answer = try await loop.client { $0.authorities = authorities }.send(
            OutboundRequest(method: "POST", url: server.url("/", scheme: "https"), body: body))
        #expect(answer.version == .http11 && answer.body == Array("POST ".utf8) + body)
    }

    @Test func http2IsSpokenWhereTheServerDoes() async throws {
        let server = try LocalServer(http2: pki.path("server.key"), certificate: pki.path("server.pem"))
        let authorities = try pki.bytes("ca.pem")
        let client = loop.client { $0.authorities = authorities }
        let body = [UInt8](repeating: 7, count: 30_000)
        let request = OutboundRequest(method: "POST", url: server.url("/echo", scheme: "https"), body: body)
        let answer = try await client.send(request)
        #expect(answer.status == 200 && answer.version == .http2 && answer.body == body)
        // Small ones: with twenty large ones at once it has happened that no answer came for a minute.
        let small = OutboundRequest(method: "POST", url: request.url, body: [UInt8](repeating: 7, count: 200))
        let versions = try await withThrowingTaskGroup(of: OutboundResponse.Version.self) { group in
            for _ in 0..<20 { group.addTask { try await client.send(small).version } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(versions == [.http2])
    }
}
