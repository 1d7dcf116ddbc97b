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

    private static func load() throws -> ContractSet {
        let folder = "policies/services"
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path())
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
            #expect(
                set.operations == [
                    "product.read", "work-center.read", "production-order.read", "production-order.create",
                    "production-order.release", "production-order.confirm", "inventory.read", "operation.read",
                    "approval.read", "approval.decide",
                ])
        } catch let errors as DocumentErrors {
            Issue.record("\(errors)")
        }
    }
}
