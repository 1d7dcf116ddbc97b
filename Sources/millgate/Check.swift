import ArgumentParser
import Documents
import Foundation
import Gateway
import Reactor

/// `millgate check`: everything that `serve` would read, with all errors at their places.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration, policies, contracts, keys and certificates.",
        discussion: """
            Example: millgate check --config deploy/millgate.yaml

            Changes nothing and starts nothing. Prints one line for each error, FILE:LINE:COLUMN: what is wrong, and
            exits with 78 when there is one; warnings (a certificate that ends soon, a key that others may read, a route
            that nobody may use) leave the exit code alone unless --strict is given.
            """)

    @Option(name: .shortAndLong, help: "The configuration file.")
    var config = "deploy/millgate.yaml"

    @Flag(help: "Treat warnings as errors.")
    var strict = false

    func run() throws {
        let check = ConfigurationCheck.run(
            file: config, environment: ProcessInfo.processInfo.environment, now: Clock.wall())
        var errors = check.errors
        // What the gateway itself would say of it: servers' names, and TLS as OpenSSL sees it.
        if errors.isEmpty { errors = build() }
        for error in errors { complain("\(error)") }
        for warning in check.warnings {
            complain("\(warning.file):\(warning.line):\(warning.column): warning: \(warning.message)")
        }
        let isGood = errors.isEmpty && (check.warnings.isEmpty || !strict)
        guard isGood else {
            let count = errors.count + (strict ? check.warnings.count : 0)
            throw failure("\(count) error\(count == 1 ? "" : "s")", .configuration)
        }
        print(check.summary)
    }

    private func build() -> [DocumentError] {
        do throws(DocumentErrors) {
            var configuration = try ConfigurationFile.read(config)
            if configuration.odoo.url == nil { SandboxRun.point(&configuration.odoo, to: "http://127.0.0.1:8069") }
            _ = try SnapshotBuilder.withRandomKeys().build(configuration, generation: 0)
            return []
        } catch {
            return error.errors
        }
    }
}
