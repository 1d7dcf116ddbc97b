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
    /// Calls that have a place in the gate and a connection, looked at while there are any.
    private var atWork: [AdmissionQueue.Ticket: UpstreamConnection] = [:]
    private var isLooking = false
    /// How often calls at work are looked at, whether their clients hold them up.
    static let lookInterval = Nanoseconds.milliseconds(250)

    package init(reactor: Reactor, target: UpstreamTarget) {
        self.reactor = reactor
        self.target = target
        configuration = target.configuration
        nextAddress = reactor.index
    }

    // MARK: Calls

    /// Starts a call: at once, or when the gate lets it in. `deadline` bounds the wait for its turn. `client` says whose it
    /// is, 0 for nobody's in particular: where calls have to wait, clients have their turns.
    /// Returns a ticket to `withdraw` a call that has not been connected yet.
    @discardableResult
    package func start(
        _ call: any UpstreamCall, admission: AdmissionClass = .standard, client: UInt64 = 0, deadline: MonotonicInstant
    ) -> AdmissionQueue.Ticket? {
        var passage = UpstreamPassage()
        switch target.allow(now: reactor.now) {
        case .allowed(let circuit): passage.circuit = circuit
        case .refused(let retryAfter):
            call.failed(.circuitOpen(retryAfter: retryAfter))
            return nil
        }
        guard let gate = target.gate else {
            connect(call, passage)
            return nil
        }
        let entry = gate.enter(
            admission, client: client, deadline: deadline, now: reactor.now, home: reactor.handle, target: target)
        switch entry {
        case .admitted(let ticket):
            passage.ticket = ticket
            connect(call, passage)
            return nil
        case .refused(let retryAfter):
            target.record(.ignored, of: passage.circuit, now: reactor.now)
            call.failed(.overloaded(retryAfter: retryAfter))
            return nil
        case .queued(let ticket), .queuedInPlaceOf(let ticket, displaced: _):
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

    /// A waiting call's place in the line went to a client that had fewer of them.
    func displaced(_ ticket: AdmissionQueue.Ticket) {
        takeOut(ticket)?.call.failed(.overloaded(retryAfter: .seconds(1)))
    }

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

    // MARK: Clients that hold up their calls

    /// A call with a place in the gate has its connection.
    func began(_ ticket: AdmissionQueue.Ticket, on connection: UpstreamConnection) {
        atWork[ticket] = connection
        look()
    }

    private func look() {
        if isLooking || atWork.isEmpty { return }
        isLooking = true
        reactor.schedule(at: reactor.now + Self.lookInterval) { [weak self] _ in
            self?.lookAtWork()
            self?.isLooking = false
            self?.look()
        }
    }

    /// Tells the gate which calls wait for their clients, and takes the places of those that have done so for too long
    /// while others wait for a place.
    private func lookAtWork() {
        guard let gate = target.gate else { return }
        var late: [(since: MonotonicInstant, ticket: AdmissionQueue.Ticket)] = []
        for (ticket, connection) in atWork {
            let before = connection.heldUpSince
            connection.lookAtProgress(now: reactor.now)
            let since = connection.heldUpSince
            if (before == nil) != (since == nil) {
                gate.setHeldUp(ticket, since != nil, now: reactor.now, target: target)
            }
            if let since, reactor.now - since >= configuration.stallTimeout { late.append((since, ticket)) }
        }
        // The longest held up first, and no more than are waited for.
        late.sort { $0.since != $1.since ? $0.since < $1.since : $0.ticket.word < $1.ticket.word }
        for (_, ticket) in late where gate.isWanted(ticket) { atWork[ticket]?.yieldPlace() }
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
        if failure == .cancelled || failure == .tooLarge || failure == .heldUp {
            target.record(.ignored, of: passage.circuit, now: reactor.now)
        } else {
            target.statistics.failures.add()
            target.record(.failure, of: passage.circuit, now: reactor.now)
        }
        leave(passage)
    }

    private func leave(_ passage: UpstreamPassage) {
        guard let ticket = passage.ticket else { return }
        atWork[ticket] = nil
        target.gate?.leave(ticket, now: reactor.now, target: target)
    }

    /// Closes idle connections: for a server that the configuration no longer has.
    package func closeIdle() {
        let old = idle
        idle = []
        for connection in old { connection.close() }
        for connection in spare { connection.close() }
    }
}
