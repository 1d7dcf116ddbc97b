import Bytes
import JSON
import Limits
import Odoo
import OdooSandbox
import Synchronization

@testable import Services

/// The sandbox as an Odoo: over JSON-RPC on 17, over JSON-2 on 19, without a socket.
final class SandboxPort: OdooPort {
    let sandbox: SandboxOdoo
    private let major: Int
    private let endpoint: OdooEndpoint
    private let time: @Sendable () -> WallInstant
    private let isAway = Mutex(false)
    private let inside = Mutex<(now: Int, most: Int)>((0, 0))
    private let log = Mutex<[String]>([])

    init(_ sandbox: SandboxOdoo, now: @escaping @Sendable () -> WallInstant) {
        self.sandbox = sandbox
        time = now
        major = sandbox.configuration.version.rawValue
        let user = sandbox.configuration.users[1]
        let context = OdooContext(companies: [1])
        endpoint =
            major >= 19
            ? OdooEndpoint(credentials: .json2(database: "sandbox", key: user.apiKey ?? ""), context: context)
            : OdooEndpoint(
                credentials: .jsonRPC(database: "sandbox", user: user.id, secret: user.password), context: context)
    }

    convenience init(_ version: Int, addon: Bool = false, host: TestHost) {
        var configuration = SandboxConfiguration(version: version == 19 ? .v19 : .v17)
        if addon { configuration.apps.insert(.addon) }
        self.init(SandboxOdoo(configuration: configuration), now: { host.wall })
    }

    var hasAddon: Bool { sandbox.configuration.apps.contains(.addon) }

    /// No connection is possible.
    func goAway(_ away: Bool = true) { isAway.withLock { $0 = away } }

    /// Most calls that were in the sandbox at one moment.
    var mostAtOnce: Int { inside.withLock { $0.most } }
    /// Methods that were called, in order.
    var methods: [String] { log.withLock { $0 } }

    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion {
        if isAway.withLock({ $0 }) { throw OdooError(.connectFailed) }
        return OdooVersion(major: major)
    }

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        if isAway.withLock({ $0 }) { throw OdooError(.connectFailed) }
        inside.withLock { inside in
            inside.now += 1
            inside.most = max(inside.most, inside.now)
        }
        defer { inside.withLock { $0.now -= 1 } }
        log.withLock { $0.append("\(call.model).\(call.method)") }
        for _ in 0..<3 { await Task.yield() }
        let request = endpoint.request(for: call, id: 1)
        let answer = sandbox.answer(
            SandboxRequest(method: request.method, path: request.path, fields: request.fields, body: request.body),
            now: time())
        if answer.fault != nil { throw OdooError(.closedWithoutAnswer) }
        let type = answer.fields.first { $0.name.lowercased() == "content-type" }?.value
        let response = OdooResponse(status: answer.status, contentType: type, body: answer.body)
        return try endpoint.result(of: response, id: 1).get()
    }

    func effects(_ method: String) -> Int { sandbox.effects(of: "mrp.production." + method) }
}

/// A port that does something about calls on their way to the sandbox.
protocol PassingPort: OdooPort {
    var odoo: SandboxPort { get }
}

extension PassingPort {
    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion {
        try await odoo.version(deadline: deadline)
    }
}
