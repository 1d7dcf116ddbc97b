import Bytes
import Contracts
import HTTP
import JSON
import Odoo
import Reactor
import Server

/// One script's request on its way: gathers the body, and writes the answer when it is there.
///
/// The client may go meanwhile: a call that Odoo has begun runs to its end, and its outcome is in the audit log.
final class RPCExchange: ExchangeConsumer {
    private let worker: Worker
    private var exchange: Exchange?
    let context: RequestContext
    let route: CompiledRoute
    let wire: RPCWire
    let number: UInt64
    private(set) var body: [UInt8] = []
    private let path: String
    private var message: RPCMessage?
    private var masked: Set<String> = []

    init(
        _ exchange: Exchange, worker: Worker, context: RequestContext, route: CompiledRoute, wire: RPCWire, path: String
    ) {
        self.exchange = exchange
        self.worker = worker
        self.context = context
        self.route = route
        self.wire = wire
        self.path = path
        number = context.number
    }

    // MARK: The body

    func requestBody(_ bytes: Span<UInt8>) {
        guard let exchange else { return }
        if body.count + bytes.count > Int(route.bodyBytesMax) {
            forget()
            worker.refuse(exchange, Refusal.bodyTooLarge)
            return
        }
        body.append(copying: bytes)
    }

    func requestBodyEnded() {
        guard let exchange else { return }
        do throws(RPCRefusal) {
            let message = try RPCReader.read(wire, path: path, body: body)
            self.message = message
            worker.judge(message, self, exchange)
        } catch {
            switch error {
            case .unreadable(let why):
                forget()
                worker.refuse(exchange, .problem(Problem(.malformedRequest, why)))
            case .notOffered(let id, let what):
                context.outcome = .refused
                answer(.failure(.forbidden(what), wire: wire, id: id, isAtLeast19: isAtLeast19))
            }
        }
    }

    func requestBodyFailed(_ error: HTTPError) { clientGone() }

    func responseDrained() {}

    func clientGone() {
        exchange = nil
        worker.relayed[number] = nil
    }

    /// Whoever calls this answers the exchange itself, or has.
    func forget() {
        exchange?.consumer = nil
        clientGone()
    }

    // MARK: The call

    /// Asks Odoo, as async code on the same loop. The audit entries are written there, also for a client that went.
    func run(_ work: RPCWork, masking masked: Set<String> = []) {
        self.masked = masked
        let number = number
        let traceparent = context.trace.text
        let handle = worker.reactor.handle
        worker.reactor.spawn {
            let result = await work.perform(traceparent: traceparent)
            handle.post { reactor in
                reactor.local(Worker.self)?.relayed.removeValue(forKey: number)?.answered(result)
            }
        }
    }

    private func answered(_ result: Result<JSONValue?, RPCFault>) {
        guard let message else { return }
        switch result {
        case .success(let value): answer(.success(value?.hiding(masked), to: message))
        case .failure(let fault):
            answer(.failure(fault, wire: wire, id: message.id, isAtLeast19: isAtLeast19))
        }
    }

    /// Answers with a fault: the call was not made.
    func refuse(_ fault: RPCFault) {
        context.outcome = .refused
        answer(.failure(fault, wire: wire, id: message?.id ?? .null, isAtLeast19: isAtLeast19))
    }

    func answer(_ value: JSONValue?) {
        if let message { answer(.success(value, to: message)) }
    }

    private func answer(_ answer: RPCAnswer) {
        guard let exchange else { return }
        self.exchange = nil
        worker.relayed[number] = nil
        exchange.consumer = nil
        exchange.startResponse(status: answer.status)
        exchange.addField("Content-Type", answer.contentType)
        worker.addLimitFields(exchange, context)
        worker.addRequestID(exchange, context)
        exchange.endHead(.length(Int64(answer.body.count)))
        let buffer = IOBuffer(capacity: answer.body.count + 1)
        let body = answer.body
        buffer.append(copying: body.span)
        exchange.sendBody(buffer, offset: 0, count: buffer.count)
        exchange.finish()
    }

    private var isAtLeast19: Bool { worker.relay?.main.isAtLeast19 ?? true }
}
