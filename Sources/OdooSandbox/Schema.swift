import Bytes
import JSON

enum FieldKind: Sendable {
    case char
    case text
    case integer
    case boolean
    /// Kept with this many places.
    case number(places: UInt8)
    case date
    case datetime
    case selection([(value: String, label: String)])
    case many2one(String)
    /// The model of the children and their field that points back.
    case one2many(String, String)
    case many2many(String)

    var name: String {
        switch self {
        case .char: "char"
        case .text: "text"
        case .integer: "integer"
        case .boolean: "boolean"
        case .number: "float"
        case .date: "date"
        case .datetime: "datetime"
        case .selection: "selection"
        case .many2one: "many2one"
        case .one2many: "one2many"
        case .many2many: "many2many"
        }
    }

    /// The model at the other end.
    var target: String? {
        switch self {
        case .many2one(let model), .many2many(let model), .one2many(let model, _): model
        default: nil
        }
    }

    var isMany: Bool {
        switch self {
        case .one2many, .many2many: true
        default: false
        }
    }

    /// What a field holds when nothing was written.
    var initial: Value {
        switch self {
        case .integer: .int(0)
        case .boolean: .bool(false)
        case .number: .number(.zero)
        case .one2many, .many2many: .links([])
        default: .empty
        }
    }
}

struct Field: Sendable {
    typealias Compute = @Sendable (Engine, Int) -> Value

    let name: String
    let kind: FieldKind
    let label: String
    var required = false
    var readonly = false
    var initial: Value?
    /// Not stored; written values are ignored, as Odoo does for fields without an inverse.
    var compute: Compute?

    /// Every stored many2one is; so is what is looked up by equality.
    var isIndexed = false

    init(
        _ name: String, _ kind: FieldKind, _ label: String, required: Bool = false, readonly: Bool = false,
        indexed: Bool = false, initial: Value? = nil, compute: Compute? = nil
    ) {
        self.name = name
        self.kind = kind
        self.label = label
        self.required = required
        self.readonly = readonly || compute != nil
        self.initial = initial
        self.compute = compute
        if compute == nil {
            if case .many2one = kind { isIndexed = true } else { isIndexed = indexed }
        }
    }
}

extension Field {
    /// For what nobody searches.
    var withoutIndex: Field {
        var field = self
        field.isIndexed = false
        return field
    }
}

/// What a model is: its fields, its name for people, its order.
final class Schema: Sendable {
    let model: String
    /// "Manufacturing Order", for messages.
    let label: String
    /// The order of searches that ask for none.
    let order: String
    let fields: [String: Field]
    let fieldOrder: [String]
    /// How a record is called in many2one values.
    let display: Field.Compute

    init(
        _ model: String, _ label: String, order: String = "id", fields own: [Field], display: Field.Compute? = nil
    ) {
        self.model = model
        self.label = label
        self.order = order
        let display = display ?? { engine, id in engine.stored(model, id, "name") }
        self.display = display
        let common = [
            Field("id", .integer, "ID", readonly: true, compute: { _, id in .int(id) }),
            Field("display_name", .char, "Display Name", compute: display),
            Field("create_date", .datetime, "Created on", readonly: true),
            Field("write_date", .datetime, "Last Updated on", readonly: true),
            Field("create_uid", .many2one(Model.user), "Created by", readonly: true).withoutIndex,
            Field("write_uid", .many2one(Model.user), "Last Updated by", readonly: true).withoutIndex,
        ]
        var byName: [String: Field] = [:]
        var names: [String] = []
        for field in common + own {
            if byName[field.name] == nil { names.append(field.name) }
            byName[field.name] = field
        }
        fields = byName
        fieldOrder = names
    }

    /// `MrpProduction`, as Python's messages call it.
    var className: String {
        model.split(whereSeparator: { $0 == "." || $0 == "_" })
            .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

/// The models by name.
enum Model {
    static let product = "product.product"
    static let template = "product.template"
    static let unit = "uom.uom"
    static let category = "product.category"
    static let user = "res.users"
    static let partner = "res.partner"
    static let country = "res.country"
    static let company = "res.company"
    static let calendar = "resource.calendar"
    static let externalID = "ir.model.data"
    static let apiKey = "res.users.apikeys"
    static let message = "mail.message"
    static let activity = "mail.activity"
    static let irModel = "ir.model"
    static let qualityAlert = "quality.alert"
    static let qualityStage = "quality.alert.stage"
    static let qualityCheck = "quality.check"
    static let location = "stock.location"
    static let warehouse = "stock.warehouse"
    static let pickingType = "stock.picking.type"
    static let quant = "stock.quant"
    static let move = "stock.move"
    static let moveLine = "stock.move.line"
    static let lot = "stock.lot"
    static let scrap = "stock.scrap"
    static let scrapWarning = "stock.warn.insufficient.qty.scrap"
    static let picking = "stock.picking"
    static let pickingBackorder = "stock.backorder.confirmation"
    static let workcenter = "mrp.workcenter"
    static let productivity = "mrp.workcenter.productivity"
    static let loss = "mrp.workcenter.productivity.loss"
    static let bom = "mrp.bom"
    static let bomLine = "mrp.bom.line"
    static let byproduct = "mrp.bom.byproduct"
    static let operation = "mrp.routing.workcenter"
    static let production = "mrp.production"
    static let workorder = "mrp.workorder"
    static let backorderWizard = "mrp.production.backorder"
    static let backorderWizardLine = "mrp.production.backorder.line"
    static let consumptionWizard = "mrp.consumption.warning"
    static let consumptionWizardLine = "mrp.consumption.warning.line"
    static let unbuild = "mrp.unbuild"
    static let maintenance = "maintenance.request"
    static let maintenanceStage = "maintenance.stage"
    static let changeQuantity = "change.production.qty"
}
