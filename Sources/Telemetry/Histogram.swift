import Bytes

/// The upper bounds of a histogram's buckets, and a quick way from a value to its bucket.
package struct HistogramBounds: Sendable {
    package enum Unit: Sendable {
        /// Values are observed in nanoseconds and shown in seconds.
        case seconds
        /// Values are shown as they are observed.
        case bytes
    }

    package let unit: Unit
    /// Ascending. A value belongs to the first bucket whose bound it does not exceed.
    @usableFromInline let bounds: [Int]
    /// By number of significant bits of a value: the first bucket that can hold it.
    @usableFromInline let firstByWidth: [UInt8]

    /// 1 to 250 ascending bounds above zero.
    package init(_ unit: Unit, _ bounds: [Int]) {
        precondition((1...250).contains(bounds.count) && bounds[0] > 0, "1 to 250 bounds above zero")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.unit = unit
        self.bounds = bounds
        firstByWidth = (0...64).map { width in
            // The smallest value of this width.
            let least = width == 0 ? 0 : width == 64 ? Int.max : 1 << (width - 1)
            return UInt8(bounds.firstIndex { $0 >= least } ?? bounds.count)
        }
    }

    /// 100 µs to 100 s, in five steps of each decade (1, 2, 3, 5, 7): round numbers for alerts, and no quantile off by
    /// more than a factor of two, mostly less than 1.7. The gateway alone takes 100 µs, Odoo takes 10 ms to seconds, and
    /// nobody waits longer than 100 s.
    package static let latency = HistogramBounds(
        .seconds,
        [100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000].flatMap { decade in
            [1, 2, 3, 5, 7].map { $0 * decade }
        } + [100_000_000_000])

    /// 256 bytes to 64 MiB in powers of four.
    package static let size = HistogramBounds(.bytes, (4...13).map { 1 << (2 * $0) })

    /// The bucket of a value: a table look-up and at most a few comparisons. Values below zero are in the first.
    @inlinable
    package func bucket(_ value: Int) -> Int {
        if value <= 0 { return 0 }
        var bucket = Int(firstByWidth[Int.bitWidth &- value.leadingZeroBitCount])
        while bucket < bounds.count && value > bounds[bucket] { bucket &+= 1 }
        return bucket
    }

    /// Texts for the label `le`, the last of them `+Inf`.
    var texts: [[UInt8]] {
        bounds.map { bound in
            switch unit {
            case .seconds: Array(ExactDecimal(mantissa: Int64(bound), scale: 9).description.utf8)
            case .bytes: Array(String(bound).utf8)
            }
        } + [Array("+Inf".utf8)]
    }
}

/// How values are spread, in buckets, for each combination of label values.
package final class Histogram: Sendable {
    let series: Series
    let showsZeros: Bool
    package let bounds: HistogramBounds
    private let cells: [MetricCells]
    private let texts: [[UInt8]]

    init(_ series: Series, bounds: HistogramBounds, writers: Int, showsZeros: Bool) {
        self.series = series
        self.showsZeros = showsZeros
        self.bounds = bounds
        texts = bounds.texts
        let stride = bounds.bounds.count + 2
        cells = (0..<writers).map { _ in MetricCells(count: series.count * stride) }
    }

    /// Cells of one combination: a count for each bucket, the last for +Inf, then the sum.
    private var stride: Int { bounds.bounds.count + 2 }

    /// The face for one writer. Use it on that writer's thread only.
    package func writer(_ index: Int) -> HistogramWriter {
        HistogramWriter(
            cells: cells[index], bounds: bounds, stride: stride,
            columns: series.labels.count == 2 ? series.labels[1].values.count : 1)
    }

    /// Number of values observed.
    package func count(_ cell: Int = 0) -> Int {
        (0..<stride - 1).reduce(0) { $0 &+ load(cell * stride + $1) }
    }

    /// Sum of the values observed, in nanoseconds or bytes.
    package func sum(_ cell: Int = 0) -> Int { load(cell * stride + stride - 1) }

    private func load(_ index: Int) -> Int { cells.reduce(0) { $0 &+ $1.load(index) } }

    func append<Sink: ByteSink>(to sink: inout Sink) {
        series.appendHead("histogram", to: &sink)
        for cell in 0..<series.count {
            // Each bucket is read once, so that the buckets and the count agree while others go on counting.
            let counts = (0..<stride - 1).map { load(cell * stride + $0) }
            let sum = sum(cell)
            if !showsZeros && counts.allSatisfy({ $0 == 0 }) { continue }
            var total = 0
            for (bucket, count) in counts.enumerated() {
                total &+= count
                series.appendSample("_bucket", cell: cell, le: texts[bucket], to: &sink)
                sink.append(decimal: total)
                sink.append(UInt8(ascii: "\n"))
            }
            series.appendSample("_sum", cell: cell, to: &sink)
            switch bounds.unit {
            case .seconds: Quantity.append(nanoseconds: sum, to: &sink)
            case .bytes: sink.append(decimal: sum)
            }
            sink.append(UInt8(ascii: "\n"))
            series.appendSample("_count", cell: cell, to: &sink)
            sink.append(decimal: total)
            sink.append(UInt8(ascii: "\n"))
        }
    }
}

package struct HistogramWriter {
    @usableFromInline let cells: MetricCells
    @usableFromInline let bounds: HistogramBounds
    @usableFromInline let stride: Int
    @usableFromInline let columns: Int

    init(cells: MetricCells, bounds: HistogramBounds, stride: Int, columns: Int) {
        self.cells = cells
        self.bounds = bounds
        self.stride = stride
        self.columns = columns
    }

    /// `value` is in nanoseconds for seconds. One that is negative counts as zero.
    @inlinable
    package func observe(_ value: Int, at cell: Int = 0) {
        let first = cell &* stride
        cells.add(1, at: first &+ bounds.bucket(value))
        cells.add(max(value, 0), at: first &+ stride &- 1)
    }

    @inlinable
    package func observe(_ value: Int, at first: Int, _ second: Int) {
        precondition(second >= 0 && second < columns)
        observe(value, at: first &* columns &+ second)
    }
}

@available(*, unavailable)
extension HistogramWriter: Sendable {}
