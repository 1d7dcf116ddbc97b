import Bytes
import HTTP
import Limits
import Server
import Services
import Store
import Synchronization
import Telemetry
import Upstream

/// All metrics of the gateway, defined once at start, one writer per reactor and one for what is read at each scrape.
///
/// Routes that a later reload brings are counted under the route `(other)`, until the next start.
package final class GatewayMetrics: Sendable {
    let registry: MetricsRegistry
    /// Row of each route of the first configuration; several paths may share a name.
    private let routeRows: [Int]
    private let operationRows: [String: Int]
    private let noneRow: Int
    private let requests: Counter
    private let latency: Histogram
    private let tokens: Counter
    private let refusals: Counter
    private let auditLost: Counter
    private let observed: Counter
    // Read at each scrape.
    private let connections: Gauge
    private let accepted: Gauge
    private let serverEvents: Gauge
    private let clientRequests: Gauge
    private let http2CutOffs: Gauge
    private let cuts: Gauge
    private let upstreamInFlight: Gauge
    private let upstreamWaiting: Gauge
    private let upstreamCircuit: Gauge
    private let upstreamAnswers: Gauge
    private let upstreamFailures: Gauge
    private let upstreamConnections: Gauge
    private let ledger: Gauge
    private let reads: Gauge
    private let batches: Gauge
    private let auditStatus: Gauge
    private let limitKeys: Gauge
    private let issuerKeys: Gauge
    private let revocations: Gauge
    private let tokenService: Gauge
    private let issuerNames: [String]
    private let generation: Gauge
    private let upstreamNames: [String]

    static let ledgerStates = ["accepted", "dispatched", "applied", "rejected", "unknown", "settled"]
    static let serverEventNames = [
        "requests", "malformed", "slow-request", "slow-reader", "idle-timeout", "refused-connection", "tls-handshake",
        "tls-resumed", "tls-failed", "taken-back",
    ]
    static let readItems = ["hits", "misses", "coalesced", "invalidations", "evicted", "bytes"]
    static let batchItems = ["receiving", "received", "completed", "running", "bytes"]
    static let issuerItems = ["keys", "age_seconds", "failures", "stale"]
    static let auditNames = ["sequence", "backlog_bytes", "refused", "failures", "failing"]

    init(reactors: Int, routes: [String], operations: [String], upstreams: [String], issuers: [String] = []) {
        upstreamNames = upstreams
        var names: [String] = []
        for name in routes + operations where !names.contains(name) { names.append(name) }
        routeRows = routes.map { name in names.firstIndex(of: name) ?? 0 }
        operationRows = Dictionary(operations.map { ($0, names.firstIndex(of: $0) ?? 0) }) { first, _ in first }
        noneRow = names.count
        var builder = MetricsRegistry.Builder(writers: reactors + 1)
        let routeLabel = Label("route", names + ["(none)", "(other)"])
        requests = builder.counter(
            "requests_total", "Requests by route or business operation and status.", [routeLabel, StatusLabel.label])
        latency = builder.histogram(
            "request_duration_seconds", "From the request's head to the response's last byte.", [routeLabel])
        tokens = builder.counter(
            "tokens_total", "Bearer tokens by what became of them.",
            [Label("result", ["verified", "remembered", "refused"])])
        refusals = builder.counter(
            "refusals_total", "Requests refused before their handler.", [Label("reason", ["limit", "malformed"])])
        observed = builder.counter(
            "policy_observed_total", "Decisions that rules or a bundle in observe mode would have made otherwise.",
            [Label("effect", ["allow", "forbid"])])
        auditLost = builder.counter("audit_lost_total", "Audit entries of proxied requests that found no room.")
        connections = builder.gauge("connections", "Client connections open.")
        accepted = builder.gauge("connections_accepted", "Client connections accepted since the start.")
        serverEvents = builder.gauge(
            "server_events", "What happened on client connections since the start.",
            [Label("event", Self.serverEventNames)])
        clientRequests = builder.gauge(
            "client_requests", "Requests since the start by protocol.",
            [Label("protocol", [WireProtocol.http1.name, WireProtocol.http2.name])])
        http2CutOffs = builder.gauge(
            "http2_cut_off", "Connections and streams of HTTP/2 that were cut off since the start.",
            [Label("reason", HTTP2CutOff.allCases.map(\.name))])
        cuts = builder.gauge(
            "connections_cut", "Client connections refused or cut off since the start.",
            [Label("reason", ConnectionCut.allCases.map(\.name))])
        let upstreamLabel = Label("upstream", upstreams)
        upstreamInFlight = builder.gauge("upstream_in_flight", "Calls in flight.", [upstreamLabel])
        upstreamWaiting = builder.gauge(
            "upstream_queue", "Calls that wait for their turn.",
            [upstreamLabel, Label("class", ["realtime", "standard", "batch"])])
        upstreamCircuit = builder.gauge(
            "upstream_circuit_open", "1 while the circuit is open or half-open.", [upstreamLabel])
        upstreamAnswers = builder.gauge(
            "upstream_answers", "Answers since the start by class of status.",
            [upstreamLabel, Label("class", ["1xx", "2xx", "3xx", "4xx", "5xx"])])
        upstreamFailures = builder.gauge(
            "upstream_failures", "Calls since the start that brought no whole answer.", [upstreamLabel])
        upstreamConnections = builder.gauge(
            "upstream_connections", "What became of connections to servers since the start.",
            [upstreamLabel, Label("event", ["made", "repeated", "early", "yielded", "discarded"])])
        ledger = builder.gauge("ledger_operations", "Operations in the ledger.", [Label("state", Self.ledgerStates)])
        batches = builder.gauge(
            "batches", "Batches by their state; received ones run or wait. bytes is what all of them hold.",
            [Label("item", Self.batchItems)])
        reads = builder.gauge(
            "read_cache",
            "Reads of Odoo since the start: answered by what was held, by a call, by the call of another; writes that "
                + "made what was held unusable; answers that made room. bytes is what is held now.",
            [Label("item", Self.readItems)])
        auditStatus = builder.gauge("audit_log", "State of the audit log.", [Label("item", Self.auditNames)])
        issuerNames = issuers
        issuerKeys = builder.gauge(
            "issuer_keys",
            "Issuers whose keys are fetched: how many keys count, how old they are, and failures since "
                + "the last success. stale is 1 while old keys are used because the issuer is away.",
            [Label("issuer", issuers.isEmpty ? ["(none)"] : issuers), Label("item", Self.issuerItems)])
        revocations = builder.gauge("revocations", "Revocations that count now.")
        tokenService = builder.gauge(
            "token_service", "Requests to the built-in token service since the start.",
            [Label("result", TokenService.results)])
        limitKeys = builder.gauge("limit_keys", "Keys that rate limits count now.")
        generation = builder.gauge("configuration_generation", "Reloads since the start.")
        registry = builder.build()
    }

    func worker(_ index: Int) -> WorkerMetrics {
        WorkerMetrics(
            requests: requests.writer(index), latency: latency.writer(index), tokens: tokens.writer(index),
            refusals: refusals.writer(index), auditLost: auditLost.writer(index),
            observed: observed.writer(index), routeRows: routeRows,
            operationRows: operationRows, noneRow: noneRow)
    }

    /// What is not counted as it happens but read when somebody asks.
    struct Reading {
        var servers: [ServerStatistics]
        var targets: [String: UpstreamTarget]
        var ledger: [String: Int]
        var audit: AppendLog.Status
        var reads: ReadCache.Counts
        /// In the order of `batchItems`.
        var batches: [Int]
        var issuers: [IdentityDesk.Report]
        var revocations: Int
        var tokenService: [Int]
        var limitKeys: Int
        var generation: UInt64
    }

    /// The page as it is now. Called by one reactor only, which is the last writer.
    func page(_ reading: Reading, writer: Int) -> [UInt8] {
        var sums = [Int](repeating: 0, count: Self.serverEventNames.count)
        var open = 0
        var all = 0
        for server in reading.servers {
            open += server.open.current
            all += server.accepted.current
            for (i, n) in [
                server.requests.current, server.malformed.current, server.slowRequests.current,
                server.slowReaders.current, server.idleTimeouts.current, server.refusedConnections.current,
                server.handshakes.current, server.resumptions.current, server.handshakeFailures.current,
                server.takenBack.current,
            ].enumerated() { sums[i] += n }
        }
        let overHTTP2 = reading.servers.reduce(0) { $0 + $1.http2Requests.current }
        clientRequests.writer(writer).set(sums[0] - overHTTP2, at: 0)
        clientRequests.writer(writer).set(overHTTP2, at: 1)
        for reason in HTTP2CutOff.allCases {
            http2CutOffs.writer(writer).set(
                reading.servers.reduce(0) { $0 + $1.cutOffs[reason] }, at: reason.rawValue)
        }
        connections.writer(writer).set(open)
        accepted.writer(writer).set(all)
        for reason in ConnectionCut.allCases {
            let sum = reading.servers.reduce(0) { $0 + $1.cuts[reason] }
            cuts.writer(writer).set(sum, at: reason.rawValue)
        }
        for (i, n) in sums.enumerated() { serverEvents.writer(writer).set(n, at: i) }
        for (i, name) in upstreamNames.enumerated() {
            guard let target = reading.targets[name] else { continue }
            let occupancy = target.gate?.occupancy ?? (inFlight: 0, waiting: [0, 0, 0])
            upstreamInFlight.writer(writer).set(occupancy.inFlight, at: i)
            for (j, n) in occupancy.waiting.enumerated() { upstreamWaiting.writer(writer).set(n, at: i * 3 + j) }
            upstreamCircuit.writer(writer).set(target.circuitState == .closed ? 0 : 1, at: i)
            for (j, n) in target.statistics.answers.enumerated() {
                upstreamAnswers.writer(writer).set(n.current, at: i * 5 + j)
            }
            let statistics = target.statistics
            upstreamFailures.writer(writer).set(statistics.failures.current, at: i)
            let counts = [
                statistics.connections, statistics.repeated, statistics.early, statistics.yielded, statistics.discarded,
            ]
            for (j, n) in counts.enumerated() {
                upstreamConnections.writer(writer).set(n.current, at: i * 5 + j)
            }
        }
        for (i, name) in Self.ledgerStates.enumerated() { ledger.writer(writer).set(reading.ledger[name] ?? 0, at: i) }
        for (i, n) in reading.batches.enumerated() { batches.writer(writer).set(n, at: i) }
        let counts = reading.reads
        for (i, n) in [
            counts.hits, counts.misses, counts.coalesced, counts.invalidations, counts.evicted, counts.bytes,
        ].enumerated() { reads.writer(writer).set(n, at: i) }
        let audit = reading.audit
        for (i, n) in [
            audit.sequence, audit.backlogBytes, audit.linesRefused, audit.failures, audit.failure == nil ? 0 : 1,
        ].enumerated() { auditStatus.writer(writer).set(n, at: i) }
        for (i, name) in issuerNames.enumerated() {
            guard let issuer = reading.issuers.first(where: { $0.issuer == name }) else { continue }
            let age = Int((issuer.age ?? 0) / 1_000_000_000)
            for (j, n) in [issuer.keys, age, issuer.failures, issuer.isStale ? 1 : 0].enumerated() {
                issuerKeys.writer(writer).set(n, at: i * Self.issuerItems.count + j)
            }
        }
        revocations.writer(writer).set(reading.revocations)
        for (i, n) in reading.tokenService.enumerated() { tokenService.writer(writer).set(n, at: i) }
        limitKeys.writer(writer).set(reading.limitKeys)
        generation.writer(writer).set(Int(reading.generation))
        var out: [UInt8] = []
        registry.append(to: &out)
        return out
    }
}

/// The writers of one reactor.
final class WorkerMetrics {
    private let requests: CounterWriter
    private let latency: HistogramWriter
    private let tokens: CounterWriter
    private let refusals: CounterWriter
    private let auditLostCounter: CounterWriter
    private let observedCounter: CounterWriter
    private let routeRows: [Int]
    private let operationRows: [String: Int]
    private let noneRow: Int

    init(
        requests: CounterWriter, latency: HistogramWriter, tokens: CounterWriter, refusals: CounterWriter,
        auditLost: CounterWriter, observed: CounterWriter, routeRows: [Int], operationRows: [String: Int], noneRow: Int
    ) {
        self.requests = requests
        self.latency = latency
        self.tokens = tokens
        self.refusals = refusals
        auditLostCounter = auditLost
        observedCounter = observed
        self.routeRows = routeRows
        self.operationRows = operationRows
        self.noneRow = noneRow
    }

    /// `route` is the index in the snapshot; -1 for none.
    func count(route: Int, operation: String?, status: Int, nanoseconds: Nanoseconds) {
        let row: Int
        // Scripts' calls have both: Odoo's methods are too many to be counted one by one.
        if let operation, route < 0 {
            row = operationRows[operation] ?? noneRow + 1
        } else if route < 0 {
            row = noneRow
        } else {
            row = route < routeRows.count ? routeRows[route] : noneRow + 1
        }
        requests.add(1, at: row, StatusLabel.position(status))
        latency.observe(Int(nanoseconds), at: row)
    }

    func tokenVerified() { tokens.add(1, at: 0) }
    func tokenRemembered() { tokens.add(1, at: 1) }
    func tokenRefused() { tokens.add(1, at: 2) }
    func limited() { refusals.add(1, at: 0) }
    func malformed() { refusals.add(1, at: 1) }
    /// - Parameter forbids: what was let through would have been denied.
    func policyObserved(forbids: Bool) { observedCounter.add(1, at: forbids ? 1 : 0) }
    func auditLost() { auditLostCounter.add(1) }
}
