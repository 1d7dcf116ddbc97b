import JSON
import Odoo
import Testing

@testable import Services

/// A model of which far more records are made in an hour than anybody would look through for one.
@Suite struct ManyRecordsTests {
    private static let count = OdooExternalID.candidatesMax * OdooExternalID.pagesMax + 100

    private func crowded(_ version: Int) async throws -> Plant {
        let plant = try Plant(version)
        let product = plant.tracked()
        let rows: [[JSONValue]] = (0..<Self.count).map { [.string("crowd \($0)"), JSONValue(product), 1] }
        _ = try await plant.odoo.call(
            .load("stock.lot", fields: ["name", "product_id/.id", "company_id/.id"], rows: rows),
            admission: .standard, deadline: nil)
        #expect("\(try await plant.count("stock.lot", []))".count >= 4)
        return plant
    }

    private func lot(_ plant: Plant, _ name: String) async throws -> ServiceAnswer {
        try await plant.bench.send(
            "POST", "/v1/lots", #"{"product_code": "LOTTED", "name": "\#(name)", "site": "plant-1"}"#, key: name)
    }

    @Test(arguments: [17, 19], [true, false]) func aLostAnswerIsStillFoundOutAbout(
        _ version: Int, _ wasDone: Bool
    ) async throws {
        let plant = try await crowded(version)
        defer { plant.bench.remove() }
        #expect(try await lot(plant, "first").status < 300)
        plant.odoo.sandbox.inject(
            .init(match: "stock.lot.load", kind: wasDone ? .closeAfterEffect : .closeBeforeEffect))
        let answer = try await lot(plant, "second")
        #expect(answer.status < 300 || answer.problem == "outcome-unknown", "\(answer.text)")
        try await plant.host.idle()
        #expect(try await plant.operation(answer)["state"]?.string != "unknown")
        #expect(try await lot(plant, "second").status < 300)
        #expect("\(try await plant.count("stock.lot", [["name", "=", "second"]]))" == "1")
    }
}
