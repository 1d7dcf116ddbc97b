import Bytes
import Dispatch
import HTTP
import Reactor
import Testing

@testable import Upstream

/// Calls whose clients go away when the server has their request.
@Suite(.timeLimit(.minutes(1)))
struct AbandonedCallTests {
    typealias Plant = UpstreamPoolTests.Plant

    /// Asks for a path, with a body that it announces and does not send if `isWhole` is false.
    final class Asker: UpstreamCall {
        let path: String
        let isWhole: Bool
        private var connection: UpstreamConnection?
        private(set) var wasTold = false

        init(_ path: String, isWhole: Bool = true) {
            self.path = path
            self.isWhole = isWhole
        }

        var method: Method { isWhole ? .get : .post }
        var wantsUpgrade: Bool { false }
        var canRepeat: Bool { false }
        func connecting(_ connection: UpstreamConnection) { self.connection = connection }
        func connected(_ connection: UpstreamConnection) {
            let head = isWhole ? "GET \(path) HTTP/1.1\r\n\r\n" : "POST \(path) HTTP/1.1\r\nContent-Length: 9\r\n\r\n"
            connection.output.append(copying: Array(head.utf8).span)
            connection.flush(ended: isWhole)
        }
        func leave() { connection?.abandon() }
        func answerHead(_ head: MessageHead, _ bytes: Span<UInt8>) { wasTold = true }
        func answerBody(_ buffer: IOBuffer, offset: Int, count: Int) { wasTold = true }
        func answerEnded() { wasTold = true }
        func requestDrained() {}
        func failed(_ failure: UpstreamFailure) { wasTold = true }
    }

    /// Starts a call and leaves it once `isSent`; whether it was told anything.
    private func askAndLeave(
        _ plant: Plant, _ path: String, isWhole: Bool = true, when isSent: () -> Bool
    ) async throws {
        await onLoop(plant) { reactor in
            let asker = Asker(path, isWhole: isWhole)
            reactor.setLocal(asker)
            let pool = UpstreamPools.of(reactor).pool(for: plant.target)
            pool.start(asker, deadline: reactor.now + .seconds(10))
        }
        while !isSent() { try await Task.sleep(for: .milliseconds(2)) }
        await onLoop(plant) { $0.local(Asker.self)?.leave() }
    }

    private func wasTold(_ plant: Plant) async -> Bool {
        await withCheckedContinuation { continuation in
            plant.handle.post { continuation.resume(returning: $0.local(Asker.self)?.wasTold ?? true) }
        }
    }

    private func onLoop(_ plant: Plant, _ body: @escaping @Sendable (Reactor) -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            plant.handle.post {
                body($0)
                continuation.resume()
            }
        }
    }

    private func places(_ plant: Plant) -> Int? { plant.target.gate?.occupancy.inFlight }

    private func untilNobodyIsAtWork(_ plant: Plant) async throws {
        while places(plant) != 0 { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func theCallKeepsItsPlaceUntilTheServerHasAnsweredAndItsConnectionServesTheNext() async throws {
        let hasLeft = DispatchSemaphore(value: 0)
        let server = try ScriptedServer { _, request in
            if request == 0 { hasLeft.wait() }
            return .ok("answer \(request)")
        }
        defer { server.stop() }
        let plant = try Plant(port: server.port, inFlight: 1)
        defer { plant.handle.stop() }
        try await askAndLeave(plant, "/left") { !server.requests.isEmpty }
        #expect(places(plant) == 1, "the server is at work")
        hasLeft.signal()
        #expect(await plant.text("/next") == "answer 1")
        #expect(server.requests == ["0 GET /left HTTP/1.1", "0 GET /next HTTP/1.1"])
        #expect(plant.target.statistics.discarded.current == 1)
        #expect(plant.target.statistics.failures.current == 0)
        #expect(await !wasTold(plant))
    }

    @Test(arguments: [
        // Announced as large, and found to be.
        ScriptedServer.Answer.ok(String(repeating: "x", count: 100_000)),
        ScriptedServer.Answer(
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: "2000\r\n\(String(repeating: "x", count: 8_192))\r\n", count: 12) + "0\r\n\r\n"),
    ])
    func aLargeAnswerIsNotReadForNobody(answer: ScriptedServer.Answer) async throws {
        let hasLeft = DispatchSemaphore(value: 0)
        let server = try ScriptedServer { connection, _ in
            if connection == 0 { hasLeft.wait() }
            return connection == 0 ? answer : .ok("next")
        }
        defer { server.stop() }
        let plant = try Plant(port: server.port, inFlight: 1)
        defer { plant.handle.stop() }
        try await askAndLeave(plant, "/left") { !server.requests.isEmpty }
        hasLeft.signal()
        #expect(await plant.text("/next") == "next")
        #expect(server.requests == ["0 GET /left HTTP/1.1", "1 GET /next HTTP/1.1"])
        #expect(plant.target.statistics.discarded.current == 0)
        #expect(plant.target.statistics.failures.current == 0)
    }

    @Test(arguments: [Nanoseconds.milliseconds(50), 0])
    func anAnswerThatDoesNotComeSoonIsBrokenOffAndNoFailureOfTheServer(timeout: Nanoseconds) async throws {
        let server = try ScriptedServer { connection, _ in .ok("\(connection)", delay: connection == 0 ? 5_000 : 0) }
        defer { server.stop() }
        let plant = try Plant(port: server.port, inFlight: 1) { $0.discardTimeout = timeout }
        defer { plant.handle.stop() }
        try await askAndLeave(plant, "/left") { !server.requests.isEmpty }
        if timeout == 0 { #expect(places(plant) == 0, "at once") }
        try await untilNobodyIsAtWork(plant)
        #expect(await plant.text("/next") == "1")
        #expect(plant.target.statistics.failures.current == 0)
        #expect(plant.target.statistics.discarded.current == 0)
    }

    @Test func aRequestThatIsNotWholeIsBrokenOffAtOnce() async throws {
        let server = try ScriptedServer { connection, _ in .ok("\(connection)") }
        defer { server.stop() }
        let plant = try Plant(port: server.port, inFlight: 1)
        defer { plant.handle.stop() }
        try await askAndLeave(plant, "/left", isWhole: false) { plant.target.statistics.connections.current == 1 }
        #expect(places(plant) == 0)
        #expect(await plant.text("/next") == "1")
        #expect(await !wasTold(plant))
    }
}
