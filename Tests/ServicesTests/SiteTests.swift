import JSON
import Odoo
import Policy
import Testing

@testable import Services

@Suite struct SiteTests {
    static func index(_ sites: [Site] = Bench.sites) throws -> SiteIndex {
        func record(_ json: JSONValue) throws -> OdooRecord { try OdooRecord(json) }
        return try SiteIndex(
            sites: sites,
            warehouses: [
                WarehouseRecord(
                    record([
                        "id": 1, "name": "One", "code": "WH", "company_id": false, "lot_stock_id": [8, "WH/Stock"],
                        "int_type_id": [6, "One: Internal Transfers"],
                    ])),
                WarehouseRecord(
                    record([
                        "id": 3, "name": "Three", "code": "WH3", "company_id": false, "lot_stock_id": false,
                        "int_type_id": false,
                    ])),
            ],
            pickingTypes: [
                PickingTypeRecord(
                    record(["id": 7, "name": "Make", "code": "mrp_operation", "warehouse_id": [1, "One"]])),
                PickingTypeRecord(record(["id": 5, "name": "Move", "code": "internal", "warehouse_id": [1, "One"]])),
                PickingTypeRecord(
                    record(["id": 9, "name": "Make", "code": "mrp_operation", "warehouse_id": [3, "Three"]])),
                PickingTypeRecord(record(["id": 11, "name": "Make", "code": "mrp_operation", "warehouse_id": false])),
            ])
    }

    @Test func whatBelongsToAnUnknownWarehouseHasNoSite() throws {
        let index = try Self.index()
        #expect(index.siteOfPickingType == [7: "plant-1", 5: "plant-1", 6: "plant-1"])
        // Not the first that is `internal`, which is a step of deliveries; and archived types are not in the search.
        #expect(index.internalType == ["plant-1": 6])
        #expect(index.productionTypes == ["plant-1": [7]])
        #expect(index.stockOfSite == ["plant-1": 8])
        #expect(index.pickingTypes(of: ["plant-1", "plant-2"]) == [7])
    }

    @Test func permissionsAreAskedSiteBySiteAndKept() throws {
        let one = SitePermissions(sites: ["a", "b"]) { Bench.decide($0, ["a"]) }
        #expect(one.permits("a"))
        #expect(!one.permits("b"))
        #expect(!one.permits("c"))
        #expect(!one.permits(nil))
        let all = SitePermissions(sites: ["a", "b"]) { Bench.decide($0, nil) }
        #expect(all.permits("c"))
        #expect(all.permits(nil))
        let butOne = SitePermissions(sites: ["a", "b"]) { Bench.decide($0, $0.site == "b" ? [] : nil) }
        #expect(butOne.permits(nil))
        #expect(!butOne.permits("b"))
        #expect(SitePermissions(sites: ["a"]) { Bench.decide($0, []) }.isEmpty)
        for permissions in [one, all, butOne] { #expect(SitePermissions(permissions.json) == permissions) }
        #expect(SitePermissions(nil) == nil)
        #expect(SitePermissions(["elsewhere": true]) == nil)
    }

    @Test func sitesAreReadOnceAndAnewWhenTheyAreOld() async throws {
        let host = TestHost()
        let odoo = SandboxPort(19, host: host)
        let bench = try Bench(odoo: odoo, host: host)
        defer { bench.remove() }
        func reads() -> Int { odoo.methods.count { $0 == "stock.warehouse.search_read" } }
        for _ in 0..<3 { _ = try await bench.send("GET", "/v1/production-orders") }
        #expect(reads() == 1)
        host.advance(SiteMap.lifetimeDefault)
        _ = try await bench.send("GET", "/v1/production-orders")
        #expect(reads() == 2)
        bench.runner.sites.refresh()
        _ = try await bench.send("GET", "/v1/production-orders")
        #expect(reads() == 3)
    }

    @Test func whatIsForbiddenAtOneSiteIsTakenOutOfAList() async throws {
        let host = TestHost()
        let bench = try Bench(odoo: SandboxPort(19, host: host), host: host)
        defer { bench.remove() }
        let list = try await bench.send("GET", "/v1/production-orders") {
            $0.authorize = { Bench.decide($0, $0.site == "plant-2" ? [] : nil) }
        }
        let sites = list.json["items"]?.array?.compactMap { $0["site"]?.string } ?? []
        #expect(!sites.isEmpty)
        #expect(Set(sites) == ["plant-1"])
        let stock = try await bench.send("GET", "/v1/inventory?limit=200") {
            $0.authorize = { Bench.decide($0, $0.site == "plant-2" ? [] : nil) }
        }
        let places = stock.json["items"]?.array?.compactMap { $0["location"]?["name"]?.string } ?? []
        #expect(!places.isEmpty)
        #expect(Set(places) == ["WH/Stock"])
    }

    @Test func pagesFollowOneAnotherWithoutGapOrRepetition() async throws {
        let host = TestHost()
        let bench = try Bench(odoo: SandboxPort(17, host: host), host: host)
        defer { bench.remove() }
        for path in ["/v1/production-orders", "/v1/products", "/v1/work-centers", "/v1/inventory"] {
            let whole = try await bench.send("GET", path + "?limit=200").json["items"]?.array ?? []
            #expect(whole.count > 2)
            var pieces: [JSONValue] = []
            var cursor = ""
            while true {
                let page = try await bench.send("GET", path + "?limit=2" + cursor).json
                pieces += page["items"]?.array ?? []
                guard let next = page["next_cursor"]?.string else { break }
                cursor = "&cursor=" + next
            }
            #expect(pieces == whole, "\(path)")
        }
    }

    @Test func aSummaryIsOfWhatTheCallerMaySee() async throws {
        let host = TestHost()
        let bench = try Bench(odoo: SandboxPort(19, host: host), host: host)
        defer { bench.remove() }
        func quantity(_ query: String, _ sites: Set<String>?) async throws -> JSONValue? {
            try await bench.send("GET", "/v1/inventory?product_code=PUMP-100" + query, sites: sites)
                .json["summary"]?["quantity"]
        }
        #expect(try await quantity("", nil)?.int == 20)
        #expect(try await quantity("", ["plant-1"])?.int == 10)
        #expect(try await quantity("", ["plant-1", "plant-2"])?.int == 20)
        #expect(try await quantity("&site=plant-2", nil)?.int == 10)
        #expect(try await quantity("&location=5", ["plant-1"])?.int == 10)
        #expect(try await quantity("&location=5", ["plant-2"])?.int == 0)
    }
}
