import Bytes
import Contracts
import Events
import JSON
import Odoo

/// What a confirmation was about to do, and how it is found out whether it did: by reading the order.
struct ConfirmSettlement: Sendable, Hashable {
    let intent: ConfirmIntent
    /// `qty_producing` before; put back when nothing was booked.
    let producing: ExactDecimal

    /// How long one try reads again and again before it calls the outcome unknown. Default 5 s: most lost answers are
    /// of calls that were finished.
    private static let doubtTimeMax: Nanoseconds = .seconds(5)
    private static let pauseMin: Nanoseconds = .milliseconds(200)

    init(intent: ConfirmIntent, producing: ExactDecimal) {
        self.intent = intent
        self.producing = producing
    }

    // MARK: For the ledger

    var json: JSONValue { ["confirm": intent.json, "producing": JSONValue(producing)] }

    init?(_ json: JSONValue) {
        guard let intent = json["confirm"].flatMap({ ConfirmIntent($0) }), let producing = json["producing"]?.decimal
        else { return nil }
        self.init(intent: intent, producing: producing)
    }

    // MARK: Finding out

    /// The result, if the order shows it.
    ///
    /// - Parameters:
    ///   - sentAt: when the effect was sent, or was about to be.
    ///   - mayStillRun: Odoo has not answered.
    ///   - answer: what it answered.
    /// - Throws: `away` when it was certainly not booked; `unknown` otherwise.
    func settle(
        _ run: WriteRun, sentAt: WallInstant, mayStillRun: Bool, answer: ConfirmProduction.Answer? = nil
    ) async throws(ServiceStop) -> WriteResult {
        let host = run.odoo.world.host
        let began = host.monotonic
        var pause = Self.pauseMin
        while true {
            var cause = "the call may still run"
            do throws(ServiceStop) {
                let order = try await run.odoo.order(intent.order)
                switch intent.verdict(order) {
                case .applied:
                    if let order { return try await result(order, answer, run) }
                case .conflict(let why): throw run.unknown(canSettle: false, why)
                case .notApplied:
                    if !mayStillRun || host.wall - sentAt >= run.callRunsMax {
                        await restore(run)
                        throw Self.stop(answer)
                    }
                }
            } catch {
                // The verdicts; but a read that failed says nothing.
                if case .unknown = error.meaning { throw error }
                if error.isVerdict { throw error }
                cause = error.cause ?? cause
            }
            let now = host.monotonic
            let latest = min(run.odoo.deadline ?? now + Self.doubtTimeMax, began + Self.doubtTimeMax)
            guard now + pause < latest else { throw run.unknown(canSettle: true, cause) }
            await host.sleep(pause)
            pause *= 2
        }
    }

    /// Puts `qty_producing` back, best effort, so that nobody takes it for a confirmation begun.
    func restore(_ run: WriteRun) async {
        _ = try? await run.odoo.call(
            .write(ProductionOrderRecord.model, ids: [intent.order], ["qty_producing": JSONValue(producing)]))
    }

    /// Nothing was booked, and that is certain.
    static func notBooked(_ why: String) -> ServiceStop {
        var stop = ServiceStop(
            .away,
            Problem(
                .odooUnavailable, "\(why); send the request again with the same key",
                retryAfter: ServiceStop.retryAfterSeconds), cause: why)
        stop.isVerdict = true
        return stop
    }

    private static func stop(_ answer: ConfirmProduction.Answer?) -> ServiceStop {
        var stop: ServiceStop
        switch answer {
        case nil: return notBooked("Odoo booked nothing")
        case .wizard(let model):
            stop = ServiceStop(
                .refused,
                .odooRefused(
                    message: "Odoo wants a decision that this interface cannot give (`\(model)`): confirm it in Odoo",
                    error: model))
        case .done, .backorder:
            stop = ServiceStop(
                .refused, .odooRefused(message: "Odoo said that it is done, but booked nothing", error: ""))
        }
        stop.isVerdict = true
        return stop
    }

    // MARK: The answer

    private func result(
        _ order: ProductionOrderRecord, _ answer: ConfirmProduction.Answer?, _ run: WriteRun
    ) async throws(ServiceStop) -> WriteResult {
        var backorder: ProductionOrderRecord?
        if case .backorder = intent.rest {
            if case .backorder(let id) = answer { backorder = try await run.odoo.order(id) }
            if backorder == nil {
                let siblings = try await run.odoo.orders(intent.backorderSearch(of: order, on: run.odoo.version))
                backorder = intent.backorder(of: order, among: siblings)
            }
        }
        let done = ConfirmedProduction(intent, order: order, backorder: backorder)
        let consumed = try await run.lines(of: order.componentMoves)
        let site = try await run.sites.site(of: order, run.odoo)
        var records = ["\(ProductionOrderRecord.model),\(order.id)"]
        if let backorder { records.append("\(ProductionOrderRecord.model),\(backorder.id)") }
        return WriteResult(
            json: [
                "order": ProductionOrderView.json(order, site: site), "quantity_confirmed": JSONValue(done.confirmed),
                "unit": .string(ProductionOrderView.unit(of: order)),
                "backorder": backorder.map { ProductionOrderView.json($0, site: site) } ?? .null,
            ],
            records: records, text: "\(done.confirmed) of \(order.name) are booked",
            events: BusinessEvent.confirmed(done, consumed: consumed, site: site, at: run.odoo.wall))
    }
}
