import Audit
import Bytes
import Contracts
import HTTP
import JSON
import Limits
import Policy
import Reactor
import Server
import Services
import Store
import Upstream

/// A governed call: gathers the body, runs the business service as async code on the same loop, and writes its answer.
///
/// The client may go meanwhile: the service still runs to its end, because what Odoo has begun cannot be called back;
/// the answer then waits in the ledger under its idempotency key.
final class GovernedCall: ExchangeConsumer {
    private let worker: Worker
    private var exchange: Exchange?
    private let context: RequestContext
    private var call: ServiceCall
    private let audit: GovernedAudit
    private let bodyBytesMax: Int
    private let number: UInt64
    private var isRunning = false
    /// The body goes through the worker's sink of the same number.
    private var isBatch = false
    private var place: AnyObject?

    /// Calls under way, so that the answer that comes back as a value finds its exchange.
    static func begin(
        _ exchange: Exchange, worker: Worker, context: RequestContext, call: ServiceCall,
        audit: GovernedAudit, bodyBytesMax: Int, batch: (sink: BatchSink, record: BatchRecord, offset: Int?)? = nil
    ) {
        let governed = GovernedCall(
            exchange, worker: worker, context: context, call: call, audit: audit, bodyBytesMax: bodyBytesMax)
        exchange.consumer = governed
        worker.governed[governed.number] = governed
        if let batch {
            governed.isBatch = true
            worker.sinks[governed.number] = batch.sink
            batch.sink.open(batch.record, offset: batch.offset)
            if exchange.head.framing == .none || exchange.head.framing == .length(0) { batch.sink.end() }
            return
        }
        if exchange.head.framing == .none || exchange.head.framing == .length(0) { governed.run() }
    }

    private init(
        _ exchange: Exchange, worker: Worker, context: RequestContext, call: ServiceCall,
        audit: GovernedAudit, bodyBytesMax: Int
    ) {
        self.audit = audit
        self.exchange = exchange
        self.worker = worker
        self.context = context
        self.call = call
        self.bodyBytesMax = bodyBytesMax
        number = context.number
    }

    // MARK: The body

    func requestBody(_ bytes: Span<UInt8>) {
        if isBatch {
            worker.sinks[number]?.take(bytes)
            return
        }
        if call.body.count + bytes.count > bodyBytesMax {
            guard let exchange else { return }
            self.exchange = nil
            worker.governed[number] = nil
            exchange.consumer = nil
            worker.refuse(exchange, Refusal.bodyTooLarge)
            return
        }
        call.body.append(copying: bytes)
    }

    func requestBodyEnded() {
        if isBatch { worker.sinks[number]?.end() } else { run() }
    }

    func requestBodyFailed(_ error: HTTPError) {
        worker.sinks[number]?.leave()
        forget()
    }

    func responseDrained() {}

    func clientGone() {
        // What runs goes on and keeps its place in the connection's limit until it has ended.
        if isRunning {
            exchange = nil
        } else {
            worker.sinks[number]?.leave()
            forget()
        }
    }

    private func forget() {
        exchange = nil
        worker.governed[number] = nil
    }

    // MARK: A batch

    func holdBody() { exchange?.pauseBody() }
    func resumeBody() { exchange?.resumeBody() }

    /// Its lines are on the disk.
    func run(with batch: ReceivedBatch) {
        call.batch = batch
        run()
    }

    func refuse(_ problem: Problem) {
        guard let exchange else { return }
        forget()
        exchange.consumer = nil
        context.isAudited = true
        worker.refuse(exchange, .problem(problem))
    }

    // MARK: The service

    private func run() {
        guard let exchange else { return }
        isRunning = true
        place = exchange.holdPlace()
        let runner = worker.runner
        let audit = audit
        let traceparent = context.trace.text
        let call = call
        let number = number
        let handle = worker.reactor.handle
        worker.reactor.spawn {
            let answer = await CallTrace.$traceparent.withValue(traceparent) { await runner.answer(call) }
            await audit.finished(call, answer)
            handle.post { reactor in
                reactor.local(Worker.self)?.governed.removeValue(forKey: number)?.answered(answer)
            }
        }
    }

    private func answered(_ answer: ServiceAnswer) {
        if let observation = (answer.decision ?? context.governedDecision)?.observation {
            worker.metrics.policyObserved(forbids: observation.effect == .forbid)
        }
        guard let exchange else { return }
        self.exchange = nil
        exchange.consumer = nil
        exchange.startResponse(status: answer.status)
        if answer.status != 304 { exchange.addField("Content-Type", answer.contentType) }
        for (name, value) in answer.fields { exchange.addField(name, value) }
        worker.addLimitFields(exchange, context)
        worker.addRequestID(exchange, context)
        exchange.endHead(answer.status == 304 ? .absent : .length(Int64(answer.body.count)))
        if !answer.body.isEmpty {
            let buffer = IOBuffer(capacity: answer.body.count)
            let body = answer.body
            buffer.append(copying: body.span)
            exchange.sendBody(buffer, offset: 0, count: buffer.count)
        }
        exchange.finish()
    }
}

extension Worker {
    /// The way of a request under `/v1`: contract → identity → policy → limits → service.
    func govern(_ exchange: Exchange, _ context: RequestContext) {
        let head = exchange.head
        let bytes = exchange.headBytes
        let path = bytes.extracting(head.pathRange).text
        let method = bytes.extracting(head.methodRange).text
        let contract: Contract
        let endpoint: Endpoint
        let captures: [String]
        switch snapshot.contracts.route(method: method, path: path) {
        case .notFound:
            refuse(exchange, .notFound)
            return
        case .methodNotAllowed(let methods):
            refuse(exchange, .methodNotAllowed(methods))
            return
        case .found(let found, let place, let parts):
            (contract, endpoint, captures) = (found, place, parts)
        }
        context.isAudited = true
        context.governed = contract.operation
        guard let caller = identify(exchange, context) else { return }
        let facts = facts(exchange)
        let gate = caller.gate(contract.operation, snapshot: snapshot, facts: facts)
        context.governedDecision = gate
        guard gate.isPermitted else {
            if let observation = gate.observation { metrics.policyObserved(forbids: observation.effect == .forbid) }
            refuse(exchange, .forbidden(operation: contract.operation, gate))
            return
        }
        guard
            admit(
                exchange, context,
                snapshot.checks(operation: contract.operation, routeName: contract.operation, caller: caller))
        else { return }
        guard auditHasRoom(forWrite: contract.kind == .write) else {
            refuse(exchange, .auditFull)
            return
        }
        if EventStream.isWanted(head, bytes, contract) {
            EventStream.begin(exchange, worker: self, context: context, endpoint: endpoint, caller: caller)
            return
        }
        // The entry of a governed call is written with what its service learnt.
        context.isAudited = false
        let audit = GovernedAudit(self, exchange, context, contract: contract, caller: caller, gate: gate)
        let snapshot = snapshot
        let policy = snapshot.policy
        let principal = caller.principal
        let roles = caller.roles
        let operation = contract.operation
        let prefer = head.first(.prefer).map { bytes.extracting($0.valueRange).text.lowercased() } ?? ""
        var call = ServiceCall(
            contract: contract, endpoint: endpoint, captures: captures,
            query: head.queryRange.map { bytes.extracting($0).text },
            contentType: head.first(.contentType).map { bytes.extracting($0.valueRange).text },
            caller: caller.identity,
            authorize: {
                policy.decide(
                    roles, principal: principal, operation: operation, resource: snapshot.placed($0), facts: facts)
            },
            permits: { policy.decide(roles, principal: principal, operation: $0, resource: $1, facts: facts) },
            idempotencyKey: idempotencyKey(head, bytes), prefersAsync: Preference.isAsync(prefer),
            waitMax: Preference.wait(prefer), requestID: requestID(context), traceID: context.trace.traceID,
            world: world, audit: audit)
        call.ifNoneMatch = head.first(.ifNoneMatch).map { bytes.extracting($0.valueRange).text }
        let told = policy.distinctions(of: operation)
        call.inside = told.resources(for: principal)
        call.needsProductCategory = told.needsProductCategory
        call.cacheControl = head.first(.cacheControl).map { bytes.extracting($0.valueRange).text }
        call.roles = caller.roleNames
        call.policy = policy
        call.catalogue = snapshot.events
        call.mayNeedApproval = !gate.obligations.secondPerson.isEmpty
        call.bind = { input in
            let flat = JSONValue.object(input.flat)
            return { resource in
                policy.decide(
                    roles, principal: principal, operation: operation, resource: snapshot.placed(resource), input: flat,
                    facts: facts)
            }
        }
        var batch: (sink: BatchSink, record: BatchRecord, offset: Int?)?
        if operation == BatchSubmission.operation {
            context.isAudited = true
            guard let found = batchSink(exchange, context, call, caller) else { return }
            context.isAudited = false
            batch = found
        }
        GovernedCall.begin(
            exchange, worker: self, context: context, call: call, audit: audit, bodyBytesMax: Self.callBytesMax,
            batch: batch)
    }

    /// Longest body of a governed call, in bytes. A business call is small; more is a mistake or an attack.
    static var callBytesMax: Int { 1_048_576 }

    /// The `Idempotency-Key` field as it came. Two of them name two operations: that is none.
    private func idempotencyKey(_ head: MessageHead, _ bytes: Span<UInt8>) -> String? {
        guard let field = head.first(.idempotencyKey) else { return nil }
        let text = bytes.extracting(field.valueRange).text
        return head.count(of: .idempotencyKey) == 1 ? text : ""
    }
}

/// `Prefer` (RFC 7240).
enum Preference {
    static func isAsync(_ field: String) -> Bool {
        field.split(separator: ",").contains { $0.trimmed == "respond-async" }
    }

    /// `wait=10`, in seconds, at most a minute.
    static func wait(_ field: String) -> Nanoseconds {
        for part in field.split(separator: ",") {
            let pair = part.trimmed.split(separator: "=")
            if pair.count == 2, pair[0] == "wait", let seconds = Int64(pair[1]), seconds >= 0 {
                return .seconds(min(seconds, 60))
            }
        }
        return 0
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
