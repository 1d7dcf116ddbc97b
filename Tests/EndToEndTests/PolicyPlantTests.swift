import Testing

/// Policies over real sockets: conditions, second persons, roll-out; and the page that leads through the commands.
@Suite struct PolicyPlantTests {
    @Test(arguments: ["policies", "tutorial"])
    func everyCheckOfThePoliciesHolds(file: String) async throws {
        let output = try await PlantTests.python("\(file).py", [])
        let lines = output.text.split(separator: "\n").map(String.init)
        for line in lines where line.hasPrefix("FAIL") { Issue.record("\(file): \(line)") }
        #expect(output.status == 0, "\(output.text.suffix(2_000))")
        #expect(lines.contains { $0.hasPrefix("ok") }, "\(file) has checked nothing: \(output.text.suffix(2_000))")
    }
}
