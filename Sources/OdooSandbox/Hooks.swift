import Bytes
import JSON

/// Where the models' own rules join the general `create`, `write` and `unlink`.
extension Engine {
    /// Fills what a new record needs, before required fields are checked.
    mutating func prepare(_ model: String, _ row: inout Row, given: JSONObject) throws(Raised) {
        switch model {
        case Model.product: prepareProduct(&row, given: given)
        case Model.bom: prepareBOM(&row)
        case Model.bomLine: if row["product_uom_id"] == .empty { row["product_uom_id"] = unit(of: row["product_id"]) }
        case Model.production: try prepareProduction(&row, given: given)
        case Model.move: try prepareMove(&row)
        case Model.quant: try prepareQuant(&row, given: given)
        case Model.scrap: try prepareScrap(&row)
        case Model.picking: try preparePicking(&row)
        case Model.lot: try prepareLot(&row)
        case Model.unbuild: prepareUnbuild(&row)
        case Model.maintenance: prepareMaintenance(&row)
        case Model.activity: prepareActivity(&row)
        case Model.qualityAlert: prepareAlert(&row)
        case Model.productivity: prepareProductivity(&row, given: given)
        default: break
        }
    }

    /// What follows from a new record.
    mutating func created(_ model: String, _ id: Int, given: JSONObject) throws(Raised) {
        switch model {
        case Model.production: try createdProduction(id, given: given)
        case Model.move: createdMove(id, given: given)
        case Model.bom: createdBOM(id)
        case Model.moveLine: createdLine(id)
        default: break
        }
    }

    mutating func willWrite(_ model: String, _ id: Int, _ changes: inout [String: Value]) throws(Raised) {
        switch model {
        case Model.production: try willWriteProduction(id, &changes)
        case Model.product where changes["detailed_type"] != nil: changes["type"] = changes["detailed_type"]
        case Model.move:
            if let quantity = changes.removeValue(forKey: "quantity") {
                try checkMoveIsOpen(id)
                setQuantity(ofMove: id, to: quantity.number)
            }
        default: break
        }
    }

    mutating func written(
        _ model: String, _ id: Int, _ changes: [String: Value], given: JSONObject
    ) throws(Raised) {
        switch model {
        case Model.production: writtenProduction(id, changes)
        case Model.maintenance: writtenMaintenance(id, changes)
        case Model.move:
            if given.contains("move_line_ids") { updateMoveState(id) }
            writtenMove(id, changes)
        case Model.moveLine where changes["quantity"] != nil: reserveAgain(line: id)
        default: break
        }
    }

    mutating func willUnlink(_ model: String, _ id: Int) throws(Raised) {
        switch model {
        case Model.production: try willUnlinkProduction(id)
        case Model.moveLine: try willUnlinkLine(id)
        case Model.template: try refuseUnlink(of: model, id, referredBy: Model.bom, "product_tmpl_id")
        case Model.product: try refuseUnlink(of: model, id, referredBy: Model.production, "product_id")
        case Model.bom: try refuseUnlink(of: model, id, referredBy: Model.production, "bom_id")
        default: break
        }
    }

    /// A new record like an old one, without what belongs to the old one's history.
    mutating func duplicate(_ model: String, _ id: Int) throws(Raised) -> Int {
        guard let schema = schema(model) else { throw .user("Object \(model) doesn't exist") }
        var values = JSONObject()
        let kept =
            model == Model.production
            ? ["product_id", "product_qty", "bom_id", "picking_type_id", "origin"]
            : schema.fieldOrder.filter { schema.fields[$0]?.compute == nil && !["id", "create_date"].contains($0) }
        for name in kept {
            guard let field = schema.fields[name], !field.kind.isMany else { continue }
            values[name] = json(stored(model, id, name), field, plainLinks: true)
        }
        return try create(model, values)
    }

    private func refuseUnlink(of model: String, _ id: Int, referredBy other: String, _ field: String) throws(Raised) {
        guard !database.referrers(other, field, to: id).isEmpty else { return }
        let label = schema(other)?.label ?? other
        if version.is19 {
            throw .validation(
                "The operation cannot be completed: Another model is using the record you are trying to delete.\n\n"
                    + "The troublemaker is: '\(label)' (\(other))\nThanks to the following constraint: "
                    + "'\(schema(other)?.fields[field]?.label ?? field)' (\(field))\n"
                    + "How about archiving the record instead?")
        }
        throw .validation(
            "The operation cannot be completed: another model requires the record being deleted. If possible, "
                + "archive it instead.\n\nModel: \(label) (\(other)), Constraint: \(field)")
    }

    func unit(of product: Value?) -> Value {
        guard let id = product?.link else { return .empty }
        return stored(Model.product, id, "uom_id")
    }
}
