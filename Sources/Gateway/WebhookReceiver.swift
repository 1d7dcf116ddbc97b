import Bytes
import HTTP
import JSON
import Reactor
import Server
import Webhooks

/// A receiver of webhooks that verifies and prints them: what `millgate webhook listen` runs.
package final class WebhookReceiver: ExchangeHandler {
    private let secrets: [WebhookSecret]
    private let status: Int
    private let print: @Sendable (String) -> Void
    /// Ids that came, to show repetitions; forgotten when there are many.
    private var seen: Set<String> = []

    /// Longest body, in bytes.
    static let bodyBytesMax = 1 << 20
    /// Ids remembered.
    static let seenMax = 100_000

    private init(_ secrets: [WebhookSecret], _ status: Int, _ print: @escaping @Sendable (String) -> Void) {
        self.secrets = secrets
        self.status = status
        self.print = print
    }

    /// Starts a reactor of its own and listens on it. Port 0 takes a free one; returns the address that was bound.
    package static func start(
        host: String, port: UInt16, secrets: [WebhookSecret], status: Int, print: @escaping @Sendable (String) -> Void
    ) async throws(ReactorError) -> SocketAddress {
        guard let address = try SocketAddress.resolve(host: host, port: port, passive: true).first else {
            throw .address(host, code: 0)
        }
        let handle = try ReactorHandle.start(index: 0, name: "receiver") { _ in }
        let result: Result<SocketAddress, ReactorError> = await withCheckedContinuation { continuation in
            handle.post { reactor in
                var configuration = ServerConfiguration()
                configuration.http.bodyBytesMax = Int64(bodyBytesMax)
                let worker = ServerWorker(
                    reactor: reactor, configuration: configuration, statistics: ServerStatistics(),
                    handler: WebhookReceiver(secrets, status, print))
                reactor.setLocal(worker)
                do throws(ReactorError) {
                    continuation.resume(returning: .success(try worker.listen(name: "receiver", address: address)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    package func handle(_ exchange: Exchange) {
        let head = exchange.head
        let bytes = exchange.headBytes
        var fields: [String: String] = [:]
        for i in 0..<head.count {
            fields[bytes.extracting(head[i].nameRange).text.lowercased()] =
                bytes.extracting(head[i].valueRange).text
        }
        let gathering = Gathering(exchange) { [self] exchange, body in answer(exchange, fields, body) }
        exchange.consumer = gathering
        if head.framing == .none || head.framing == .length(0) { gathering.requestBodyEnded() }
    }

    private func answer(_ exchange: Exchange, _ fields: [String: String], _ body: [UInt8]) {
        let now = exchange.reactor.wall
        let id = fields[WebhookSignature.idField]
        do throws(WebhookSignature.Refusal) {
            try WebhookSignature.verify(
                id: id, timestamp: fields[WebhookSignature.timestampField],
                signature: fields[WebhookSignature.signatureField], body: body, secrets: secrets, now: now)
        } catch {
            print("\(now.rfc3339)  refused: \(error.rawValue)")
            let text = Array("\(error.rawValue)\n".utf8)
            return exchange.respond(status: 401, fields: [("Content-Type", "text/plain")], body: text)
        }
        if seen.count >= Self.seenMax { seen = [] }
        let isNew = seen.insert(id ?? "").inserted
        let json = try? JSONValue.parse(body)
        let type = json?["type"]?.string ?? fields["ce-type"] ?? "?"
        let subject = json?["subject"]?.string ?? fields["ce-subject"] ?? "?"
        print("\(now.rfc3339)  verified\(isNew ? "" : ", again")  \(type)  \(subject)  \(id ?? "")")
        print(String(decoding: body, as: UTF8.self))
        exchange.respond(status: status, fields: [], body: [])
    }

    package func refuse(_ exchange: Exchange, _ error: HTTPError) {
        exchange.respond(status: error.status, fields: [], body: [])
    }

    package func finished(_ exchange: Exchange, completed: Bool) {}
}

/// Gathers the body of one delivery.
private final class Gathering: ExchangeConsumer {
    private var exchange: Exchange?
    private var body: [UInt8] = []
    private let done: (Exchange, [UInt8]) -> Void

    init(_ exchange: Exchange, done: @escaping (Exchange, [UInt8]) -> Void) {
        self.exchange = exchange
        self.done = done
    }

    func requestBody(_ bytes: Span<UInt8>) { body.append(copying: bytes) }

    func requestBodyEnded() {
        guard let exchange else { return }
        self.exchange = nil
        exchange.consumer = nil
        done(exchange, body)
    }

    func requestBodyFailed(_ error: HTTPError) { exchange = nil }
    func responseDrained() {}
    func clientGone() { exchange = nil }
}
