import Bytes
import Contracts
import JSON
import Odoo
import Policy
import Services

/// An Odoo, and the services in front of it.
package struct TrialPlant: Sendable {
    /// In names and references of everything that is made: no two runs have the same.
    package let run: String
    let version: OdooVersion
    private let runner: ServiceRunner
    private let world: ServiceWorld
    /// What the services have of it.
    private let served: ServiceWorld
    private let contracts: ContractSet

    /// What a trial sends, and by which figure one sees in Odoo whether it happened.
    struct Call: Sendable {
        let path: String
        var body: JSONValue?
        /// Nil where nothing can be counted.
        var figure: (@Sendable () async throws(TrialFailure) -> ExactDecimal)?
        /// How the figure changes when it happened once.
        var change = 1
        /// What the figure is, for people.
        var what = ""
    }

    init(
        run: String, version: OdooVersion, runner: ServiceRunner, world: ServiceWorld, served: ServiceWorld,
        contracts: ContractSet
    ) {
        self.run = run
        self.version = version
        self.runner = runner
        self.world = world
        self.served = served
        self.contracts = contracts
    }

    static let site = "trial"

    /// The addon, where Odoo has it and the services use it.
    func findAddon() async -> OdooAddon? {
        do throws(OdooError) {
            return try await runner.probe.refresh(world).addon
        } catch {
            return nil
        }
    }

    // MARK: Odoo itself

    func odoo(_ call: OdooCall) async throws(TrialFailure) -> JSONValue? {
        do throws(OdooError) {
            return try await world.odoo.call(call, admission: .standard, deadline: nil)
        } catch {
            throw TrialFailure("\(call): \(error.userMessage ?? error.description)")
        }
    }

    func create(_ model: String, _ values: JSONObject) async throws(TrialFailure) -> Int {
        guard let id = try await odoo(.create(model, [values]))?[0]?.int else {
            throw TrialFailure("\(model).create answers no id")
        }
        return id
    }

    func count(_ model: String, _ domain: [JSONValue]) async throws(TrialFailure) -> ExactDecimal {
        ExactDecimal(try await odoo(.searchCount(model, domain: domain))?.int ?? 0)
    }

    /// The same as the figure of a trial.
    func counting(
        _ model: String, _ domain: [JSONValue]
    ) -> @Sendable () async throws(TrialFailure) -> ExactDecimal {
        { () throws(TrialFailure) in try await count(model, domain) }
    }

    /// What lies in a place and below.
    func quantity(_ product: Int, _ place: Int) async throws(TrialFailure) -> ExactDecimal {
        let found = try await odoo(
            .searchRead(
                "stock.quant",
                domain: [["product_id", "=", JSONValue(product)], ["location_id", "child_of", JSONValue(place)]],
                fields: ["quantity"]))
        var sum = ExactDecimal.zero
        for quant in found?.array ?? [] { sum = quant["quantity"]?.decimal.flatMap { sum + $0 } ?? sum }
        return sum
    }

    // MARK: The services

    /// One call as a client would make it, with its answer held against the contract.
    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, key: String? = nil
    ) async throws(TrialFailure) -> ServiceAnswer {
        let parts = path.split(separator: "?", maxSplits: 1)
        guard case .found(let contract, let endpoint, let captures) = contracts.route(method: method, path: parts[0])
        else { throw TrialFailure("no contract has \(method) \(path)") }
        let answer = await runner.answer(
            ServiceCall(
                contract: contract, endpoint: endpoint, captures: captures,
                query: parts.count > 1 ? String(parts[1]) : nil, body: body?.bytes ?? [],
                contentType: body == nil ? nil : "application/json", caller: "trial|\(run)",
                authorize: { _ in Decision(effect: .allow, rule: "trial", obligations: Obligations()) },
                idempotencyKey: key, requestID: "trial-\(run)", traceID: String(repeating: "0", count: 32),
                world: served, audit: NoAudit()))
        guard answer.status < 300 else { return answer }
        let violations = endpoint.output.validate((try? JSONValue.parse(answer.body)) ?? .null)
        if let first = violations.first {
            throw TrialFailure("the answer is not what the contract says: \(first)")
        }
        return answer
    }

    /// A write that must succeed for another trial to begin.
    func must(_ path: String, _ body: JSONValue? = nil, key: String) async throws(TrialFailure) -> JSONValue {
        let answer = try await send("POST", path, body, key: key)
        guard answer.status < 300 else { throw TrialFailure("POST \(path): \(Self.text(answer))") }
        return (try? JSONValue.parse(answer.body)) ?? .null
    }

    /// A production order for a trial, released or not.
    func order(
        _ goods: TrialGoods, of product: Int, for trial: String, released: Bool = true
    ) async throws(TrialFailure) -> Int {
        let made = try await must(
            "/v1/production-orders",
            [
                "product": JSONValue(product), "quantity": 5, "site": .string(Self.site),
                "external_reference": .string("TRIAL-\(run)-\(trial)"),
            ], key: "order-for-\(trial)")
        guard let id = made["id"]?.int else { throw TrialFailure("a created order has no id") }
        if released { _ = try await must("/v1/production-orders/\(id)/release", key: "release-for-\(trial)") }
        return id
    }

    /// The operation of a released order.
    func workOrder(_ goods: TrialGoods, for trial: String) async throws(TrialFailure) -> Int {
        let order = try await order(goods, of: goods.worked, for: trial)
        let found = try await odoo(
            .searchRead(
                "mrp.workorder", domain: [["production_id", "=", JSONValue(order)]], fields: ["id"], limit: 1,
                order: "id"))
        guard let id = found?[0]?["id"]?.int else { throw TrialFailure("the released order has no operation") }
        return id
    }

    /// Status, kind and detail of a refusal.
    static func text(_ answer: ServiceAnswer) -> String {
        let json = (try? JSONValue.parse(answer.body)) ?? .null
        let kind = json["type"]?.string?.split(separator: "/").last.map { " \($0)" } ?? ""
        return "\(answer.status)\(kind): \(json["detail"]?.string ?? json["violations"]?.text ?? "no detail")"
    }
}

/// The trial's own ledger says what was done; nobody audits it.
private struct NoAudit: AuditPort {
    func intent(_ note: ServiceAuditNote) async throws(AuditRefused) {}
    func ended(_ note: ServiceAuditNote, _ answer: ServiceAnswer) async {}
}
