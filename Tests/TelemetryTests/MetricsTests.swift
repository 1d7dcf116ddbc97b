import Seeded
import Telemetry
import Testing

@Test func aValueIsInTheFirstBucketWhoseBoundItDoesNotExceed() {
    var random = SeededGenerator(seed: 31)
    let latency: [Int] =
        [100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000].flatMap { d in
            [1, 2, 3, 5, 7].map { $0 * d }
        } + [100_000_000_000]
    let cases: [(HistogramBounds, [Int])] = [
        (.latency, latency), (.size, (4...13).map { 1 << (2 * $0) }), (HistogramBounds(.bytes, [1]), [1]),
        (HistogramBounds(.bytes, [1, 2, 3, 4, 5, 6, 7, 8, 9]), Array(1...9)),
        (HistogramBounds(.bytes, [Int.max]), [Int.max]),
    ]
    for (bounds, model) in cases {
        var values = [0, -1, .min, .max, .max - 1, 1] + model.flatMap { [$0 - 1, $0, $0 == .max ? $0 : $0 + 1] }
        for _ in 0..<2_000 { values.append(Int(random.next() >> UInt64.random(in: 1..<64, using: &random))) }
        for value in values {
            let expected = model.firstIndex { value <= $0 } ?? model.count
            #expect(bounds.bucket(value) == expected)
        }
    }
}

@Test func histogramCountsAndSumsOverAllWriters() {
    var builder = MetricsRegistry.Builder(writers: 3)
    let histogram = builder.histogram("size_bytes", "x", [Label("way", ["in", "out"])], bounds: .size)
    for i in 0..<3 {
        let writer = histogram.writer(i)
        for value in 0..<1_000 { writer.observe(value, at: 1) }
    }
    histogram.writer(0).observe(-5, at: 0)
    #expect(histogram.count(1) == 3_000)
    #expect(histogram.sum(1) == 3 * 499_500)
    #expect(histogram.count(0) == 1)
    #expect(histogram.sum(0) == 0)
}

@Test func bucketsAreCumulativeAndEndWithTheCount() {
    var builder = MetricsRegistry.Builder(writers: 1, prefix: "")
    let histogram = builder.histogram("t_seconds", "x")
    let registry = builder.build()
    var random = SeededGenerator(seed: 32)
    let writer = histogram.writer(0)
    for _ in 0..<10_000 { writer.observe(Int(random.next() >> UInt64.random(in: 20..<60, using: &random))) }
    let lines = registry.text.split(separator: "\n")
    let buckets = lines.filter { $0.hasPrefix("t_seconds_bucket") }.compactMap { $0.split(separator: " ").last }
        .compactMap { Int($0) }
    #expect(buckets.count == 32)
    #expect(buckets == buckets.sorted())
    #expect(buckets.last == 10_000)
    #expect(lines.last == "t_seconds_count 10000")
}

@Test func eachWriterCountsOnItsOwnThreadAndNothingIsLost() async {
    var builder = MetricsRegistry.Builder(writers: 4)
    let counter = builder.counter("a_total", "x", [Label("a", ["0", "1"]), Label("b", ["0", "1", "2"])])
    let histogram = builder.histogram("a_seconds", "x")
    let registry = builder.build()
    await withTaskGroup(of: Void.self) { group in
        for i in 0..<4 {
            group.addTask {
                let counts = counter.writer(i)
                let times = histogram.writer(i)
                for n in 0..<20_000 {
                    counts.add(at: n & 1, n % 3)
                    times.observe(n)
                }
            }
        }
        // Somebody looks in the meantime: what is seen only grows.
        group.addTask {
            var last = 0
            for _ in 0..<20 {
                let now = counter.value(1, 2)
                if now < last { Issue.record("a counter went back") }
                last = now
                _ = registry.text
            }
        }
    }
    var sum = 0
    for a in 0..<2 { for b in 0..<3 { sum += counter.value(a, b) } }
    #expect(sum == 80_000)
    #expect(histogram.count() == 80_000)
    #expect(histogram.sum() == 4 * 20_000 * 19_999 / 2)
}

@Test func gaugesAddUpAndCanBeSet() {
    var builder = MetricsRegistry.Builder(writers: 2)
    let gauge = builder.gauge("waiting", "x", [Label("class", ["realtime", "batch"])])
    gauge.writer(0).set(7, at: 1)
    gauge.writer(1).add(3, at: 1)
    gauge.writer(0).set(2, at: 1)
    #expect(gauge.value(1) == 5)
    #expect(gauge.value(0) == 0)
}

@Test func aPositionOutsideTheLabelsStopsTheProgramInsteadOfCountingElsewhere() async {
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        let counter = builder.counter("a_total", "x", [Label("a", ["0", "1"]), Label("b", ["0", "1"])])
        counter.writer(0).add(at: 0, 2)
    }
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        let counter = builder.counter("a_total", "x", [Label("a", ["0", "1"])])
        counter.writer(0).add(at: 2)
    }
}
