import Bytes
import JSON
import Testing

@testable import Odoo

struct OdooRecordTests {
    private func record(_ fields: JSONObject) throws -> OdooRecord {
        var fields = fields
        fields["id"] = fields["id"] ?? 1
        return try OdooRecord(.object(fields))
    }

    @Test func aRecordedOrderIsRead() throws {
        let records = try OdooRecord.list(try Recording.find(19, "021").result())
        let first = try #require(records.first)
        #expect(first.id == 1)
        #expect(try first.text("name") == "WH/MO/00001")
        #expect(try first.reference("product_id") == OdooReference(id: 8, name: "[FURN_7800] Desk Combination"))
        #expect(try first.quantity("product_qty") == ExactDecimal(3))
        #expect(try first.instant("date_start")?.rfc3339 == "2026-11-23T03:45:16.000Z")
        #expect(try first.instant("date_deadline") == nil)
        #expect(try first.string("origin") == nil)
        #expect(try first.ids("move_raw_ids") == [30, 31, 32])
        #expect(try first.ids("lot_producing_ids") == [])
    }

    @Test func falseIsEmptyForTextsReferencesAndDates() throws {
        let record = try record(["a": false, "b": nil, "n": 0])
        #expect(try record.string("a") == nil)
        #expect(try record.reference("a") == nil)
        #expect(try record.instant("a") == nil)
        #expect(try record.bool("a") == false)
        #expect(try record.string("b") == nil)
        #expect(try record.int("n") == 0)
        #expect(throws: OdooShapeError(field: "a", expected: "text")) { try record.text("a") }
        #expect(throws: OdooShapeError.self) { try record.quantity("a") }
        #expect(throws: OdooShapeError.self) { try record.int("a") }
        #expect(throws: OdooShapeError.self) { try record.ids("a") }
    }

    @Test func aFieldThatWasNotReadIsAnError() throws {
        let record = try record(["x": 1])
        #expect(throws: OdooShapeError(field: "y", expected: "there")) { try record.string("y") }
        #expect(throws: OdooShapeError.self) { try record.string("x") }
        #expect(throws: OdooShapeError.self) { try record.bool("x") }
        #expect(throws: OdooShapeError.self) { try record.instant("x") }
    }

    @Test func referencesOfOddShapesAreErrors() throws {
        let record = try record([
            "bare": 7, "pair": [7, "x"], "nameless": [7, false], "zero": [0, "x"], "short": [7], "text": "7",
            "true": true,
        ])
        #expect(try record.reference("bare") == OdooReference(id: 7, name: ""))
        #expect(try record.reference("pair")?.name == "x")
        #expect(try record.reference("nameless")?.name == "")
        for field in ["zero", "short", "text", "true"] {
            #expect(throws: OdooShapeError.self, "\(field)") { try record.reference(field) }
        }
    }

    @Test func onlyOdoosOwnDatesAreDates() throws {
        let table = [
            ("2026-12-01 06:00:00", true), ("2026-12-01T06:00:00Z", false), ("2026-12-01", false),
            ("2026-12-01 06:00:00.5", false), ("2026-13-01 06:00:00", false), ("", false),
        ]
        for (text, valid) in table {
            let record = try record(["d": .string(text)])
            #expect(((try? record.instant("d")) != nil) == valid, "\(text)")
        }
    }

    @Test func listsOfRecordsAreChecked() {
        for bad: JSONValue? in [nil, true, [:], ["x"], [[:]], [["id": 0]], [["id": "1"]], [["id": 1], nil]] {
            #expect(throws: OdooShapeError.self) { try OdooRecord.list(bad) }
        }
        #expect(throws: Never.self) { try OdooRecord.list([]) }
        #expect(OdooShapeError(field: "f", expected: "text").asOdooError.kind == .unreadable)
    }

    @Test func quantitiesAreWhatOdooMeant() {
        let table: [(text: String, quantity: String?)] = [
            ("2.0", "2"), ("0.1", "0.1"), ("12.34", "12.34"), ("0.30000000000000004", "0.3"), ("1e-7", "0.0000001"),
            ("-1.4210854715202004e-14", "0"), ("4.999999999999999", "5"), ("1234567.8999999999", "1234567.9"),
            ("0.123456789", "0.123456789"), ("0.1234567891", "0.123456789"), ("-0.0", "0"), ("-2.50", "-2.5"),
            ("123456789012345678", "123456789012345678"), ("1e17", "100000000000000000"), ("1e30", nil),
            ("1e400", nil), ("12345678901.123456789012", "12345678901.123456"),
        ]
        for row in table {
            let number = JSONNumber(row.text)
            #expect(number.flatMap(OdooRecord.quantity)?.description == row.quantity, "\(row.text)")
        }
    }
}
