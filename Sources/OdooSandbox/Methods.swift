import JSON

/// The public methods by model.
enum Methods {
    static func find(_ model: String, _ name: String, _ version: SandboxVersion) -> Method? {
        if let own = byModel[model]?[name] { return own }
        if let own = (version.is19 ? only19 : only17)[model + "." + name] { return own }
        if name == "exists", !version.is19 { return exists }
        if name == "formatted_read_group", !version.is19 { return nil }
        return common[name]
    }

    // MARK: - Every model

    private static let common: [String: Method] = [
        "search": Method(onRecords: false, .read, ["domain", "offset?", "limit?", "order?"]) {
            engine, _, given throws(Raised) in
            .value(.array(try search(engine, given).map { JSONValue($0) }))
        },
        "search_count": Method(onRecords: false, .read, ["domain", "limit?"]) { engine, _, given throws(Raised) in
            .value(JSONValue(try search(engine, given).count))
        },
        "search_read": Method(
            onRecords: false, .read, ["domain?", "fields?", "offset?", "limit?", "order?", "load?"]
        ) { engine, _, given throws(Raised) in
            let ids = try search(engine, given)
            return .value(
                try engine.read(given.model, ids, fields: try given.names("fields"), plainLinks: isPlain(given)))
        },
        "read": Method(onRecords: true, .read, ["fields?", "load?"]) { engine, ids, given throws(Raised) in
            .value(try engine.read(given.model, ids, fields: try given.names("fields"), plainLinks: isPlain(given)))
        },
        "create": Method(onRecords: false, .create, ["vals_list"]) { engine, _, given throws(Raised) in
            guard let list = given["vals_list"]?.array else {
                let id = try engine.create(given.model, try given.object("vals_list"))
                return .value(given.style == .named ? [JSONValue(id)] : JSONValue(id))
            }
            var ids: [JSONValue] = []
            for values in list {
                guard let values = values.object else { throw .type("vals_list must be a list of dictionaries") }
                ids.append(JSONValue(try engine.create(given.model, values)))
            }
            return .value(.array(ids))
        },
        "write": Method(onRecords: true, .write, ["vals"]) { engine, ids, given throws(Raised) in
            try engine.write(given.model, ids, try given.object("vals"))
            return .value(true)
        },
        "unlink": Method(onRecords: true, .unlink) { engine, ids, given throws(Raised) in
            try engine.unlink(given.model, ids)
            return .value(true)
        },
        "copy": Method(onRecords: true, .create, ["default?"]) { engine, ids, given throws(Raised) in
            let copies = try engine.copy(given.model, ids)
            guard !engine.version.is19, copies.count == 1 else { return .value(.array(copies.map { JSONValue($0) })) }
            return .value(JSONValue(copies[0]))
        },
        "fields_get": Method(onRecords: false, .read, ["allfields?", "attributes?"]) {
            engine, _, given throws(Raised) in
            .value(
                try engine.fieldsGet(
                    given.model, names: try given.names("allfields"), attributes: try given.names("attributes")))
        },
        "name_search": Method(onRecords: false, .read, ["name?", "domain?", "operator?", "limit?", "args?"]) {
            engine, _, given throws(Raised) in
            .value(
                try engine.nameSearch(
                    given.model, name: given.string("name") ?? "", domain: given["domain"] ?? given["args"],
                    limit: given.int("limit")))
        },
        "get_metadata": Method(onRecords: true, .read) { engine, ids, given throws(Raised) in
            .value(try engine.metadata(given.model, ids))
        },
        "load": Method(onRecords: false, .create, ["fields", "data"]) { engine, _, given throws(Raised) in
            let rows = given["data"]?.array ?? []
            return .value(
                try engine.load(given.model, fields: try given.names("fields"), rows: rows.map { $0.array ?? [] }))
        },
        "read_group": Method(
            onRecords: false, .read, ["domain", "fields", "groupby", "offset?", "limit?", "orderby?", "lazy?"]
        ) { engine, _, given throws(Raised) in
            guard let by = try given.names("groupby").first else { throw .value("the sandbox groups by one field") }
            return .value(
                try engine.readGroup(
                    given.model, domain: given["domain"], fields: try given.names("fields"), groupBy: by,
                    limit: given.int("limit"), offset: given.int("offset") ?? 0))
        },
        "formatted_read_group": Method(
            onRecords: false, .read,
            ["domain", "groupby?", "aggregates?", "having?", "offset?", "limit?", "order?"]
        ) { engine, _, given throws(Raised) in
            .value(
                try engine.formattedReadGroup(
                    given.model, domain: given["domain"], groupBy: try given.names("groupby"),
                    aggregates: try given.names("aggregates"), limit: given.int("limit"),
                    offset: given.int("offset") ?? 0))
        },
    ]

    private static let exists = Method(onRecords: true, .read) { engine, ids, given throws(Raised) in
        .value(.array(ids.filter { engine.database.contains(given.model, $0) }.map { JSONValue($0) }))
    }

    /// `load: null` or `""`: many2one values as bare ids.
    private static func isPlain(_ given: Arguments) -> Bool {
        given.values["load"].map { !Engine.truth($0) } ?? false
    }

    private static func search(_ engine: Engine, _ given: Arguments) throws(Raised) -> [Int] {
        try engine.search(
            given.model, domain: given["domain"], offset: given.int("offset") ?? 0, limit: given.int("limit"),
            order: given.string("order"))
    }

    // MARK: - Models of their own

    private static let byModel: [String: [String: Method]] = [
        Model.production: [
            "action_confirm": .button { engine, ids throws(Raised) in try engine.confirmProduction(ids) },
            "action_assign": .button { engine, ids throws(Raised) in try engine.assignProduction(ids) },
            "action_cancel": .button { engine, ids throws(Raised) in try engine.cancelProduction(ids) },
            "button_mark_done": .asking { engine, ids throws(Raised) in try engine.markDone(ids) },
            "message_post": messagePost,
        ],
        Model.addonRequest: [
            "about": Method(onRecords: false, .read) { _, _, _ throws(Raised) in .value(Engine.addonAbout) },
            "perform": Method(onRecords: false, .read, ["request_id", "program"]) { engine, _, given throws(Raised) in
                .value(try engine.performAddonRequest(given.string("request_id"), given["program"]))
            },
            "close": Method(onRecords: false, .read, ["request_id"]) { engine, _, given throws(Raised) in
                .value(try engine.closeAddonRequest(given.string("request_id")))
            },
        ],
        Model.workorder: ["message_post": messagePost],
        Model.lot: ["message_post": messagePost],
        Model.activity: ["action_feedback": activityFeedback],
        Model.qualityCheck: [
            "do_pass": .button { engine, ids throws(Raised) in try engine.conclude(checks: ids, "pass") },
            "do_fail": .button { engine, ids throws(Raised) in try engine.conclude(checks: ids, "fail") },
        ],
        Model.workcenter: [
            // Every manufacturing user may, although the record is not theirs to write (recording 066).
            "unblock": Method(onRecords: true, .read) { engine, ids, _ throws(Raised) in
                try engine.unblock(ids)
                return .value(true)
            }
        ],
        Model.quant: [
            "action_apply_inventory": Method(onRecords: true, .write) { engine, ids, _ throws(Raised) in
                try engine.applyInventory(ids)
                return .nothing
            }
        ],
        Model.scrap: [
            "action_validate": .asking { engine, ids throws(Raised) in try engine.validateScrap(ids) },
            "do_scrap": .asking { engine, ids throws(Raised) in try engine.doScrap(ids) },
        ],
        Model.unbuild: [
            "action_validate": .asking { engine, ids throws(Raised) in try engine.validateUnbuild(ids) }
        ],
        Model.scrapWarning: [
            "action_done": .asking { engine, ids throws(Raised) in try engine.scrapAnyway(ids) }
        ],
        Model.picking: [
            "action_confirm": .button { engine, ids throws(Raised) in try engine.confirmPickings(ids) },
            "action_assign": .button { engine, ids throws(Raised) in try engine.assignPickings(ids) },
            "action_cancel": .button { engine, ids throws(Raised) in try engine.cancelPickings(ids) },
            "button_validate": .asking { engine, ids throws(Raised) in try engine.validatePickings(ids) },
            "message_post": messagePost,
        ],
        Model.pickingBackorder: [
            "process": .asking { engine, ids throws(Raised) in try engine.processPickings(ids, keepsRest: true) },
            "process_cancel_backorder": .asking { engine, ids throws(Raised) in
                try engine.processPickings(ids, keepsRest: false)
            },
        ],
        Model.consumptionWizard: [
            "action_confirm": .asking { engine, ids throws(Raised) in try engine.confirmConsumption(ids) }
        ],
        Model.backorderWizard: [
            "action_backorder": .asking { engine, ids throws(Raised) in try engine.makeBackorders(ids) },
            "action_close_mo": .asking { engine, ids throws(Raised) in try engine.closeShort(ids) },
        ],
        Model.changeQuantity: [
            "change_prod_qty": Method(onRecords: true, .write) { engine, ids, _ throws(Raised) in
                try engine.changeQuantity(ids)
                return .value([:])
            }
        ],
    ]

    /// 17: a user without an e-mail address cannot post (recording 032). 19 answers a list.
    private static let messagePost = Method(
        onRecords: true, .write, ["body?", "message_type?", "subtype_xmlid?"], takesAnything: true
    ) { engine, ids, given throws(Raised) in
        try engine.require(given.model, ids)
        if !engine.version.is19, engine.user.email == nil {
            throw .user("Unable to send message, please configure the sender's email address.")
        }
        var id = 0
        for record in ids { id = engine.post(given.string("body") ?? "", on: given.model, record) }
        return .value(engine.version.is19 ? [JSONValue(id)] : JSONValue(id))
    }

    /// The activity is gone, and a message on its record says so.
    private static let activityFeedback = Method(
        onRecords: true, .write, ["feedback?", "attachment_ids?"]
    ) { engine, ids, given throws(Raised) in
        try engine.require(Model.activity, ids)
        if !engine.version.is19, engine.user.email == nil {
            throw .user("Unable to send message, please configure the sender's email address.")
        }
        var message = 0
        for id in ids {
            message = engine.post(
                given.string("feedback") ?? "", on: engine.text(Model.activity, id, "res_model"),
                engine.get(Model.activity, id, "res_id").int)
            engine.database.delete(Model.activity, id)
        }
        return .value(JSONValue(message))
    }

    private static let only17: [String: Method] = [
        Model.workorder + ".button_start": .button { engine, ids throws(Raised) in try engine.startWorkorders(ids) },
        Model.workorder + ".button_pending": .button { engine, ids throws(Raised) in try engine.pauseWorkorders(ids) },
        Model.workorder + ".button_finish": finish, Model.workorder + ".action_cancel": cancel,
    ]

    private static let only19: [String: Method] = [
        Model.production + ".set_qty_producing": silent { engine, ids throws(Raised) in
            try engine.require(Model.production, ids)
            for id in ids { engine.setQuantityProducing(id) }
        },
        Model.workorder + ".button_start": silent { engine, ids throws(Raised) in try engine.startWorkorders(ids) },
        Model.workorder + ".button_pending": silent { engine, ids throws(Raised) in try engine.pauseWorkorders(ids) },
        Model.workorder + ".button_finish": finish, Model.workorder + ".action_cancel": cancel,
    ]

    /// Says true on both versions (by reading `mrp_workorder.py`).
    private static let cancel = Method.button { engine, ids throws(Raised) in
        try engine.require(Model.workorder, ids)
        engine.cancelWorkorders(ids)
    }

    private static let finish = Method.button { engine, ids throws(Raised) in
        try engine.require(Model.workorder, ids)
        engine.finishWorkorders(ids)
    }

    private static func silent(
        _ body: @escaping @Sendable (inout Engine, [Int]) throws(Raised) -> Void
    ) -> Method {
        Method(onRecords: true, .write) { engine, ids, _ throws(Raised) in
            try body(&engine, ids)
            return .nothing
        }
    }
}
