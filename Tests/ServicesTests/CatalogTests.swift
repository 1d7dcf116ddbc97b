import Testing

@testable import Services

@Suite struct CatalogTests {
    @Test func everyShippedContractHasItsServiceAndTheOtherWayRound() {
        #expect(ServiceCatalog.shipped.mismatches(with: Bench.contracts) == [])
    }

    @Test func whatIsMissingIsNamed() {
        let catalog = ServiceCatalog(reads: [ReadProducts()], writes: [])
        let found = catalog.mismatches(with: Bench.contracts)
        #expect(found.contains { $0.contains("no service carries out 'production-order.confirm'") })
        #expect(found.contains { $0.contains("no service reads 'inventory.read'") })
        #expect(ServiceCatalog.shipped.mismatches(with: .empty).contains("the service 'product.read' has no contract"))
    }
}
