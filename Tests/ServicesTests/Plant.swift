import Bytes
import JSON
import Testing

@testable import Services

/// A bench with a sandbox behind it.
struct Plant: Sendable {
    let host: TestHost
    let odoo: SandboxPort
    let bench: Bench

    init(_ version: Int, addon: Bool = false, host: TestHost = TestHost()) throws {
        self.host = host
        odoo = SandboxPort(version, addon: addon, host: host)
        bench = try Bench(odoo: odoo, host: host)
    }

    /// The same plant with another process before it.
    init(host: TestHost, odoo: SandboxPort, bench: Bench) {
        self.host = host
        self.odoo = odoo
        self.bench = bench
    }

    /// The first order of a product in a state.
    func order(_ code: String, _ state: String) async throws -> Int {
        let answer = try await bench.send("GET", "/v1/production-orders?product_code=\(code)&state=\(state)")
        return try answer.json["items"]?[0]?["id"]?.int.unwrapped() ?? 0
    }

    func read(_ order: Int) async throws -> JSONValue {
        try await bench.send("GET", "/v1/production-orders/\(order)").json
    }

    /// On hand at one site.
    func stock(_ code: String, _ site: String) async throws -> ExactDecimal {
        let answer = try await bench.send("GET", "/v1/inventory?product_code=\(code)&site=\(site)")
        return try answer.json["summary"]?["quantity"]?.decimal.unwrapped() ?? .zero
    }

    func confirm(_ order: Int, _ body: String, key: String) async throws -> ServiceAnswer {
        try await bench.send("POST", "/v1/production-orders/\(order)/confirm", body, key: key)
    }

    func operation(_ answer: ServiceAnswer) async throws -> JSONValue {
        let id = try answer.operationID.unwrapped()
        return try await bench.send("GET", "/v1/operations/\(id)").json
    }
}
