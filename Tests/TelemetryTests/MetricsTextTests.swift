import Bytes
import Telemetry
import Testing

@Test func textIsThatOfThePrometheusFormat() {
    var builder = MetricsRegistry.Builder(writers: 2)
    let requests = builder.counter(
        "requests_total", "Requests answered.", [Label("route", ["/a", "/b"]), Label("status", ["200", "404"])])
    let open = builder.gauge("connections_open", "Connections open now.")
    let waits = builder.histogram(
        "wait_seconds", "Time in the queue.", [Label("class", ["realtime"])],
        bounds: HistogramBounds(.seconds, [100_000, 2_500_000_000]))
    let registry = builder.build()

    requests.writer(0).add(at: 0, 0)
    requests.writer(1).add(4, at: 0, 0)
    requests.writer(1).add(at: 1, 1)
    open.writer(0).add(5)
    open.writer(1).add(-2)
    waits.writer(0).observe(100_000)
    waits.writer(1).observe(100_001)
    waits.writer(1).observe(9_000_000_000)

    #expect(
        registry.text == """
            # HELP millgate_requests_total Requests answered.
            # TYPE millgate_requests_total counter
            millgate_requests_total{route="/a",status="200"} 5
            millgate_requests_total{route="/a",status="404"} 0
            millgate_requests_total{route="/b",status="200"} 0
            millgate_requests_total{route="/b",status="404"} 1
            # HELP millgate_connections_open Connections open now.
            # TYPE millgate_connections_open gauge
            millgate_connections_open 3
            # HELP millgate_wait_seconds Time in the queue.
            # TYPE millgate_wait_seconds histogram
            millgate_wait_seconds_bucket{class="realtime",le="0.0001"} 1
            millgate_wait_seconds_bucket{class="realtime",le="2.5"} 2
            millgate_wait_seconds_bucket{class="realtime",le="+Inf"} 3
            millgate_wait_seconds_sum{class="realtime"} 9.000200001
            millgate_wait_seconds_count{class="realtime"} 3

            """)
}

@Test func labelValuesAndHelpAreEscaped() {
    var builder = MetricsRegistry.Builder(writers: 1)
    let counter = builder.counter(
        "odd_total", "A \"help\" with \\ and\na line feed.", [Label("path", ["C:\\\"x\"\n", "é"])])
    counter.writer(0).add(at: 0)
    #expect(
        builder.build().text == #"""
            # HELP millgate_odd_total A "help" with \\ and\na line feed.
            # TYPE millgate_odd_total counter
            millgate_odd_total{path="C:\\\"x\"\n"} 1
            millgate_odd_total{path="é"} 0

            """#)
}

@Test func combinationsThatNeverHappenedAreLeftOutOfLargeTables() {
    var builder = MetricsRegistry.Builder(writers: 1)
    let routes = (0..<50).map { "/route/\($0)" }
    let requests = builder.counter("requests_total", "Requests.", [Label("route", routes), StatusLabel.label])
    let latency = builder.histogram("request_seconds", "Latency.", [Label("route", routes)])
    let registry = builder.build()
    #expect(registry.text.split(separator: "\n").count == 4)
    requests.writer(0).add(at: 49, StatusLabel.position(503))
    latency.writer(0).observe(1, at: 7)
    let lines = registry.text.split(separator: "\n").map(String.init)
    #expect(lines.contains(#"millgate_requests_total{route="/route/49",status="503"} 1"#))
    #expect(lines.count == 4 + 1 + 32 + 2)
    #expect(requests.value(49, StatusLabel.position(503)) == 1)
}

@Test func registryWritesTheSameIntoABuffer() {
    var builder = MetricsRegistry.Builder(writers: 1, prefix: "")
    _ = builder.counter("a_total", "A.")
    let registry = builder.build()
    var buffer = IOBuffer(capacity: 8)
    registry.append(to: &buffer)
    #expect(buffer.readable.text == registry.text)
    #expect(registry.text.hasSuffix("a_total 0\n"))
    #expect(MetricsRegistry.contentType == "text/plain; version=0.0.4; charset=utf-8")
}

@Test(arguments: [
    (99, "other"), (100, "100"), (200, "200"), (299, "other"), (404, "404"), (499, "499"), (511, "511"),
    (599, "other"), (600, "other"), (0, "other"), (-1, "other"), (Int.max, "other"),
])
func statusCodesHaveTheirPosition(status: Int, value: String) {
    #expect(StatusLabel.label.values[StatusLabel.position(status)] == value)
}

@Test func namesThatPrometheusWouldRefuseStopTheProgramAtItsStart() async {
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        _ = builder.counter("with-dash_total", "x")
    }
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        _ = builder.counter("requests", "x")
    }
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        _ = builder.gauge("a", "x")
        _ = builder.gauge("a", "x")
    }
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        _ = builder.gauge("a", "x", [Label("le", ["1"])])
    }
    await #expect(processExitsWith: .failure) {
        var builder = MetricsRegistry.Builder(writers: 1)
        _ = builder.histogram("wait_milliseconds", "x")
    }
}
