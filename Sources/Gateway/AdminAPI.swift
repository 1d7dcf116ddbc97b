import Bytes
import Contracts
import HTTP
import JSON
import Reactor
import Server

/// The admin listener, on loopback by default: health, readiness, metrics. It has no identity of its own, so it must
/// not be reachable from the plant network.
final class AdminAPI: ExchangeHandler {
    private let status: @Sendable () async -> ReadinessReport
    private let metrics: @Sendable () async -> [UInt8]
    private let resources: [any AdminResource]
    private let token: AdminToken
    private let reactor: Reactor
    private var waiting: [UInt64: AdminAnswer] = [:]
    private var number: UInt64 = 0

    init(
        reactor: Reactor, status: @escaping @Sendable () async -> ReadinessReport,
        metrics: @escaping @Sendable () async -> [UInt8], resources: [any AdminResource], token: AdminToken
    ) {
        self.resources = resources
        self.token = token
        self.reactor = reactor
        self.status = status
        self.metrics = metrics
    }

    func handle(_ exchange: Exchange) {
        let bytes = exchange.headBytes
        let path = bytes.extracting(exchange.head.pathRange)
        if Self.isOpen(path) {
            guard exchange.head.method == .get || exchange.head.method == .head else {
                respond(exchange, .methodNotAllowed(allow: ["GET", "HEAD"]))
                return
            }
        } else {
            askResources(exchange)
            return
        }
        if path.equals("/healthz") {
            // Alive is what answers.
            exchange.respond(
                status: 200, fields: [("Content-Type", "application/json")], body: Array(#"{"status":"pass"}"#.utf8))
        } else if path.equals("/readyz") {
            let status = status
            answer(exchange) {
                let report = await status()
                return (report.isReady ? 200 : 503, "application/json", report.json.bytes)
            }
        } else if path.equals("/metrics") {
            let metrics = metrics
            answer(exchange) { (200, "text/plain; version=0.0.4; charset=utf-8", await metrics()) }
        } else {
            respond(exchange, Problem(.notFound, "nothing is served at this path"))
        }
    }

    /// What needs no token: it changes nothing and says no secret.
    private static func isOpen(_ path: Span<UInt8>) -> Bool {
        path.equals("/healthz") || path.equals("/readyz") || path.equals("/metrics")
    }

    private func askResources(_ exchange: Exchange) {
        let head = exchange.head
        let bytes = exchange.headBytes
        let field = head.first(.authorization).map { bytes.extracting($0.valueRange).text }
        guard token.accepts(field) else {
            var problem = Problem(
                .unauthenticated, "send the admin token, which is in the file admin.token beside the stores")
            problem.challenge = "Bearer realm=\"admin\""
            respond(exchange, problem)
            return
        }
        let request = AdminRequest(
            method: bytes.extracting(head.methodRange).text, path: bytes.extracting(head.pathRange).text,
            query: head.queryRange.map { bytes.extracting($0).text } ?? "", body: [])
        let hasBody = head.framing != .none && head.framing != .length(0)
        exchange.consumer = AdminBody(exchange, request) { [weak self] exchange, request in
            guard let self else { return }
            guard let request else {
                respond(exchange, Problem(.payloadTooLarge, "at most \(AdminRequest.bodyBytesMax) bytes"))
                return
            }
            let resources = resources
            answer(exchange) {
                for resource in resources {
                    guard let response = await resource.answer(request) else { continue }
                    let type = response.status < 400 ? "application/json" : Problem.mediaType
                    return (response.status, type, response.body.bytes)
                }
                let problem = Problem(.notFound, "the admin interface has nothing at this path")
                return (problem.status, Problem.mediaType, problem.bytes)
            }
        }
        if !hasBody { (exchange.consumer as? AdminBody)?.requestBodyEnded() }
    }

    private func answer(_ exchange: Exchange, _ body: @escaping @Sendable () async -> (Int, String, [UInt8])) {
        number += 1
        let key = number
        let pending = AdminAnswer(exchange)
        exchange.consumer = pending
        waiting[key] = pending
        reactor.setLocal(self)
        let handle = reactor.handle
        reactor.spawn {
            let (status, type, bytes) = await body()
            handle.post { reactor in
                guard let exchange = reactor.local(AdminAPI.self)?.waiting.removeValue(forKey: key)?.exchange else {
                    return
                }
                exchange.consumer = nil
                exchange.respond(status: status, fields: [("Content-Type", type)], body: bytes)
            }
        }
    }

    private func respond(_ exchange: Exchange, _ problem: Problem) {
        exchange.respond(
            status: problem.status,
            fields: [("Content-Type", Problem.mediaType)] + problem.fields.map { ($0.name, $0.value) },
            body: problem.bytes)
    }

    func refuse(_ exchange: Exchange, _ error: HTTPError) {
        respond(exchange, Refusal.malformed(error).problem(realm: ""))
    }

    func finished(_ exchange: Exchange, completed: Bool) {}
}

/// Gathers the body of an admin request.
private final class AdminBody: ExchangeConsumer {
    private var exchange: Exchange?
    private var request: AdminRequest
    private let done: (Exchange, AdminRequest?) -> Void

    init(_ exchange: Exchange, _ request: AdminRequest, done: @escaping (Exchange, AdminRequest?) -> Void) {
        self.exchange = exchange
        self.request = request
        self.done = done
    }

    func requestBody(_ bytes: Span<UInt8>) {
        guard exchange != nil else { return }
        if request.body.count + bytes.count > AdminRequest.bodyBytesMax { return end(nil) }
        request.body.append(copying: bytes)
    }

    func requestBodyEnded() { end(request) }

    private func end(_ request: AdminRequest?) {
        guard let exchange else { return }
        self.exchange = nil
        exchange.consumer = nil
        done(exchange, request)
    }

    func requestBodyFailed(_ error: HTTPError) { exchange = nil }
    func responseDrained() {}
    func clientGone() { exchange = nil }
}

/// An admin request that waits for its answer; the client may go before it comes.
private final class AdminAnswer: ExchangeConsumer {
    private(set) var exchange: Exchange?
    init(_ exchange: Exchange) { self.exchange = exchange }
    func requestBody(_ bytes: Span<UInt8>) {}
    func requestBodyEnded() {}
    func requestBodyFailed(_ error: HTTPError) { exchange = nil }
    func responseDrained() {}
    func clientGone() { exchange = nil }
}

/// What `/readyz` says: whether requests would be served, and what is amiss.
package struct ReadinessReport: Sendable {
    package struct Check: Sendable {
        package var name: String
        package var isReady: Bool
        package var detail: String
        /// The same for programs, where there is more to say.
        package var facts: JSONValue?
    }

    package var checks: [Check]
    package var policyDigest: String
    package var generation: UInt64

    package var isReady: Bool { checks.allSatisfy(\.isReady) }

    package var json: JSONValue {
        .object(
            JSONObject([
                ("status", .string(isReady ? "pass" : "fail")), ("policy", .string(policyDigest)),
                ("generation", JSONValue(Int(generation))),
                (
                    "checks",
                    .object(
                        JSONObject(
                            checks.map { check in
                                (
                                    check.name,
                                    .object(
                                        JSONObject(
                                            [
                                                ("status", .string(check.isReady ? "pass" : "fail")),
                                                ("detail", .string(check.detail)),
                                            ] + (check.facts.map { [("facts", $0)] } ?? [])))
                                )
                            }))
                ),
            ]))
    }
}
