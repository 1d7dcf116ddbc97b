import Bytes

/// A number that goes up and down: connections open, calls that wait. What is shown is the sum over all writers.
package final class Gauge: Sendable {
    let series: Series
    private let cells: [MetricCells]

    init(_ series: Series, writers: Int) {
        self.series = series
        cells = (0..<writers).map { _ in MetricCells(count: series.count) }
    }

    /// The face for one writer. Use it on that writer's thread only.
    package func writer(_ index: Int) -> GaugeWriter { GaugeWriter(cells: cells[index]) }

    package func value(_ cell: Int = 0) -> Int { cells.reduce(0) { $0 &+ $1.load(cell) } }

    func append<Sink: ByteSink>(to sink: inout Sink) {
        series.appendHead("gauge", to: &sink)
        for cell in 0..<series.count {
            series.appendSample(cell: cell, to: &sink)
            sink.append(decimal: value(cell))
            sink.append(UInt8(ascii: "\n"))
        }
    }
}

package struct GaugeWriter {
    @usableFromInline let cells: MetricCells

    init(cells: MetricCells) { self.cells = cells }

    @inlinable
    package func add(_ n: Int, at cell: Int = 0) { cells.add(n, at: cell) }

    /// For a gauge that has one writer, or of which each writer sets its own part.
    @inlinable
    package func set(_ value: Int, at cell: Int = 0) { cells.store(value, at: cell) }
}

@available(*, unavailable)
extension GaugeWriter: Sendable {}
