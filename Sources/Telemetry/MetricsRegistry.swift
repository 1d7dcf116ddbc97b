import Bytes

/// All metrics of the process, and their text for Prometheus.
///
/// Metrics are made at the start, or when a configuration is loaded and routes become known, and never by a request.
/// `build` then gives the registry that is shared:
///
///     var builder = MetricsRegistry.Builder(writers: reactors + 1)
///     let requests = builder.counter("requests_total", "Requests answered.", [Label("route", routes), StatusLabel.label])
///     let registry = builder.build()
///     // On reactor 3, once:
///     let counts = requests.writer(3)
///     // For each request:
///     counts.add(at: route, StatusLabel.position(200))
package final class MetricsRegistry: Sendable {
    private enum Metric: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)

        var name: String {
            switch self {
            case .counter(let metric): metric.series.name
            case .gauge(let metric): metric.series.name
            case .histogram(let metric): metric.series.name
            }
        }
    }

    package struct Builder {
        /// Threads that count, each with cells of its own.
        package let writers: Int
        private let prefix: String
        private var metrics: [Metric] = []

        /// `prefix` stands before each name.
        package init(writers: Int, prefix: String = "millgate_") {
            precondition(writers > 0)
            self.writers = writers
            self.prefix = prefix
        }

        /// `name` ends in `_total`. `labels` are at most two.
        package mutating func counter(
            _ name: String, _ help: String, _ labels: [Label] = [], showsZeros: Bool? = nil
        ) -> Counter {
            precondition(name.hasSuffix("_total"), "a counter's name ends in _total: \(name)")
            let series = series(name, help, labels)
            let counter = Counter(series, writers: writers, showsZeros: showsZeros ?? (series.count <= 64))
            metrics.append(.counter(counter))
            return counter
        }

        package mutating func gauge(_ name: String, _ help: String, _ labels: [Label] = []) -> Gauge {
            let gauge = Gauge(series(name, help, labels), writers: writers)
            metrics.append(.gauge(gauge))
            return gauge
        }

        /// `name` ends in the unit of `bounds`, `_seconds` or `_bytes`. A combination without values isn't shown when
        /// there are more than 8.
        package mutating func histogram(
            _ name: String, _ help: String, _ labels: [Label] = [], bounds: HistogramBounds = .latency
        ) -> Histogram {
            switch bounds.unit {
            case .seconds: precondition(name.hasSuffix("_seconds"), "a name in base units: \(name)")
            case .bytes: precondition(name.hasSuffix("_bytes"), "a name in base units: \(name)")
            }
            let series = series(name, help, labels)
            let histogram = Histogram(series, bounds: bounds, writers: writers, showsZeros: series.count <= 8)
            metrics.append(.histogram(histogram))
            return histogram
        }

        package func build() -> MetricsRegistry { MetricsRegistry(metrics) }

        private func series(_ name: String, _ help: String, _ labels: [Label]) -> Series {
            precondition(labels.count <= 2, "more than two labels on \(name)")
            let full = prefix + name
            precondition(!metrics.contains { $0.name == full }, "a metric is defined twice: \(full)")
            return Series(name: full, help: help, labels: labels)
        }
    }

    private let metrics: [Metric]

    private init(_ metrics: [Metric]) { self.metrics = metrics }

    /// The value of `Content-Type` for `append`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Appends all metrics in the order of their definition, in the text format 0.0.4 of Prometheus.
    package func append<Sink: ByteSink>(to sink: inout Sink) {
        for metric in metrics {
            switch metric {
            case .counter(let metric): metric.append(to: &sink)
            case .gauge(let metric): metric.append(to: &sink)
            case .histogram(let metric): metric.append(to: &sink)
            }
        }
    }

    package var text: String {
        var out: [UInt8] = []
        append(to: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
