import Audit
import Bytes
import Contracts
import Foundation
import JSON
import Odoo
import Synchronization
import Testing

@testable import Policy
@testable import Services
@testable import Store

/// A runner with a ledger on disk, shipped contracts, two sites, and callers as a test wants them.
final class Bench: Sendable {
    let directory: String
    let ledger: Ledger
    let runner: ServiceRunner
    let host: TestHost
    let odoo: any OdooPort
    let audit = TestAudit()
    private let requests = Mutex(0)

    static let contracts: ContractSet = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("policies/services")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let files = names.filter { $0.hasSuffix(".yaml") }.sorted().map { name in
            (
                path: "policies/services/" + name,
                text: (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
            )
        }
        do { return try ContractSet.load(files: files) } catch { fatalError("\(error)") }
    }()

    static let sites = [
        Site(
            name: "plant-1", warehouse: "WH", workCenters: ["Assembly Line 1", "Assembly 1"], holdLocation: "WH/Hold"),
        Site(name: "plant-2", warehouse: "WH2", workCenters: ["Drill Station 1", "Drill 1"]),
    ]

    init(
        odoo: any OdooPort, host: TestHost = TestHost(), directory: String? = nil, reads: ReadCache = ReadCache(),
        ledger wrap: (Ledger) -> any LedgerPort = { $0 }
    ) throws {
        self.odoo = odoo
        self.host = host
        self.directory =
            directory
            ?? Self.scratch.appendingPathComponent("millgate-" + UUID().uuidString).path
        ledger = try Ledger(directory: self.directory, now: { host.wall })
        runner = ServiceRunner(
            sites: SiteMap(sites: Self.sites), ledger: wrap(ledger), sha256: { AuditDigest(of: $0.span).bytes },
            reads: reads)
        if let port = odoo as? SandboxPort ?? (odoo as? MortalOdoo)?.odoo, port.hasAddon {
            // As the probe has found it at the start; what else is installed is asked where it counts.
            let version = OdooVersion(major: port.sandbox.configuration.version.rawValue)
            runner.probe.note(
                OdooApps(version: version, addon: OdooAddon(version: "1.0.0", protocolVersion: 1)),
                at: host.monotonic + -OdooProbe.ageMax)
        }
    }

    /// In memory where there is such a place: the tests of crashes open hundreds of ledgers.
    private static let scratch =
        FileManager.default.isWritableFile(atPath: "/dev/shm")
        ? URL(fileURLWithPath: "/dev/shm") : FileManager.default.temporaryDirectory

    /// Ends the process, so to say: the files may be opened again.
    func close() async { await ledger.close() }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }

    var world: ServiceWorld { ServiceWorld(odoo: odoo, host: host) }

    /// A request as the gateway would hand it over.
    func call(
        _ method: String, _ target: String, _ body: String = "", key: String? = nil, caller: String = "https://id|mes",
        sites permitted: Set<String>? = nil, change: (inout ServiceCall) -> Void = { _ in }
    ) throws -> ServiceCall {
        let parts = target.split(separator: "?", maxSplits: 1)
        guard
            case .found(let contract, let endpoint, let captures) = Self.contracts.route(method: method, path: parts[0])
        else { throw NoRoute() }
        let number = requests.withLock { number in
            number += 1
            return number
        }
        var call = ServiceCall(
            contract: contract, endpoint: endpoint, captures: captures,
            query: parts.count > 1 ? String(parts[1]) : nil, body: Array(body.utf8),
            contentType: body.isEmpty ? nil : "application/json", caller: caller,
            authorize: { Self.decide($0, permitted) }, idempotencyKey: key, requestID: "request-\(number)",
            traceID: "4bf92f3577b34da6a3ce929d0e0e4736", world: world, audit: audit)
        change(&call)
        return call
    }

    @discardableResult
    func send(
        _ method: String, _ target: String, _ body: String = "", key: String? = nil, caller: String = "https://id|mes",
        sites: Set<String>? = nil, change: (inout ServiceCall) -> Void = { _ in }
    ) async throws -> ServiceAnswer {
        let call = try call(method, target, body, key: key, caller: caller, sites: sites, change: change)
        let answer = await runner.answer(call)
        // With `fields` members are absent that the schema requires.
        if answer.status < 300, answer.status != 202, !target.contains("fields=") {
            let violations = call.endpoint.output.validate(answer.json)
            #expect(violations.isEmpty, "\(method) \(target): \(violations)")
        }
        return answer
    }

    struct NoRoute: Error {}

    /// Nil permits everything everywhere.
    static func decide(_ resource: Resource, _ permitted: Set<String>?) -> Decision {
        guard let permitted else {
            return Decision(effect: .allow, rule: "everywhere", obligations: Obligations())
        }
        guard let site = resource.site, permitted.contains(site) else { return Decision(denied: .otherResources) }
        return Decision(effect: .allow, rule: "own-site", obligations: Obligations())
    }
}

/// An audit log that keeps what it was told, or refuses.
final class TestAudit: AuditPort {
    private let state = Mutex<(intents: [ServiceAuditNote], ended: [ServiceAnswer], refuses: Bool)>(([], [], false))

    func intent(_ note: ServiceAuditNote) async throws(AuditRefused) {
        let refuses = state.withLock { state in
            if !state.refuses { state.intents.append(note) }
            return state.refuses
        }
        if refuses { throw AuditRefused() }
    }

    func ended(_ note: ServiceAuditNote, _ answer: ServiceAnswer) async { state.withLock { $0.ended.append(answer) } }

    var intents: [ServiceAuditNote] { state.withLock { $0.intents } }
    var ended: [ServiceAnswer] { state.withLock { $0.ended } }
    func refuse(_ refuses: Bool = true) { state.withLock { $0.refuses = refuses } }
}

extension ServiceAnswer {
    var json: JSONValue { (try? JSONValue.parse(body)) ?? .null }
    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    /// The end of a problem's type.
    var problem: String? { json["type"]?.string.flatMap { $0.split(separator: "/").last.map { String($0) } } }
    var text: String { String(decoding: body, as: UTF8.self) }
}
