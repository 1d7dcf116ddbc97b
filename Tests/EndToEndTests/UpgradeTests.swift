import Testing

/// Reloads and upgrades of the running program, under load: Tests/Plant/upgrade.py.
@Suite struct UpgradeTests {
    @Test func noRequestIsLostByReloadsAndUpgrades() async throws {
        let output = try await PlantTests.python("upgrade.py", [])
        #expect(output.status == 0 && output.text.contains(" 0 lost"), "\(output.text.suffix(2_000))")
    }
}
