import Bytes
import Delivery
import Reactor
import Services
import Webhooks

/// The deliveries on the metrics page, by subscriber: of those there are now, which the registry of fixed rows does not
/// know.
enum WebhookMetrics {
    static func append(_ reports: [EndpointReport], to out: inout [UInt8]) {
        let now = Clock.wall()
        var text = ""
        func metric(_ name: String, _ kind: String, _ help: String, _ value: (EndpointReport) -> Double) {
            text += "# HELP millgate_webhook_\(name) \(help)\n# TYPE millgate_webhook_\(name) \(kind)\n"
            for report in reports {
                text += "millgate_webhook_\(name){subscriber=\"\(report.subscriber.name)\"} \(number(value(report)))\n"
            }
        }
        if reports.isEmpty { return }
        metric("deliveries_total", "counter", "Deliveries that were accepted.") { Double($0.counts.delivered) }
        metric("failures_total", "counter", "Attempts that failed.") { Double($0.counts.failed) }
        metric("dead_letters_total", "counter", "Deliveries that were given up since the start.") {
            Double($0.counts.deadLetters)
        }
        metric("behind", "gauge", "Events of the log behind the endpoint's position.") { Double($0.behind) }
        metric("in_retry", "gauge", "Deliveries in retry, or held behind one.") { Double($0.inRetry) }
        metric("in_flight", "gauge", "Deliveries under way.") { Double($0.inFlight) }
        metric("circuit_open", "gauge", "1 while only probes are sent.") { $0.isCircuitOpen ? 1 : 0 }
        metric("disabled", "gauge", "1 while nothing is sent and events wait.") { report in
            if case .disabled = report.status { return 1 }
            return report.subscriber.isEnabled ? 0 : 1
        }
        metric("stuck", "gauge", "1 while something waits and is not sent; `millgate webhook list` says why.") {
            $0.waitsFor == nil ? 0 : 1
        }
        metric("failing_seconds", "gauge", "How long the endpoint has only failed.") { report in
            report.failingSince.map { Double((now - $0) / 1_000_000_000) } ?? 0
        }
        durations(reports, &text)
        out += text.utf8
    }

    /// What was learned from Odoo's own screens.
    static func append(_ counts: OdooWatch.Counts, to out: inout [UInt8]) {
        var text = "# HELP millgate_odoo_watch_total What watching Odoo has come to.\n"
        text += "# TYPE millgate_odoo_watch_total counter\n"
        for (item, count) in [
            ("polls", counts.polls), ("hints", counts.hints), ("events", counts.events), ("failures", counts.failures),
        ] { text += "millgate_odoo_watch_total{item=\"\(item)\"} \(count)\n" }
        out += text.utf8
    }

    private static func durations(_ reports: [EndpointReport], _ text: inout String) {
        let name = "millgate_webhook_attempt_duration_seconds"
        text += "# HELP \(name) From the request's first byte to the end of its answer.\n# TYPE \(name) histogram\n"
        for report in reports {
            let label = "subscriber=\"\(report.subscriber.name)\""
            var sum = 0
            for (i, count) in report.counts.durations.enumerated() {
                sum += count
                let bound =
                    i < EndpointCounts.bounds.count ? number(Double(EndpointCounts.bounds[i]) / 1e9) : "+Inf"
                text += "\(name)_bucket{\(label),le=\"\(bound)\"} \(sum)\n"
            }
            text += "\(name)_sum{\(label)} \(Double(report.counts.durationSum) / 1e9)\n"
            text += "\(name)_count{\(label)} \(sum)\n"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
