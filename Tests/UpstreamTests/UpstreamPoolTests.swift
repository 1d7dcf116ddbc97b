import Bytes
import Dispatch
import HTTP
import Limits
import Reactor
import Testing

@testable import Upstream

/// The pool before real sockets: what it keeps, what it repeats, and what it says of the rest. The simulation
/// (Tests/SimulationTests) drives the same code through all orders of events.
@Suite(.timeLimit(.minutes(1)))
struct UpstreamPoolTests {
    /// A pool for one server, and how to ask it.
    struct Plant {
        let target: UpstreamTarget
        let handle: ReactorHandle

        init(
            port: UInt16, inFlight: Int? = nil, opens: Bool = false,
            _ change: (inout UpstreamConfiguration) -> Void = { _ in }
        ) throws {
            var configuration = UpstreamConfiguration(
                name: "back", addresses: try SocketAddress.resolve(host: "127.0.0.1", port: port),
                authority: "back.example")
            change(&configuration)
            let gate = inFlight.map { places in
                var queue = AdmissionQueue.Configuration()
                queue.inFlightMax = places
                return UpstreamGate(queue)
            }
            var circuit = CircuitBreaker.Configuration()
            // Longer than any pause of a busy machine.
            circuit.openTime = .seconds(60)
            if !opens {
                circuit.consecutiveFailuresMax = 0
                circuit.callsMin = .max
            }
            target = UpstreamTarget(
                configuration: configuration, gate: gate, circuit: CircuitBreaker(circuit, now: Clock.monotonic()))
            handle = try ReactorHandle.start(index: 0) { _ in }
        }

        func fetch(
            _ path: String = "/", _ method: Method = .get, body: String = "", within: Nanoseconds = .seconds(20),
            bytesMax: Int = 1_000_000
        ) async -> Result<FetchAnswer, UpstreamFailure> {
            await Fetcher(home: handle, target: target).fetch(
                FetchRequest(
                    method: method, target: path, fields: [], body: Array(body.utf8),
                    deadline: Clock.monotonic() + within, answerBytesMax: bytesMax))
        }

        func text(_ path: String = "/") async -> String? {
            guard case .success(let answer) = await fetch(path) else { return nil }
            return String(decoding: answer.body, as: UTF8.self)
        }

        func failure(_ path: String = "/", _ method: Method = .get, body: String = "") async -> UpstreamFailure? {
            guard case .failure(let failure) = await fetch(path, method, body: body) else { return nil }
            return failure
        }
    }

    // MARK: Connections

    @Test func aConnectionServesOneCallAfterAnother() async throws {
        let server = try ScriptedServer { _, request in .ok("answer \(request)") }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        for i in 0..<5 { #expect(await plant.text("/\(i)") == "answer \(i)") }
        #expect(server.requests == (0..<5).map { "0 GET /\($0) HTTP/1.1" })
        #expect(plant.target.statistics.connections.current == 1)
        #expect(plant.target.statistics.answers[1].current == 5)
    }

    @Test func aReadIsRepeatedOnceWhereItsKeptConnectionWasDead() async throws {
        let server = try ScriptedServer { connection, request in
            connection == 0 && request == 1 ? .nothing : .ok("from \(connection)")
        }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        #expect(await plant.text("/a") == "from 0")
        #expect(await plant.text("/b") == "from 1")
        #expect(server.requests == ["0 GET /a HTTP/1.1", "0 GET /b HTTP/1.1", "1 GET /b HTTP/1.1"])
        #expect(plant.target.statistics.repeated.current == 1)
    }

    @Test func aWriteIsNeverRepeatedAndItsFailureSaysThatItMayHaveArrived() async throws {
        let server = try ScriptedServer { _, request in request == 1 ? .nothing : .ok("done") }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        #expect(await plant.text("/a") == "done")
        let failure = await plant.failure("/book", .post, body: "{}")
        #expect(failure == .closedWithoutAnswer(reused: true))
        #expect(failure?.nothingWasSent == false)
        #expect(server.requests.filter { $0.contains("POST") } == ["0 POST /book HTTP/1.1"])
        #expect(plant.target.statistics.repeated.current == 0)
    }

    @Test func aReadOnANewConnectionThatClosesIsNotRepeated() async throws {
        let server = try ScriptedServer { _, _ in .nothing }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        #expect(await plant.failure() == .closedWithoutAnswer(reused: false))
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [
        // Behind the whole answer, as if it were the next one. (response splitting)
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ])
    func aConnectionThatSaysMoreOrWantsToCloseIsNotUsedAgain(first: String) async throws {
        let server = try ScriptedServer { connection, _ in
            connection == 0 ? ScriptedServer.Answer(text: first) : .ok("good")
        }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        #expect(await plant.text("/a") == "ok")
        #expect(await plant.text("/b") == "good")
        #expect(server.requests == ["0 GET /a HTTP/1.1", "1 GET /b HTTP/1.1"])
    }

    // MARK: Failures

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!", UpstreamFailure.torn),
        ("HTTP/1.1 200 OK\r\nContent-Le", .torn),
        ("HTTP/1.1 100 Continue\r\n\r\n", .torn),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .torn),
        (String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 9), .malformed(.statusLineMalformed)),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            .malformed(.switchingNotAsked)
        ),
    ])
    func anAnswerThatIsNotWholeIsCalledWhatItIs(text: String, expected: UpstreamFailure) async throws {
        let server = try ScriptedServer { _, _ in ScriptedServer.Answer(text: text, closes: true) }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        #expect(await plant.failure() == expected)
        #expect(plant.target.statistics.failures.current == 1)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ])
    func anAnswerThatCouldBeReadInTwoWaysIsMalformed(text: String) async throws {
        let server = try ScriptedServer { _, _ in ScriptedServer.Answer(text: text, closes: true) }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        guard case .malformed = await plant.failure() else {
            Issue.record("taken for an answer: \(text)")
            return
        }
    }

    @Test func aServerThatIsNotThereGotNothing() async throws {
        let server = try ScriptedServer { _, _ in .nothing }
        let port = server.port
        server.stop()
        // The listener is closed with its last reference; until then the kernel refuses as well.
        let plant = try Plant(port: port)
        defer { plant.handle.stop() }
        let failure = await plant.failure("/book", .post, body: "{}")
        #expect(failure == .connect(code: 111))
        #expect(failure?.nothingWasSent == true)
    }

    @Test func anAnswerThatDoesNotComeInTimeIsATimeout() async throws {
        let server = try ScriptedServer { _, _ in .ok("late", delay: 5_000) }
        defer { server.stop() }
        let plant = try Plant(port: server.port) { $0.responseTimeout = .milliseconds(100) }
        defer { plant.handle.stop() }
        let failure = await plant.failure("/book", .post, body: "{}")
        #expect(failure == .timeout)
        #expect(failure?.nothingWasSent == false)
    }

    @Test func anAnswerBeyondWhatTheCallerWantsIsCutOff() async throws {
        let server = try ScriptedServer { _, _ in .ok(String(repeating: "x", count: 200_000)) }
        defer { server.stop() }
        let plant = try Plant(port: server.port)
        defer { plant.handle.stop() }
        let result = await plant.fetch(bytesMax: 100_000)
        guard case .failure(.tooLarge) = result else {
            Issue.record("\(result)")
            return
        }
        // Nothing that the server did wrong.
        #expect(plant.target.statistics.failures.current == 0)
    }

    // MARK: The way in

    @Test func callsBeyondThePlacesWaitAndThoseWhoseTimeIsUpAreNotSent() async throws {
        let released = DispatchSemaphore(value: 0)
        let server = try ScriptedServer { _, request in
            if request == 0 { released.wait() }
            return .ok("done")
        }
        defer { server.stop() }
        let plant = try Plant(port: server.port, inFlight: 1)
        defer { plant.handle.stop() }
        async let first = plant.text("/first")
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        let impatient = await plant.fetch("/impatient", within: .milliseconds(50))
        if case .failure(.waitedTooLong) = impatient {} else { Issue.record("\(impatient)") }
        async let patient = plant.text("/patient")
        while plant.target.gate?.occupancy.waiting.allSatisfy({ $0 == 0 }) ?? true {
            try await Task.sleep(for: .milliseconds(5))
        }
        released.signal()
        #expect(await first == "done")
        #expect(await patient == "done")
        #expect(server.requests == ["0 GET /first HTTP/1.1", "0 GET /patient HTTP/1.1"])
        let left = plant.target.gate?.occupancy
        #expect(left?.inFlight == 0)
        #expect(left?.waiting == [0, 0, 0])
    }

    @Test func aFailedCallGivesItsPlaceBack() async throws {
        let server = try ScriptedServer { connection, _ in connection < 3 ? .nothing : .ok("done") }
        defer { server.stop() }
        let plant = try Plant(port: server.port, inFlight: 1)
        defer { plant.handle.stop() }
        for _ in 0..<3 { #expect(await plant.failure() == .closedWithoutAnswer(reused: false)) }
        #expect(await plant.text() == "done")
        #expect(plant.target.gate?.occupancy.inFlight == 0)
    }

    @Test func aCircuitThatHasOpenedSendsNothing() async throws {
        let server = try ScriptedServer { _, _ in
            ScriptedServer.Answer(text: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        }
        defer { server.stop() }
        let plant = try Plant(port: server.port, opens: true)
        defer { plant.handle.stop() }
        var sent = 0
        while sent < 1_000, plant.target.circuitState == .closed {
            _ = await plant.fetch()
            sent += 1
        }
        #expect(plant.target.circuitState == .open)
        let before = server.requests.count
        #expect(before == sent)
        guard case .circuitOpen(let retryAfter) = await plant.failure() else {
            Issue.record("it was sent through an open circuit")
            return
        }
        #expect(retryAfter > .zero)
        #expect(server.requests.count == before)
    }
}
