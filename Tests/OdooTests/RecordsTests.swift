import Bytes
import JSON
import Testing

@testable import Odoo

/// The records of the reading services, on what was recorded.
struct RecordsTests {
    private func records(_ version: Int, _ number: String) throws -> [OdooRecord] {
        try OdooRecord.list(try Recording.find(version, number).result())
    }

    @Test func productsAreRead() throws {
        for version in [17, 19] {
            let products = try records(version, "015").map(ProductRecord.init)
            #expect(products.map(\.id) == [5, 6, 7])
            #expect(products[0].code == "FURN_7777")
            #expect(products[0].name == "[FURN_7777] Office Chair")
            #expect(products[0].barcode == nil)
            #expect(products[0].unit == OdooReference(id: 1, name: "Units"))
            #expect(products[0].tracking == "none")
        }
        let storable = ProductRecord.search(storableOnly: true, on: OdooVersion(major: 17), page: OdooPage(limit: 3))
        let recorded = try #require(try Recording.find(17, "015").requestBody?["params"]?["args"])
        #expect(storable.positional[0].value == recorded[5]?[0])
        #expect(storable.named.first { $0.name == "limit" }?.value == recorded[6]?["limit"])
        #expect(storable.named.first { $0.name == "order" }?.value == recorded[6]?["order"])
    }

    @Test func workCentersAreRead() throws {
        for version in [17, 19] {
            let centers = try records(version, "017").map(WorkCenterRecord.init)
            #expect(centers[1].workingState == "blocked")
            #expect(centers[1].code == nil)
            #expect(centers[0].company?.id == 1)
        }
    }

    @Test func workOrdersAreRead() throws {
        for version in [17, 19] {
            let orders = try records(version, "022").map(WorkOrderRecord.init)
            #expect(orders[0].order == OdooReference(id: 1, name: "WH/MO/00001"))
            #expect(orders[0].workCenter.id == 1)
            #expect(orders[0].remaining == ExactDecimal(3))
            #expect(orders[0].durationExpected == ExactDecimal(180))
            #expect(orders[0].start == nil)
        }
    }

    @Test func stockIsRead() throws {
        for (version, product) in [(17, 59), (19, 75)] {
            let quants = try records(version, "040").map(StockQuantRecord.init)
            #expect(quants.count == 1)
            #expect(quants[0].available == ExactDecimal(50))
            #expect(quants[0].lot == nil)
            #expect(quants[0].location.name == "WH/Stock")
            let call = StockQuantRecord.search(products: [product], page: OdooPage())
            let recorded = try #require(try Recording.find(version, "040").requestBody?["params"]?["args"])
            #expect(call.positional[0].value == recorded[5]?[0])
            let sums = try records(version, "042").map(ProductAvailability.init)
            #expect(sums.map(\.free) == [ExactDecimal(50)])
            try OdooEndpointTests.expectSame(
                ProductAvailability.read(products: [product], below: version == 17 ? 8 : 5), as: version, "042")
        }
    }

    @Test func pickingTypesAreReadAlsoWithoutPlaces() throws {
        for version in [17, 19] {
            let types = try records(version, "027").map(PickingTypeRecord.init)
            #expect(types.contains { $0.code == "mrp_operation" && $0.warehouse?.id == 1 })
            #expect(Set(types.compactMap(\.warehouse?.id)).count > 1)
        }
        let warehouse = try WarehouseRecord(
            OdooRecord([
                "id": 1, "name": "YourCompany", "code": "WH", "company_id": [1, "C"], "lot_stock_id": [8, "WH/Stock"],
                "int_type_id": [5, "YourCompany: Internal Transfers"],
            ]))
        #expect(warehouse.stock?.id == 8)
        #expect(warehouse.internalType?.id == 5)
    }

    @Test func ordersAreReadInTheFieldsOfTheVersion() throws {
        for version in [17, 18, 19] {
            let on = OdooVersion(major: version)
            #expect(
                ProductionOrderRecord.fields(on: on).contains(version == 19 ? "lot_producing_ids" : "lot_producing_id"))
        }
        let on17 = try OrderFixture.order(on: 17, ["lot_producing_id": [23, "SN"]])
        #expect(on17.lots == [23])
        let on19 = try OrderFixture.order(on: 19, ["lot_producing_ids": [22, 23]])
        #expect(on19.lots == [22, 23])
        for version in [17, 19] {
            let orders = try OrderFixture.orders(version, "021")
            #expect(orders.map(\.id) == [1, 2, 3])
            #expect(orders[1].state == .draft)
            #expect(orders[0].remaining == ExactDecimal(3))
        }
        #expect(throws: OdooShapeError.self) {
            try ProductionOrderRecord(OdooRecord(["id": 1]), on: OdooVersion(major: 17))
        }
    }

    @Test func statesAreThoseOfTheFieldsDescription() throws {
        for version in [17, 19] {
            let selection = try Recording.find(version, "028").result()?["state"]?["selection"]?.array ?? []
            let states = selection.compactMap { $0[0]?.string }.map { ProductionState($0) }
            #expect(states == [.draft, .confirmed, .progress, .toClose, .done, .cancel])
            #expect(states.map(\.isOpen) == [false, true, true, true, false, false])
        }
        #expect(ProductionState("x").description == "x")
    }

    @Test func filtersBecomeDomains() {
        var filter = ProductionOrderRecord.Filter()
        #expect(filter.domain.isEmpty)
        filter.states = [.confirmed, .toClose]
        filter.product = 5
        filter.pickingTypes = [8, 9]
        filter.origin = "O"
        filter.name = "WH/MO/1"
        filter.workCenter = 2
        let call = ProductionOrderRecord.search(
            filter, on: OdooVersion(major: 19), page: OdooPage(after: 7, limit: 9_999))
        #expect(
            call.positional[0].value == [
                ["state", "in", ["confirmed", "to_close"]], ["name", "=", "WH/MO/1"], ["origin", "=", "O"],
                ["product_id", "=", 5], ["picking_type_id", "in", [8, 9]], ["workorder_ids.workcenter_id", "=", 2],
                ["id", ">", 7],
            ])
        #expect(call.named.first { $0.name == "limit" }?.value == JSONValue(OdooPage.limitMax))
        #expect(OdooPage(limit: -5).limit == 1)
        #expect(
            StockQuantRecord.search(products: [1, 2], below: 8, page: OdooPage()).positional[0].value == [
                ["product_id", "in", [1, 2]], ["location_id.usage", "=", "internal"], ["location_id", "child_of", 8],
            ])
    }
}
