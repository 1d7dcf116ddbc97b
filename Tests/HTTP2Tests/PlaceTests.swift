import Bytes
import HTTP
import Testing
import Wire

@testable import Server

/// What a client resets still counts against its connection's limit while somebody works on it. (CVE-2023-44487)
@Suite(.timeLimit(.minutes(1)))
struct PlaceTests {
    /// Holds the place of each request until it is told to let go by a request for `/release`.
    final class Handler: ExchangeHandler {
        private var places: [AnyObject] = []
        func handle(_ exchange: Exchange) {
            let bytes = exchange.headBytes
            if bytes.extracting(exchange.head.targetRange).equals("/work") {
                if let place = exchange.holdPlace() { places.append(place) }
                return
            }
            places = []
            exchange.respond(status: 200, fields: [], body: [])
        }
        func refuse(_ exchange: Exchange, _ error: HTTPError) {
            exchange.respond(status: error.status, fields: [], body: [])
        }
        func finished(_ exchange: Exchange, completed: Bool) {}
    }

    /// What comes until a PING with this mark, sent behind `bytes`, is answered.
    private func answer(to bytes: [UInt8], _ mark: String, _ client: PlainClient) -> [Frames.Frame] {
        client.send(bytes + Frames.ping(mark))
        return Frames.parse(
            client.receive { all in
                Frames.parse(all).contains { $0.kind == .ping && $0.payload == Array(mark.utf8) }
            })
    }

    @Test func aResetDoesNotFreeThePlaceOfWorkThatGoesOn() async throws {
        let server = try await H2Server({ $0.http2.streamsMax = 3 }, handler: Handler.init)
        defer { server.stop() }
        let client = try PlainClient(port: server.port)
        func work(_ id: UInt32) -> [UInt8] { Frames.headers(id, Frames.request("GET", "/work")) }
        func sent(_ bytes: [UInt8], until mark: String) -> [Frames.Frame] { answer(to: bytes, mark, client) }
        // Begun first: what is taken back in the same breath is not begun at all.
        let first = sent(Case.greeting + work(1) + work(3), until: "mark-000")
        #expect(first.allSatisfy { $0.kind != .reset })
        let reset = sent(Frames.reset(1) + Frames.reset(3), until: "mark-001")
        #expect(reset.allSatisfy { $0.kind != .reset })
        // Two of three places are still worked on.
        let second = sent(work(5) + work(7), until: "mark-002")
        #expect(second.filter { $0.kind == .reset }.map(\.stream) == [7])
        #expect(second.first { $0.kind == .reset }?.code == HTTP2ErrorCode.refusedStream.rawValue)
        _ = sent(Frames.reset(5), until: "mark-003")
        #expect(server.statistics.cutOffs[.refusedStream] == 1)
    }

    @Test func aPlaceIsFreeWhenTheWorkHasEnded() async throws {
        let server = try await H2Server({ $0.http2.streamsMax = 2 }, handler: Handler.init)
        defer { server.stop() }
        let client = try PlainClient(port: server.port)
        var bytes = Case.greeting
        for i: UInt32 in 0..<20 {
            bytes += Frames.headers(4 * i + 1, Frames.request("GET", "/work"))
            _ = answer(to: bytes, "work-\(i + 100)", client)
            bytes = Frames.reset(4 * i + 1) + Frames.headers(4 * i + 3, Frames.request("GET", "/release"))
            let frames = answer(to: bytes, "mark-\(i + 100)", client)
            #expect(frames.contains { $0.kind == .headers && $0.stream == 4 * i + 3 })
            bytes = []
        }
        #expect(server.statistics.cutOffs[.refusedStream] == 0)
    }
}
