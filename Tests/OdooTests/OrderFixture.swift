import JSON

@testable import Odoo

/// Whole records made of what a recording read, completed with plain values for the fields it did not read.
enum OrderFixture {
    static func number(_ text: String) -> JSONValue { JSONNumber(text).map { .number($0) } ?? .null }

    static func order(on version: Int, _ fields: JSONObject) throws -> ProductionOrderRecord {
        var all: JSONObject = [
            "id": 29, "name": "WH/MO/00028", "state": "confirmed", "reservation_state": "assigned",
            "product_id": [63, "LAB Simple"], "product_uom_id": [1, "Units"], "product_qty": 5, "qty_producing": 0,
            "qty_produced": 0, "date_start": "2026-12-01 06:00:00", "date_finished": false, "date_deadline": false,
            "bom_id": [14, "BOM"], "move_raw_ids": [155], "move_finished_ids": [156], "workorder_ids": [],
            "origin": false, "company_id": [1, "My Company"], "picking_type_id": [8, "Manufacturing"],
            "backorder_sequence": 0, "write_date": "2026-11-23 04:12:25",
        ]
        all[OdooVersion(major: version).lotProducingField] = version >= 19 ? [] : false
        for (key, value) in fields.members { all[key] = value }
        return try ProductionOrderRecord(try OdooRecord(.object(all)), on: OdooVersion(major: version))
    }

    /// The orders a recording read.
    static func orders(_ version: Int, _ number: String, _ more: JSONObject = [:]) throws -> [ProductionOrderRecord] {
        try (Recording.find(version, number).result()?.array ?? []).map { element in
            var fields = element.object ?? [:]
            for (key, value) in more.members { fields[key] = value }
            return try order(on: version, fields)
        }
    }

    static func move(_ fields: JSONObject) throws -> ComponentMoveRecord {
        var all: JSONObject = [
            "id": 155, "product_id": [59, "LAB Component"], "product_uom_qty": 10, "quantity": 10, "picked": false,
            "state": "assigned", "manual_consumption": false, "should_consume_qty": 0,
        ]
        for (key, value) in fields.members { all[key] = value }
        return try ComponentMoveRecord(try OdooRecord(.object(all)))
    }

    /// The moves a recording read.
    static func moves(_ version: Int, _ number: String, _ more: JSONObject = [:]) throws -> [ComponentMoveRecord] {
        try (Recording.find(version, number).result()?.array ?? []).map { element in
            var fields = element.object ?? [:]
            for (key, value) in more.members { fields[key] = value }
            return try move(fields)
        }
    }
}
