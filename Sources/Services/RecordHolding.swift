import Bytes
import Limits

/// Records held for work that is not a governed service's, so that both keep out of each other's way.
package struct RecordHolding: Sendable {
    fileprivate let ticket: RecordLocks.Ticket
    fileprivate let gate: RecordGate
    fileprivate let host: any ServiceHost

    package func release() { gate.release(ticket, host: host) }
}

extension ServiceRunner {
    /// Most records that one holding can have.
    package static var recordsPerCallMax: Int { RecordGate.recordsPerCallMax }

    /// Waits in the queues of the governed services for all of these records, `mrp.production,17`.
    ///
    /// - Returns: nil when others work on one of them until the deadline, or too many wait already.
    package func hold(
        _ records: [String], until deadline: MonotonicInstant, host: any ServiceHost
    ) async -> RecordHolding? {
        guard let ticket = await gate.acquire(Array(Set(records)).sorted(), deadline: deadline, host: host) else {
            return nil
        }
        return RecordHolding(ticket: ticket, gate: gate, host: host)
    }
}
