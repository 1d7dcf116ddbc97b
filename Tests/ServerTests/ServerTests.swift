import Bytes
import Foundation
import HTTP
import Reactor
import Synchronization
import Testing
import Wire

@testable import Server

/// What the test's handler saw, readable from the test's thread.
final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func note(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// Answers by path: `/echo` sends the body back, `/big/N` streams N bytes, `/late` answers after 50 ms,
/// `/early` answers without reading the body, `/never` does not answer; others get `hello`.
final class TestHandler: ExchangeHandler {
    private let log: Log
    init(log: Log) { self.log = log }

    func handle(_ exchange: Exchange) {
        let bytes = exchange.headBytes
        let path = bytes.extracting(exchange.head.targetRange).text
        log.note("handle \(path)")
        if path == "/echo" {
            exchange.consumer = EchoConsumer(exchange, log)
        } else if path.hasPrefix("/big/") {
            let producer = BigProducer(exchange, Int(path.dropFirst(5)) ?? 0, log)
            exchange.consumer = producer
            producer.begin()
        } else if path == "/late" {
            exchange.reactor.schedule(at: exchange.reactor.now + .milliseconds(50)) { _ in
                exchange.respond(status: 200, fields: [], body: Array("late".utf8))
            }
        } else if path == "/never" {
            exchange.consumer = Waiter(log)
        } else {
            exchange.respond(status: 200, fields: [("X-Test", "1")], body: Array("hello".utf8))
        }
    }

    func refuse(_ exchange: Exchange, _ error: HTTPError) {
        log.note("refuse \(error.status)")
        exchange.respond(status: error.status, fields: [], body: Array("no".utf8))
    }

    func finished(_ exchange: Exchange, completed: Bool) { log.note("finished \(exchange.status) \(completed)") }
}

final class Waiter: ExchangeConsumer {
    let log: Log
    init(_ log: Log) { self.log = log }
    func requestBody(_ bytes: Span<UInt8>) {}
    func requestBodyEnded() {}
    func requestBodyFailed(_ error: HTTPError) {}
    func responseDrained() {}
    func clientGone() { log.note("gone") }
}

final class EchoConsumer: ExchangeConsumer {
    private let exchange: Exchange
    private let body = IOBuffer(capacity: 1_024)
    private let log: Log
    init(_ exchange: Exchange, _ log: Log) {
        self.exchange = exchange
        self.log = log
        if exchange.head.framing == .none { requestBodyEnded() }
    }
    func requestBody(_ bytes: Span<UInt8>) { body.append(copying: bytes) }
    func requestBodyEnded() {
        exchange.startResponse(status: 200)
        exchange.endHead(.length(Int64(body.count)))
        exchange.sendBody(body, offset: 0, count: body.count)
        exchange.finish()
    }
    func requestBodyFailed(_ error: HTTPError) { log.note("body failed \(error.status)") }
    func responseDrained() {}
    func clientGone() { log.note("gone") }
}

/// Streams bytes, and holds when the client does not keep up.
final class BigProducer: ExchangeConsumer {
    private let exchange: Exchange
    private var left: Int
    private let log: Log
    private let block = IOBuffer(capacity: 8_192)
    init(_ exchange: Exchange, _ size: Int, _ log: Log) {
        self.exchange = exchange
        self.log = log
        left = size
        for _ in 0..<8_192 { block.append(UInt8(ascii: "x")) }
    }
    func begin() {
        exchange.startResponse(status: 200)
        exchange.endHead(.streamed)
        produce()
    }
    private func produce() {
        while left > 0 {
            if exchange.isBackedUp {
                log.note("held")
                return
            }
            let n = min(left, block.count)
            exchange.sendBody(block, offset: 0, count: n)
            left -= n
        }
        exchange.finish()
    }
    func requestBody(_ bytes: Span<UInt8>) {}
    func requestBodyEnded() {}
    func requestBodyFailed(_ error: HTTPError) {}
    func responseDrained() { produce() }
    func clientGone() { log.note("gone") }
}

/// A server on a free port for one test.
struct TestServer {
    let port: UInt16
    let log = Log()
    let statistics = ServerStatistics()
    let handle: ReactorHandle

    init(_ change: @Sendable (inout ServerConfiguration) -> Void = { _ in }) async throws {
        var configuration = ServerConfiguration()
        change(&configuration)
        let (log, statistics, final) = (log, statistics, configuration)
        handle = try ReactorHandle.start(index: 0) { _ in }
        let handle = handle
        port = await withCheckedContinuation { continuation in
            handle.post { reactor in
                let worker = ServerWorker(
                    reactor: reactor, configuration: final, statistics: statistics, handler: TestHandler(log: log))
                reactor.setLocal(worker)
                let address = try? worker.listen(
                    name: "test", address: SocketAddress.resolve(host: "127.0.0.1", port: 0)[0])
                continuation.resume(returning: address?.port ?? 0)
            }
        }
    }

    func stop() { handle.stop() }
}

@Suite(.timeLimit(.minutes(1)))
struct ServerTests {
    @Test func aKeepaliveConnectionServesRequestAfterRequest() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        for _ in 0..<3 {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = client.receiveText { $0.hasSuffix("hello") }
            #expect(answer == "HTTP/1.1 200 OK\r\nX-Test: 1\r\nContent-Length: 5\r\n\r\nhello")
        }
        #expect(server.statistics.requests.current == 3)
        #expect(server.statistics.accepted.current == 1)
        server.stop()
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send(
            "GET /late HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                + "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answer = client.receiveText()
        let late = try #require(answer.range(of: "late"))
        let echo = try #require(answer.range(of: "abc"))
        let hello = try #require(answer.range(of: "hello"))
        #expect(late.lowerBound < echo.lowerBound && echo.lowerBound < hello.lowerBound)
        #expect(answer.contains("Connection: close"))
        server.stop()
    }

    @Test func aRequestIsTheSameWhereverTheNetworkCutsIt() async throws {
        let server = try await TestServer()
        let request =
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for cut in stride(from: 1, to: request.utf8.count - 1, by: 3) {
            let client = try PlainClient(port: server.port)
            let text = Array(request.utf8)
            client.send(String(decoding: text[..<cut], as: UTF8.self))
            usleep(1_000)
            client.send(String(decoding: text[cut...], as: UTF8.self))
            #expect(client.receiveText { $0.hasSuffix("abcde") }.hasSuffix("\r\n\r\nabcde"), "cut at \(cut)")
        }
        server.stop()
    }

    @Test func expectContinueIsAnsweredBeforeTheBody() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        #expect(client.receiveText { $0.hasSuffix("\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ok")
        #expect(client.receiveText { $0.hasSuffix("ok") }.hasPrefix("HTTP/1.1 200 OK"))
        server.stop()
    }

    @Test func headIsAnsweredWithoutABody() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answer = client.receiveText()
        #expect(answer.contains("Content-Length: 5"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        server.stop()
    }

    @Test func http10ClosesUnlessKeepAliveIsAsked() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(client.receiveText().contains("Connection: close"))
        let keeping = try PlainClient(port: server.port)
        keeping.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(keeping.receiveText { $0.hasSuffix("hello") }.contains("Connection: keep-alive"))
        server.stop()
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let status: Int
        let request: String
        init(_ name: String, _ status: Int, _ request: String) {
            testDescription = name
            self.status = status
            self.request = request
        }
    }

    @Test(arguments: [
        Refused("no Host", 400, "GET / HTTP/1.1\r\n\r\n"),
        Refused("version 2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        Refused(
            "two framings", 400,
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Refused("body too large", 413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"),
        Refused(
            "head too large", 431,
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 20_000) + "\r\n\r\n"),
        Refused(
            "target too long", 414,
            "GET /" + String(repeating: "y", count: 9_000) + " HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused("unknown expectation", 417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: coffee\r\n\r\n"),
        Refused("TLS on a cleartext port", 400, "\u{16}\u{3}\u{1}\r\n\r\n"),
    ])
    func whatIsNotHTTPIsRefusedAndTheConnectionCloses(refused: Refused) async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send(refused.request)
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 \(refused.status) "))
        #expect(answer.contains("Connection: close"))
        #expect(server.statistics.malformed.current == 1)
        server.stop()
    }

    @Test func aMalformedChunkAfterAGoodHeadIsRefused() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 400 "))
        #expect(server.log.all.contains("body failed 400"))
        server.stop()
    }

    @Test func aSlowHeadIsCutOffWith408() async throws {
        let server = try await TestServer { $0.headTimeout = .milliseconds(150) }
        let client = try PlainClient(port: server.port)
        client.send("GET / HTTP/1.1\r\nHo")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 408 "))
        #expect(server.statistics.slowRequests.current == 1)
        server.stop()
    }

    @Test func aSlowBodyIsCutOffWith408() async throws {
        let server = try await TestServer { $0.bodyTimeout = .milliseconds(150) }
        let client = try PlainClient(port: server.port)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 408 "))
        server.stop()
    }

    @Test func anIdleConnectionIsClosedWithoutAWord() async throws {
        let server = try await TestServer { $0.idleTimeout = .milliseconds(100) }
        let client = try PlainClient(port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = client.receiveText()
        #expect(answer.hasSuffix("hello"))
        #expect(server.statistics.idleTimeouts.current == 1)
        server.stop()
    }

    @Test func aSlowReaderHoldsTheProducerAndMemoryStaysBounded() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        let size = 30_000_000
        client.send("GET /big/\(size) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        usleep(200_000)
        #expect(server.log.all.contains("held"))
        #expect(!server.log.all.contains("finished 200 true"))
        var received = 0
        while true {
            let n = client.receiveSome(262_144)
            if n <= 0 { break }
            received += n
        }
        #expect(received > size)
        #expect(server.log.all.last == "finished 200 true")
        server.stop()
    }

    @Test func aReaderThatStopsReadingIsCutOff() async throws {
        let server = try await TestServer { $0.sendTimeout = .milliseconds(200) }
        let client = try PlainClient(port: server.port)
        client.shrinkReceiveBuffer()
        client.send("GET /big/50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(600_000)
        #expect(server.log.all.contains("gone"))
        #expect(server.statistics.slowReaders.current == 1)
        #expect(server.statistics.open.current == 0)
        server.stop()
    }

    @Test func theHandlerHearsThatTheClientIsGone() async throws {
        let server = try await TestServer()
        do {
            let client = try PlainClient(port: server.port)
            client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\nGET /more HTTP/1.1\r\n")
            usleep(50_000)
            // Closing with unread data makes the kernel send a reset.
        }
        usleep(100_000)
        #expect(server.log.all.first == "handle /never")
        server.stop()
    }

    @Test func anEarlyAnswerIsReadBeforeTheConnectionCloses() async throws {
        let server = try await TestServer()
        let client = try PlainClient(port: server.port)
        client.send(
            "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n" + String(repeating: "z", count: 200_000)
        )
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.hasSuffix("hello"))
        server.stop()
    }

    @Test func tenThousandRequestsOnManyConnectionsLeaveNothingOpen() async throws {
        let server = try await TestServer()
        let port = server.port
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    var good = 0
                    for _ in 0..<5 {
                        guard let client = try? PlainClient(port: port) else { continue }
                        for i in 0..<100 {
                            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\(1_000 + i)")
                            if client.receiveText(until: { $0.hasSuffix("\r\n\r\n\(1_000 + i)") }).hasPrefix(
                                "HTTP/1.1 200")
                            {
                                good += 1
                            }
                        }
                    }
                    return good
                }
            }
            var total = 0
            for await good in group { total += good }
            #expect(total == 10_000)
        }
        usleep(100_000)
        #expect(server.statistics.open.current == 0)
        #expect(server.statistics.requests.current == 10_000)
        server.stop()
    }
}
