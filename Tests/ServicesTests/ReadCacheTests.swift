import Bytes
import JSON
import Limits
import Odoo
import OdooSandbox
import Policy
import Synchronization
import Testing

@testable import Services

/// Identical reads become one call, an answer serves as long as its contract says, and a write is seen at once.
@Suite struct ReadCacheTests {
    /// How often the sandbox was asked for records of a model.
    private func calls(_ plant: Plant, _ method: String) -> Int { plant.odoo.methods.filter { $0 == method }.count }

    @Test(arguments: [17, 19]) func sixtyFourIdenticalReadsAtOnceAreOneCall(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let answers = await withTaskGroup(of: ServiceAnswer?.self) { group in
            for _ in 0..<64 { group.addTask { try? await plant.bench.send("GET", "/v1/products?limit=5") } }
            var all: [ServiceAnswer?] = []
            for await answer in group { all.append(answer) }
            return all
        }
        #expect(answers.allSatisfy { $0?.status == 200 })
        #expect(Set(answers.compactMap { $0?.text }).count == 1)
        #expect(calls(plant, "product.product.search_read") == 1)
        #expect(plant.bench.runner.reads.counts.misses == 1)
        let counts = plant.bench.runner.reads.counts
        #expect(counts.hits + counts.coalesced == 63)
    }

    @Test func readsInFlightAreJoinedAlsoWhereNothingIsHeld() async throws {
        let odoo = GatedOdoo()
        let host = TestHost()
        let bench = try Bench(odoo: odoo, host: host, reads: ReadCache(bytesMax: 0))
        defer { bench.remove() }
        async let answers = withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { (try? await bench.send("GET", "/v1/equipment"))?.status ?? 0 } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        while bench.runner.reads.counts.coalesced < 7 { await Task.yield() }
        odoo.open()
        #expect(await answers == Array(repeating: 200, count: 8))
        #expect(odoo.count == 1)
        _ = try await bench.send("GET", "/v1/equipment")
        #expect(odoo.count == 2)
    }

    @Test func anAnswerServesAsLongAsItsContractCallsItFresh() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let first = try await plant.bench.send("GET", "/v1/products")
        #expect(first.field("Cache-Control") == "private, max-age=30")
        #expect(first.field("Vary") == "Authorization")
        #expect(first.field("Age") == nil)
        plant.host.advance(.seconds(29))
        let second = try await plant.bench.send("GET", "/v1/products")
        #expect(second.field("Age") == "29")
        #expect(second.text == first.text)
        #expect(calls(plant, "product.product.search_read") == 1)
        plant.host.advance(.seconds(2))
        #expect(try await plant.bench.send("GET", "/v1/products").field("Age") == nil)
        #expect(calls(plant, "product.product.search_read") == 2)
    }

    @Test(arguments: [
        ("no-cache", 2), ("max-age=0", 2), ("max-age=10", 2), ("max-age=25", 1), ("max-stale=9", 1), ("MAX-AGE=x", 2),
    ])
    func theCallerMayAskForAFresherOne(_ field: String, _ expected: Int) async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        _ = try await plant.bench.send("GET", "/v1/products")
        plant.host.advance(.seconds(20))
        _ = try await plant.bench.send("GET", "/v1/products") { $0.cacheControl = field }
        #expect(calls(plant, "product.product.search_read") == expected)
    }

    @Test(arguments: [17, 19]) func aWriteIsSeenByTheNextRead(_ version: Int) async throws {
        let plant = try Plant(version)
        defer { plant.bench.remove() }
        let order = try await plant.order("VALVE-20", "released")
        let before = try await plant.stock("VALVE-20", "plant-1")
        #expect(try await plant.read(order)["state"] == "released")
        #expect(try await plant.confirm(order, #"{"quantity": 3}"#, key: "k1").status == 200)
        let after = try await plant.read(order)
        #expect(after["quantity_produced"]?.decimal == ExactDecimal("3"))
        #expect(try await plant.stock("VALVE-20", "plant-1") == (before + ExactDecimal(3)))
    }

    @Test func aWriteWhoseAnswerIsLostIsSeenToo() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        let order = try await plant.order("PUMP-100", "draft")
        #expect(try await plant.read(order)["state"] == "draft")
        plant.odoo.sandbox.inject(SandboxFault(match: "mrp.production.action_confirm", kind: .closeAfterEffect))
        _ = try await plant.bench.send("POST", "/v1/production-orders/\(order)/release", key: "k1")
        #expect(try await plant.read(order)["state"] == "released")
    }

    @Test func aReadThatBeganBeforeAWriteServesNobodyAfterIt() async throws {
        let odoo = GatedOdoo()
        let bench = try Bench(odoo: odoo)
        defer { bench.remove() }
        async let early = bench.send("GET", "/v1/equipment")
        while odoo.count < 1 { await Task.yield() }
        bench.runner.reads.invalidate(["maintenance.equipment"])
        async let late = bench.send("GET", "/v1/equipment")
        while odoo.count < 2 { await Task.yield() }
        odoo.open()
        _ = try await (early, late)
        // Only what was asked after the write is held.
        _ = try await bench.send("GET", "/v1/equipment")
        #expect(odoo.count == 2)
        bench.runner.reads.invalidate(["mrp.production"])
        _ = try await bench.send("GET", "/v1/equipment")
        #expect(odoo.count == 2)
        bench.runner.reads.invalidateAll()
        _ = try await bench.send("GET", "/v1/equipment")
        #expect(odoo.count == 3)
    }

    @Test func callersWithOtherMasksShareTheCallAndNeverTheBody() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        func send(_ masked: Set<String>) async throws -> ServiceAnswer {
            let call = try plant.bench.call("GET", "/v1/equipment/1") { call in
                call.authorize = { _ in
                    var obligations = Obligations()
                    obligations.mask = masked
                    return Decision(effect: .allow, rule: "r", obligations: obligations)
                }
            }
            return await plant.bench.runner.answer(call)
        }
        async let all = send([])
        async let less = send(["serial_number"])
        let (open, hidden) = try await (all, less)
        #expect(open.json["serial_number"] == "DM-1")
        #expect(hidden.json["serial_number"] != "DM-1")
        #expect(open.field("ETag") != hidden.field("ETag"))
        #expect(calls(plant, "maintenance.equipment.search_read") == 1)
        // The tag of one is no way to what the other sees.
        let tag = try open.field("ETag").unwrapped()
        let again = try await plant.bench.send("GET", "/v1/equipment/1") { call in
            call.ifNoneMatch = tag
            call.authorize = { _ in
                var obligations = Obligations()
                obligations.mask = ["serial_number"]
                return Decision(effect: .allow, rule: "r", obligations: obligations)
            }
        }
        #expect(again.status == 200)
    }

    @Test func whoMayNotReadIsNotServedFromWhatIsHeld() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        #expect(try await plant.bench.send("GET", "/v1/production-orders/1").status == 200)
        #expect(try await plant.bench.send("GET", "/v1/production-orders/1", sites: ["plant-2"]).status == 403)
        #expect(try await plant.bench.send("GET", "/v1/products", sites: []).status == 403)
    }

    @Test func aFailureIsNotHeld() async throws {
        let plant = try Plant(19)
        defer { plant.bench.remove() }
        plant.odoo.goAway()
        #expect(try await plant.bench.send("GET", "/v1/products").status == 503)
        plant.odoo.goAway(false)
        #expect(try await plant.bench.send("GET", "/v1/products").status == 200)
    }

    @Test func whatIsHeldIsBounded() async throws {
        let plant = try Plant(19)
        let bench = try Bench(odoo: plant.odoo, host: plant.host, reads: ReadCache(bytesMax: 262_144))
        defer {
            plant.bench.remove()
            bench.remove()
        }
        for limit in 1...60 { _ = try await bench.send("GET", "/v1/products?limit=\(limit)") }
        let counts = bench.runner.reads.counts
        #expect(counts.bytes > 0 && counts.bytes <= 262_144, "\(counts)")
        #expect(counts.evicted > 0)
    }

    @Test func everyWriteSaysWhatItTouches() {
        for contract in Bench.contracts.contracts where contract.kind == .write {
            let written = contract.odoo.filter { !$0.rights.filter { $0 != "read" }.isEmpty }.map(\.model)
            guard let touched = contract.touched else { continue }
            #expect(Set(touched).isSuperset(of: written), "\(contract.operation)")
        }
    }
}

/// Answers equipment when it is opened, and from then on.
private final class GatedOdoo: OdooPort {
    private let state = Mutex<(isOpen: Bool, count: Int)>((false, 0))

    var count: Int { state.withLock { $0.count } }
    func open() { state.withLock { $0.isOpen = true } }

    func version(deadline: MonotonicInstant?) async throws(OdooError) -> OdooVersion { OdooVersion(major: 19) }

    func call(
        _ call: OdooCall, admission: AdmissionClass, deadline: MonotonicInstant?
    ) async throws(OdooError) -> JSONValue? {
        state.withLock { $0.count += 1 }
        while !state.withLock({ $0.isOpen }) { await Task.yield() }
        return []
    }
}
