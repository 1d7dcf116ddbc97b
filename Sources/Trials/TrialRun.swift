import Bytes
import Contracts
import JSON
import Odoo
import Services
import Store

/// One run of all trials.
package struct TrialRun: Sendable {
    package let version: OdooVersion
    private let plant: TrialPlant
    private let goods: TrialGoods
    private let contracts: ContractSet
    private let world: ServiceWorld
    private let losing: LosingPort?
    /// What the writes go through; nil for none.
    package let addon: OdooAddon?

    /// Answers that were thrown away; nil where none should be.
    package var answersLost: Int? { losing?.lost }

    /// Makes what the trials need. Names begin with `TRIAL-` and the run.
    ///
    /// - Parameters:
    ///   - run: told apart from all other runs on this database.
    ///   - losesAnswers: services never hear what came of a call that books something, and have to find out.
    ///   - usesAddon: writes go through the addon, where Odoo has it.
    ///   - sha256: of bytes, 32 bytes.
    package static func prepare(
        run: String, losesAnswers: Bool = false, usesAddon: Bool = true, contracts: ContractSet, ledger: Ledger,
        world: ServiceWorld,
        sha256: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) async throws(TrialFailure) -> TrialRun {
        let version: OdooVersion
        do throws(OdooError) {
            version = try await world.odoo.version(deadline: nil)
        } catch {
            throw TrialFailure(error.userMessage ?? error.description)
        }
        let losing = losesAnswers ? LosingPort(world.odoo) : nil
        let served = losing.map { ServiceWorld(odoo: $0, host: world.host) } ?? world
        var configuration = ServiceConfiguration()
        configuration.usesAddon = usesAddon
        let its = configuration
        func plant(_ sites: [Site]) -> TrialPlant {
            TrialPlant(
                run: run, version: version,
                runner: ServiceRunner(
                    sites: SiteMap(sites: sites), ledger: ledger, sha256: sha256, configuration: its), world: world,
                served: served, contracts: contracts)
        }
        let goods = try await TrialGoods.make(plant([]))
        let site = Site(
            name: TrialPlant.site, warehouse: goods.warehouse.code,
            workCenters: [goods.workCenter.code, goods.spare.code], holdLocation: goods.hold.name)
        let whole = plant([site])
        return TrialRun(
            version: version, plant: whole, goods: goods, contracts: contracts, world: world, losing: losing,
            addon: await whole.findAddon())
    }

    /// Tries every service of the program (a site's own are for `services check`), writes first, so that reads find something; calls `row` for each as it ends.
    package func run(_ row: (TrialRow) -> Void) async {
        let writes = contracts.contracts.filter { $0.kind == .write && $0.recipe == nil }.map(\.operation)
        for trial in WriteTrial.all where writes.contains(trial.operation) { row(await self.row(of: trial)) }
        for name in writes where !WriteTrial.all.contains(where: { $0.operation == name }) {
            row(TrialRow(operation: name, verdict: .missing, milliseconds: 0, detail: "nobody has written one"))
        }
        for contract in contracts.contracts where contract.kind == .read { row(await self.row(ofReading: contract)) }
    }

    // MARK: Writes

    private func row(of trial: WriteTrial) async -> TrialRow {
        var milliseconds = 0
        do throws(TrialFailure) {
            let detail = try await attempt(trial, &milliseconds)
            return TrialRow(operation: trial.operation, verdict: .passed, milliseconds: milliseconds, detail: detail)
        } catch {
            return TrialRow(
                operation: trial.operation, verdict: .failed, milliseconds: milliseconds, detail: error.description)
        }
    }

    private func attempt(_ trial: WriteTrial, _ milliseconds: inout Int) async throws(TrialFailure) -> String {
        let call = try await trial.prepare(plant, goods)
        let before = try await call.figure?()
        let start = world.host.monotonic
        let answer = try await plant.send("POST", call.path, call.body, key: trial.operation)
        milliseconds = Int((world.host.monotonic - start) / 1_000_000)
        guard answer.status < 300 else { throw TrialFailure(TrialPlant.text(answer)) }
        let again = try await plant.send("POST", call.path, call.body, key: trial.operation)
        guard again.status == answer.status, again.body == answer.body else {
            throw TrialFailure("sent again with its key it is answered otherwise: \(TrialPlant.text(again))")
        }
        guard let before, let after = try await call.figure?() else { return "\(answer.status), and again the same" }
        guard let wanted = before + ExactDecimal(call.change), wanted == after else {
            throw TrialFailure("\(call.what): \(before) before, \(after) after, where \(call.change) more was due")
        }
        return "\(answer.status), and again the same; \(call.what): \(before) → \(after)"
    }

    // MARK: Reads

    private func row(ofReading contract: Contract) async -> TrialRow {
        let start = world.host.monotonic
        func took() -> Int { Int((world.host.monotonic - start) / 1_000_000) }
        do throws(TrialFailure) {
            let detail = try await read(contract)
            return TrialRow(operation: contract.operation, verdict: .passed, milliseconds: took(), detail: detail)
        } catch {
            return TrialRow(
                operation: contract.operation, verdict: .failed, milliseconds: took(), detail: error.description)
        }
    }

    /// Lists, and one of each list by its id; both held against the contract.
    private func read(_ contract: Contract) async throws(TrialFailure) -> String {
        var seen: [String] = []
        var first: JSONValue?
        for endpoint in contract.endpoints where endpoint.method == .get && endpoint.pathParameters.isEmpty {
            let query = endpoint.queryParameters.filter(\.isRequired).map { "\($0.name)=\(example(of: $0.name))" }
            let path = "\(endpoint.path)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
            let json = try await get(path)
            let items = json["items"]?.array
            first = first ?? items?.first?["id"]
            seen.append(items.map { "\($0.count) in \(endpoint.name)" } ?? endpoint.name)
        }
        for endpoint in contract.endpoints where endpoint.method == .get && endpoint.pathParameters.count == 1 {
            var id = first
            if contract.operation == "operation.read" { id = await lastOperation().map { .string($0) } }
            guard let id else {
                seen.append("none to read by its id")
                continue
            }
            let template = "\(endpoint.path)"
            guard let open = template.firstIndex(of: "{"), let close = template.firstIndex(of: "}") else { continue }
            _ = try await get(template[..<open] + (id.string ?? id.text) + template[template.index(after: close)...])
            seen.append("one by its id")
        }
        return "200: " + seen.joined(separator: ", ")
    }

    private func get(_ path: some StringProtocol) async throws(TrialFailure) -> JSONValue {
        let answer = try await plant.send("GET", String(path))
        guard answer.status == 200 else { throw TrialFailure("GET \(path): \(TrialPlant.text(answer))") }
        return (try? JSONValue.parse(answer.body)) ?? .null
    }

    /// What a list asks for that cannot be left out.
    private func example(of parameter: String) -> String {
        switch parameter {
        case "site": TrialPlant.site
        case "product": "\(goods.component)"
        case "location": "\(goods.stock)"
        case "work_center": "\(goods.workCenter.id)"
        default: "1"
        }
    }

    private func lastOperation() async -> String? {
        let again = try? await plant.send(
            "POST", "/v1/lots",
            [
                "product": JSONValue(goods.lotted), "name": .string("TRIAL-\(plant.run)"),
                "site": .string(TrialPlant.site),
            ],
            key: "lot.create")
        return again?.operationID
    }
}
