import Audit
import Bytes
import Contracts
import Delivery
import Documents
import Events
import Foundation
import Identity
import Limits
import Policy
import Reactor
import Server
import Services
import Upstream

/// Makes a snapshot from a configuration and the files that it names, or says everything that is wrong with them.
///
/// `millgate check` and a reload run this same code, so that what was checked is what will be loaded.
package struct SnapshotBuilder {
    /// Servers of the running snapshot: one whose settings are unchanged keeps its gate and its circuit.
    package var runningTargets: Targets = [:]
    /// Policies to use in place of those that the configuration names: the last good ones.
    package var bundle: PolicyBundle?
    package let keys: LimitKeyHasher

    package init(keys: LimitKeyHasher) { self.keys = keys }

    package typealias Targets = [String: (entry: UpstreamEntry, target: UpstreamTarget)]

    /// A builder for a new process: its keys for limits are drawn now.
    package static func withRandomKeys() -> SnapshotBuilder {
        var generator = SystemRandomNumberGenerator()
        return SnapshotBuilder(keys: LimitKeyHasher(secret: generator.next(), generator.next()))
    }

    /// - Throws: all errors of all files.
    package func build(
        _ configuration: Configuration, generation: UInt64
    ) throws(DocumentErrors) -> (snapshot: Snapshot, targets: Targets) {
        var errors: [DocumentError] = []
        let bundle = collect(&errors, nil as PolicyBundle?) { () throws(DocumentErrors) in
            if let bundle = self.bundle { return bundle }
            return try Self.bundle(configuration)
        }
        let contracts = collect(&errors, ContractSet.empty) { () throws(DocumentErrors) in
            guard let bundle else { return .empty }
            return try bundle.contracts()
        }
        if errors.isEmpty {
            for mismatch in ServiceCatalog.shipped.mismatches(with: contracts) {
                let file = configuration.policies + "/services"
                errors.append(DocumentError(file: file, line: 1, column: 1, message: mismatch))
            }
        }
        let events = collect(&errors, EventCatalogue.empty) { () throws(DocumentErrors) in
            guard let bundle else { return .empty }
            return try EventFiles.load(bundle.directory + "/events", files: bundle.texts(in: "events")).catalogue
        }
        for contract in contracts.contracts {
            for name in contract.events where events[name] == nil {
                errors.append(
                    DocumentError(
                        file: contract.file, line: 1, column: 1,
                        message: "no event is called '\(name)'" + Suggestion.clause(for: name, among: events.names)))
            }
        }
        let catalog = OperationCatalog(
            contracts: contracts, events: events.operations,
            proxied: configuration.routes.filter { $0.kind == .proxy }.map(\.operation))
        let policy = collect(&errors, nil as PolicySet?) { () throws(DocumentErrors) in
            try bundle?.policy(catalog)
        }
        let bundled = collect(&errors, [LimitEntry]()) { () throws(DocumentErrors) in
            guard let bundle, let policy else { return [] }
            return try LimitsFile.read(bundle.texts(in: "limits"), policy: policy)
        }
        let subscribers = collect(&errors, [DeliveryTarget]()) { () throws(DocumentErrors) in
            guard let bundle, let policy else { return [] }
            return try SubscriberFiles(configuration: configuration, catalogue: events, policy: policy)
                .load(bundle.texts(in: "subscribers"))
        }
        let issuers = collect(&errors, nil as [IssuerPlan]?) { () throws(DocumentErrors) in
            let plans = try Self.issuers(configuration.identity)
            _ = try Self.verifier(plans)
            return plans
        }
        let targets = makeTargets(configuration, &errors)
        var tls: [String: TLSServerContext] = [:]
        for listener in configuration.listeners {
            guard let entry = listener.tls else { continue }
            tls[listener.name] = collect(&errors, nil as TLSServerContext?) { () throws(DocumentErrors) in
                try Self.tls(entry, listener: listener.name, http2: listener.http2)
            }
        }
        var limits: [CompiledLimit] = []
        let entries = configuration.limits + bundled
        Self.checkCount(entries, &errors)
        for entry in entries {
            do throws(RateLimit.Invalid) {
                limits.append(try CompiledLimit(entry))
            } catch {
                errors.append(DocumentError(file: "limits", line: 0, column: 0, message: "\(entry.name): \(error)"))
            }
        }
        guard errors.isEmpty, let bundle, let policy, let issuers else { throw DocumentErrors(errors) }
        let upstreams = Dictionary(configuration.upstreams.map { ($0.name, $0) }) { first, _ in first }
        let routes = configuration.routes.enumerated().map { index, entry in
            CompiledRoute(
                index: index, entry, upstream: entry.upstream.flatMap { upstreams[$0] },
                targets: targets.mapValues(\.target), bodyBytesMax: configuration.server.http.bodyBytesMax,
                isDecidedOnce: policy.isConstant(entry.operation))
        }
        let snapshot = Snapshot(
            generation: generation, configuration: configuration, bundle: bundle, policy: policy, contracts: contracts,
            issuers: issuers, routes: routes, limits: limits, targets: targets.mapValues(\.target), tls: tls,
            keys: keys,
            openapi: DeferredDocument { OpenAPI(contracts, version: Version.current).document.bytes }, events: events,
            asyncapi: DeferredDocument { AsyncAPI(events, version: Version.current).document.bytes },
            subscribers: subscribers)
        return (snapshot, targets)
    }

    /// Runs `body`; adds its errors to the others.
    private func collect<T>(
        _ errors: inout [DocumentError], _ fallback: T, _ body: () throws(DocumentErrors) -> T
    ) -> T {
        do throws(DocumentErrors) {
            return try body()
        } catch {
            errors += error.errors
            return fallback
        }
    }

    /// The policies that are to be enforced: those that were pinned, or the files; verified where a key is given.
    private static func bundle(_ configuration: Configuration) throws(DocumentErrors) -> PolicyBundle {
        let store = BundleStore(state: configuration.state)
        let bundle: PolicyBundle
        if let pinned = store.pinned {
            bundle = try store.bundle(pinned)
        } else {
            bundle = try PolicyBundle.read(configuration.policies)
        }
        if let file = configuration.policyKey { try bundle.verify(try BundleKey(file: file)) }
        return bundle
    }

    private static func checkCount(_ entries: [LimitEntry], _ errors: inout [DocumentError]) {
        let most = ConfigurationReader.mostLimitsOfOneRequest(entries)
        if let most, most.count > ConfigurationReader.limitsPerRequestMax {
            errors.append(
                DocumentError(
                    file: "limits", line: 1, column: 1,
                    message: "\(most.count) limits would count a request for \(most.operation); at most "
                        + "\(ConfigurationReader.limitsPerRequestMax) may"))
        }
        var names: Set<String> = []
        for entry in entries where !names.insert(entry.name).inserted {
            errors.append(DocumentError(file: "limits", line: 1, column: 1, message: "a second limit '\(entry.name)'"))
        }
    }

    // MARK: TLS

    private static func tls(_ entry: TLSEntry, listener: String, http2: HTTP2Offer) throws(DocumentErrors)
        -> TLSServerContext
    {
        var certificates: [TLSServerConfiguration.Certificate] = []
        for certificate in entry.certificates {
            certificates.append(
                .init(
                    name: certificate.certificateFile, chain: try Files.bytes(certificate.certificateFile),
                    key: try Files.bytes(certificate.keyFile)))
        }
        var configuration = TLSServerConfiguration(
            certificates: certificates, clientCertificates: entry.clientCertificates,
            allowsTLS12: entry.allowsTLS12, protocols: http2.protocols)
        if let file = entry.clientAuthoritiesFile { configuration.clientAuthorities = try Files.bytes(file) }
        do throws(ReactorError) {
            return try TLSServerContext(configuration)
        } catch {
            let file = entry.certificates.first?.certificateFile ?? listener
            throw DocumentErrors([DocumentError(file: file, line: 1, column: 1, message: "\(error)")])
        }
    }

    // MARK: Servers

    private func makeTargets(
        _ configuration: Configuration, _ errors: inout [DocumentError]
    ) -> Targets {
        var targets: Targets = [:]
        for entry in configuration.upstreams {
            var entry = entry
            if entry.url == "odoo" {
                entry.url = configuration.odoo.url ?? ""
                // Pages and governed calls share Odoo's workers: one cap for both.
                entry.inFlightMax = configuration.odoo.inFlightMax
                entry.queueMax = configuration.odoo.queueMax
                entry.authoritiesFile = configuration.odoo.authoritiesFile
            }
            if let running = runningTargets[entry.name], running.entry == entry {
                targets[entry.name] = running
                continue
            }
            let made = collect(&errors, nil as UpstreamTarget?) { () throws(DocumentErrors) in
                try Self.target(entry)
            }
            if let made { targets[entry.name] = (entry, made) }
        }
        return targets
    }

    package static func target(_ entry: UpstreamEntry) throws(DocumentErrors) -> UpstreamTarget {
        func fail(_ message: String) -> DocumentErrors {
            DocumentErrors([DocumentError(file: "upstream \(entry.name)", line: 1, column: 1, message: message)])
        }
        guard let url = ServerURL(entry.url) else {
            throw fail("`\(entry.url)` is no server's URL; write `http://HOST:PORT` or `https://HOST:PORT`")
        }
        let addresses: [SocketAddress]
        do throws(ReactorError) {
            addresses = try SocketAddress.resolve(host: url.host, port: url.port)
        } catch {
            throw fail("\(error)")
        }
        var upstream = UpstreamConfiguration(name: entry.name, addresses: addresses, authority: url.authority)
        if url.isTLS {
            let authorities =
                try entry.authoritiesFile.map { file throws(DocumentErrors) in try Files.bytes(file) } ?? []
            do throws(ReactorError) {
                upstream.tls = try TLSClientContext(
                    TLSClientConfiguration(serverName: url.host, authorities: authorities))
            } catch {
                throw fail("\(error)")
            }
        }
        upstream.connectTimeout = entry.connectTimeout
        upstream.responseTimeout = entry.responseTimeout
        upstream.idleTimeout = entry.idleTimeout
        upstream.stallTimeout = entry.stallTimeout
        upstream.discardTimeout = entry.discardTimeout
        upstream.idleMax = entry.idleMax
        var gate: UpstreamGate?
        if entry.inFlightMax > 0 {
            var queue = AdmissionQueue.Configuration()
            queue.inFlightMax = entry.inFlightMax
            queue.realtimeQueuedMax = entry.queueMax
            queue.standardQueuedMax = entry.queueMax
            queue.batchQueuedMax = entry.queueMax
            gate = UpstreamGate(queue)
        }
        return UpstreamTarget(
            configuration: upstream, gate: gate, circuit: CircuitBreaker(now: Clock.monotonic()))
    }
}

/// `http://erp.example:8069` as its parts. A path, a query or a user is refused: requests bring their own path.
struct ServerURL {
    let isTLS: Bool
    let host: String
    let port: UInt16

    init?(_ text: String) {
        guard let components = URLComponents(string: text), let host = components.host, !host.isEmpty,
            components.user == nil, components.query == nil, components.fragment == nil,
            components.path.isEmpty || components.path == "/"
        else { return nil }
        switch components.scheme {
        case "http": isTLS = false
        case "https": isTLS = true
        default: return nil
        }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let port = components.port ?? (isTLS ? 443 : 80)
        guard let number = UInt16(exactly: port), number > 0 else { return nil }
        self.port = number
    }

    /// As in the `Host` field.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}

/// Reads the files that a configuration names.
enum Files {
    static func bytes(_ path: String) throws(DocumentErrors) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DocumentErrors([DocumentError(file: path, line: 1, column: 1, message: "the file cannot be read")])
        }
        return Array(data)
    }

    static func text(_ path: String) throws(DocumentErrors) -> (path: String, text: String) {
        (path, String(decoding: try bytes(path), as: UTF8.self))
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// All `.yaml` files of a directory, by name.
    static func yaml(in directory: String) throws(DocumentErrors) -> [(path: String, text: String)] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        var files: [(path: String, text: String)] = []
        for name in names where name.hasSuffix(".yaml") { files.append(try text(directory + "/" + name)) }
        return files
    }
}
