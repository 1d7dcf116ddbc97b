import Bytes
import Contracts
import Events
import HTTP
import JSON
import Policy
import Reactor
import Server
import Services
import Synchronization

/// The event log as server-sent events: one response that goes on until the client leaves, the token ends or the gateway
/// stops. (HTML Living Standard §9.2)
///
/// The reading is async code on the same loop; it goes on only when the client has taken what was sent, so a slow client
/// costs one page of memory.
final class EventStream: ExchangeConsumer {
    private var exchange: Exchange?
    private let worker: Worker
    private let number: UInt64
    private var drained: CheckedContinuation<Bool, Never>?

    /// Longest stream. The client comes back with the last id; the policy is asked anew then. Default 1 hour.
    static let durationMax: Nanoseconds = .hours(1)
    /// A comment after so long without an event, so that nobody between takes the connection for dead. Default 15 s.
    static let heartbeat: Nanoseconds = .seconds(15)
    /// Events of one page.
    private static let pageMax = 100

    private init(_ exchange: Exchange, _ worker: Worker, number: UInt64) {
        self.exchange = exchange
        self.worker = worker
        self.number = number
    }

    static func isWanted(_ head: MessageHead, _ bytes: Span<UInt8>, _ contract: Contract) -> Bool {
        guard contract.operation == "event.read", head.method == .get, let field = head.first(.accept) else {
            return false
        }
        return bytes.extracting(field.valueRange).text.lowercased().contains("text/event-stream")
    }

    /// What the stream is to give.
    private struct Plan: Sendable {
        let feed: EventFeed
        let after: String?
        let since: String?
        let until: MonotonicInstant
    }

    static func begin(
        _ exchange: Exchange, worker: Worker, context: RequestContext, endpoint: Endpoint, caller: Caller
    ) {
        let head = exchange.head
        let bytes = exchange.headBytes
        let query = head.queryRange.map { bytes.extracting($0).text }
        let patterns: [EventPattern]
        let input: EndpointInput
        do throws(InvalidInput) {
            input = try endpoint.read(captures: [], query: query, body: nil)
        } catch {
            worker.refuse(exchange, .problem(error.problem))
            return
        }
        guard let list = [EventPattern](list: input.query["type"]?.string ?? "") else {
            worker.refuse(
                exchange,
                .problem(.invalidInput([Violation(.query("type"), "names events, such as production-order.*")])))
            return
        }
        patterns = list
        let policy = context.snapshot.policy
        let (principal, roles) = (caller.principal, caller.roles)
        let facts = worker.facts(exchange)
        let left = principal.expires - worker.reactor.wall
        let plan = Plan(
            feed: EventFeed(worker.runner.events, patterns: patterns) {
                policy.decide(roles, principal: principal, operation: $0, resource: $1, facts: facts).eventMask
            },
            after: field(head, bytes, "last-event-id") ?? input.query["after"]?.string,
            since: input.query["since"]?.string, until: worker.reactor.now + min(durationMax, max(left, 0)))
        let stream = EventStream(exchange, worker, number: context.number)
        exchange.consumer = stream
        worker.streams[stream.number] = stream
        let (world, handle, number) = (worker.world, worker.reactor.handle, stream.number)
        let shared = worker.shared
        worker.reactor.spawn {
            let outcome = await run(plan, number, world, handle) { shared.isDraining.load(ordering: .relaxed) }
            handle.post { $0.local(Worker.self)?.streams.removeValue(forKey: number)?.end(outcome) }
        }
    }

    private static func field(_ head: MessageHead, _ bytes: Span<UInt8>, _ name: StaticString) -> String? {
        for index in 0..<head.count where bytes.extracting(head[index].nameRange).equalsIgnoringCase(name) {
            return bytes.extracting(head[index].valueRange).text
        }
        return nil
    }

    // MARK: The reading

    /// Nil when the stream ended as it should; otherwise why it could not begin.
    private static func run(
        _ plan: Plan, _ number: UInt64, _ world: ServiceWorld, _ handle: ReactorHandle, isStopping: @Sendable () -> Bool
    ) async -> Problem? {
        do throws(ServiceStop) {
            var cursor = try await plan.feed.start(after: plan.after, since: plan.since)
            guard await send(Array("retry: 1000\n\n".utf8), number, handle, starts: true) else { return nil }
            while world.host.monotonic < plan.until, !isStopping() {
                let page = try await plan.feed.page(after: cursor, limit: pageMax)
                // What is not for this caller moves the cursor too, so that a reconnect does not look at it again.
                var text = page.events.map { Self.text($0) }.joined()
                if page.events.isEmpty, page.cursor > cursor { text = "id: \(page.cursor)\n\n" }
                cursor = page.cursor
                if !text.isEmpty {
                    guard await send(Array(text.utf8), number, handle) else { return nil }
                }
                if page.hasMore { continue }
                let wait = min(heartbeat, plan.until - world.host.monotonic)
                let before = world.host.monotonic
                await plan.feed.wait(after: cursor, for: max(wait, 0), world.host)
                if world.host.monotonic - before >= wait {
                    guard await send(Array(": still here\n\n".utf8), number, handle) else { return nil }
                }
            }
            return nil
        } catch {
            return error.problem
        }
    }

    /// The id is the cursor: what a client sends back as `Last-Event-ID`.
    private static func text(_ event: RecordedEvent) -> String {
        let cloud = CloudEvent(event)
        return "id: \(event.number)\nevent: \(cloud.type)\ndata: \(cloud.json.text)\n\n"
    }

    /// False when the client is gone.
    private static func send(
        _ bytes: [UInt8], _ number: UInt64, _ handle: ReactorHandle, starts: Bool = false
    ) async -> Bool {
        await withCheckedContinuation { continuation in
            handle.post { reactor in
                guard let stream = reactor.local(Worker.self)?.streams[number] else {
                    continuation.resume(returning: false)
                    return
                }
                if starts { stream.start() }
                stream.write(bytes, continuation)
            }
        }
    }

    // MARK: On the loop

    private func start() {
        guard let exchange else { return }
        exchange.startResponse(status: 200)
        exchange.addField("Content-Type", "text/event-stream")
        exchange.addField("Cache-Control", "no-store")
        exchange.endHead(.streamed)
    }

    private func write(_ bytes: [UInt8], _ continuation: CheckedContinuation<Bool, Never>) {
        guard let exchange else {
            continuation.resume(returning: false)
            return
        }
        let buffer = IOBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        exchange.sendBody(buffer, offset: 0, count: bytes.count)
        if exchange.isBackedUp { drained = continuation } else { continuation.resume(returning: true) }
    }

    private func end(_ problem: Problem?) {
        guard let exchange else { return }
        self.exchange = nil
        exchange.consumer = nil
        guard exchange.status == 0, let problem else {
            exchange.finish()
            return
        }
        worker.refuse(exchange, .problem(problem))
    }

    func requestBody(_ bytes: Span<UInt8>) {}
    func requestBodyEnded() {}
    func requestBodyFailed(_ error: HTTPError) { gone() }
    func clientGone() { gone() }

    func responseDrained() {
        drained?.resume(returning: true)
        drained = nil
    }

    private func gone() {
        exchange = nil
        worker.streams[number] = nil
        drained?.resume(returning: false)
        drained = nil
    }
}
