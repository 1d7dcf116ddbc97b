import Bytes
import Limits
import Reactor
import Synchronization

/// One server behind the gateway, as all reactors see it: its cap on calls in flight, its circuit, its counts.
package final class UpstreamTarget: Sendable {
    package let configuration: UpstreamConfiguration
    /// Nil where calls in flight are not capped.
    package let gate: UpstreamGate?
    private let circuit: Mutex<CircuitBreaker>
    package let statistics = UpstreamStatistics()

    package init(configuration: UpstreamConfiguration, gate: UpstreamGate?, circuit: CircuitBreaker) {
        self.configuration = configuration
        self.gate = gate
        self.circuit = Mutex(circuit)
    }

    /// May a call go? Each that may is reported by `record`, exactly once.
    func allow(now: MonotonicInstant) -> CircuitBreaker.Permission {
        circuit.withLock { $0.allow(now: now) }
    }

    func record(_ outcome: CircuitBreaker.Outcome, of call: CircuitBreaker.Call?, now: MonotonicInstant) {
        guard let call else { return }
        circuit.withLock { $0.record(outcome, of: call, now: now) }
    }

    /// The result of an active health check.
    package func recordCheck(healthy: Bool, now: MonotonicInstant) {
        circuit.withLock { $0.recordCheck(healthy: healthy, now: now) }
    }

    /// `closed`, `open` or `half-open`.
    package var circuitState: CircuitBreaker.State { circuit.withLock { $0.state } }
}

/// What is counted of one server, by all reactors.
package final class UpstreamStatistics: Sendable {
    /// Answers by class of status: 1xx to 5xx, at index 0 to 4.
    package let answers: [Count]
    /// Calls that brought no whole answer.
    package let failures = Count()
    /// Requests that were sent once more, because the server had closed the kept connection that they came on.
    package let repeated = Count()
    /// Answers that came before their request had ended: their connections are not used again.
    package let early = Count()
    /// Calls that broke off because their clients held them up while others waited for the place.
    package let yielded = Count()
    /// Answers that were read and thrown away, because their clients were gone.
    package let discarded = Count()
    /// Connections made.
    package let connections = Count()

    package init() { answers = (0..<5).map { _ in Count() } }

    package final class Count: Sendable {
        private let value = Atomic<Int>(0)
        func add() { value.wrappingAdd(1, ordering: .relaxed) }
        package var current: Int { value.load(ordering: .relaxed) }
    }
}

/// A call's permission to go: handed back when it is over.
struct UpstreamPassage {
    var circuit: CircuitBreaker.Call?
    var ticket: AdmissionQueue.Ticket?
}
