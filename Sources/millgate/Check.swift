import ArgumentParser
import Documents
import Gateway

/// `millgate check`: everything that `serve` would read, with all errors at their places.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration, policies, contracts, keys and certificates.",
        discussion: """
            Runs the same code as a start or a reload and changes nothing. Prints one line per error, \
            FILE:LINE:COLUMN: what is wrong and what would be right, and exits with 78 when there is one.

            Example:
              millgate check --config deploy/millgate.yaml
            """)

    @Option(name: .shortAndLong, help: "The configuration file.")
    var config = "deploy/millgate.yaml"

    func run() throws {
        do throws(DocumentErrors) {
            var configuration = try ConfigurationFile.read(config)
            if configuration.odoo.url == nil { SandboxRun.point(&configuration.odoo, to: "http://127.0.0.1:8069") }
            let (snapshot, _) = try SnapshotBuilder.withRandomKeys().build(configuration, generation: 0)
            print(
                "\(config): good. \(configuration.listeners.count) listeners, \(configuration.routes.count) routes, "
                    + "\(snapshot.contracts.operations.count) business operations, \(snapshot.policy.roles.count) roles, "
                    + "\(snapshot.policy.rules.count) rules, \(configuration.limits.count) limits, "
                    + "policy \(snapshot.policy.digest.prefix(16))")
        } catch {
            for one in error.errors { complain("\(one)") }
            throw failure("\(error.errors.count) errors", .configuration)
        }
    }
}
