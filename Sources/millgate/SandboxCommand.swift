import ArgumentParser
import Foundation
import Gateway
import OdooSandbox
import Reactor

/// `millgate sandbox`: the built-in Odoo alone.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Run the built-in Odoo alone.",
        discussion: """
            An Odoo in memory with a two-site plant: /jsonrpc, /json/2 (19), /web pages and a websocket, answering as \
            Odoo 17 or 19 does. GET /sandbox/state shows what is in it; POST /sandbox/faults plays failures.

            Example:
              millgate sandbox --odoo 17 --port 8069
            """)

    @Option(help: "Version to play: 17 or 19.")
    var odoo = 19

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port; 0 takes a free one.")
    var port: UInt16 = 8069

    @Flag(help: "Answer as slowly as the real Odoo was measured to.")
    var measuredLatency = false

    @Option(
        help: ArgumentHelp(
            "Calls at once; more wait. Calls that meet on one record are late, as in Odoo. 0 for any number.",
            valueName: "count"))
    var workers = 0

    @Option(
        help: ArgumentHelp("Keep what happens in this file, and go on from it at the next start.", valueName: "file"))
    var state: String?

    @Flag(help: "Have the gateway's addon, deploy/odoo-addon/millgate.")
    var addon = false

    @Flag(help: "Have the quality application, which the community edition lacks.")
    var quality = false

    func validate() throws {
        guard (0...1_024).contains(workers) else { throw ValidationError("'--workers' is 0 to 1024") }
    }

    func run() async throws {
        let signals = try Signals()
        var settings = OdooConfiguration()
        settings.sandboxVersion = odoo
        settings.sandboxHasAddon = addon
        let url = try await SandboxRun.start(
            settings, host: host, port: port, measured: measuredLatency, workers: workers, state: state,
            apps: quality ? [.quality] : [])
        print("sandbox  \(url)")
        fflush(nil)
        while await signals.next() != .stop {}
    }
}

/// Starts the sandbox inside this process.
enum SandboxRun {
    static let key = "sandbox-key"

    /// Returns its URL.
    static func start(
        _ odoo: OdooConfiguration, host: String, port: UInt16, measured: Bool = false, workers: Int = 0,
        state: String? = nil, apps: Set<SandboxApp> = []
    ) async throws -> String {
        guard let version = SandboxVersion(rawValue: odoo.sandboxVersion) else {
            throw failure("the sandbox plays Odoo 17 and 19, not \(odoo.sandboxVersion)", .configuration)
        }
        var configuration = SandboxConfiguration(version: version, database: odoo.database, apiKey: key)
        if odoo.sandboxHasAddon { configuration.apps.insert(.addon) }
        if measured { configuration.latencies = .measured(version) }
        configuration.workersMax = workers
        configuration.apps.formUnion(apps)
        let sandbox: SandboxOdoo
        if let state {
            do {
                sandbox = try SandboxOdoo(configuration: configuration, file: SandboxFile(path: state))
            } catch {
                throw failure("\(state): \(error)")
            }
        } else {
            sandbox = SandboxOdoo(configuration: configuration)
        }
        do throws(ReactorError) {
            let (address, _) = try await SandboxServer.start(
                sandbox, host: host, port: port)
            return "http://\(host):\(address.port)"
        } catch {
            throw failure("the sandbox cannot start: \(error)")
        }
    }

    /// Makes a configuration call the sandbox, as the user that it has for the gateway.
    static func point(_ odoo: inout OdooConfiguration, to url: String) {
        odoo.url = url
        odoo.login = "mes"
        odoo.sandboxKey = key
    }
}
