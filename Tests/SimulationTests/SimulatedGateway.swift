import Audit
import Bytes
import Foundation
import HTTP
import Limits
import Logging
import Odoo
import Reactor
import Server
import Services
import Simulation
import Store
import Upstream

@testable import Gateway

/// The real server, pipeline and upstream pool on a reactor that lives in a simulated network.
final class SimulatedGateway {
    let network: SimulatedNetwork
    let reactor: Reactor
    let server: ServerWorker
    let worker: Worker
    let statistics = ServerStatistics()
    private let audit: AppendLog
    private let ledger: Ledger
    private let directory: URL
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    static let settings = """
        name: simulated
        policies: \(repository)/policies
        listeners: [{name: plain, address: "127.0.0.1:0"}]
        admin: {address: "127.0.0.1:0"}
        identity: {issuers: []}
        odoo: {sandbox: 19}
        sites: [{name: plant-1, warehouse: WH}, {name: plant-2, warehouse: WH2}]
        upstreams:
          - {name: odoo, url: "http://127.0.0.1:2"}
          - {name: back, url: "http://127.0.0.1:1", in_flight: 6, queue: 64, hide_errors: false, idle_timeout: 5s}
        routes:
          - {name: odoo-web, path: /, upstream: odoo}
          - {name: odoo-database, path: /web/database, upstream: odoo}
          - {name: odoo-rpc, path: /jsonrpc, upstream: odoo}
          - {name: open, path: /open, upstream: back, access: open}
        server: {body_timeout: 20s, send_timeout: 20s, head_timeout: 5s, idle_timeout: 30s, send_buffer: 4KiB}
        log: {access: "off"}
        """

    init(_ network: SimulatedNetwork) throws {
        self.network = network
        reactor = try network.makeReactor()
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("simulated-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var configuration = try ConfigurationReader.read(
            text: Self.settings, file: "simulated.yaml", environment: [:])
        configuration.odoo.url = "http://127.0.0.1:2"
        let keys = LimitKeyHasher(secret: 1, 2)
        let built = try SnapshotBuilder(keys: keys).build(configuration, generation: 0)
        guard let key = AuditKey(secret: Array(repeating: 7, count: 32)), let odoo = built.targets["odoo"] else {
            throw CocoaError(.featureUnsupported)
        }
        audit = try AppendLog(
            AppendLog.Configuration(directory: directory.appendingPathComponent("audit").path, key: key))
        ledger = try Ledger(directory: directory.path)
        let shared = SharedState(
            audit: audit, limiter: RateLimiter(), connections: ConnectionLimiter(), accessLog: nil,
            permanentTargets: [odoo.target], startedAt: network.wall)
        let metrics = GatewayMetrics(
            reactors: 1, routes: configuration.routes.map(\.name), operations: [], upstreams: ["odoo", "back"],
            issuers: [])
        let runner = ServiceRunner(sites: SiteMap(sites: []), ledger: ledger, sha256: { _ in [] })
        let caller = OdooCaller(
            fetcher: Fetcher(home: reactor.handle, target: odoo.target),
            login: OdooLogin(
                database: "", login: "", key: "", context: OdooContext(language: "", timeZone: "", companies: [])),
            timeout: .seconds(1), session: OdooSessionBox())
        let desk = try IdentityDesk(
            plans: built.snapshot.issuers, store: try IdentityStore(directory: directory.path),
            handles: [reactor.handle], log: Logger(label: "simulated"))
        let now = network.now
        let wall = network.wall
        worker = Worker(
            reactor: reactor, shared: shared, snapshot: built.snapshot, desk: desk, metrics: metrics.worker(0),
            runner: runner,
            world: ServiceWorld(odoo: caller, host: ReactorHost(reactor.handle, monotonic: { now }, wall: { wall })))
        server = ServerWorker(
            reactor: reactor, configuration: configuration.server, statistics: statistics, handler: worker)
        target = built.targets["back"]?.target
    }

    /// The server that the scripts play.
    let target: UpstreamTarget?

    /// A connection of a client.
    func accept(_ peer: any SimulatedPeer, http2: HTTP2Offer = .off, from address: SocketAddress = SocketAddress())
        -> SimulatedWire?
    {
        guard let (fd, wire) = try? network.clientConnection(peer) else { return nil }
        server.accept(
            fd, address, name: "plain", tls: nil, http2: http2, admit: { _ in .admitted }, released: { _ in })
        return wire
    }

    func close() async {
        await audit.close()
        await ledger.close()
        try? FileManager.default.removeItem(at: directory)
    }
}
