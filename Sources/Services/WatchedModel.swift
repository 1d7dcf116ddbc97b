import Bytes
import Events
import JSON
import Odoo
import Store

/// A model of Odoo whose changes in its own screens become events: one row of `OdooWatch.table`.
protocol WatchedModel: Sendable {
    var model: String { get }
    /// What is read of a record, besides `id`, `create_date` and `write_date`.
    var fields: [String] { get }
    /// Which records are watched; empty for all.
    var domain: [JSONValue] { get }
    /// Records that are remembered when watching begins, because a change of theirs will be news; nil where only what is
    /// made afterwards matters.
    var open: [JSONValue]? { get }
    /// As much of a record as makes a change a change.
    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen
    /// What a governed service that works on the record holds.
    func locks(_ record: OdooRecord) throws(OdooShapeError) -> [String]
    /// What the change means. Events without a key are told unless a service has told the same since the last look.
    func events(_ change: WatchedChange) async throws -> [BusinessEvent]
}

extension WatchedModel {
    var domain: [JSONValue] { [] }
    var open: [JSONValue]? { nil }
    func locks(_ record: OdooRecord) throws(OdooShapeError) -> [String] { ["\(model),\(record.id)"] }
}

/// A record that has changed, or is new.
struct WatchedChange: Sendable {
    let record: OdooRecord
    /// How it was seen last; nil for one that was made since watching began.
    let before: WatchStore.Seen?
    /// When Odoo wrote it.
    let time: WallInstant
    let odoo: OdooSession
    let sites: SiteMap

    var isNew: Bool { before == nil }

    func read<T>(_ make: (OdooRecord) throws(OdooShapeError) -> T) throws(ServiceStop) -> T {
        do throws(OdooShapeError) { return try make(record) } catch { throw ServiceStop(error) }
    }

    func workOrder(_ id: Int) async throws(ServiceStop) -> WorkOrderRecord? {
        try await odoo.records(WorkOrderRecord.read([id])) { (record) throws(OdooShapeError) in
            try WorkOrderRecord(record)
        }.first
    }
}

/// Production orders. `OrderChanges` says what a change means.
struct WatchedOrders: WatchedModel {
    let model = ProductionOrderRecord.model
    let fields = ["state", "qty_produced"]
    let open: [JSONValue]? = [["state", "in", ["draft", "confirmed", "progress", "to_close"]]]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(
            id: record.id, state: try record.text("state"), produced: "\(try record.quantity("qty_produced"))")
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        guard let order = try await change.odoo.order(change.record.id) else { return [] }
        return OrderChanges(
            before: change.before, isNew: change.isNew, order: order,
            site: try await change.sites.site(of: order, change.odoo), time: change.time
        ).events
    }
}

/// Operations of orders: that one is finished. When one is worked on, its times say.
struct WatchedWorkOrders: WatchedModel {
    let model = WorkOrderRecord.model
    let fields = ["state", "production_id"]
    let open: [JSONValue]? = [["state", "not in", ["done", "cancel"]]]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: try record.text("state"))
    }

    func locks(_ record: OdooRecord) throws(OdooShapeError) -> [String] {
        let order = try record.reference("production_id").map { ["\(ProductionOrderRecord.model),\($0.id)"] }
        return ["\(model),\(record.id)"] + (order ?? [])
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        guard try change.read({ (record) throws(OdooShapeError) in try record.text("state") }) == "done",
            let operation = try await change.workOrder(change.record.id),
            let order = try await change.odoo.order(operation.order.id)
        else { return [] }
        let site = try await change.sites.site(of: order, change.odoo)
        return [.workOrder(.finish, operation, of: order, site: site, at: change.time)]
    }
}

/// Receipts, deliveries and transfers: that one was validated.
struct WatchedTransfers: WatchedModel {
    let model = TransferRecord.model
    let fields = TransferRecord.fields
    let open: [JSONValue]? = [["state", "not in", ["done", "cancel"]]]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: try record.text("state"))
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        let transfer = try change.read { (record) throws(OdooShapeError) in try TransferRecord(record) }
        guard transfer.state == "done" else { return [] }
        let index = try await change.sites.index(change.odoo)
        let backorder = try await change.odoo.records(TransferRecipe.backorders(of: transfer.id)) {
            (record) throws(OdooShapeError) in OdooReference(id: record.id, name: try record.text("name"))
        }.first
        return [
            .transferValidated(
                transfer, kind: index.kinds[transfer.type?.id ?? 0] ?? "other", backorder: backorder,
                site: index.site(ofType: transfer.type?.id), at: change.time)
        ]
    }
}

/// Lots and serial numbers: that there is a new one.
struct WatchedLots: WatchedModel {
    let model = LotRecord.model
    let fields = ["name", "product_id", "location_id"]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: "made")
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        guard change.isNew else { return [] }
        let (lot, product, location) = try change.read { (record) throws(OdooShapeError) in
            (
                OdooReference(id: record.id, name: try record.text("name")), try record.reference("product_id"),
                try record.reference("location_id")
            )
        }
        guard let product else { return [] }
        var site: String?
        if let location { site = try await change.sites.site(ofLocation: location.id, change.odoo) }
        return [.lotCreated(lot, of: product, site: site, at: change.time)]
    }
}

/// Maintenance requests: that one was made, and that one was closed.
struct WatchedMaintenance: WatchedModel {
    let model = MaintenanceRecipe.model
    let fields = ["name", "maintenance_type", "stage_id", "equipment_id"]
    let open: [JSONValue]? = [["stage_id.done", "=", false]]

    func seen(_ record: OdooRecord) throws(OdooShapeError) -> WatchStore.Seen {
        WatchStore.Seen(id: record.id, state: "\(try record.reference("stage_id")?.id ?? 0)")
    }

    func events(_ change: WatchedChange) async throws -> [BusinessEvent] {
        let request = try change.read { (record) throws(OdooShapeError) in try MaintenanceRecord(record) }
        let ends = try await change.odoo.records(MaintenanceRecipe.stages) { (record) throws(OdooShapeError) in
            try record.bool("done") ? record.id : 0
        }
        func event(isClosed: Bool) -> BusinessEvent {
            .maintenance(
                isClosed: isClosed, OdooReference(id: request.id, name: request.title), kind: request.kind,
                equipment: request.equipment, center: nil, site: nil, at: change.time)
        }
        var events: [BusinessEvent] = []
        if change.isNew { events.append(event(isClosed: false)) }
        let wasClosed = change.before.map { Int($0.state).map(ends.contains) ?? false } ?? false
        if !wasClosed, let stage = request.stage, ends.contains(stage.id) { events.append(event(isClosed: true)) }
        return events
    }
}
