import Bytes

/// Counts failed tries at the token service under a name and says when the next one is taken. After `freeTries` failures
/// each further one doubles the pause, up to `pauseMax`: a guesser gets some hundred tries a day, a machine that was set
/// up wrongly waits seconds.
///
/// Names hold the address that the tries come from: nobody can lock an account for others by guessing at it.
package struct AttemptGuard: Sendable {
    /// Failures without consequence.
    package let freeTries: Int
    /// First pause. Default 2 s.
    package static let pauseMin: Nanoseconds = .seconds(2)
    /// Longest pause. Default 15 min.
    package static let pauseMax: Nanoseconds = .minutes(15)
    /// Names that are remembered. Beyond it the oldest goes. Default 10,000.
    package static let namesMax = 10_000
    /// How long failures count. Default 1 h after the last.
    package static let memory: Nanoseconds = .hours(1)

    private struct Record {
        var failures = 0
        var last = MonotonicInstant(nanoseconds: 0)
        var until = MonotonicInstant(nanoseconds: 0)
    }

    private var records: [String: Record] = [:]
    private var order: [String] = []

    package init(freeTries: Int) { self.freeTries = freeTries }

    /// How long this name must still wait; nil when a try is taken now.
    package func wait(_ name: String, now: MonotonicInstant) -> Nanoseconds? {
        guard let until = records[name]?.until, until > now else { return nil }
        return until - now
    }

    package mutating func failed(_ name: String, now: MonotonicInstant) {
        if records[name] == nil {
            order.append(name)
            if order.count > Self.namesMax { records[order.removeFirst()] = nil }
        }
        var record = records[name] ?? Record()
        if record.failures > 0, now > record.last + Self.memory { record.failures = 0 }
        record.failures += 1
        record.last = now
        let beyond = record.failures - freeTries
        if beyond > 0 { record.until = now + min(Self.pauseMin << Int64(min(beyond - 1, 20)), Self.pauseMax) }
        records[name] = record
    }

    /// A success forgets the failures.
    package mutating func succeeded(_ name: String) {
        guard records.removeValue(forKey: name) != nil else { return }
        order.removeAll { $0 == name }
    }
}
