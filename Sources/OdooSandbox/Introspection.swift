import JSON

/// What tests look at and turn, beside Odoo: `GET /sandbox/state`, `POST /sandbox/faults`, `POST /sandbox/reset`. No
/// login; the sandbox is never exposed.
extension SandboxWorld {
    mutating func introspection(_ request: SandboxRequest, _ path: String) -> SandboxAnswer {
        switch (request.method, path) {
        case ("GET", "/sandbox/state"): return Pages.json(200, state)
        case ("GET", "/sandbox/faults"): return Pages.json(200, .array(faults.waiting.map(\.json)))
        case ("DELETE", "/sandbox/faults"):
            faults.clear()
            return Pages.json(200, true)
        case ("POST", "/sandbox/faults"):
            guard let json = try? JSONValue.parse(request.body) else { return Pages.text(400, "not JSON") }
            var parsed: [SandboxFault] = []
            for item in json.array ?? [json] {
                guard let fault = SandboxFault(item) else { return Pages.text(400, "not a fault: \(item.text)") }
                parsed.append(fault)
            }
            for fault in parsed { faults.add(fault) }
            return Pages.json(200, JSONValue(parsed.count))
        case ("POST", "/sandbox/reset"):
            guard !configuration.keepsState else { return Pages.text(409, "its state is kept in a file: remove that") }
            self = SandboxWorld(configuration)
            return Pages.json(200, true)
        default: return Pages.text(404, "no such door")
        }
    }

    /// Orders, open and done moves, stock, and how often each method was called and ran, how often calls met on one record.
    var state: JSONValue {
        let orders = engine.database.ids(Model.production).map { id -> JSONValue in
            [
                "id": JSONValue(id), "name": text(Model.production, id, "name"),
                "state": text(Model.production, id, "state"), "origin": text(Model.production, id, "origin"),
                "product_id": link(Model.production, id, "product_id"),
                "product_qty": number(Model.production, id, "product_qty"),
                "qty_producing": number(Model.production, id, "qty_producing"),
                "qty_produced": number(Model.production, id, "qty_produced"),
                "backorder_sequence": JSONValue(engine.stored(Model.production, id, "backorder_sequence").int),
                "picking_type_id": link(Model.production, id, "picking_type_id"),
                "date_finished": text(Model.production, id, "date_finished"),
            ]
        }
        let moves = engine.database.ids(Model.move).map { id -> JSONValue in
            [
                "id": JSONValue(id), "product_id": link(Model.move, id, "product_id"),
                "state": text(Model.move, id, "state"), "demand": number(Model.move, id, "product_uom_qty"),
                "quantity": number(Model.move, id, "quantity"),
                "raw_material_production_id": link(Model.move, id, "raw_material_production_id"),
                "production_id": link(Model.move, id, "production_id"),
                "location_id": link(Model.move, id, "location_id"),
                "location_dest_id": link(Model.move, id, "location_dest_id"),
            ]
        }
        let quants = engine.database.ids(Model.quant).map { id -> JSONValue in
            [
                "product_id": link(Model.quant, id, "product_id"), "location_id": link(Model.quant, id, "location_id"),
                "lot_id": link(Model.quant, id, "lot_id"), "quantity": number(Model.quant, id, "quantity"),
                "reserved_quantity": number(Model.quant, id, "reserved_quantity"),
            ]
        }
        var calls = JSONObject()
        var effects = JSONObject()
        for (key, count) in counts.sorted(by: { $0.key < $1.key }) {
            calls[key] = JSONValue(count.calls)
            effects[key] = JSONValue(count.effects)
        }
        let contended = JSONObject(
            contention.counts.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) })
        return [
            "contended": .object(contended), "version": JSONValue(version.rawValue), "orders": .array(orders),
            "moves": .array(moves),
            "quants": .array(quants), "calls": .object(calls), "effects": .object(effects),
            "faults": JSONValue(faults.waiting.count),
        ]
    }

    private func text(_ model: String, _ id: Int, _ field: String) -> JSONValue {
        engine.get(model, id, field).text.map { .string($0) } ?? .null
    }

    private func link(_ model: String, _ id: Int, _ field: String) -> JSONValue {
        engine.link(model, id, field).map { JSONValue($0) } ?? .null
    }

    private func number(_ model: String, _ id: Int, _ field: String) -> JSONValue {
        engine.number(model, id, field).json
    }
}
