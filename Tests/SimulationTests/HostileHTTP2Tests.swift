import Bytes
import HTTP
import Reactor
import Server
import Simulation
import Testing
import Wire

/// What an HTTP/2 client does to others and gets for it, in simulated time.
@Suite struct HostileHTTP2Tests {
    /// A client that sends the frames that it is told, and keeps what comes.
    private final class FrameClient: SimulatedPeer {
        private(set) var wire: SimulatedWire?
        private var bytes: [UInt8] = []
        private(set) var isOver = false

        init(_ gateway: SimulatedGateway, window: UInt32 = 65_535, from address: SocketAddress = SocketAddress()) {
            wire = gateway.accept(self, http2: .on, from: address)
            send(Frames.preface + Frames.settings([(4, window)]) + Frames.settingsAck)
        }

        var frames: [Frames.Frame] { Frames.parse(bytes) }
        func send(_ bytes: [UInt8]) { wire?.send(bytes) }
        func received(_ bytes: ArraySlice<UInt8>, on wire: SimulatedWire) { self.bytes += bytes }
        func ended(abruptly: Bool, on wire: SimulatedWire) {
            isOver = true
            wire.finish()
        }
    }

    /// A server that answers as its requests' scripts say, and counts them.
    private struct Plant {
        let network = SimulatedNetwork(seed: 7)
        let gateway: SimulatedGateway
        let served = ScriptedServer.Notes()

        init() throws {
            gateway = try SimulatedGateway(network)
            let (network, served) = (network, served)
            network.connected = { [unowned network] _ in ScriptedServer(served, network) }
        }

        func pass(_ turns: Int = 200) { for _ in 0..<turns { network.step(gateway.reactor, chance: 0) } }
    }

    private func request(_ id: Int, size: Int = 100) -> [(String, String)] {
        Frames.request("GET", "/open/\(id)/length/\(size)/GET/0")
    }

    @Test func aRequestThatIsTakenBackAtOnceReachesNoServer() async throws {
        let plant = try Plant()
        let client = FrameClient(plant.gateway)
        let pairs = (0..<50).flatMap { i -> [UInt8] in
            let stream = UInt32(2 * i + 1)
            return Frames.headers(stream, request(i)) + Frames.reset(stream)
        }
        client.send(pairs + Frames.headers(101, request(50)))
        plant.pass()
        #expect(plant.served.connections == 1)
        #expect(plant.served.seen == [50: 1])
        #expect(plant.gateway.statistics.takenBack.current == 50)
        let answered = client.frames.filter { $0.kind == .data && $0.flags & Frames.endStream != 0 }
        #expect(answered.map(\.stream) == [101])
        await plant.gateway.close()
    }

    @Test func requestsOfOneConnectionBeginAFewAtATimeAndThoseTakenBackMeanwhileNever() async throws {
        let plant = try Plant()
        let client = FrameClient(plant.gateway)
        plant.pass(20)
        let statistics = plant.gateway.statistics
        let before = statistics.requests.current
        client.send((0..<40).flatMap { Frames.headers(UInt32(2 * $0 + 1), request($0)) })
        client.wire?.arrive(.max)
        plant.network.turn(plant.gateway.reactor)
        // Eight when it is told that there is something, and eight at the end of the turn.
        let begun = statistics.requests.current - before
        #expect(begun == 16)
        client.send((begun..<40).flatMap { Frames.reset(UInt32(2 * $0 + 1)) } + Frames.headers(81, request(40)))
        plant.pass()
        let never = statistics.takenBack.current
        #expect(never >= 40 - 3 * 8 - begun, "\(never) were taken back in time")
        #expect(statistics.requests.current - before + never == 41)
        #expect(client.frames.contains { $0.stream == 81 && $0.flags & Frames.endStream != 0 })
        await plant.gateway.close()
    }

    @Test func requestsThatAreTakenBackWhileTheirConnectionIsMadeLeaveItToTheNext() async throws {
        let plant = try Plant()
        let client = FrameClient(plant.gateway)
        plant.pass(20)
        for i in 0..<100 {
            let stream = UInt32(2 * i + 1)
            client.wire?.send(Frames.headers(stream, request(i)))
            client.wire?.arrive(.max)
            plant.network.turn(plant.gateway.reactor)
            client.wire?.send(Frames.reset(stream))
            client.wire?.arrive(.max)
            plant.network.turn(plant.gateway.reactor)
        }
        client.send(Frames.headers(201, request(100)))
        plant.pass()
        #expect(plant.served.seen == [100: 1])
        #expect(plant.served.connections == 1, "\(plant.served.connections) connections for one request")
        await plant.gateway.close()
    }

    @Test(arguments: [0, 1])
    func whoOpensItsWindowsByNothingOrByteByByteIsCutOff(step: UInt32) async throws {
        let plant = try Plant()
        let client = FrameClient(plant.gateway, window: step)
        let streams = (0..<6).map { UInt32(2 * $0 + 1) }
        client.send(streams.flatMap { Frames.headers($0, request(Int($0), size: 60_000)) })
        plant.pass()
        // The sandbox's limits: 20 s of grace, then 1 KiB/s. A byte a second on some of the streams is no progress.
        for second in 0..<40 {
            plant.network.jump(plant.gateway.reactor, by: .seconds(1))
            if step > 0 { client.send(streams.prefix(2).flatMap { Frames.windowUpdate($0, step) }) }
            plant.pass(20)
            let ended = client.frames.filter { $0.kind == .reset && $0.code == HTTP2ErrorCode.cancel.rawValue }
            if second < 18 { #expect(ended.isEmpty, "after \(second) s") }
            if second > 24 { #expect(Set(ended.map(\.stream)) == Set(streams), "after \(second) s") }
        }
        #expect(plant.gateway.statistics.cutOffs[.responseStalled] == streams.count)
        #expect(plant.gateway.target?.gate?.occupancy.inFlight == 0)
        await plant.gateway.close()
    }

    /// Calls that hold up their server, as many as it has places.
    enum Greed: CaseIterable {
        /// Answers are asked for and not taken.
        case answers
        /// Requests do not come to their end.
        case requests
    }

    @Test(arguments: Greed.allCases)
    func aClientThatHoldsUpItsCallsHasNotAllPlacesOfAServerForLong(greed: Greed) async throws {
        let plant = try Plant()
        let (greedyPlace, honestPlace) = (try address("192.0.2.1"), try address("192.0.2.2"))
        let greedy = FrameClient(plant.gateway, window: greed == .answers ? 0 : 65_535, from: greedyPlace)
        let honest = FrameClient(plant.gateway, from: honestPlace)
        for i in 0..<6 {
            switch greed {
            case .answers: greedy.send(Frames.headers(UInt32(2 * i + 1), request(i, size: 60_000)))
            case .requests:
                let post = Frames.request("POST", "/open/\(i)/length/10/POST/0")
                greedy.send(Frames.headers(UInt32(2 * i + 1), post, end: false))
            }
        }
        plant.pass()
        let gate = plant.gateway.target?.gate
        let yielded = plant.gateway.target?.statistics.yielded
        func isAnswered(_ stream: UInt32) -> Bool {
            honest.frames.contains { $0.stream == stream && $0.kind == .data && $0.flags & Frames.endStream != 0 }
        }
        #expect(gate?.occupancy.inFlight == 6)
        // Nobody else wants the places: they may be held up.
        for _ in 0..<8 {
            plant.network.jump(plant.gateway.reactor, by: .milliseconds(250))
            plant.pass(40)
        }
        #expect(yielded?.current == 0)
        honest.send(Frames.headers(1, request(100)))
        plant.pass()
        #expect(!isAnswered(1), "there is no place")
        for _ in 0..<2 {
            plant.network.jump(plant.gateway.reactor, by: .milliseconds(250))
            plant.pass(40)
        }
        #expect(isAnswered(1) && yielded?.current == 1, "one place, and not all six")
        // From now on one place is left to others, and nobody waits for anything.
        honest.send(Frames.headers(3, request(101)))
        plant.pass()
        #expect(isAnswered(3) && yielded?.current == 1)
        #expect(gate?.occupancy.inFlight == 5)
        await plant.gateway.close()
    }

    private func address(_ host: String) throws -> SocketAddress {
        try #require(try SocketAddress.resolve(host: host, port: 0).first)
    }

    @Test func aClientThatSendsWithoutPauseKeepsTheLoopFromNobody() async throws {
        let plant = try Plant()
        let greedy = FrameClient(plant.gateway)
        plant.pass(20)
        // Much more than is read in one turn: frames that cost us and carry nothing, and a body, still within the limits.
        greedy.send(Frames.headers(1, Frames.request("POST", "/open/1/early/0/POST/0"), end: false))
        let body = (0..<20).flatMap { _ in Frames.ping() } + Frames.data(1, [UInt8](repeating: 97, count: 12_000))
        for _ in 0..<8 { greedy.send(body) }
        greedy.wire?.arrive(.max)
        let before = greedy.wire?.unreadCount ?? 0
        plant.network.turn(plant.gateway.reactor)
        let read = before - (greedy.wire?.unreadCount ?? 0)
        // Two reads when it is told that there is something, and two at the end of the turn.
        #expect(read > 0 && read <= 4 * 16_384, "\(read) bytes in one turn")
        plant.pass()
        #expect(greedy.wire?.unreadCount == 0, "it goes on in the next turns")
        await plant.gateway.close()
    }
}
