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
        _ admission: AdmissionClass, deadline: MonotonicInstant, now: MonotonicInstant, home: ReactorHandle
    ) -> AdmissionQueue.Entry {
        state.withLock { state in
            let entry = state.queue.enter(admission, deadline: deadline, now: now)
            if case .queued(let ticket) = entry { state.homes[ticket] = home }
            return entry
        }
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
