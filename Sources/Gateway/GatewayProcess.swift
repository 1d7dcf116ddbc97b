import Audit
import Bytes
import Documents
import JSON
import Limits
import Logging
import Odoo
import Reactor
import Server
import Services
import Store
import Synchronization
import Telemetry
import Upstream

/// The running gateway: owns the reactors and the stores, reloads, reports, drains.
///
/// Started by `GatewayStart`; everything that requests touch lives in one `Worker` per reactor.
package final class GatewayProcess: Sendable {
    struct Running {
        var snapshot: Snapshot
        var targets: SnapshotBuilder.Targets
        var accounts: OdooAccounts
        var lastReloadError: String?
    }

    /// What `GatewayStart` has made.
    struct Parts: Sendable {
        var shared: SharedState
        var ledger: Ledger
        var runner: ServiceRunner
        var batches: BatchStore
        var reads: ReadCache
        var desk: IdentityDesk
        var webhooks: WebhookDesk
        var handles: [ReactorHandle]
        var statistics: [ServerStatistics]
        var metrics: GatewayMetrics
        var keys: LimitKeyHasher
        var log: Logger
        var read: @Sendable () throws(DocumentErrors) -> Configuration
    }

    private let parts: Parts
    private let running: Mutex<Running>
    private let odoo = Mutex<OdooCaller?>(nil)
    private let tokenService = Mutex<TokenService?>(nil)
    private let orderWatch = Mutex<(watch: OdooWatch, store: WatchStore)?>(nil)
    private let addressList = Mutex<[ListenerAddress]>([])
    /// Problems that keep the gateway from being ready, by name.
    private let obstacles = Mutex<[String: String]>(["recovery": "unfinished operations are being looked at"])

    package struct ListenerAddress: Sendable {
        package var name: String
        package var host: String
        package var port: UInt16
        package var isTLS: Bool
    }

    init(_ parts: Parts, running: Running) {
        self.parts = parts
        self.running = Mutex(running)
    }

    /// Where the listeners are, with the ports that the kernel chose; the last is the admin listener.
    package var addresses: [ListenerAddress] { addressList.withLock { $0 } }

    func add(_ address: ListenerAddress) { addressList.withLock { $0.append(address) } }

    func setTokenService(_ service: TokenService) { tokenService.withLock { $0 = service } }

    func setWatch(_ watch: OdooWatch, _ store: WatchStore) { orderWatch.withLock { $0 = (watch, store) } }
    var watch: OdooWatch? { orderWatch.withLock { $0?.watch } }

    func setOdoo(_ caller: OdooCaller) { odoo.withLock { $0 = caller } }

    /// Most orders among which the one for a newcomer is chosen.
    private static let exampleOrdersMax = 20

    /// A released production order with something left to produce, for the lines that a newcomer pastes; nil when there
    /// is none or Odoo does not answer. The last of those of the first one's site, because the README's first call is for
    /// the first.
    package func exampleOrder() async -> Int? {
        guard let odoo = odoo.withLock({ $0 }) else { return nil }
        let call = OdooCall.searchRead(
            "mrp.production", domain: [["state", "in", ["confirmed", "progress"]]],
            fields: ["id", "picking_type_id"], limit: Self.exampleOrdersMax, order: "id")
        let orders = (try? await odoo.call(call))??.array ?? []
        return orders.last { $0["picking_type_id"]?[0] == orders.first?["picking_type_id"]?[0] }?["id"]?.int
    }

    func clearObstacle(_ name: String) { obstacles.withLock { $0[name] = nil } }

    var desk: IdentityDesk { parts.desk }
    var webhooks: WebhookDesk { parts.webhooks }
    /// What the admin interface has besides health and metrics.
    var adminResources: [any AdminResource] {
        let note: @Sendable (String) async -> Void = { await self.note($0) }
        var resources: [any AdminResource] = [
            AdminRevocations(desk: parts.desk, note: note), WebhookAdmin(desk: parts.webhooks, note: note),
            AdminOperations(runner: parts.runner, note: note),
        ]
        if let service = tokenService.withLock({ $0 }) { resources.append(AdminAccounts(service: service, note: note)) }
        return resources
    }
    var auditLog: AppendLog { parts.shared.audit }
    var ledger: Ledger { parts.ledger }
    var batches: BatchStore { parts.batches }
    var log: Logger { parts.log }
    /// The reactor for what is done beside requests.
    var home: ReactorHandle { parts.handles[0] }
    var isStopping: Bool { parts.shared.isDraining.load(ordering: .relaxed) }

    var snapshot: Snapshot { running.withLock { $0.snapshot } }

    // MARK: Reload

    /// Reads the configuration and all that it names again. Either everything is taken over by all reactors, or the
    /// old stays and the errors come back. Requests in flight end under the snapshot that they began with.
    package func reload(by cause: String) async -> Result<Snapshot, DocumentErrors> {
        let before = running.withLock { ($0.snapshot, $0.targets, $0.accounts) }
        var builder = SnapshotBuilder(keys: parts.keys)
        builder.runningTargets = before.1
        let made: (snapshot: Snapshot, targets: SnapshotBuilder.Targets)
        let accounts: OdooAccounts
        do throws(DocumentErrors) {
            var configuration = try parts.read()
            configuration.odoo.url = configuration.odoo.url ?? before.0.configuration.odoo.url
            made = try builder.build(configuration, generation: before.0.generation + 1)
            accounts = try OdooAccounts(configuration.odoo, earlier: before.2) { parts.log.warning("\($0)") }
        } catch {
            running.withLock { $0.lastReloadError = error.description }
            for one in error.errors { parts.log.error("\(one)") }
            await note(
                "reload refused (\(cause)): \(error.errors.count) errors; policy \(before.0.policyDigestShort) stays")
            return .failure(error)
        }
        made.snapshot.prepareDocuments()
        let identity = parts.desk.adopt(made.snapshot.issuers)
        keep(made.snapshot)
        running.withLock {
            $0.snapshot = made.snapshot
            $0.targets = made.targets
            $0.accounts = accounts
            $0.lastReloadError = nil
        }
        for handle in parts.handles {
            let snapshot = made.snapshot
            handle.post { $0.local(Worker.self)?.replace(snapshot, identity, accounts) }
        }
        await parts.webhooks.apply(made.snapshot)
        parts.log.notice("configuration taken over", metadata: ["policy": "\(made.snapshot.policyDigestShort)"])
        await note("reload (\(cause)): policy \(before.0.policyDigestShort) → \(made.snapshot.policyDigestShort)")
        return .success(made.snapshot)
    }

    /// Keeps a copy of the policies that are in force now.
    func keep(_ snapshot: Snapshot) {
        do throws(FilesError) {
            try BundleStore(state: snapshot.configuration.state).keep(snapshot.bundle)
        } catch {
            parts.log.error("\(error)")
        }
    }

    /// An entry of the kind `admin`: who runs the gateway did something.
    func note(_ detail: String) async {
        var entry = AuditEntry(time: Clock.wall(), kind: .admin)
        entry.detail = detail
        try? await parts.shared.audit.appendDurably(entry)
    }

    // MARK: Reports

    package func readiness() async -> ReadinessReport {
        let (snapshot, targets, reloadError) = running.withLock { ($0.snapshot, $0.targets, $0.lastReloadError) }
        let audit = parts.shared.audit.status
        var checks: [ReadinessReport.Check] = [
            .init(
                name: "audit", isReady: audit.failure == nil,
                detail: audit.failure.map { "\($0)" } ?? "entry \(audit.sequence)"),
            .init(
                name: "configuration", isReady: true,
                detail: reloadError.map { "the last reload was refused: \($0)" } ?? "generation \(snapshot.generation)"),
        ]
        let store = BundleStore(state: snapshot.configuration.state)
        let mode = snapshot.policy.settings.mode == .observe ? "observe: nothing is refused by the policy; " : ""
        checks.append(
            .init(
                name: "policies", isReady: true,
                detail: mode
                    + (store.pinned.map { $0 == snapshot.policy.digest } == true
                        ? "pinned by a rollback" : "from \(snapshot.bundle.directory)")))
        for (name, (_, target)) in targets.sorted(by: { $0.key < $1.key }) {
            let state = target.circuitState
            checks.append(.init(name: "upstream \(name)", isReady: state != .open, detail: "circuit \(state.rawValue)"))
        }
        checks.append(OdooReport.check(parts.runner.probe.known))
        for issuer in parts.desk.reports() {
            let age = issuer.age.map { "\(issuer.keys) keys, fetched \($0 / 1_000_000_000) s ago" } ?? "no keys yet"
            checks.append(
                .init(
                    name: "issuer \(issuer.issuer)", isReady: issuer.wasTried,
                    detail: issuer.lastFailure.map { "\(age); the last fetch failed: \($0)" } ?? age))
        }
        for (name, detail) in obstacles.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            checks.append(.init(name: name, isReady: false, detail: detail))
        }
        if parts.shared.isDraining.load(ordering: .relaxed) {
            checks.append(.init(name: "stopping", isReady: false, detail: "no new connections are taken"))
        }
        return ReadinessReport(
            checks: checks, policyDigest: snapshot.policy.digest, generation: snapshot.generation)
    }

    func metricsPage() async -> [UInt8] {
        let (snapshot, targets) = running.withLock { ($0.snapshot, $0.targets) }
        var page = parts.metrics.page(
            GatewayMetrics.Reading(
                servers: parts.statistics, targets: targets.mapValues(\.target),
                ledger: Dictionary(
                    uniqueKeysWithValues: OperationState.allCases.map { ($0.rawValue, parts.ledger.count(of: $0)) }),
                audit: parts.shared.audit.status, reads: parts.reads.counts, batches: batchCounts,
                issuers: parts.desk.reports(), revocations: parts.desk.revocationCount,
                tokenService: tokenService.withLock { $0 }?.counts ?? [],
                limitKeys: parts.shared.limiter.statistics(now: Clock.monotonic()).keys,
                generation: snapshot.generation),
            writer: parts.handles.count)
        SettlingMetrics.append(
            snapshot.contracts.contracts.filter { $0.kind == .write }.map(\.operation),
            try? await parts.runner.unknowns(), parts.runner.settling.counts, now: Clock.wall(), to: &page)
        WebhookMetrics.append(await parts.webhooks.deliveries.reports(), to: &page)
        if let watch { WebhookMetrics.append(watch.counts, to: &page) }
        return page
    }

    private var batchCounts: [Int] {
        let (states, bytes) = parts.batches.counts
        let running = parts.batches.unfinished().count { $0.lastLine > 0 }
        return BatchRecord.State.allCases.map { states[$0] ?? 0 } + [running, bytes]
    }

    // MARK: Stop

    /// Takes no new connection, lets requests in flight finish within the drain timeout, and closes the stores.
    package func stop() async {
        await close(note: "stop")
        for handle in parts.handles { await handle.end() }
    }

    /// Drains all servers and closes the stores; `reason` is the last entry but one of the audit log.
    func close(note reason: String) async {
        parts.shared.isDraining.store(true, ordering: .relaxed)
        await drain(within: snapshot.configuration.drainTimeout) { $0.local(ServerWorker.self) }
        // The last to go: until here it says how far the others are.
        await drain(within: .milliseconds(200)) { $0.local(AdminDesk.self)?.server }
        await parts.webhooks.deliveries.close()
        await orderWatch.withLock { $0?.store }?.close()
        await note(reason)
        await parts.shared.audit.close()
        await parts.batches.close()
        await parts.ledger.close()
        await parts.desk.store.close()
        parts.shared.accessLog?.close()
    }

    private func drain(
        within timeout: Nanoseconds, _ server: @escaping @Sendable (Reactor) -> ServerWorker?
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for handle in parts.handles {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        handle.post { reactor in
                            guard let server = server(reactor) else { return continuation.resume() }
                            server.drain(deadline: reactor.now + timeout) { continuation.resume() }
                        }
                    }
                }
            }
        }
    }

    /// Asks all servers, each on its reactor; the admin server comes last.
    func askServers<T: Sendable>(_ question: @escaping @Sendable (ServerWorker) -> T) async -> [T] {
        var answers: [T] = []
        for handle in parts.handles {
            answers += await withCheckedContinuation { continuation in
                handle.post { reactor in
                    let servers = [reactor.local(ServerWorker.self), reactor.local(AdminDesk.self)?.server]
                    continuation.resume(returning: servers.compactMap(\.self).map(question))
                }
            }
        }
        return answers
    }
}
