import Bytes
import Store
import Synchronization

/// How operations that were unknown ended, since the start of the process. What is unknown now is in the ledger.
package final class SettlingCounts: Sendable {
    /// What became of an unknown outcome.
    package enum Ending: String, CaseIterable, Sendable {
        /// The effect was found.
        case completed
        /// It was certainly not there, and was sent again.
        case repeated
        /// It was certainly not there: what was prepared was put back, and the caller may send the request again.
        case restored
        /// It was certainly not there, and Odoo or the gateway refuses it now.
        case refused
        /// The gateway cannot tell, or has looked for as long as it may: the operation is still unknown.
        case handedOver = "handed-over"
        /// A person said what happened.
        case byPerson = "by-person"
    }

    /// Upper bounds of `durations`, from the look after next to days that a person took.
    package static let bounds: [Nanoseconds] = [
        .seconds(1), .seconds(5), .seconds(30), .seconds(150), .minutes(10), .hours(1), .hours(6), .hours(24),
    ]

    package struct Counts: Sendable {
        package var endings: [String: [Ending: Int]] = [:]
        /// From unknown to settled; one for each of `bounds`, then those beyond.
        package var durations = [Int](repeating: 0, count: SettlingCounts.bounds.count + 1)
        package var durationSum: Nanoseconds = 0
    }

    private let state = Mutex(Counts())

    package var counts: Counts { state.withLock { $0 } }

    func handedOver(_ operation: String) {
        state.withLock { $0.endings[operation, default: [:]][.handedOver, default: 0] += 1 }
    }

    /// - Parameter steps: the journal up to the ending; empty where it could not be read, and then the time is not known.
    func settled(_ operation: String, _ ending: Ending, after steps: [OperationStep], at now: WallInstant) {
        let since = steps.first { $0.state == .unknown }?.time
        state.withLock { counts in
            counts.endings[operation, default: [:]][ending, default: 0] += 1
            guard let since else { return }
            let duration = now - since
            let bucket = Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count
            counts.durations[bucket] += 1
            counts.durationSum += duration
        }
    }
}

extension SettlingCounts.Ending {
    /// Of an effect that was found in the end. Sent again is what had been sent when it became unknown: what comes
    /// behind it is the rest of the way.
    init(foundAfter steps: [OperationStep]) {
        var before: Set<String> = []
        for step in steps {
            let line = JournalStep(step.text)
            guard line.phase == .effect, let name = line.intent?["step"]?.string else { continue }
            if step.state == .unknown, before.contains(name) {
                self = .repeated
                return
            }
            before.insert(name)
        }
        self = .completed
    }

    /// Of one that did not happen.
    init(_ stop: ServiceStop) { self = stop.meaning == .away ? .restored : .refused }
}

/// What is unknown at this moment.
package struct UnknownReport: Sendable {
    package struct Row: Sendable, Equatable {
        package var count = 0
        /// Since when the oldest is unknown; nil where there is none.
        package var since: WallInstant?

        package init() {}

        mutating func add(_ time: WallInstant) {
            count += 1
            since = min(since ?? time, time)
        }
    }

    package var operations: [String: Row] = [:]
    /// Those that nobody looks into but people.
    package var forPerson = Row()
}

extension ServiceRunner {
    /// From the ledger, and so the same after a restart.
    package func unknowns() async throws(StoreError) -> UnknownReport {
        var report = UnknownReport()
        for unknown in try await ledger.unknowns() {
            report.operations[unknown.operation, default: .init()].add(unknown.since)
            if !examined.contains(unknown.id) { report.forPerson.add(unknown.since) }
        }
        return report
    }

    /// Counts an ending that stands in the ledger.
    func count(_ job: WriteJob, _ journal: OperationJournal, _ ending: Result<WriteResult, ServiceStop>) async {
        let steps = (try? await ledger.steps(of: journal.id)) ?? []
        let kind: SettlingCounts.Ending
        switch ending {
        case .success: kind = .init(foundAfter: steps)
        case .failure(let stop): kind = .init(stop)
        }
        settling.settled(job.request.operation, kind, after: steps, at: job.world.host.wall)
    }
}
