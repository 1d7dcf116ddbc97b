/// Who may do what: a coarse picture of Odoo's access rights (recordings 172 to 174, 714).
extension Engine {
    enum Operation: String {
        case read
        case write
        case create
        case unlink

        var verb: String {
            switch self {
            case .read: "access"
            case .write: "modify"
            case .create: "create"
            case .unlink: "delete"
            }
        }
    }

    func checkAccess(_ operation: Operation, _ model: String) throws(Raised) {
        let isAllowed =
            switch user.rights {
            case .administrator: true
            case .manufacturing: Self.manufacturingMay(operation, model)
            case .limited: operation == .read && Self.open.contains(model)
            }
        if isAllowed { return }
        let label = schema(model)?.label ?? model
        throw .access(
            "You are not allowed to \(operation.verb) '\(label)' (\(model)) records.\n\n"
                + "This operation is allowed for the following groups:\n\t- "
                + groups(operation, model).joined(separator: "\n\t- ") + "\n\n"
                + "Contact your administrator to request access if necessary.")
    }

    /// What every internal user may read.
    private static let open: Set<String> = [
        Model.user, Model.partner, Model.country, Model.company, Model.unit, Model.calendar, Model.product,
        Model.template,
    ]

    /// What manufacturing and stock users only read.
    private static let readOnly: Set<String> = [
        Model.bom, Model.bomLine, Model.byproduct, Model.operation, Model.product, Model.template, Model.unit,
        Model.user,
        Model.company, Model.warehouse, Model.location, Model.pickingType, Model.loss, Model.calendar, Model.country,
        Model.workcenter, Model.supplierInfo, Model.qualityStage, Model.equipmentCategory, Model.maintenanceTeam,
    ]

    private static func manufacturingMay(_ operation: Operation, _ model: String) -> Bool {
        if model == Model.externalID || model == Model.apiKey || model == Model.irModel { return false }
        return operation == .read || !readOnly.contains(model)
    }

    /// The groups that the message names, as recorded.
    private func groups(_ operation: Operation, _ model: String) -> [String] {
        switch (operation, model) {
        case (_, Model.externalID): [version.is19 ? "Access Rights" : "Administration/Access Rights"]
        case (.read, Model.production):
            ["Inventory/User", "Manufacturing/Administrator", "Manufacturing/User", "Sales/User: Own Documents Only"]
        default: [model.hasPrefix("mrp.bom") ? "Manufacturing/Administrator" : "Manufacturing/User"]
        }
    }
}
