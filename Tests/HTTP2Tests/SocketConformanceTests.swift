import Bytes
import Foundation
import HTTP
import Reactor
import Testing
import Wire

@testable import Server

/// The table of `ConformanceTests` through real sockets, in cleartext and over TLS.
@Suite(.timeLimit(.minutes(1)))
struct SocketConformanceTests {
    /// Answers as the recorder in memory does.
    final class Handler: ExchangeHandler {
        func handle(_ exchange: Exchange) {
            let bytes = exchange.headBytes
            if exchange.head.method == .connect || exchange.head.isWebSocketUpgrade {
                exchange.respond(status: 501, fields: [], body: [])
            } else if !bytes.extracting(exchange.head.targetRange).equals("/open") {
                let consumer = Consumer(exchange)
                exchange.consumer = consumer
                if exchange.head.framing == .none { consumer.requestBodyEnded() }
            }
        }
        func refuse(_ exchange: Exchange, _ error: HTTPError) {
            exchange.respond(status: error.status, fields: [], body: [])
        }
        func finished(_ exchange: Exchange, completed: Bool) {}
    }

    final class Consumer: ExchangeConsumer {
        let exchange: Exchange
        init(_ exchange: Exchange) { self.exchange = exchange }
        func requestBody(_ bytes: Span<UInt8>) {}
        func requestBodyEnded() { exchange.respond(status: 200, fields: [], body: []) }
        func requestBodyFailed(_ error: HTTPError) {}
        func responseDrained() {}
        func clientGone() {}
    }

    private func run(_ test: Case, through client: any ByteClient) throws -> [Frames.Frame] {
        var received: [UInt8] = []
        let parts = (test.greets ? [Case.greeting] : []) + test.parts
        for (i, part) in parts.enumerated() {
            // A PING behind each part says when it was worked off, unless the part leaves a header block open.
            let text = "part-\(String(i + 100))"
            let marks = part.count > 9 && isWhole(part)
            client.send(part + (marks ? Frames.ping(text) : []))
            let isLast = i == parts.count - 1
            received += client.receive { bytes in
                let frames = Frames.parse(received + bytes)
                return (marks && frames.contains { $0.kind == .ping && $0.payload == Array(text.utf8) })
                    || (isLast && frames.contains { $0.kind == .goAway })
            }
        }
        return Frames.parse(received)
    }

    /// Whether the last frame of a part is complete and leaves no header block open.
    private func isWhole(_ part: [UInt8]) -> Bool {
        let bytes = part.starts(with: Frames.preface) ? Array(part.dropFirst(24)) : part
        let frames = Frames.parse(bytes)
        guard let last = frames.last else { return false }
        return frames.reduce(0) { $0 + 9 + $1.payload.count } == bytes.count
            && (last.kind != .headers || last.flags & Frames.endHeaders != 0)
    }

    @Test func cleartextConnectionsAnswerEveryError() async throws {
        let server = try await H2Server(handler: Handler.init)
        defer { server.stop() }
        for test in ConformanceTests.cases {
            // A connection that does not begin with the preface is HTTP/1.1 here.
            if test.name == "another preface" { continue }
            let frames = try run(test, through: PlainClient(port: server.port))
            if let wrong = test.verdict(on: frames) { Issue.record("\(test.testDescription): \(wrong)") }
        }
    }

    @Test func tlsConnectionsAnswerEveryError() async throws {
        let server = try await H2Server(tls: try H2Server.certificate(), handler: Handler.init)
        defer { server.stop() }
        for test in ConformanceTests.cases {
            let client = try TLSClient(port: server.port, protocols: ["h2"])
            #expect(client.applicationProtocol == "h2")
            let frames = try run(test, through: client)
            if let wrong = test.verdict(on: frames) { Issue.record("\(test.testDescription): \(wrong)") }
        }
    }

    @Test func bothProtocolsAreServedOnOnePort() async throws {
        let server = try await H2Server(tls: try H2Server.certificate(), handler: Handler.init)
        defer { server.stop() }
        let old = try TLSClient(port: server.port, protocols: ["http/1.1"])
        old.send(Array("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        #expect(String(decoding: old.receive { _ in false }, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
        let silent = try TLSClient(port: server.port, protocols: [])
        silent.send(Array("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        #expect(String(decoding: silent.receive { _ in false }, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func aListenerMaySpeakHTTP2Alone() async throws {
        let server = try await H2Server(http2: .only, handler: Handler.init)
        defer { server.stop() }
        let client = try PlainClient(port: server.port)
        client.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        let frames = Frames.parse(client.receive { _ in false })
        #expect(frames.last?.code == HTTP2ErrorCode.protocolError.rawValue)
    }

    @Test func aListenerMaySpeakNoHTTP2() async throws {
        let server = try await H2Server(http2: .off, handler: Handler.init)
        defer { server.stop() }
        let client = try PlainClient(port: server.port)
        client.send(Frames.preface + Frames.settings())
        #expect(String(decoding: client.receive { _ in false }, as: UTF8.self).hasPrefix("HTTP/1.1 505"))
    }
}
