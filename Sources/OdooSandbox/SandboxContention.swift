import Bytes
import JSON

/// Calls that work at the same rows at the same time, as PostgreSQL and Odoo treat them: who comes second waits for the
/// first, is rolled back, and is tried again after a pause that Odoo draws (0.07 to 1.9 s were seen; FACTS.md, trap 13).
///
/// The sandbox carries out one call after the other and waits afterwards. So the second is not refused, it is late: by
/// what the first has left, a pause, and its own time once more.
struct SandboxContention: Sendable {
    /// A record that a call at work has changed.
    struct Record: Hashable, Sendable {
        let model: String
        let id: Int
    }

    static let pauseMin: Nanoseconds = .milliseconds(70)
    static let pauseMax: Nanoseconds = .milliseconds(1_900)

    /// How many calls met another one, by the model of the record.
    private(set) var counts: [String: Int] = [:]
    private var atWork: [(until: WallInstant, records: Set<Record>)] = []
    /// When those of the addon's requests end that are under way.
    private var requests: [String: WallInstant] = [:]
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Notes a call that changed `records` and takes `time`.
    ///
    /// - Returns: how long it takes with what is in its way.
    mutating func enter(_ records: Set<Record>, time: Nanoseconds, now: WallInstant) -> Nanoseconds {
        atWork.removeAll { $0.until <= now }
        guard !records.isEmpty else { return time }
        var took = time
        for other in atWork {
            let common = other.records.intersection(records)
            guard let first = common.min(by: { ($0.model, $0.id) < ($1.model, $1.id) }) else { continue }
            counts[first.model, default: 0] += 1
            took = max(took, other.until - now + pause() + time)
        }
        atWork.append((now + took, records))
        return took
    }

    /// How long a request of the addon takes: its repetition waits for the first to end.
    mutating func enter(_ asked: Engine.Asked, time: Nanoseconds, again: Nanoseconds, now: WallInstant) -> Nanoseconds {
        requests = requests.filter { $0.value > now }
        guard asked.isAgain else {
            if time > 0 { requests[asked.id] = now + time }
            return time
        }
        return max(min(again, time), requests[asked.id].map { $0 - now } ?? 0)
    }

    private mutating func pause() -> Nanoseconds {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Self.pauseMin + Nanoseconds((state >> 33) % UInt64(Self.pauseMax - Self.pauseMin))
    }
}
