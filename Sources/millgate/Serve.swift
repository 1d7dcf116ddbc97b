import ArgumentParser
import Documents
import Foundation
import Gateway
import Logging
import OdooSandbox
import Reactor

/// `millgate serve`: runs the gateway until it is told to stop.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: """
            Reads the configuration and all that it names, and serves until SIGTERM or Ctrl-C, which let requests in \
            flight finish. SIGHUP, or a change of one of the files, reloads: everything is taken over, or nothing is \
            and the errors are logged. SIGUSR2 puts the program that now lies at the same place into this process, after \
            it has found the configuration good, without losing a request. Without an Odoo URL the built-in sandbox is started with it.

            Example:
              millgate serve --config deploy/millgate.yaml
            """)

    @Option(name: .shortAndLong, help: "The configuration file. Paths in it are relative to the working directory.")
    var config = "deploy/millgate.yaml"

    @Flag(help: "Print curl lines to try, with the demo tokens of `millgate keys dev`.")
    var examples = false

    @Option(help: "Write the addresses as JSON to this file once all listeners answer.")
    var addressFile: String?

    func run() async throws {
        let program = ProcessCalls.programPath
        let inherited = ProcessCalls.takeEnvironment(InheritedListener.variable).map(InheritedListener.parse) ?? []
        let signals = try Signals()
        let file = config
        let read: @Sendable () throws(DocumentErrors) -> Configuration = { () throws(DocumentErrors) in
            try ConfigurationFile.read(file)
        }
        let first: Configuration
        do throws(DocumentErrors) {
            first = try read()
        } catch {
            throw failure("the configuration is not good:\n\(error)", .configuration)
        }
        let log = Logs.start(first.log)
        var sandboxURL: String?
        if first.odoo.url == nil {
            sandboxURL = try await SandboxRun.start(first.odoo, host: "127.0.0.1", port: 0)
            log.notice(
                "the built-in Odoo \(first.odoo.sandboxVersion) answers", metadata: ["url": "\(sandboxURL ?? "")"])
        }
        let url = sandboxURL
        let process: GatewayProcess
        do throws(StartFailure) {
            process = try await GatewayProcess.start(log: log, inherited: inherited) { () throws(DocumentErrors) in
                var configuration = try read()
                if let url { SandboxRun.point(&configuration.odoo, to: url) }
                return configuration
            }
        } catch {
            if case .configuration = error { throw failure("\(error)", .configuration) }
            throw failure("cannot start: \(error)")
        }
        try announce(process, order: examples ? await process.exampleOrder() : nil)
        process.watchFiles(config: file)
        while true {
            switch await signals.next() {
            case .reload:
                _ = await process.reload(by: "SIGHUP")
            case .upgrade:
                guard let program, await Upgrade.isGood(program, config: config, log: log) else { continue }
                try await Upgrade.run(program, process: process, log: log)
            case .stop:
                log.notice("stopping")
                await process.stop()
                return
            }
        }
    }

    private func announce(_ process: GatewayProcess, order: Int?) throws {
        let addresses = process.addresses
        for address in addresses {
            let scheme = address.isTLS ? "https" : "http"
            print(
                "\(address.name.padding(toLength: 8, withPad: " ", startingAt: 0)) \(scheme)://\(address.shownHost):\(address.port)"
            )
        }
        if examples, let plain = addresses.first(where: { !$0.isTLS && $0.name != "admin" }) {
            print(Examples.text(base: "http://\(plain.shownHost):\(plain.port)", order: order))
        }
        fflush(nil)
        if let addressFile {
            let members = addresses.map { "\"\($0.name)\":{\"host\":\"\($0.shownHost)\",\"port\":\($0.port)}" }
            try Data("{\(members.joined(separator: ","))}\n".utf8).write(
                to: URL(fileURLWithPath: addressFile), options: .atomic)
        }
    }
}

extension GatewayProcess.ListenerAddress {
    /// What a client on this machine writes.
    var shownHost: String {
        switch host {
        case "0.0.0.0", "::": "127.0.0.1"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }
}

/// Reads a configuration file with the process's environment.
enum ConfigurationFile {
    static func read(_ path: String) throws(DocumentErrors) -> Configuration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DocumentErrors([DocumentError(file: path, line: 1, column: 1, message: "the file cannot be read")])
        }
        return try ConfigurationReader.read(
            text: String(decoding: data, as: UTF8.self), file: path,
            environment: ProcessInfo.processInfo.environment)
    }
}

/// swift-log on standard error.
enum Logs {
    static func start(_ configuration: LogConfiguration) -> Logger {
        let level = Logger.Level(rawValue: configuration.level) ?? .info
        let format = configuration.format
        LoggingSystem.bootstrap { label in
            switch format {
            case .json: LineLogHandler(label: label, level: level, isJSON: true)
            case .text: LineLogHandler(label: label, level: level, isJSON: false)
            }
        }
        return Logger(label: "millgate")
    }
}
