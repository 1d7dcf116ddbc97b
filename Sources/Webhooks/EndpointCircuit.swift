import Bytes

/// Keeps an endpoint that fails from being sent more than it takes to see whether it is back.
///
/// Open, no event begins but one probe at a time, whose pause doubles; retries of events that have begun keep their own
/// schedule. Any success closes it.
package struct EndpointCircuit: Sendable, Hashable {
    /// Failures in a row that open it. Default 5.
    package static let failuresMax = 5
    /// Pause before the first probe, and the longest. Defaults 30 s and 10 min.
    package static let probeMin: Nanoseconds = .seconds(30)
    package static let probeMax: Nanoseconds = .minutes(10)

    package private(set) var failures = 0
    /// When the next probe may begin; nil while closed.
    package private(set) var probeAt: WallInstant?
    private var pause = EndpointCircuit.probeMin

    package init() {}

    package var isOpen: Bool { probeAt != nil }

    package mutating func succeeded() { self = EndpointCircuit() }

    package mutating func failed(_ now: WallInstant) {
        failures += 1
        guard failures >= Self.failuresMax else { return }
        if isOpen { pause = min(pause * 2, Self.probeMax) }
        probeAt = now + pause
    }
}
