import Bytes
import HTTP
import Limits
import Reactor
import Synchronization

/// A whole request to a server, for async code.
package struct FetchRequest: Sendable {
    package var method: Method
    /// Origin-form, `/jsonrpc`.
    package var target: String
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    package var admission: AdmissionClass
    /// Until when the whole call may take, waiting for its turn included.
    package var deadline: MonotonicInstant
    /// Largest answer body. Default 16 MiB.
    package var answerBytesMax: Int

    package init(
        method: Method, target: String, fields: [(name: String, value: String)], body: [UInt8],
        admission: AdmissionClass = .standard, deadline: MonotonicInstant, answerBytesMax: Int = 16 * 1_048_576
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.admission = admission
        self.deadline = deadline
        self.answerBytesMax = answerBytesMax
    }
}

/// A whole answer.
package struct FetchAnswer: Sendable {
    package var status: Int
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    /// The first field of that name, in lower case.
    package subscript(name: String) -> String? { fields.first { $0.name.lowercased() == name }?.value }
}

/// Brings whole requests to one server from async code on a reactor.
package struct Fetcher: Sendable {
    private let home: ReactorHandle
    private let target: UpstreamTarget

    package init(home: ReactorHandle, target: UpstreamTarget) {
        self.home = home
        self.target = target
    }

    /// The answer, or what is known of the failure. Calls go through the target's gate and circuit.
    package func fetch(_ request: FetchRequest) async -> Result<FetchAnswer, UpstreamFailure> {
        await withCheckedContinuation { continuation in
            home.post { [target] reactor in
                let pool = UpstreamPools.of(reactor).pool(for: target)
                FetchCall(request, reactor: reactor) { continuation.resume(returning: $0) }.start(in: pool)
            }
        }
    }
}

/// The pools of one reactor, one per server.
package final class UpstreamPools {
    private let reactor: Reactor
    private var pools: [ObjectIdentifier: UpstreamPool] = [:]
    /// The one that was asked for last: mostly there is one server.
    private var last: UpstreamPool?

    private init(reactor: Reactor) { self.reactor = reactor }

    package static func of(_ reactor: Reactor) -> UpstreamPools {
        if let existing = reactor.local(UpstreamPools.self) { return existing }
        let made = UpstreamPools(reactor: reactor)
        reactor.setLocal(made)
        return made
    }

    package func pool(for target: UpstreamTarget) -> UpstreamPool {
        if let last, last.target === target { return last }
        if let existing = pools[ObjectIdentifier(target)] {
            last = existing
            return existing
        }
        let made = UpstreamPool(reactor: reactor, target: target)
        pools[ObjectIdentifier(target)] = made
        return made
    }

    /// Closes and forgets the pools of servers that the configuration no longer has.
    package func keepOnly(_ targets: [UpstreamTarget]) {
        last = nil
        let kept = Set(targets.map { ObjectIdentifier($0) })
        for (id, pool) in pools where !kept.contains(id) {
            pool.closeIdle()
            pools[id] = nil
        }
    }
}

/// One call of a `Fetcher`: writes the request, gathers the answer.
final class FetchCall: UpstreamCall {
    private let request: FetchRequest
    private let reactor: Reactor
    private var done: ((Result<FetchAnswer, UpstreamFailure>) -> Void)?
    private var connection: UpstreamConnection?
    /// The connection that is being made for this call.
    private var pending: UpstreamConnection?
    private var timer: Reactor.ScheduledAction?
    private var answer = FetchAnswer(status: 0, fields: [], body: [])
    private var ticket: AdmissionQueue.Ticket?
    private var pool: UpstreamPool?

    init(_ request: FetchRequest, reactor: Reactor, done: @escaping (Result<FetchAnswer, UpstreamFailure>) -> Void) {
        self.request = request
        self.reactor = reactor
        self.done = done
    }

    var method: Method { request.method }
    var wantsUpgrade: Bool { false }
    /// A repetition after a dead connection is the caller's to decide: it may be a write.
    var canRepeat: Bool { request.method.isSafe }

    func start(in pool: UpstreamPool) {
        self.pool = pool
        // The gate watches the deadline of calls that wait; this timer that of calls under way.
        timer = reactor.schedule(at: request.deadline) { [self] _ in expire() }
        ticket = pool.start(self, admission: request.admission, deadline: request.deadline)
    }

    private func expire() {
        timer = nil
        if let connection {
            self.connection = nil
            connection.cancel()
            finish(.failure(.timeout))
        } else if let pending {
            // Given up for good: what is reported as not sent must not be sent after all.
            self.pending = nil
            pending.cancel()
            finish(.failure(.connectTimeout))
        } else if let ticket {
            pool?.withdraw(ticket)
            finish(.failure(.waitedTooLong))
        }
    }

    func connecting(_ connection: UpstreamConnection) {
        ticket = nil
        self.connection = nil
        pending = connection
    }

    func connected(_ connection: UpstreamConnection) {
        ticket = nil
        pending = nil
        self.connection = connection
        let out = connection.output
        out.append(copying: request.method.text.bytes)
        out.append(UInt8(ascii: " "))
        out.append(text: request.target)
        out.append(" HTTP/1.1\r\nHost: ")
        out.append(text: pool?.target.configuration.authority ?? "")
        out.append("\r\n")
        for (name, value) in request.fields {
            out.append(text: name)
            out.append(": ")
            out.append(text: value)
            out.append("\r\n")
        }
        if !request.body.isEmpty || request.method == .post {
            out.append("Content-Length: ")
            out.append(decimal: request.body.count)
            out.append("\r\n")
        }
        out.append("\r\n")
        let body = request.body
        out.append(copying: body.span)
        connection.flush(ended: true)
    }

    func answerHead(_ head: MessageHead, _ bytes: Span<UInt8>) {
        answer.status = head.status
        answer.fields = []
        for i in 0..<head.count {
            let field = head[i]
            answer.fields.append(
                (bytes.extracting(field.nameRange).text, bytes.extracting(field.valueRange).text))
        }
    }

    func answerBody(_ buffer: IOBuffer, offset: Int, count: Int) {
        guard answer.body.count + count <= request.answerBytesMax else {
            let open = connection
            connection = nil
            open?.cancel()
            finish(.failure(.tooLarge))
            return
        }
        let bytes = buffer.readable
        answer.body.append(copying: bytes.extracting(offset..<offset + count))
    }

    func answerEnded() {
        connection = nil
        finish(.success(answer))
    }

    func requestDrained() {}

    func failed(_ failure: UpstreamFailure) {
        connection = nil
        pending = nil
        ticket = nil
        finish(.failure(failure))
    }

    private func finish(_ result: Result<FetchAnswer, UpstreamFailure>) {
        if let timer { reactor.cancel(timer) }
        timer = nil
        pool = nil
        let done = done
        self.done = nil
        done?(result)
    }
}
