import Bytes
import Services

/// Unknown outcomes on the metrics page: which there are, how long already, and how earlier ones ended. By operation,
/// those of older programs in the ledger too, which the registry of fixed rows does not know.
enum SettlingMetrics {
    /// - Parameters:
    ///   - operations: the writes there are: an alert sees their first ending as a step up from zero.
    ///   - report: nil where the ledger cannot be read: nothing is claimed then.
    static func append(
        _ operations: [String], _ report: UnknownReport?, _ counts: SettlingCounts.Counts, now: WallInstant,
        to out: inout [UInt8]
    ) {
        let names = Set(operations).union(counts.endings.keys).union(report?.operations.keys.map { $0 } ?? []).sorted()
        var text = ""
        func head(_ name: String, _ kind: String, _ help: String) {
            text += "# HELP millgate_\(name) \(help)\n# TYPE millgate_\(name) \(kind)\n"
        }
        func age(_ row: UnknownReport.Row) -> Int { row.since.map { max(0, Int((now - $0) / 1_000_000_000)) } ?? 0 }
        if let report {
            let rows = names.map { (name: $0, row: report.operations[$0] ?? .init()) }
            head("unknown_operations", "gauge", "Operations whose outcome nobody can say at this moment.")
            for (name, row) in rows { text += "millgate_unknown_operations{operation=\"\(name)\"} \(row.count)\n" }
            head("unknown_oldest_seconds", "gauge", "How long the oldest of them is unknown; 0 where there is none.")
            for (name, row) in rows { text += "millgate_unknown_oldest_seconds{operation=\"\(name)\"} \(age(row))\n" }
            head("unknown_for_person", "gauge", "Unknown operations that nobody looks into but people.")
            text += "millgate_unknown_for_person \(report.forPerson.count)\n"
            head("unknown_for_person_oldest_seconds", "gauge", "How long the oldest of these is unknown.")
            text += "millgate_unknown_for_person_oldest_seconds \(age(report.forPerson))\n"
        }
        head("unknown_ended_total", "counter", "How unknown outcomes ended since the start.")
        for name in names {
            for ending in SettlingCounts.Ending.allCases {
                let count = counts.endings[name]?[ending] ?? 0
                text += "millgate_unknown_ended_total{operation=\"\(name)\",ending=\"\(ending.rawValue)\"} \(count)\n"
            }
        }
        head("unknown_duration_seconds", "histogram", "From unknown to settled.")
        var sum = 0
        for (i, count) in counts.durations.enumerated() {
            sum += count
            let bound = i < SettlingCounts.bounds.count ? "\(SettlingCounts.bounds[i] / 1_000_000_000)" : "+Inf"
            text += "millgate_unknown_duration_seconds_bucket{le=\"\(bound)\"} \(sum)\n"
        }
        text += "millgate_unknown_duration_seconds_sum \(Double(counts.durationSum) / 1e9)\n"
        text += "millgate_unknown_duration_seconds_count \(sum)\n"
        out += text.utf8
    }
}
