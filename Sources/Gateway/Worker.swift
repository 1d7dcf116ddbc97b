import Audit
import Bytes
import Contracts
import HTTP
import Identity
import JSON
import Limits
import Policy
import Reactor
import Server
import Services
import Store
import Synchronization
import Telemetry
import Upstream

/// The gateway on one reactor: takes each request through the pipeline and hands it to its handler.
///
/// A proxied request walks through `handle` → route → `identify` → `authorise` → `limit` → `ProxyCall.start`, and back
/// through `finished`, which writes its audit entry, its access log line and its metrics. A governed call takes the
/// same way to `GovernedCall.start`.
final class Worker: ExchangeHandler {
    let reactor: Reactor
    let shared: SharedState
    final var snapshot: Snapshot
    final var identity: IdentityState
    let desk: IdentityDesk
    let nameBytes: [UInt8]
    let viaBytes: [UInt8]
    let pools: UpstreamPools
    let metrics: WorkerMetrics
    final var openTunnels = 0
    let tunnelIdleTimeout: Nanoseconds = .minutes(10)
    let runner: ServiceRunner
    let world: ServiceWorld

    let tokens: TokenCache<Caller>
    final var tokenHeader = TokenHeaderMemo()
    final var checks = RateChecks()
    final var auditClock = AuditClock()
    let auditBuffer = IOBuffer(capacity: 2_048)
    let idBuffer = IOBuffer(capacity: 64)
    let traceBuffer = IOBuffer(capacity: 64)
    final var governed: [UInt64: GovernedCall] = [:]
    /// Batches that are being brought.
    final var sinks: [UInt64: BatchSink] = [:]
    final var relayed: [UInt64: RPCExchange] = [:]
    /// Who calls Odoo for scripts; set before the first request, and by each reload.
    final var relay: RPCRelay?
    final var streams: [UInt64: EventStream] = [:]
    final var tokenCalls: [UInt64: TokenServiceCall] = [:]
    /// Who is told of Odoo's own webhooks; nil where nothing is watched.
    var watch: OdooWatch?
    /// Nil while it is off.
    final var tokenService: TokenService?
    private final var contexts: [RequestContext] = []
    private final var proxies: [ProxyCall] = []
    private final var openDecisions: [RouteDecision?] = []
    private final var number: UInt64
    private final var auditLooked = MonotonicInstant(nanoseconds: .min / 2)
    private final var auditWrites = true
    private final var auditHasBacklog = true
    private final var random: RandomWords
    let requestPrefix: UInt64

    init(
        reactor: Reactor, shared: SharedState, snapshot: Snapshot, desk: IdentityDesk, metrics: WorkerMetrics,
        runner: ServiceRunner,
        world: ServiceWorld
    ) {
        self.runner = runner
        self.world = world
        self.reactor = reactor
        self.shared = shared
        self.snapshot = snapshot
        self.desk = desk
        identity = desk.current
        self.metrics = metrics
        var generator = SystemRandomNumberGenerator()
        requestPrefix = generator.next()
        number = 0
        random = RandomWords(seed: generator.next(), generator.next())
        nameBytes = Array(snapshot.configuration.name.utf8)
        viaBytes = Array("1.1 \(snapshot.configuration.name)".utf8)
        pools = UpstreamPools.of(reactor)
        tokens = TokenCache(entriesMax: snapshot.configuration.identity.cachedTokensMax, seed: generator.next())
        openDecisions = Array(repeating: nil, count: snapshot.routes.count)
    }

    /// Takes over a new configuration; requests in flight end under theirs.
    func replace(_ snapshot: Snapshot, _ identity: IdentityState, _ accounts: OdooAccounts) {
        self.snapshot = snapshot
        take(identity)
        relay = relay?.with(accounts)
        runner.adopt(snapshot.contracts)
        openDecisions = Array(repeating: nil, count: snapshot.routes.count)
        tokens.removeAll()
        // They refer to the routes and servers of before.
        proxies.removeAll()
        pools.keepOnly(Array(snapshot.targets.values) + shared.permanentTargets)
    }

    /// Takes over other keys or revocations. What comes late and is older is passed over.
    func take(_ identity: IdentityState) {
        guard identity.generation > self.identity.generation else { return }
        self.identity = identity
        tokens.removeAll()
    }

    // MARK: The walk of a request

    func handle(_ exchange: Exchange) {
        let context = takeContext()
        exchange.context = context
        let head = exchange.head
        let bytes = exchange.headBytes
        note(context, head, bytes)
        guard head.method != .connect, head.method != .other, head.method != .trace else {
            refuse(exchange, .methodUnknown)
            return
        }
        let path = bytes.extracting(head.pathRange)
        // A path that a server behind could read in another way than the routes do is not passed on at all.
        guard PathGuard.risk(of: path) == nil else {
            refuse(exchange, .ambiguousPath)
            return
        }
        switch snapshot.table.match(path) {
        case .proxy(let index):
            context.route = index
            proxy(exchange, context, snapshot.routes[index], bytes)
        case .rpc(let index):
            context.route = index
            relay(exchange, context, snapshot.routes[index], path: path.text)
        case .services: govern(exchange, context)
        case .openapi: describe(exchange, snapshot.openapi.bytes)
        case .asyncapi: describe(exchange, snapshot.asyncapi.bytes)
        case .hooks: takeHook(exchange, path.text)
        case .authzen: describeAccess(exchange)
        case .tokens: serveTokens(exchange, context)
        case nil: refuse(exchange, .notFound)
        }
    }

    private func proxy(
        _ exchange: Exchange, _ context: RequestContext, _ route: CompiledRoute, _ bytes: Span<UInt8>
    ) {
        context.isAudited = route.isAudited
        guard let target = route.target, route.access != .closed else {
            context.outcome = .refused
            refuse(exchange, .notFound)
            return
        }
        guard MethodSet.contains(route.methods, exchange.head.method) else {
            refuse(exchange, .methodNotAllowed(route.methodNames))
            return
        }
        if case .length(let count) = exchange.head.framing, count > route.bodyBytesMax {
            refuse(exchange, Refusal.bodyTooLarge)
            return
        }
        let decision: RouteDecision
        if route.access == .token {
            guard let caller = identify(exchange, context) else { return }
            decision = caller.decision(on: route) ?? decide(exchange, caller, route)
        } else {
            decision = openDecision(on: route)
        }
        context.decision = decision
        if decision.isObserved, let observation = decision.decision?.observation {
            metrics.policyObserved(forbids: observation.effect == .forbid)
        }
        if !decision.isPermitted, let denied = decision.decision {
            refuse(exchange, .forbidden(operation: route.operation, denied))
            return
        }
        guard admit(exchange, context, decision.checks) else { return }
        if context.isAudited && !auditHasRoom(forWrite: !exchange.head.method.isSafe) {
            refuse(exchange, .auditFull)
            return
        }
        let upgrades = exchange.head.upgrade
        if upgrades {
            // Anything but a whole handshake would let what follows it pass as a tunnel's bytes on one side and as
            // requests on the other. (RFC 6455 §4.2.1)
            let verdict = WebSocketHandshake.check(exchange.head, bytes)
            guard route.allowsWebSocket, verdict == .valid else {
                refuse(exchange, verdict == .versionUnsupported ? .upgradeVersion : .upgradeRefused)
                return
            }
        }
        context.outcome = .proxied
        let pool = pools.pool(for: upgrades ? route.webSocketTarget ?? target : target)
        takeProxy().start(exchange, context: context, route: route, pool: pool, upgrade: upgrades)
    }

    /// The policy's decision where none is remembered.
    private func decide(_ exchange: Exchange, _ caller: Caller, _ route: CompiledRoute) -> RouteDecision {
        let head = exchange.head
        let bytes = exchange.headBytes
        let input: JSONValue = [
            "method": .string(bytes.extracting(head.methodRange).text),
            "path": .string(bytes.extracting(head.pathRange).text),
        ]
        return caller.decide(on: route, snapshot: snapshot, input: input, facts: facts(exchange))
    }

    private func openDecision(on route: CompiledRoute) -> RouteDecision {
        if let known = openDecisions[route.index] { return known }
        let made = RouteDecision(open: route, snapshot: snapshot)
        openDecisions[route.index] = made
        return made
    }

    private func describe(_ exchange: Exchange, _ document: [UInt8]) {
        guard exchange.head.method == .get || exchange.head.method == .head else {
            refuse(exchange, .methodNotAllowed(["GET", "HEAD"]))
            return
        }
        exchange.respond(status: 200, fields: [("Content-Type", "application/json")], body: document)
    }

    /// Where the policy can be asked. (AuthZEN §9)
    private func describeAccess(_ exchange: Exchange) {
        guard exchange.head.method == .get || exchange.head.method == .head else {
            refuse(exchange, .methodNotAllowed(["GET", "HEAD"]))
            return
        }
        let host = exchange.head.first(.host).map { exchange.headBytes.extracting($0.valueRange).text } ?? "localhost"
        let base = (exchange.origin.tls == nil ? "http://" : "https://") + host
        let document: JSONValue = [
            "policy_decision_point": .string(base),
            "access_evaluation_endpoint": .string(base + "/access/v1/evaluation"),
            "access_evaluations_endpoint": .string(base + "/access/v1/evaluations"),
        ]
        exchange.respond(status: 200, fields: [("Content-Type", "application/json")], body: document.bytes)
    }

    // MARK: Refusing

    func refuse(_ exchange: Exchange, _ error: HTTPError) {
        if exchange.context == nil {
            let context = takeContext()
            exchange.context = context
        }
        metrics.malformed()
        refuse(exchange, .malformed(error))
    }

    /// Answers with the problem document of a refusal.
    func refuse(_ exchange: Exchange, _ refusal: Refusal) {
        let context = exchange.context as? RequestContext
        if context?.outcome != .proxied { context?.outcome = .refused } else { context?.outcome = .failed }
        var problem = refusal.problem(realm: snapshot.configuration.identity.realm)
        if let context { problem.instance = requestID(context) }
        respond(exchange, problem, context: context)
    }

    /// Whether the audit log takes this request's entry. While the disk is full what only reads goes on as long as its
    /// entries find room to wait; what changes something does not. Looked at once in ten milliseconds.
    func auditHasRoom(forWrite: Bool) -> Bool {
        if reactor.now >= auditLooked + .milliseconds(10) {
            auditLooked = reactor.now
            let status = shared.audit.status
            auditWrites = status.failure == nil
            auditHasBacklog = status.backlogBytes < snapshot.configuration.audit.backlogBytesMax / 10 * 9
        }
        return auditHasBacklog && (auditWrites || !forWrite)
    }

    // MARK: Pools of objects

    private func takeContext() -> RequestContext {
        let context = contexts.popLast() ?? RequestContext(snapshot: snapshot)
        number &+= 1
        context.begin(snapshot, number: number)
        return context
    }

    private func takeProxy() -> ProxyCall { proxies.popLast() ?? ProxyCall(worker: self) }

    func give(_ proxy: ProxyCall) { if proxies.count < 1_024 { proxies.append(proxy) } }

    /// Keeps what the logs say of the request line, and takes over or begins the trace.
    private func note(_ context: RequestContext, _ head: MessageHead, _ bytes: Span<UInt8>) {
        let method = bytes.extracting(head.methodRange)
        let target = bytes.extracting(head.targetRange)
        context.line.append(copying: method)
        context.methodBytes = method.count
        context.line.append(
            copying: target.count <= AuditLine.targetBytesMax ? target : target.extracting(0..<AuditLine.targetBytesMax)
        )
        if let field = head.first(.traceparent), head.count(of: .traceparent) == 1,
            let parent = TraceContext.parse(bytes.extracting(field.valueRange))
        {
            context.trace = parent.child(span: random.next())
        } else {
            context.trace = TraceContext.create(
                random: random.next(), random.next(), span: random.next(), sampled: false)
        }
    }

    /// Answers with a problem document.
    private func respond(_ exchange: Exchange, _ problem: Problem, context: RequestContext?) {
        let body = problem.bytes
        exchange.startResponse(status: problem.status)
        exchange.addField("Content-Type", Problem.mediaType)
        for (name, value) in problem.fields { exchange.addField(name, value) }
        if let context { addLimitFields(exchange, context) }
        exchange.endHead(.length(Int64(body.count)))
        let buffer = IOBuffer(capacity: body.count + 1)
        buffer.append(copying: body.span)
        exchange.sendBody(buffer, offset: 0, count: body.count)
        exchange.finish()
    }

    func addRequestID(_ exchange: Exchange, _ context: RequestContext) {
        exchange.addField("X-Request-Id", requestID(context))
    }

    /// The request's id, as in logs, audit entries and the `instance` of problems.
    func requestID(_ context: RequestContext) -> String {
        var out: [UInt8] = []
        out.append(hex: requestPrefix &+ context.number)
        return String(decoding: out, as: UTF8.self)
    }

    // MARK: The end of a request

    func finished(_ exchange: Exchange, completed: Bool) {
        guard let context = exchange.context as? RequestContext else { return }
        exchange.context = nil
        let duration = reactor.now - exchange.started
        metrics.count(
            route: context.route, operation: context.governed, status: exchange.status, nanoseconds: duration)
        if context.isAudited { audit(exchange, context, duration: duration, completed: completed) }
        if shared.accessLog != nil { logAccess(exchange, context, duration: duration) }
        if context.caller != nil { context.caller = nil }
        context.decision = nil
        if contexts.count < 1_024 { contexts.append(context) }
    }
}

/// Random words for trace and span ids: xoroshiro128+, seeded by the system. Ids must be unlikely to meet, not secret.
struct RandomWords {
    private var a: UInt64
    private var b: UInt64

    init(seed a: UInt64, _ b: UInt64) {
        self.a = a | 1
        self.b = b
    }

    mutating func next() -> UInt64 {
        let result = a &+ b
        let c = b ^ a
        a = (a << 24 | a >> 40) ^ c ^ (c << 16)
        b = c << 37 | c >> 27
        return result
    }
}
