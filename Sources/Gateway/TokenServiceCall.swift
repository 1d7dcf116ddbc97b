import Bytes
import HTTP
import Identity
import JSON
import Reactor
import Server

/// A request to one of the token service's paths: gathers its form, asks the service, and writes the answer.
final class TokenServiceCall: ExchangeConsumer {
    private let worker: Worker
    private let service: TokenService
    private let path: TokenServiceConfiguration.Path
    private let authorization: String?
    private let thumbprint: String?
    private let number: UInt64
    private var exchange: Exchange?
    private var body: [UInt8] = []

    fileprivate init(
        _ exchange: Exchange, worker: Worker, service: TokenService, path: TokenServiceConfiguration.Path,
        authorization: String?, number: UInt64
    ) {
        self.exchange = exchange
        self.worker = worker
        self.service = service
        self.path = path
        self.authorization = authorization
        self.number = number
        thumbprint = worker.connection(exchange).certificateThumbprint
    }

    func requestBody(_ bytes: Span<UInt8>) {
        guard let exchange else { return }
        if body.count + bytes.count > FormParameters.bytesMax {
            forget()
            exchange.consumer = nil
            worker.refuse(exchange, Refusal.bodyTooLarge)
            return
        }
        body.append(copying: bytes)
    }

    func requestBodyEnded() {
        guard let exchange else { return }
        guard let form = FormParameters(body) else {
            answered(.failure(400, "invalid_request", "the body is no form, or has a parameter twice"))
            return
        }
        let request = TokenServiceRequest(
            path: path, form: form, authorization: authorization, thumbprint: thumbprint,
            address: exchange.origin.peerHost)
        let handle = worker.reactor.handle
        let number = number
        worker.reactor.spawn { [service] in
            let answer = await service.answer(request)
            handle.post { $0.local(Worker.self)?.tokenCalls.removeValue(forKey: number)?.answered(answer) }
        }
    }

    func requestBodyFailed(_ error: HTTPError) { forget() }
    func responseDrained() {}
    func clientGone() { forget() }

    private func forget() {
        exchange = nil
        worker.tokenCalls[number] = nil
    }

    private func answered(_ answer: TokenServiceAnswer) {
        guard let exchange else { return }
        forget()
        exchange.consumer = nil
        // RFC 6749 §5.1: what holds a token is kept by nobody on the way.
        let fields = [("Content-Type", "application/json"), ("Cache-Control", "no-store")] + answer.fields
        exchange.respond(status: answer.status, fields: fields, body: JSONValue.object(answer.body).bytes)
    }
}

extension Worker {
    /// The token service's paths. Whoever asks for a token sends a secret: by TLS, or from this very machine.
    func serveTokens(_ exchange: Exchange, _ context: RequestContext) {
        let head = exchange.head
        let bytes = exchange.headBytes
        guard let service = tokenService,
            let path = TokenServiceConfiguration.Path(rawValue: bytes.extracting(head.pathRange).text)
        else { return refuse(exchange, .notFound) }
        switch path {
        case .keys, .metadata:
            guard head.method == .get || head.method == .head else {
                return refuse(exchange, .methodNotAllowed(["GET", "HEAD"]))
            }
            let document = path == .keys ? service.jwks() : service.metadata()
            exchange.respond(
                status: 200,
                fields: [
                    ("Content-Type", "application/json"),
                    ("Cache-Control", "public, max-age=\(SigningKeyRing.maxAgeSeconds)"),
                ], body: JSONValue.object(document).bytes)
        case .token, .revocation:
            guard head.method == .post else { return refuse(exchange, .methodNotAllowed(["POST"])) }
            guard exchange.origin.isTLS || exchange.origin.peer.isLoopback else {
                return refuse(exchange, .problem(.init(.forbidden, "secrets are sent by TLS only")))
            }
            let call = TokenServiceCall(
                exchange, worker: self, service: service, path: path,
                authorization: head.first(.authorization).map { bytes.extracting($0.valueRange).text },
                number: context.number)
            exchange.consumer = call
            tokenCalls[context.number] = call
            if head.framing == .none || head.framing == .length(0) { call.requestBodyEnded() }
        }
    }
}
