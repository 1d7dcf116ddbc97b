import Documents
import Foundation
import JSON
import Testing

@testable import Contracts

/// The repository's own files, as tests read them.
enum Shipped {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Loaded once for all tests.
    static func contracts() throws -> ContractSet { try loaded.get() }

    private static let loaded = Result { try load() }

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "policies/services").path())
    }

    private static func load() throws -> ContractSet {
        let folder = "policies/services"
        let names = try names()
        return try ContractSet.load(
            files: names.filter { $0.hasSuffix(".yaml") }.sorted().map {
                ("\(folder)/\($0)", try text("\(folder)/\($0)"))
            })
    }
}

@Suite struct ShippedContractTests {
    @Test func theShippedContractsLoadWithTheirExamples() throws {
        do {
            let set = try Shipped.contracts()
            let files = try Shipped.names().filter { $0 != "types.yaml" }
            for contract in set.contracts {
                #expect((contract.settling != nil) == (contract.kind == .write), "\(contract.operation)")
                #expect(contract.settling.map { !$0.look.isEmpty && !$0.handedOver.isEmpty } ?? true)
            }
            #expect(set.operations == Set(files.map { String($0.dropLast(".yaml".count)) }))
        } catch let errors as DocumentErrors {
            Issue.record("\(errors)")
        }
    }
}
