import ArgumentParser
import Bytes
import Contracts
import Documents
import Foundation
import Gateway
import Policy
import PolicyTools
import Reactor

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Check, test, explain, compare, sign and roll back the access policies.",
        discussion: """
            millgate policy check
            millgate policy test --coverage 100
            millgate policy explain --token certs/dev/tokens/operator.jwt --operation production-order.confirm --site plant-1
            millgate policy who-can production-order.release plant-1
            millgate policy diff policies ../next/policies
            millgate policy replay --audit var/audit ../next/policies

            docs/policies.md leads through all of them.
            """,
        subcommands: [
            PolicyCheck.self, PolicyTest.self, PolicyExplain.self, PolicyWhoCan.self, PolicyDiffCommand.self,
            PolicyReplayCommand.self, PolicyMeasure.self, PolicySign.self, PolicyVerify.self, PolicyRollback.self,
        ])
}

/// Where the policies are, and what they speak of.
struct PolicyOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file: routes, sites, issuers and the policies' directory.")
    var config = "deploy/millgate.yaml"

    @Option(help: "Directory of the policies. (default: as the configuration says)")
    var policies: String?

    /// A policy with what it was made of.
    struct Loaded {
        let policy: PolicySet
        let bundle: PolicyBundle
        let configuration: Configuration

        var sites: [String] { configuration.sites.map(\.name) }
    }

    /// The policies of a directory.
    ///
    /// - Parameter directory: nil for the one of the options. One without contracts takes those of the configuration.
    func load(_ directory: String? = nil) throws -> Loaded {
        do throws(DocumentErrors) {
            let configuration = try ConfigurationFile.read(config)
            let bundle = try PolicyBundle.read(directory ?? policies ?? configuration.policies)
            let hasContracts = !bundle.texts(in: "services").isEmpty
            let contracts =
                try hasContracts ? bundle.contracts() : PolicyBundle.read(configuration.policies).contracts()
            let home = bundle.texts(in: "events").isEmpty ? configuration.policies : bundle.directory
            let catalog = OperationCatalog(
                contracts: contracts, events: try EventFiles.load(home + "/events").catalogue.operations,
                proxied: configuration.routes.map(\.operation))
            return Loaded(policy: try bundle.policy(catalog), bundle: bundle, configuration: configuration)
        } catch {
            for one in error.errors { complain("\(one)") }
            throw failure("\(error.errors.count) error\(error.errors.count == 1 ? "" : "s")", .configuration)
        }
    }
}

struct PolicyCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find errors, and what is allowed and probably not meant.",
        discussion: """
            Example: millgate policy check --strict

            Errors (exit code 78): syntax, unknown names, types of conditions. Findings: rules that never matter or never
            allow anything, roles that nobody has, operations that no rule allows, forbids in conflict with allows. With
            --strict a finding gives exit code 1.
            """)

    @OptionGroup var options: PolicyOptions
    @Flag(help: "Exit with 1 when there is a finding.")
    var strict = false

    func run() throws {
        let loaded = try options.load()
        let findings = PolicyFindings(
            loaded.policy, issuers: loaded.configuration.identity.issuers.map(\.issuer), now: Clock.wall()
        ).findings
        for finding in findings {
            print(
                "\(loaded.bundle.directory)/\(finding.file.removingDirectory(loaded.bundle.directory)):\(finding.line): \(finding.message)"
            )
        }
        let policy = loaded.policy
        print(
            "\(policy.rules.count) rules, \(policy.roles.count) roles, \(policy.catalog.names.count) operations: "
                + "no errors, \(findings.count) finding\(findings.count == 1 ? "" : "s"); digest \(policy.digest.prefix(16))"
        )
        if strict, !findings.isEmpty { throw ExitCode.failure }
    }
}

extension String {
    /// Without the directory, when it begins with it.
    func removingDirectory(_ directory: String) -> String {
        hasPrefix(directory + "/") ? String(dropFirst(directory.utf8.count + 1)) : self
    }
}

struct PolicyTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Try the cases in tests/*.yaml, and say what of the policy they cover.",
        discussion: """
            Example: millgate policy test --coverage 100

            Exit code 1 when a case does not come out as expected, or when less of the rules or of the conditions' clauses
            is covered than --coverage asks for. A clause is covered when it was seen to hold and to fail.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(help: "Least coverage of rules and of clauses, in percent.")
    var coverage: Double?
    @Flag(help: "List what no case covers.")
    var uncovered = false

    func validate() throws {
        if let coverage, !(0...100).contains(coverage) { throw ValidationError("--coverage is 0 to 100.") }
    }

    func run() throws {
        let loaded = try options.load()
        let cases: [PolicyCase]
        do throws(DocumentErrors) {
            cases = try PolicyTestFile.read(
                loaded.bundle.texts(in: "tests"), policy: loaded.policy, now: Clock.wall())
        } catch {
            for one in error.errors { complain("\(one)") }
            throw failure("\(error.errors.count) errors", .configuration)
        }
        if cases.isEmpty { throw failure("\(loaded.bundle.directory)/tests: no cases", .configuration) }
        let run = PolicyTestRun(cases, policy: loaded.policy)
        for one in run.failures { print("\(one)") }
        if uncovered { for line in run.uncovered { print(line) } }
        print("\(run.caseCount) cases, \(run.failures.count) failed")
        print(
            "coverage: \(run.coveredRules.count) of \(run.rules.count) rules (\(Self.percent(run.ruleCoverage)) %), "
                + "\(run.coveredWays.count) of \(run.clauseWays.count) ways of clauses (\(Self.percent(run.clauseCoverage)) %)"
        )
        let least = min(run.ruleCoverage, run.clauseCoverage)
        if let coverage, least < coverage {
            throw failure("coverage is \(Self.percent(least)) %, less than \(Self.percent(coverage)) %")
        }
        if !run.failures.isEmpty { throw ExitCode.failure }
    }

    /// With one digit behind the point, rounded down: 99.96 is not 100.
    private static func percent(_ value: Double) -> String {
        let tenths = Int(value * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
