import Bytes
import HTTP
import Limits
import Reactor

/// The connections of one reactor to one server, and the way in for calls.
package final class UpstreamPool {
    package let reactor: Reactor
    /// What all reactors share of this server.
    package let target: UpstreamTarget
    let configuration: UpstreamConfiguration
    private var idle: [UpstreamConnection] = []
    /// Connections that are being made and whose call was given up.
    private var spare: [UpstreamConnection] = []
    private var nextAddress: Int

    private struct Waiting {
        let call: any UpstreamCall
        let circuit: CircuitBreaker.Call?
        let timer: Reactor.ScheduledAction?
    }

    private var waiting: [AdmissionQueue.Ticket: Waiting] = [:]

    package init(reactor: Reactor, target: UpstreamTarget) {
        self.reactor = reactor
        self.target = target
        configuration = target.configuration
        nextAddress = reactor.index
    }

    // MARK: Calls

    /// Starts a call: at once, or when the gate lets it in. `deadline` bounds the wait for its turn.
    /// Returns a ticket to `withdraw` a call that has not been connected yet.
    @discardableResult
    package func start(
        _ call: any UpstreamCall, admission: AdmissionClass = .standard, deadline: MonotonicInstant
    ) -> AdmissionQueue.Ticket? {
        var passage = UpstreamPassage()
        switch target.allow(now: reactor.now) {
        case .allowed(let circuit): passage.circuit = circuit
        case .refused(let retryAfter):
            call.failed(.circuitOpen(retryAfter: retryAfter))
            return nil
        case nil: break
        }
        guard let gate = target.gate else {
            connect(call, passage)
            return nil
        }
        switch gate.enter(admission, deadline: deadline, now: reactor.now, home: reactor.handle) {
        case .admitted(let ticket):
            passage.ticket = ticket
            connect(call, passage)
            return nil
        case .refused(let retryAfter):
            target.record(.ignored, of: passage.circuit, now: reactor.now)
            call.failed(.overloaded(retryAfter: retryAfter))
            return nil
        case .queued(let ticket):
            var timer: Reactor.ScheduledAction?
            if deadline.nanoseconds != .max {
                timer = reactor.schedule(at: deadline) { [weak self] _ in self?.timedOut(ticket) }
            }
            waiting[ticket] = Waiting(call: call, circuit: passage.circuit, timer: timer)
            return ticket
        }
    }

    /// Forgets a call that waits for its turn.
    package func withdraw(_ ticket: AdmissionQueue.Ticket) { _ = takeOut(ticket) }

    /// The deadline of a waiting call passed.
    func timedOut(_ ticket: AdmissionQueue.Ticket) { takeOut(ticket)?.call.failed(.waitedTooLong) }

    private func takeOut(_ ticket: AdmissionQueue.Ticket) -> Waiting? {
        guard let waiter = waiting.removeValue(forKey: ticket) else { return nil }
        if let timer = waiter.timer { reactor.cancel(timer) }
        target.record(.ignored, of: waiter.circuit, now: reactor.now)
        // Also where the place was granted in this moment: it goes to the next.
        target.gate?.cancel(ticket, now: reactor.now, target: target)
        return waiter
    }

    /// The gate lets a waiting call in.
    func granted(_ ticket: AdmissionQueue.Ticket) {
        guard let waiter = waiting.removeValue(forKey: ticket) else {
            target.gate?.leave(ticket, now: reactor.now, target: target)
            return
        }
        if let timer = waiter.timer { reactor.cancel(timer) }
        connect(waiter.call, UpstreamPassage(circuit: waiter.circuit, ticket: ticket))
    }

    // MARK: Connections

    private func connect(_ call: any UpstreamCall, _ passage: UpstreamPassage) {
        while let connection = idle.popLast() {
            if connection.isOpen {
                connection.reuse(for: call, passage)
                return
            }
        }
        if let connection = spare.popLast() {
            connection.adopt(call, passage)
        } else {
            makeConnection(call, passage)
        }
    }

    /// Once more, on a connection that nobody has used: the first was dead before the server said a byte.
    func repeatOnFreshConnection(_ call: any UpstreamCall, _ passage: UpstreamPassage) {
        makeConnection(call, passage)
    }

    private func makeConnection(_ call: any UpstreamCall, _ passage: UpstreamPassage) {
        let addresses = configuration.addresses
        guard !addresses.isEmpty else {
            refuse(call, passage, .connect(code: 0))
            return
        }
        let address = addresses[nextAddress % addresses.count]
        nextAddress &+= 1
        var session: TLSSession?
        if let context = configuration.tls {
            session = context.makeSession()
            if session == nil {
                refuse(call, passage, .tls)
                return
            }
        }
        do throws(ReactorError) {
            let fd = try reactor.beginConnect(address)
            target.statistics.connections.add()
            call.connecting(
                try UpstreamConnection(fd: fd, pool: self, tls: session, call: call, passage: passage))
        } catch {
            if case .system(_, let code) = error {
                refuse(call, passage, .connect(code: code))
            } else {
                refuse(call, passage, .connect(code: 0))
            }
        }
    }

    private func refuse(_ call: any UpstreamCall, _ passage: UpstreamPassage, _ failure: UpstreamFailure) {
        ended(passage, failure: failure)
        call.failed(failure)
    }

    /// Keeps a connection that is being made for the next call; false where there are enough.
    func keepsSpare(_ connection: UpstreamConnection) -> Bool {
        guard spare.count < configuration.idleMax else { return false }
        spare.append(connection)
        return true
    }

    func giveBack(_ connection: UpstreamConnection) {
        forgetSpare(connection)
        if idle.count >= configuration.idleMax {
            connection.close()
        } else {
            idle.append(connection)
        }
    }

    func forget(_ connection: UpstreamConnection) {
        if let i = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: i) }
        forgetSpare(connection)
    }

    private func forgetSpare(_ connection: UpstreamConnection) {
        if spare.isEmpty { return }
        if let i = spare.firstIndex(where: { $0 === connection }) { spare.remove(at: i) }
    }

    // MARK: Outcomes

    /// A call is over with an answer of this status.
    func ended(_ passage: UpstreamPassage, status: Int) {
        target.statistics.answers[max(0, min(4, status / 100 - 1))].add()
        // 500 is what Odoo answers to a client's mistake too; what a proxy or a dying server says is a failure.
        let failed = status == 502 || status == 503 || status == 504
        target.record(failed ? .failure : .success, of: passage.circuit, now: reactor.now)
        leave(passage)
    }

    func ended(_ passage: UpstreamPassage, failure: UpstreamFailure) {
        if failure == .cancelled || failure == .tooLarge {
            target.record(.ignored, of: passage.circuit, now: reactor.now)
        } else {
            target.statistics.failures.add()
            target.record(.failure, of: passage.circuit, now: reactor.now)
        }
        leave(passage)
    }

    private func leave(_ passage: UpstreamPassage) {
        if let ticket = passage.ticket { target.gate?.leave(ticket, now: reactor.now, target: target) }
    }

    /// Closes idle connections: for a server that the configuration no longer has.
    package func closeIdle() {
        let old = idle
        idle = []
        for connection in old { connection.close() }
        for connection in spare { connection.close() }
    }
}
