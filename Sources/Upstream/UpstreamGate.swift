import Bytes
import Limits
import Reactor
import Synchronization

/// The cap on calls in flight to one server, shared by all reactors, with its queue by admission class.
package final class UpstreamGate: Sendable {
    private struct State {
        var queue: AdmissionQueue
        /// On which reactor each waiting call lives.
        var homes: [AdmissionQueue.Ticket: ReactorHandle] = [:]
    }

    private let state: Mutex<State>

    package init(_ configuration: AdmissionQueue.Configuration) {
        state = Mutex(State(queue: AdmissionQueue(configuration)))
    }

    func enter(
        _ admission: AdmissionClass, client: UInt64, deadline: MonotonicInstant, now: MonotonicInstant,
        home: ReactorHandle, target: UpstreamTarget
    ) -> AdmissionQueue.Entry {
        let (entry, displaced) = state.withLock { state in
            let entry = state.queue.enter(admission, client: client, deadline: deadline, now: now)
            var displaced: (AdmissionQueue.Ticket, ReactorHandle)?
            switch entry {
            case .queued(let ticket): state.homes[ticket] = home
            case .queuedInPlaceOf(let ticket, displaced: let old):
                state.homes[ticket] = home
                displaced = state.homes.removeValue(forKey: old).map { (old, $0) }
            case .admitted, .refused: break
            }
            return (entry, displaced)
        }
        if let (ticket, home) = displaced {
            home.post { UpstreamPools.of($0).pool(for: target).displaced(ticket) }
        }
        return entry
    }

    /// Whether somebody waits who would get the place of this call.
    func isWanted(_ ticket: AdmissionQueue.Ticket) -> Bool { state.withLock { $0.queue.isWanted(ticket) } }

    func setHeldUp(_ ticket: AdmissionQueue.Ticket, _ isHeldUp: Bool, now: MonotonicInstant, target: UpstreamTarget) {
        wake(target) { $0.queue.setHeldUp(ticket, isHeldUp, now: now) }
    }

    func leave(_ ticket: AdmissionQueue.Ticket, now: MonotonicInstant, target: UpstreamTarget) {
        wake(target) { $0.queue.leave(ticket, now: now) }
    }

    func cancel(_ ticket: AdmissionQueue.Ticket, now: MonotonicInstant, target: UpstreamTarget) {
        wake(target) { state in
            state.homes[ticket] = nil
            return state.queue.cancel(ticket, now: now)
        }
    }

    private func wake(_ target: UpstreamTarget, _ change: (inout State) -> AdmissionQueue.Wakeups) {
        let calls = state.withLock { state -> [(AdmissionQueue.Ticket, ReactorHandle, Bool)] in
            let wakeups = change(&state)
            if wakeups.isEmpty { return [] }
            var calls: [(AdmissionQueue.Ticket, ReactorHandle, Bool)] = []
            for ticket in wakeups.granted {
                if let home = state.homes.removeValue(forKey: ticket) { calls.append((ticket, home, true)) }
            }
            for ticket in wakeups.timedOut {
                if let home = state.homes.removeValue(forKey: ticket) { calls.append((ticket, home, false)) }
            }
            return calls
        }
        for (ticket, home, granted) in calls {
            home.post { reactor in
                let pool = UpstreamPools.of(reactor).pool(for: target)
                if granted { pool.granted(ticket) } else { pool.timedOut(ticket) }
            }
        }
    }

    /// Calls in flight and waiting by class, for metrics.
    package var occupancy: (inFlight: Int, waiting: [Int]) {
        state.withLock { state in
            (state.queue.inFlight, AdmissionClass.allCases.map { state.queue.waiting($0) })
        }
    }
}
