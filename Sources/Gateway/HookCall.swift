import Bytes
import HTTP
import Reactor
import Server
import Services

/// One of Odoo's own webhooks (`POST /hooks/odoo/NAME`): answered at once, because Odoo makes its user wait for it and
/// gives up after a second, and taken for nothing but a hint to read a record.
///
/// It is unsigned and anybody may send one: what follows from it is one reading of one record, and never more than
/// `OdooWatch.hintsMax` of them wait.
final class HookCall: ExchangeConsumer {
    private var exchange: Exchange?
    private let worker: Worker
    private var body: [UInt8] = []

    /// Longest body, in bytes: the fields that an automation rule adds. Beyond it 413.
    static let bodyBytesMax = 65_536

    init(_ exchange: Exchange, _ worker: Worker) {
        self.exchange = exchange
        self.worker = worker
    }

    func requestBody(_ bytes: Span<UInt8>) {
        guard let exchange else { return }
        if body.count + bytes.count > Self.bodyBytesMax {
            forget()
            return worker.refuse(exchange, Refusal.bodyTooLarge)
        }
        body.append(copying: bytes)
    }

    func requestBodyEnded() {
        guard let exchange else { return }
        forget()
        // What is about something else is well received too: the rule in Odoo may send more than is watched.
        if let (model, id) = OdooWatch.record(inHook: body) { worker.watch?.hint(model, id) }
        exchange.respond(status: 204, fields: [], body: [])
    }

    private func forget() {
        exchange?.consumer = nil
        exchange = nil
    }

    func requestBodyFailed(_ error: HTTPError) { exchange = nil }
    func responseDrained() {}
    func clientGone() { exchange = nil }
}

extension Worker {
    func takeHook(_ exchange: Exchange, _ path: String) {
        let name = path.dropFirst("/hooks/odoo/".count)
        guard watch != nil, snapshot.configuration.events.hooks.contains(String(name)) else {
            return refuse(exchange, .notFound)
        }
        guard exchange.head.method == .post else { return refuse(exchange, .methodNotAllowed(["POST"])) }
        let call = HookCall(exchange, self)
        exchange.consumer = call
        if exchange.head.framing == .none || exchange.head.framing == .length(0) { call.requestBodyEnded() }
    }
}
