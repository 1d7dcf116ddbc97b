import Bytes
import Limits
import Synchronization

/// `RecordLocks` for async code: calls on one record of Odoo go one after the other.
final class RecordGate: Sendable {
    private struct State {
        var locks = RecordLocks(RecordGate.configuration)
        var waiting: [RecordLocks.Ticket: CheckedContinuation<RecordLocks.Ticket?, Never>] = [:]
        /// Somebody looks for those whose time is over.
        var isWatched = false
    }

    private let state = Mutex(State())

    /// Most records in one call. Default 4,096: scripts that write name many at once.
    static let recordsPerCallMax = 4_096

    private static var configuration: RecordLocks.Configuration {
        var configuration = RecordLocks.Configuration()
        configuration.keysPerCallMax = recordsPerCallMax
        return configuration
    }

    /// How often those that wait are looked through, at least.
    private static let watchPause: Nanoseconds = .milliseconds(250)

    /// Waits for all records; nil when the deadline comes first, or too many wait already.
    func acquire(
        _ records: [String], deadline: MonotonicInstant, host: any ServiceHost
    ) async -> RecordLocks.Ticket? {
        await withCheckedContinuation { continuation in
            let (ready, ticket, watch) = state.withLock { state -> (Bool, RecordLocks.Ticket?, Bool) in
                switch state.locks.acquire(records, deadline: deadline, now: host.monotonic) {
                case .acquired(let ticket): return (true, ticket, false)
                case .refused: return (true, nil, false)
                case .waiting(let ticket):
                    state.waiting[ticket] = continuation
                    let watch = !state.isWatched
                    state.isWatched = true
                    return (false, nil, watch)
                }
            }
            if ready { continuation.resume(returning: ticket) }
            if watch { host.spawn { await self.watch(host) } }
        }
    }

    /// The locks if nobody holds or waits for any of them, without waiting.
    func acquireNow(_ records: [String], host: any ServiceHost) -> RecordLocks.Ticket? {
        state.withLock { state in
            let now = host.monotonic
            // A deadline that is over: so it is refused where it would have to wait.
            guard case .acquired(let ticket) = state.locks.acquire(records, deadline: now, now: now) else { return nil }
            return ticket
        }
    }

    func release(_ ticket: RecordLocks.Ticket, host: any ServiceHost) {
        wake { locks in locks.release(ticket, now: host.monotonic) }
    }

    /// Records that are held.
    var heldCount: Int { state.withLock { $0.locks.keys } }

    private func watch(_ host: any ServiceHost) async {
        while true {
            let pause = state.withLock { state -> Nanoseconds? in
                guard let next = state.locks.nextDeadline else {
                    state.isWatched = false
                    return nil
                }
                return max(1, min(next - host.monotonic, Self.watchPause))
            }
            guard let pause else { return }
            await host.sleep(pause)
            wake { locks in locks.expire(now: host.monotonic) }
        }
    }

    private func wake(_ change: (inout RecordLocks) -> RecordLocks.Wakeups) {
        let woken = state.withLock { state in
            let wakeups = change(&state.locks)
            var woken: [(CheckedContinuation<RecordLocks.Ticket?, Never>, RecordLocks.Ticket?)] = []
            for ticket in wakeups.granted {
                if let continuation = state.waiting.removeValue(forKey: ticket) { woken.append((continuation, ticket)) }
            }
            for ticket in wakeups.timedOut {
                if let continuation = state.waiting.removeValue(forKey: ticket) { woken.append((continuation, nil)) }
            }
            return woken
        }
        for (continuation, ticket) in woken { continuation.resume(returning: ticket) }
    }
}
