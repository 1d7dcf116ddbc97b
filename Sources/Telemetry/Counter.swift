import Bytes

/// A number that only grows, for each combination of label values: `millgate_requests_total{route,status}`.
package final class Counter: Sendable {
    let series: Series
    let showsZeros: Bool
    private let cells: [MetricCells]

    /// Without labels and for few label values zeros are shown, so that rates begin at the first event. For a table of
    /// which most combinations never happen, such as routes by status codes, they are not.
    init(_ series: Series, writers: Int, showsZeros: Bool) {
        self.series = series
        self.showsZeros = showsZeros
        cells = (0..<writers).map { _ in MetricCells(count: series.count) }
    }

    /// The face for one writer. Use it on that writer's thread only.
    package func writer(_ index: Int) -> CounterWriter {
        CounterWriter(cells: cells[index], columns: series.labels.count == 2 ? series.labels[1].values.count : 1)
    }

    /// The sum over all writers. `cell` is `first * (values of the second label) + second`.
    package func value(_ cell: Int = 0) -> Int { cells.reduce(0) { $0 &+ $1.load(cell) } }

    package func value(_ first: Int, _ second: Int) -> Int { value(series.cell(first, second)) }

    func append<Sink: ByteSink>(to sink: inout Sink) {
        series.appendHead("counter", to: &sink)
        for cell in 0..<series.count {
            let value = value(cell)
            if value == 0 && !showsZeros { continue }
            series.appendSample(cell: cell, to: &sink)
            sink.append(decimal: value)
            sink.append(UInt8(ascii: "\n"))
        }
    }
}

/// Counts for one writer: three instructions and a bounds check.
package struct CounterWriter {
    @usableFromInline let cells: MetricCells
    @usableFromInline let columns: Int

    init(cells: MetricCells, columns: Int) {
        self.cells = cells
        self.columns = columns
    }

    /// For a counter without labels, or with one label whose value has position `cell`.
    @inlinable
    package func add(_ n: Int = 1, at cell: Int = 0) { cells.add(n, at: cell) }

    /// For a counter with two labels, by the positions of their values.
    @inlinable
    package func add(_ n: Int = 1, at first: Int, _ second: Int) {
        precondition(second >= 0 && second < columns)
        cells.add(n, at: first &* columns &+ second)
    }
}

@available(*, unavailable)
extension CounterWriter: Sendable {}
