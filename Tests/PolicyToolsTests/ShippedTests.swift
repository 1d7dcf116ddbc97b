import Bytes
import Contracts
import Documents
import Foundation
import Policy
import PolicyTools
import Testing

/// The policies that are shipped, with the tests that are shipped.
@Suite struct ShippedTests {
    static func shipped() throws -> PolicySet {
        let contracts = try ContractSet.load(files: SchemaFileTests.files("services"))
        var files = try SchemaFileTests.files("access")
        for name in ["roles", "bundle"] {
            let path = "policies/\(name).yaml"
            files.append((path, try String(contentsOf: SchemaFileTests.root.appending(path: path), encoding: .utf8)))
        }
        return try PolicySet.load(
            files: files,
            catalog: OperationCatalog(
                contracts: contracts,
                events: try SchemaFileTests.files("events").compactMap { file in
                    let name = file.path.split(separator: "/").last?.dropLast(5) ?? ""
                    return name == "types" ? nil : "event." + name
                }, proxied: ["proxy.odoo-web", "proxy.odoo-rpc", "proxy.odoo-database"]),
            digest: checksum)
    }

    @Test func theirTestsPassAndCoverEveryRuleAndEveryClauseBothWays() throws {
        let policy = try Self.shipped()
        let cases = try PolicyTestFile.read(SchemaFileTests.files("tests"), policy: policy, now: noon)
        let run = PolicyTestRun(cases, policy: policy)
        #expect(run.failures.isEmpty, "\(run.failures)")
        #expect(run.uncovered.isEmpty, "\(run.uncovered)")
        #expect(run.ruleCoverage == 100 && run.clauseCoverage == 100 && run.caseCount > 30)
    }

    @Test func nothingInThemIsProbablyNotMeant() throws {
        let findings = PolicyFindings(
            try Self.shipped(), issuers: ["https://id.millgate.example"], now: noon
        ).findings
        #expect(findings.isEmpty, "\(findings)")
    }

    @Test func theyDoNotDifferFromThemselves() throws {
        let policy = try Self.shipped()
        let diff = PolicyDiff(policy, policy, sites: ["plant-1", "plant-2"], now: noon)
        #expect(diff.changes.isEmpty && diff.omissions.isEmpty, "\(diff.text)")
    }
}
