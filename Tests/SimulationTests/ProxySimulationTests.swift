import Bytes
import Foundation
import Simulation
import Testing

/// The proxy in a hostile network: nothing is mixed up, cut short, sent twice, held for ever, or left behind.
@Suite struct ProxySimulationTests {
    /// `SIMULATION_SEED` alone, or four that are new every day and known from the output where one fails.
    static let seeds: [UInt64] = {
        if let given = ProcessInfo.processInfo.environment["SIMULATION_SEED"].flatMap({ UInt64($0) }) { return [given] }
        return [1, 2, 3, UInt64(Date().timeIntervalSince1970) / 86_400]
    }()

    /// Steps of each seed.
    static let steps: Int =
        ProcessInfo.processInfo.environment["SIMULATION_STEPS"].flatMap { Int($0) } ?? 150_000

    /// Every other one speaks HTTP/2.
    private static func clients(
        _ count: Int, _ notes: ClientNotes, _ network: SimulatedNetwork, _ gateway: SimulatedGateway
    ) -> [any SimulatedClient] {
        (0..<count).map { i -> any SimulatedClient in
            if i % 2 == 0 { return ScriptedClient(notes, network) { gateway.accept($0) } }
            return HTTP2Client(notes, network) { gateway.accept($0, http2: .on) }
        }
    }

    @Test(arguments: seeds)
    func everyAnswerIsWholeItsOwnOrVisiblyBroken(seed: UInt64) async throws {
        let network = SimulatedNetwork(seed: seed)
        let gateway = try SimulatedGateway(network)
        let (serverNotes, notes) = (ScriptedServer.Notes(), ClientNotes())
        network.connected = { [unowned network] _ in
            // Now and then nobody is there.
            network.random.oneIn(60) ? nil : ScriptedServer(serverNotes, network)
        }
        let clients = Self.clients(8, notes, network, gateway)
        var mostHeld = 0
        while network.steps < Self.steps, notes.wrong.isEmpty, serverNotes.wrong.isEmpty {
            clients[network.random.below(clients.count)].act()
            network.step(gateway.reactor)
            mostHeld = max(mostHeld, network.wires.reduce(0) { max($0, $1.outgoingCount) })
        }
        // The storm is over: what was begun is ended, by an answer or by a deadline, and nothing is left.
        for client in clients { client.isWilling = false }
        for round in 0..<4_000 where !(clients.allSatisfy { $0.isIdle } && round > 100) {
            for client in clients { client.act() }
            network.step(gateway.reactor, chance: 0)
            if round % 400 == 399 { network.jump(gateway.reactor, by: .seconds(60)) }
        }
        for _ in 0..<6 {
            network.jump(gateway.reactor, by: .minutes(3))
            for _ in 0..<200 { network.step(gateway.reactor, chance: 0) }
        }
        let hint: Comment = "again by: SIMULATION_SEED=\(seed) swift test --filter SimulationTests"
        #expect(notes.wrong.isEmpty, "\(notes.wrong.prefix(3)), step \(network.steps); \(hint)")
        #expect(serverNotes.wrong.isEmpty, "\(serverNotes.wrong.prefix(3)), step \(network.steps); \(hint)")
        let allIdle = clients.allSatisfy { $0.isIdle }
        #expect(allIdle, "a request has neither an answer nor an end; \(hint)")
        #expect(
            gateway.statistics.open.current == 0, "\(gateway.statistics.open.current) connections are left; \(hint)")
        #expect(gateway.target?.gate?.occupancy.inFlight == 0, "a place in the gate is lost; \(hint)")
        #expect(gateway.target?.gate?.occupancy.waiting == [0, 0, 0], "a call waits for ever; \(hint)")
        #expect(
            gateway.reactor.descriptorCount == 0, "\(gateway.reactor.descriptorCount) descriptors are left; \(hint)")
        #expect(notes.whole > Self.steps / 3_000, "only \(notes.whole) whole answers; \(hint)")
        print(
            "simulated \(network.steps) steps, seed \(seed): \(notes.nextID - 1) requests, \(gateway.statistics.http2Requests.current) of them served over "
                + "HTTP/2, \(gateway.statistics.takenBack.current) taken back unserved, \(notes.whole) whole, "
                + "\(notes.problems) problems, \(notes.torn) torn, \(notes.givenUp) given up, "
                + "\(serverNotes.connections) connections to servers, statuses \(notes.statuses.sorted { $0.key < $1.key })"
        )
        await gateway.close()
    }

    @Test func theSameSeedGivesTheSameRun() async throws {
        var runs: [String] = []
        for _ in 0..<2 {
            let network = SimulatedNetwork(seed: 42)
            let gateway = try SimulatedGateway(network)
            let (serverNotes, notes) = (ScriptedServer.Notes(), ClientNotes())
            network.connected = { [unowned network] _ in ScriptedServer(serverNotes, network) }
            let clients = Self.clients(4, notes, network, gateway)
            while network.steps < 20_000 {
                clients[network.random.below(clients.count)].act()
                network.step(gateway.reactor)
            }
            runs.append(
                "\(network.steps) \(network.now.nanoseconds) \(notes.whole) \(notes.torn) \(notes.statuses.sorted { $0.key < $1.key }) "
                    + "\(serverNotes.connections) \(network.random.next())")
            await gateway.close()
        }
        #expect(runs[0] == runs[1])
    }
}
