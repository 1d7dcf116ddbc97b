import Audit
import Bytes
import Delivery
import Documents
import Foundation
import Identity
import Limits
import Logging
import Odoo
import Reactor
import Server
import Services
import Store
import Synchronization
import Upstream

/// Why the gateway could not start.
package enum StartFailure: Error, CustomStringConvertible {
    case configuration(DocumentErrors)
    case store(StoreError)
    case system(ReactorError)
    case secret(SecretError)

    package var description: String {
        switch self {
        case .configuration(let errors): errors.description
        case .store(let error): "\(error)"
        case .system(let error): "\(error)"
        case .secret(let error): "\(error)"
        }
    }
}

extension GatewayProcess {
    /// Builds everything in order: snapshot, stores, reactors, listeners; then looks at what was left unfinished.
    ///
    /// `read` gives the configuration, now and at each reload; `inherited` are sockets that listen already. The listeners
    /// answer when this returns; `/readyz` says so when the recovery is done.
    package static func start(
        log: Logger, inherited: [InheritedListener] = [],
        read: @escaping @Sendable () throws(DocumentErrors) -> Configuration
    ) async throws(StartFailure) -> GatewayProcess {
        let configuration: Configuration
        let built: (snapshot: Snapshot, targets: SnapshotBuilder.Targets)
        let builder = SnapshotBuilder.withRandomKeys()
        var problem: String?
        do throws(DocumentErrors) {
            configuration = try read()
        } catch {
            throw .configuration(error)
        }
        // Opened while the policies are read: the one waits for the disk, the other computes.
        async let opening = Self.open(configuration, log)
        do throws(DocumentErrors) {
            built = try builder.build(configuration, generation: 0)
        } catch {
            guard let last = lastGood(configuration, builder) else { throw .configuration(error) }
            for one in error.errors { log.error("\(one)") }
            log.error("the last good policies are enforced: \(last.snapshot.policyDigestShort)")
            problem = error.description
            built = last
        }
        let stores = try await opening.get()
        let (audit, ledger, webhooks) = (stores.audit, stores.ledger, stores.webhooks)
        let odoo = try odooTarget(configuration, built.targets)
        let shared = SharedState(
            audit: audit, limiter: RateLimiter(),
            connections: ConnectionLimiter(
                .init(
                    perAddressMax: configuration.connectionsPerAddressMax == 0
                        ? .max : configuration.connectionsPerAddressMax,
                    totalMax: Self.connectionsMax(descriptors: DescriptorLimit.raise()),
                    perAddressRate: configuration.connectionRatePerAddress)),
            accessLog: try openAccessLog(configuration.log), permanentTargets: [odoo], startedAt: Clock.wall())
        var services = ServiceConfiguration()
        services.settleTimeMax = configuration.ledger.settleLimit
        services.callRunsMax = configuration.odoo.callRunsMax
        services.usesAddon = configuration.odoo.addon == .auto
        let runner = ServiceRunner(
            sites: SiteMap(
                sites: configuration.sites.map {
                    Site(
                        name: $0.name, warehouse: $0.warehouse, workCenters: $0.workCenters,
                        holdLocation: $0.holdLocation)
                }),
            ledger: ledger, sha256: { AuditDigest(of: $0.span).bytes }, configuration: services,
            reads: ReadCache(bytesMax: configuration.odoo.readCacheBytesMax))
        runner.adopt(built.snapshot.contracts)
        let login = try odooLogin(configuration.odoo, log)
        let accounts: OdooAccounts
        do throws(DocumentErrors) {
            accounts = try OdooAccounts(configuration.odoo) { log.warning("\($0)") }
        } catch {
            throw .configuration(error)
        }
        do throws(ReactorError) {
            let count =
                configuration.reactors > 0 ? configuration.reactors : ProcessInfo.processInfo.activeProcessorCount
            var handles: [ReactorHandle] = []
            for index in 0..<count { handles.append(try ReactorHandle.start(index: index) { _ in }) }
            let desk = try makeDesk(built.snapshot, stores.identities, handles, log)
            let statistics = (0..<count).map { _ in ServerStatistics() }
            let metrics = GatewayMetrics(
                reactors: count, routes: configuration.routes.map(\.name),
                operations: built.snapshot.contracts.operations.sorted(), upstreams: built.targets.keys.sorted(),
                issuers: built.snapshot.issuers.filter { $0.published != nil }.map(\.configuration.issuer))
            let process = GatewayProcess(
                Parts(
                    shared: shared, ledger: ledger, runner: runner, batches: stores.batches, reads: runner.reads,
                    desk: desk,
                    webhooks: webhooks, handles: handles, statistics: statistics, metrics: metrics,
                    keys: builder.keys, log: log, read: read),
                running: Running(
                    snapshot: built.snapshot, targets: built.targets, accounts: accounts, lastReloadError: problem))
            process.keep(built.snapshot)
            let door = BatchDoor(
                snapshot: { [weak process, first = built.snapshot] in process?.snapshot ?? first }, log: audit,
                identities: desk)
            runner.batches = BatchRunner(
                store: stores.batches, runner: runner,
                desk: door.desk { shared.isDraining.load(ordering: .relaxed) })
            let session = OdooSessionBox()
            for handle in handles {
                let caller = OdooCaller(
                    fetcher: Fetcher(home: handle, target: odoo), login: login, timeout: configuration.odoo.callTimeout,
                    session: session)
                let world = ServiceWorld(
                    odoo: caller, host: ReactorHost(handle, monotonic: Clock.monotonic, wall: Clock.wall))
                let relay = RPCRelay(main: caller, database: login.database, accounts: accounts)
                await process.furnish(
                    handle, snapshot: built.snapshot, shared: shared, statistics: statistics[handle.index],
                    metrics: metrics, runner: runner, world: world, relay: relay)
            }
            await process.note("start: policy \(built.snapshot.policyDigestShort)")
            // Before the first call is answered: the records of unfinished operations are locked.
            let home = OdooCaller(
                fetcher: Fetcher(home: handles[0], target: odoo), login: login,
                timeout: configuration.odoo.callTimeout, session: session)
            let world = ServiceWorld(
                odoo: home, host: ReactorHost(handles[0], monotonic: Clock.monotonic, wall: Clock.wall))
            await process.recover(runner, world)
            runner.batches?.recover(world)
            process.setOdoo(home)
            await desk.begin(patience: .seconds(5))
            try await process.startTokenService(configuration, desk, handles)
            try await process.listen(configuration, handles: handles, inherited: inherited)
            await webhooks.apply(built.snapshot)
            process.keepHouse(runner, world, on: handles[0])
            process.probeOdoo(runner, world, on: handles[0])
            do throws(StoreError) {
                try process.watchOrders(runner, world, on: handles)
            } catch {
                log.error("Odoo is not watched: \(error)")
            }
            let snapshot = built.snapshot
            try ThreadCalls.start(name: "documents") { snapshot.prepareDocuments() }
            return process
        } catch {
            throw .system(error)
        }
    }

    /// The issuers of a snapshot were checked when it was made.
    private static func makeDesk(
        _ snapshot: Snapshot, _ store: IdentityStore, _ handles: [ReactorHandle], _ log: Logger
    ) throws(ReactorError) -> IdentityDesk {
        do throws(KeyError) {
            return try IdentityDesk(plans: snapshot.issuers, store: store, handles: handles, log: log)
        } catch {
            throw .tls("\(error)")
        }
    }

    /// The policies that were in force last, where they alone are what is wrong now. A plant must not stand still
    /// because of a slip in a file that was saved before a restart.
    private static func lastGood(
        _ configuration: Configuration, _ builder: SnapshotBuilder
    ) -> (snapshot: Snapshot, targets: SnapshotBuilder.Targets)? {
        let store = BundleStore(state: configuration.state)
        guard let digest = store.history.last, let bundle = try? store.bundle(digest) else { return nil }
        if let file = configuration.policyKey {
            guard let key = try? BundleKey(file: file), (try? bundle.verify(key)) != nil else { return nil }
        }
        var builder = builder
        builder.bundle = bundle
        return try? builder.build(configuration, generation: 0)
    }

    /// Client connections that the process has descriptors for: a quarter is kept for servers, files and timers, so that
    /// what was accepted can be served as well.
    static func connectionsMax(descriptors: Int) -> Int { descriptors - max(min(64, descriptors / 2), descriptors / 4) }

    /// The token service, before the listeners are opened: its keys are there, and known to every reactor.
    private func startTokenService(
        _ configuration: Configuration, _ desk: IdentityDesk, _ handles: [ReactorHandle]
    ) async throws(ReactorError) {
        guard let settings = configuration.tokenService, let environment = configuration.identity.environment else {
            return
        }
        let service: TokenService
        do {
            service = try TokenService(
                settings, environment: environment, leeway: configuration.identity.leeway, desk: desk, log: log,
                note: { await self.note($0) })
            try await service.begin(on: home)
        } catch {
            throw .tls("the token service cannot start: \(error)")
        }
        setTokenService(service)
        for handle in handles {
            await withCheckedContinuation { continuation in
                handle.post { reactor in
                    reactor.local(Worker.self)?.tokenService = service
                    continuation.resume()
                }
            }
        }
    }

    // MARK: Stores and secrets

    /// What outlives the process.
    private struct Stores: Sendable {
        let audit: AppendLog
        let ledger: Ledger
        let identities: IdentityStore
        let webhooks: WebhookDesk
        let batches: BatchStore
    }

    private static func open(_ configuration: Configuration, _ log: Logger) async -> Result<Stores, StartFailure> {
        do throws(StartFailure) {
            let (audit, ledger, identities) = try openStores(configuration, log)
            return .success(
                Stores(
                    audit: audit, ledger: ledger, identities: identities,
                    webhooks: try await openWebhooks(configuration, ledger, log),
                    batches: try openBatches(configuration)))
        } catch {
            return .failure(error)
        }
    }

    private static func openStores(
        _ configuration: Configuration, _ log: Logger
    ) throws(StartFailure) -> (AppendLog, Ledger, IdentityStore) {
        let directory = configuration.audit.directory ?? configuration.state + "/audit"
        let secret: [UInt8]
        do throws(SecretError) {
            if let reference = configuration.audit.key {
                secret = try reference.resolve { log.warning("\($0)") }
            } else {
                secret = try AuditKeyFile.makeOrRead(configuration.state + "/audit.key")
            }
        } catch {
            throw .secret(error)
        }
        guard let key = AuditKey(secret: secret) else {
            throw .secret(
                SecretError(description: "the audit key is shorter than \(AuditKey.secretBytesMin) bytes"))
        }
        do throws(StoreError) {
            let ledger = try Ledger(directory: configuration.state)
            var settings = AppendLog.Configuration(directory: directory, key: key)
            settings.segmentBytesMax = Int(configuration.audit.segmentBytesMax)
            settings.batchInterval = configuration.audit.syncInterval
            settings.backlogBytesMax = configuration.audit.backlogBytesMax
            return (try AppendLog(settings), ledger, try IdentityStore(directory: configuration.state))
        } catch {
            throw .store(error)
        }
    }

    /// The deliveries as they were left; nothing is sent yet.
    private static func openWebhooks(
        _ configuration: Configuration, _ ledger: Ledger, _ log: Logger
    ) async throws(StartFailure) -> WebhookDesk {
        let store: DeliveryStore
        do throws(StoreError) {
            store = try DeliveryStore(directory: configuration.state)
        } catch {
            throw .store(error)
        }
        do {
            return WebhookDesk(try await DeliveryDesk(log: ledger, store: store), log: log)
        } catch let error as ReactorError {
            throw .system(error)
        } catch {
            throw .store(error as? StoreError ?? .closed)
        }
    }

    private static func openBatches(_ configuration: Configuration) throws(StartFailure) -> BatchStore {
        do throws(StoreError) {
            return try BatchStore(directory: configuration.state + "/batches", limits: configuration.batches.limits)
        } catch {
            throw .store(error)
        }
    }

    private static func openAccessLog(_ configuration: LogConfiguration) throws(StartFailure) -> AccessLog? {
        if configuration.access == "off" { return nil }
        do {
            return try AccessLog(
                path: configuration.access == "stderr" ? nil : configuration.access, format: configuration.format)
        } catch {
            throw .secret(SecretError(description: "\(configuration.access): the access log cannot be opened"))
        }
    }

    private static func odooLogin(_ odoo: OdooConfiguration, _ log: Logger) throws(StartFailure) -> OdooLogin {
        do throws(SecretError) {
            let key = try odoo.key?.resolve { log.warning("\($0)") } ?? Array((odoo.sandboxKey ?? "").utf8)
            return OdooLogin(
                database: odoo.database, login: odoo.login, key: String(decoding: key, as: UTF8.self),
                context: OdooContext(language: odoo.language, timeZone: odoo.timeZone, companies: odoo.companies))
        } catch {
            throw .secret(error)
        }
    }

    /// The server that business calls go to: the upstream whose URL is `odoo`, so that its cap counts for both, or one
    /// of their own.
    private static func odooTarget(
        _ configuration: Configuration, _ targets: SnapshotBuilder.Targets
    ) throws(StartFailure) -> UpstreamTarget {
        if let name = configuration.upstreams.first(where: { $0.url == "odoo" })?.name, let found = targets[name] {
            return found.target
        }
        var entry = UpstreamEntry(name: "odoo", url: configuration.odoo.url ?? "")
        entry.inFlightMax = configuration.odoo.inFlightMax
        entry.queueMax = configuration.odoo.queueMax
        entry.authoritiesFile = configuration.odoo.authoritiesFile
        do throws(DocumentErrors) {
            return try SnapshotBuilder.target(entry)
        } catch {
            throw .configuration(error)
        }
    }

    // MARK: Reactors

    /// Puts a worker and a server on one reactor.
    private func furnish(
        _ handle: ReactorHandle, snapshot: Snapshot, shared: SharedState, statistics: ServerStatistics,
        metrics: GatewayMetrics, runner: ServiceRunner, world: ServiceWorld, relay: RPCRelay
    ) async {
        let desk = desk
        await withCheckedContinuation { continuation in
            handle.post { reactor in
                let worker = Worker(
                    reactor: reactor, shared: shared, snapshot: snapshot, desk: desk,
                    metrics: metrics.worker(reactor.index),
                    runner: runner, world: world)
                worker.relay = relay
                reactor.setLocal(worker)
                reactor.setLocal(
                    ServerWorker(
                        reactor: reactor, configuration: snapshot.configuration.server, statistics: statistics,
                        handler: worker))
                continuation.resume()
            }
        }
    }

    private func listen(
        _ configuration: Configuration, handles: [ReactorHandle], inherited: [InheritedListener]
    ) async throws(ReactorError) {
        var inherited = inherited
        for listener in configuration.listeners {
            var address = try Self.resolve(listener.address)
            let open = InheritedListener.fitting(listener.name, address, of: &inherited)
            if let first = open.first { address = first.address } else { try Listener.expectFree(address) }
            // A socket that nobody accepted from would keep its share of the connections waiting for ever.
            for index in 0..<max(handles.count, open.count) {
                let wanted = address
                let result = await Self.listen(
                    listener, on: handles[index % handles.count], at: wanted,
                    inherited: index < open.count ? open[index].descriptor : nil)
                // The first reactor finds out which port it is; the others share it.
                address = try result.get()
            }
            add(
                ListenerAddress(
                    name: listener.name, host: address.host, port: address.port, isTLS: listener.tls != nil))
        }
        let address = try Self.resolve(configuration.admin)
        let open = InheritedListener.fitting("admin", address, of: &inherited)
        if open.isEmpty { try Listener.expectFree(address) }
        for one in inherited + open.dropFirst().map({ InheritedListener(name: "admin", descriptor: $0.descriptor) }) {
            Descriptor.discard(one.descriptor)
        }
        let token: AdminToken
        do throws(SecretError) {
            token = try AdminToken(state: configuration.state)
        } catch {
            throw .address(error.description, code: 0)
        }
        let result = await listenAdmin(
            on: handles[0], at: address, configuration: configuration.server, resources: adminResources, token: token,
            inherited: open.first?.descriptor)
        let bound = try result.get()
        add(ListenerAddress(name: "admin", host: bound.host, port: bound.port, isTLS: false))
    }

    private static func resolve(_ address: AddressConfiguration) throws(ReactorError) -> SocketAddress {
        let host = address.host.isEmpty ? "0.0.0.0" : address.host
        guard let found = try SocketAddress.resolve(host: host, port: address.port, passive: true).first else {
            throw .address(address.host, code: 0)
        }
        return found
    }

    private static func listen(
        _ listener: ListenerConfiguration, on handle: ReactorHandle, at address: SocketAddress, inherited: Int32?
    ) async -> Result<SocketAddress, ReactorError> {
        await withCheckedContinuation { continuation in
            handle.post { reactor in
                guard let server = reactor.local(ServerWorker.self), let worker = reactor.local(Worker.self) else {
                    return continuation.resume(returning: .failure(.tls("the reactor is not furnished")))
                }
                let name = listener.name
                let source: ServerWorker.ContextSource? =
                    listener.tls == nil ? nil : { [weak worker] in worker?.snapshot.tls[name] }
                let limiter = worker.shared.connections
                do throws(ReactorError) {
                    let bound = try server.listen(
                        name: name, address: address, tls: source, http2: listener.http2, inherited: inherited,
                        admit: { limiter.admit($0.addressKey, now: reactor.now).admission },
                        released: { limiter.release($0.addressKey) },
                        flooded: { limiter.chargeFlood($0.addressKey, now: reactor.now) })
                    continuation.resume(returning: .success(bound))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }

    private func listenAdmin(
        on handle: ReactorHandle, at address: SocketAddress, configuration: ServerConfiguration,
        resources: [any AdminResource], token: AdminToken, inherited: Int32?
    ) async -> Result<SocketAddress, ReactorError> {
        await withCheckedContinuation { continuation in
            handle.post { reactor in
                let api = AdminAPI(
                    reactor: reactor, status: { await self.readiness() }, metrics: { await self.metricsPage() },
                    resources: resources, token: token)
                let server = ServerWorker(
                    reactor: reactor, configuration: configuration, statistics: ServerStatistics(), handler: api)
                let desk = AdminDesk(server, api)
                reactor.setLocal(desk)
                do throws(ReactorError) {
                    continuation.resume(
                        returning: .success(
                            try server.listen(name: "admin", address: address, http2: .off, inherited: inherited)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }
}

extension ConnectionLimiter.Verdict {
    fileprivate var admission: ConnectionAdmission {
        switch self {
        case .admitted: .admitted
        case .crowded: .crowded
        case .tooMany: .refused(.tooMany)
        case .tooManyFromAddress: .refused(.tooManyFromAddress)
        case .tooFastFromAddress: .refused(.tooFastFromAddress)
        }
    }
}

extension OdooCaller: OdooPort {}

/// Keeps the admin server alive on its reactor.
final class AdminDesk {
    let server: ServerWorker
    let api: AdminAPI
    init(_ server: ServerWorker, _ api: AdminAPI) {
        self.server = server
        self.api = api
    }
}
