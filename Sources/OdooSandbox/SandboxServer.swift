import Bytes
import HTTP
import Reactor
import Server

/// The sandbox on a socket: gathers each request, asks `SandboxOdoo`, and plays its delays and faults.
///
/// Like Odoo it closes the connection after every answer, even when keepalive was asked for.
package final class SandboxServer: ExchangeHandler {
    private let odoo: SandboxOdoo
    private let workers: SandboxWorkers

    private init(odoo: SandboxOdoo) {
        self.odoo = odoo
        workers = SandboxWorkers(odoo.configuration.workersMax)
    }

    /// Starts a reactor of its own and listens on it. Port 0 takes a free one; returns the address that was bound.
    package static func start(
        _ odoo: SandboxOdoo, host: String, port: UInt16
    ) async throws(ReactorError) -> (address: SocketAddress, handle: ReactorHandle) {
        guard let address = try SocketAddress.resolve(host: host, port: port, passive: true).first else {
            throw .address(host, code: 0)
        }
        let handle = try ReactorHandle.start(index: 0, name: "sandbox") { _ in }
        let result: Result<SocketAddress, ReactorError> = await withCheckedContinuation { continuation in
            handle.post { reactor in
                var configuration = ServerConfiguration()
                configuration.http.bodyBytesMax = 256 << 20
                let worker = ServerWorker(
                    reactor: reactor, configuration: configuration, statistics: ServerStatistics(),
                    handler: SandboxServer(odoo: odoo))
                reactor.setLocal(worker)
                do throws(ReactorError) {
                    continuation.resume(returning: .success(try worker.listen(name: "sandbox", address: address)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return (try result.get(), handle)
    }

    package func handle(_ exchange: Exchange) {
        let head = exchange.head
        let bytes = exchange.headBytes
        var request = SandboxRequest(
            method: bytes.extracting(head.methodRange).text, path: bytes.extracting(head.targetRange).text)
        for i in 0..<head.count {
            let name = bytes.extracting(head[i].nameRange)
            let value = bytes.extracting(head[i].valueRange)
            request.fields.append((name.text, value.text))
        }
        let gathering = SandboxExchange(exchange, request, odoo, workers)
        exchange.consumer = gathering
        if head.framing == .none || head.framing == .length(0) { gathering.requestBodyEnded() }
    }

    package func refuse(_ exchange: Exchange, _ error: HTTPError) {
        exchange.respond(status: error.status, fields: [("Content-Type", "text/html")], body: [])
    }

    package func finished(_ exchange: Exchange, completed: Bool) {}
}

/// One request of the sandbox.
private final class SandboxExchange: ExchangeConsumer {
    private var exchange: Exchange?
    private var request: SandboxRequest
    private let odoo: SandboxOdoo
    private let workers: SandboxWorkers

    init(_ exchange: Exchange, _ request: SandboxRequest, _ odoo: SandboxOdoo, _ workers: SandboxWorkers) {
        self.exchange = exchange
        self.request = request
        self.odoo = odoo
        self.workers = workers
    }

    func requestBody(_ bytes: Span<UInt8>) { request.body.append(copying: bytes) }

    func requestBodyEnded() {
        guard let reactor = exchange?.reactor else { return }
        // Its own doors are beside Odoo.
        if request.path.hasPrefix("/sandbox/") { return begin(on: reactor) }
        workers.enter { [self] in begin(on: reactor) }
    }

    private func begin(on reactor: Reactor) {
        let hold = odoo.hold(request)
        if hold > 0 {
            // Also when the client has gone by then: Odoo goes on, too.
            reactor.schedule(at: reactor.now + hold) { [self] reactor in run(on: reactor) }
        } else {
            run(on: reactor)
        }
    }

    private func run(on reactor: Reactor) {
        let made = odoo.answer(request, now: reactor.wall)
        if made.delay > 0 {
            reactor.schedule(at: reactor.now + made.delay) { [self] _ in send(made) }
        } else {
            send(made)
        }
    }

    func requestBodyFailed(_ error: HTTPError) { exchange = nil }
    func responseDrained() {}
    func clientGone() { exchange = nil }

    private func send(_ answer: SandboxAnswer) {
        defer { if !request.path.hasPrefix("/sandbox/") { workers.leave() } }
        guard let exchange else { return }
        self.exchange = nil
        if answer.fault == .closeWithoutAnswer {
            exchange.abort()
            return
        }
        if answer.isUpgrade {
            exchange.startResponse(status: 101)
            for (name, value) in answer.fields { exchange.addField(name, value) }
            if let end = exchange.takeOver() { WebSocketEcho.begin(end) }
            return
        }
        exchange.closeAfterwards()
        exchange.consumer = nil
        exchange.respond(
            status: answer.status, fields: answer.fields.map { ($0.name, $0.value) }, body: answer.body)
    }
}
