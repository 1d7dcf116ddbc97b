import Bytes
import Foundation
import Reactor
import Synchronization
import Testing

@testable import Fetch

@Suite(.timeLimit(.minutes(2)))
struct FetchClientTests {
    static let shared = Result { try LocalServer() }
    let server: LocalServer
    let loop: Loop

    init() throws {
        server = try Self.shared.get()
        loop = try Loop()
    }

    @Test func theAnswerComesWholeWithItsFieldsInOrder() async throws {
        let answer = try await loop.client().send(OutboundRequest(url: server.url("/hello")))
        #expect(answer.status == 200 && answer.version == .http11)
        #expect(answer.text == "hello" && !answer.isBodyTruncated)
        #expect(answer["x-empty"] == "")
        #expect(answer.fields.filter { $0.name == "X-Twice" }.map(\.value) == ["one", "two"])
        #expect(answer.address == "127.0.0.1" && answer.duration > 0)
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func methodsCarryTheirBody(method: String) async throws {
        let body = Array("a\0b".utf8)
        let answer = try await loop.client().send(
            OutboundRequest(method: method, url: server.url("/"), body: body))
        #expect(answer.body == Array("\(method) a\0b".utf8))
    }

    @Test func aPostWithoutBodySaysSoAndHeadBringsNone() async throws {
        let client = loop.client()
        #expect(try await client.send(OutboundRequest(method: "POST", url: server.url("/"))).text == "POST ")
        let head = try await client.send(OutboundRequest(method: "HEAD", url: server.url("/hello")))
        #expect(head["content-length"] == "12345" && head.body.isEmpty)
    }

    @Test func nothingIsSentThatWasNotAskedFor() async throws {
        let fields = [("X-One", "1"), ("X-Void", "")]
        let text = try await loop.client { $0.userAgent = "millgate/test" }.send(
            OutboundRequest(url: server.url("/fields"), fields: fields)
        ).text
        let names = text.split(separator: "\n").compactMap { $0.split(separator: ":").first }.map(String.init)
        #expect(names.sorted() == ["Accept", "Host", "User-Agent", "X-One", "X-Void"])
        #expect(text.contains("User-Agent: millgate/test"))
    }

    @Test func connectionsAreUsedAgainUnlessToldNot() async throws {
        let client = loop.client()
        let request = OutboundRequest(url: server.url("/hello"))
        #expect(try await !client.send(request).isReused)
        #expect(try await client.send(request).isReused)
        var fresh = request
        fresh.mayReuseConnection = false
        #expect(try await !client.send(fresh).isReused)
    }

    @Test func redirectsAreAnswersAndNotFollowed() async throws {
        let answer = try await loop.client().send(OutboundRequest(url: server.url("/redirect")))
        #expect(answer.status == 302 && answer["location"] == "/hello")
    }

    @Test func interimAnswersAreSkipped() async throws {
        let answer = try await loop.client().send(OutboundRequest(url: server.url("/interim")))
        #expect(answer.text == "final" && answer["link"] == nil && answer["x-final"] == "yes")
    }

    @Test func aBodyBeyondItsBoundIsCutAndSaidToBe() async throws {
        let client = loop.client { $0.bodyBytesMax = 1_000 }
        let whole = try await client.send(OutboundRequest(url: server.url("/big/1000")))
        #expect(whole.body.count == 1_000 && !whole.isBodyTruncated)
        let cut = try await client.send(OutboundRequest(url: server.url("/big/300000")))
        #expect(cut.status == 200 && cut.body.count == 1_000 && cut.isBodyTruncated)
    }

    @Test func aHeadBeyondItsBoundIsRefused() async throws {
        let client = loop.client { $0.headBytesMax = 8_000 }
        #expect(await client.failure(OutboundRequest(url: server.url("/bighead/5"))) == nil)
        #expect(await client.failure(OutboundRequest(url: server.url("/bighead/9"))) == .headTooLarge)
    }

    @Test func failuresSayWhetherAnythingWasSent() async throws {
        let dead = try ReservedPort()
        let client = loop.client { $0.timeout = .seconds(60) }
        let cases: [(String, FetchError, Bool)] = [
            (server.url("/drip"), .connectionLost, false),
            (server.url("/gone"), .connectionLost, false),
            (server.url("/garbage"), .protocolViolated, false),
            ("http://127.0.0.1:\(dead.port)/", .connectFailed, true),
            ("http://name.invalid/", .nameNotResolved, true),
            ("ftp://127.0.0.1/", .schemeRefused, true),
        ]
        for (url, expected, unsent) in cases {
            let failure = await client.failure(OutboundRequest(url: url))
            // A resolver that asks far away may take longer than the connection is given.
            if case .nameNotResolved = expected, failure == .connectTimedOut { continue }
            #expect(failure == expected, "\(url)")
            #expect(failure?.nothingWasSent == unsent, "\(url)")
        }
    }

    /// A machine at work may not even connect within a short time: the time grows until it did.
    @Test func anAnswerThatDoesNotComeInTimeMayHaveBeenSent() async throws {
        var seconds: Int64 = 1
        var failure: FetchError? = .connectTimedOut
        while failure == .connectTimedOut, seconds <= 32 {
            #expect(failure?.nothingWasSent == true)
            let client = loop.client { $0.timeout = .seconds(seconds) }
            failure = await client.failure(OutboundRequest(url: server.url("/slow")))
            seconds *= 2
        }
        #expect(failure == .timedOut && failure?.nothingWasSent == false)
    }

    @Test(arguments: [
        ("GET", "http://127.0.0.1/a b", "x", "y"), ("GET", "http://127.0.0.1/\r\nX: y", "x", "y"),
        ("GET", "http://127.0.0.1/", "x\r\ny", "z"), ("GET", "http://127.0.0.1/", "x", "y\r\nz: 1"),
        ("GET", "http://127.0.0.1/", "Host", "other"), ("GET", "http://127.0.0.1/", "Transfer-Encoding", "chunked"),
        ("GE T", "http://127.0.0.1/", "x", "y"),
    ])
    func whatCouldBecomeAnotherRequestIsNotSent(method: String, url: String, name: String, value: String) async {
        let failure = await loop.client().failure(OutboundRequest(method: method, url: url, fields: [(name, value)]))
        guard case .invalidRequest = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
    }

    @Test func aURLBeyondItsBoundIsNotSent() async {
        let url = "http://127.0.0.1/" + String(repeating: "a", count: OutboundRequest.urlBytesMax)
        guard case .invalidRequest = await loop.client().failure(OutboundRequest(url: url)) else {
            return #expect(Bool(false))
        }
    }

    @Test func userNamesInURLsAndPlainTextAreRefused() async {
        let named = await loop.client().failure(OutboundRequest(url: "http://user:word@127.0.0.1:\(server.port)/hello"))
        #expect(named == .invalidRequest(reason: "the URL cannot be used"))
        let strict = loop.client { $0.allowsPlainText = false }
        #expect(await strict.failure(OutboundRequest(url: server.url("/hello"))) == .schemeRefused)
    }

    @Test func theGuardSeesTheAddressThatANameResolvedTo() async throws {
        let asked = Mutex<[String]>([])
        let client = loop.client {
            $0.addressGuard = { address in
                asked.withLock { $0.append(address.host) }
                return address.octets.first != 127 && address.octets != [UInt8](repeating: 0, count: 15) + [1]
            }
        }
        let failure = await client.failure(OutboundRequest(url: "http://localhost:\(server.port)/hello"))
        guard case .addressRefused = failure else { return #expect(failure == .addressRefused("127.0.0.1")) }
        #expect(asked.withLock { $0 }.contains("127.0.0.1"))
        let open = loop.client { $0.addressGuard = { _ in true } }
        #expect(await open.failure(OutboundRequest(url: server.url("/hello"))) == nil)
    }

    @Test func aCancelledTaskEndsItsRequest() async throws {
        let client = loop.client { $0.timeout = .seconds(120) }
        let url = server.url("/slow")
        let started = ContinuousClock.now
        let outcome = await withTaskGroup(of: FetchError?.self) { group in
            group.addTask { await client.failure(OutboundRequest(url: url)) }
            try? await Task.sleep(for: .milliseconds(150))
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome == .cancelled)
        #expect(ContinuousClock.now - started < .seconds(30))
        #expect(await client.failure(OutboundRequest(url: server.url("/hello"))) == nil)
    }

    @Test func aTaskThatWasCancelledBeforeSendsNothing() async throws {
        let client = loop.client()
        let url = server.url("/hello")
        let outcome = await withTaskGroup(of: FetchError?.self) { group in
            group.cancelAll()
            group.addTask { await client.failure(OutboundRequest(url: url)) }
            return await group.next() ?? nil
        }
        #expect(outcome == .cancelled)
    }

    @Test func requestsBeyondTheBoundAreRefusedAtOnce() async throws {
        let client = loop.client {
            $0.requestsMax = 2
            $0.timeout = .seconds(120)
        }
        let url = server.url("/slow")
        let failures = await withTaskGroup(of: FetchError?.self) { group in
            for _ in 0..<5 { group.addTask { await client.failure(OutboundRequest(url: url)) } }
            var failures: [FetchError?] = []
            // Those that found room wait for their answer until all others were refused.
            for await failure in group {
                failures.append(failure)
                if failures.count == 3 { group.cancelAll() }
            }
            return failures
        }
        #expect(failures[..<3].allSatisfy { $0 == .tooManyRequests })
        #expect(failures[3...].allSatisfy { $0 == .cancelled } && failures.count == 5)
    }

    @Test func manyRequestsAtOnceShareFewConnections() async throws {
        let client = loop.client { $0.hostConnectionsMax = 4 }
        let url = server.url("/hello")
        let reused = await withTaskGroup(of: Bool?.self) { group in
            for _ in 0..<100 { group.addTask { try? await client.send(OutboundRequest(url: url)).isReused } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(!reused.contains(nil))
        #expect(reused.filter { $0 == false }.count <= 4)
    }

    @Test func aProxyIsAskedForTheWholeURL() async throws {
        let client = loop.client { $0.proxy = .init(url: self.server.url("")) }
        let answer = try await client.send(OutboundRequest(url: "http://far.example/path"))
        #expect(answer.text == "by proxy http://far.example/path")
        let dead = try ReservedPort()
        let broken = loop.client { $0.proxy = .init(url: "http://127.0.0.1:\(dead.port)") }
        let failure = await broken.failure(OutboundRequest(url: "http://far.example/"))
        #expect(failure?.nothingWasSent == true)
    }
}

/// A port at which nobody answers while this object lives: bound, and not listened at.
final class ReservedPort {
    let port: UInt16
    private let fd: Int32

    init() throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        fd = number
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(number, pointer, length) | getsockname(number, pointer, &length)
            }
        }
        try #require(code == 0)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(fd) }
}
