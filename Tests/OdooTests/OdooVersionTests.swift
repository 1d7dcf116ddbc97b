import JSON
import Testing

@testable import Odoo

struct OdooVersionTests {
    @Test func versionsAreReadFromAllThreeAnswers() throws {
        for version in [17, 19] {
            let rpc = try #require(try Recording.find(version, "001").result())
            #expect(OdooVersion(rpc) == OdooVersion(major: version))
            let session = try #require(try Recording.find(version, "210").responseBody?["result"])
            #expect(OdooVersion(session) == OdooVersion(major: version))
        }
        let web = try #require(try Recording.find(19, "215").responseBody)
        #expect(OdooVersion(web) == OdooVersion(major: 19))
    }

    @Test func versionsOfTheHostedAndEnterpriseEditionsAreRead() {
        let table: [(JSONValue, OdooVersion?)] = [
            (["server_version_info": ["saas~18", 2, 0, "final", 0, ""]], OdooVersion(major: 18, minor: 2)),
            (["server_version": "saas~18.2+e"], OdooVersion(major: 18, minor: 2)),
            (["server_version": "19.0+e"], OdooVersion(major: 19)),
            (["version": "17.0-20250101"], OdooVersion(major: 17)),
            (["server_version": "17"], OdooVersion(major: 17)),
            (["server_version_info": [9_000_000_000, 0], "server_version": "17.0"], OdooVersion(major: 17)),
            (["server_version_info": [1, 0]], nil), (["server_version": ""], nil), (["server_version": "x"], nil),
            (["server_version": "99999999999999999999.0"], nil), ([:], nil), ([], nil), (nil, nil), ("19.0", nil),
        ]
        for (answer, expected) in table { #expect(OdooVersion(answer) == expected, "\(answer)") }
    }

    @Test func featuresFollowTheTableOfVersions() {
        func on(_ major: Int) -> OdooVersion { OdooVersion(major: major) }
        #expect([16, 17, 18, 19, 20].map { on($0).hasJSONRPC } == [true, true, true, true, false])
        #expect([16, 17, 18, 19, 20].map { on($0).hasJSON2 } == [false, false, false, true, true])
        #expect([16, 17, 18, 19].map { on($0).hasSetQuantityProducing } == [false, false, true, true])
        #expect(
            [16, 17, 18, 19].map { on($0).doneQuantityField } == ["quantity_done", "quantity", "quantity", "quantity"])
        #expect([16, 17].map { on($0).hasPicked } == [false, true])
        #expect(on(18).lotProducingField == "lot_producing_id")
        #expect(on(19).lotProducingField == "lot_producing_ids")
        #expect([16, 17, 18, 19, 20].map { on($0).hasWritingRecipes } == [false, true, true, true, false])
        #expect(on(17) < OdooVersion(major: 17, minor: 1))
        #expect(OdooVersion(major: 18, minor: 4) < on(19))
        #expect(OdooVersion(major: 18, minor: 4).description == "18.4")
    }
}
