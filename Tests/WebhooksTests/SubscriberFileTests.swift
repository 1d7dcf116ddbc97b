import Bytes
import Documents
import Events
import Foundation
import JSON
import Testing

@testable import Webhooks

/// The shipped catalogue, and events of it.
enum Plant {
    static let policies = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("policies")

    static func files(_ folder: String) throws -> [(path: String, text: String)] {
        let directory = policies.appendingPathComponent(folder)
        return try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".yaml") }
            .sorted().map { name in
                (
                    "policies/\(folder)/\(name)",
                    try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
                )
            }
    }

    static func catalogue() throws -> EventCatalogue { try EventCatalogue.load(files: try files("events")) }

    static func event(
        _ name: String = "scrap.reported", site: String? = "plant-1", data: JSONValue = ["quantity": 2]
    ) -> RecordedEvent {
        RecordedEvent(
            number: 7, sequence: 3,
            event: BusinessEvent(
                id: "01J", name: name, subject: "production-order/26", site: site, time: t0, data: data))
    }
}

@Suite struct SubscriberFileTests {
    static let good = """
        subscriber: partner
        url: https://partner.example/hooks
        as: { issuer: https://id.example, client_id: mes }
        events: [production-order.*]
        """

    static func read(_ text: String, file: String = "policies/subscribers/partner.yaml") throws -> Subscriber {
        try #require(try SubscriberFile.load(files: [(file, text)], catalogue: try Plant.catalogue()).first)
    }

    static func errors(_ text: String, file: String = "policies/subscribers/partner.yaml") throws -> [String] {
        let catalogue = try Plant.catalogue()
        do throws(DocumentErrors) {
            _ = try SubscriberFile.load(files: [(file, text)], catalogue: catalogue)
            return []
        } catch {
            return error.errors.map { "\($0.line):\($0.column): \($0.message)" }
        }
    }

    @Test func whatIsLeftOutIsTheDefault() throws {
        let one = try Self.read(Self.good)
        #expect(one.name == "partner" && one.isEnabled && one.format == .structured && one.secrets.isEmpty)
        #expect(one.settings.ordering == .aggregate && one.settings.concurrencyMax == 4 && one.settings.rate == nil)
        #expect(one.settings.schedule == .standard && one.timeout == .seconds(20))
        #expect(one.settings.disableAfter == .hours(120) && one.settings.hours == nil)
        #expect(one.subject == "mes" && one.clientID == "mes" && one.sites.isEmpty && one.filter == nil)
    }

    @Test func everyKeyIsTakenOver() throws {
        let one = try Self.read(
            Self.good + """

                description: hears
                owner: production
                contact: it@partner.example
                enabled: false
                sites: [plant-1]
                filter: data.quantity > 1.0
                format: thin
                mask: [login]
                secrets:
                  - { file: new.txt }
                  - { environment: OLD, until: 2026-12-01T00:00:00Z }
                headers: { X-Tenant: plant, Authorization: Bearer abc }
                timeout: 5s
                tls: { authorities: ca.pem, certificate: me.pem, key: me.key }
                ordering: strict
                concurrency: 2
                rate: 10
                disable_after: 2d
                retry: [1s, 2m]
                hours: { days: [monday, friday], from: "06:00", to: "18:30", utc_offset_minutes: 60 }
                """)
        #expect(!one.isEnabled && one.owner == "production" && one.contact == "it@partner.example")
        #expect(one.sites == ["plant-1"] && one.format == .thin && one.mask == ["login"] && one.filter != nil)
        #expect(one.secrets.map(\.source) == [.file("new.txt"), .environment("OLD")])
        #expect(one.secrets[1].until == WallInstant("2026-12-01T00:00:00Z"))
        #expect(one.fields.map(\.name) == ["X-Tenant", "Authorization"] && one.timeout == .seconds(5))
        #expect(one.tls.authorities == "ca.pem" && one.tls.certificate == "me.pem" && one.tls.key == "me.key")
        #expect(one.settings.ordering == .strict && one.settings.concurrencyMax == 2 && one.settings.rate == 10)
        #expect(one.settings.disableAfter == .hours(48))
        #expect(one.settings.schedule.pauses == [0, .seconds(1), .minutes(2)])
        let hours = try #require(one.settings.hours)
        #expect(hours.days == [1, 5] && hours.from == 360 && hours.to == 1_110 && hours.offset == 60)
    }

    static let wrong: [(change: String, with: String, says: String)] = [
        ("subscriber: partner", "subscriber: Partner", "is named in lower-case letters"),
        ("subscriber: partner", "subscriber: other", "belongs into other.yaml"),
        ("https://partner.example/hooks", "ftp://partner.example", "expected an address such as"),
        ("https://partner.example/hooks", "\"https://partner.example/a b\"", "expected an address such as"),
        ("client_id: mes", "client: mes", "'as' needs a 'client_id' or a 'subject'"),
        ("production-order.*", "production-ordr.*", "selects no event"),
        ("production-order.*", "production-order.relased", "did you mean 'production-order.released'?"),
        ("production-order.*", "production", "an event is selected by its name"),
        ("[production-order.*]", "[]", "must not be empty"),
    ]

    @Test(arguments: wrong.indices) func whatIsWrongIsSaid(_ index: Int) throws {
        let (change, with, says) = Self.wrong[index]
        let found = try Self.errors(Self.good.replacing(change, with: with))
        #expect(found.contains { $0.contains(says) }, "\(with): \(found)")
    }

    static let wrongMore: [(line: String, says: String)] = [
        ("secrets: [{ secret: whsec_abc }]", "named by 'file' or 'environment', and never written here"),
        ("secrets: [{ file: a, environment: B }]", "named by 'file' or 'environment'"),
        ("secrets: [{ file: a, until: tomorrow }]", "expected a time such as"),
        ("filter: data.quantity >", "filter, line 1"),
        ("filter: nam == 'x'", "filter, line 1, column 1"),
        ("headers: { webhook-id: x }", "is made by the gateway"),
        ("headers: { Host: x }", "is made by the gateway"),
        ("headers: { \"a b\": x }", "is made by the gateway, or is none"),
        ("tls: { certificate: a.pem }", "'certificate' and 'key' belong together"),
        ("ordering: some", "aggregate"),
        ("concurrency: 65", "64"),
        ("hours: { from: \"18:00\", to: \"06:00\" }", "'from' must be before 'to'"),
        ("hours: { from: \"25:00\" }", "expected a time such as"),
        ("colour: red", "colour"),
    ]

    @Test(arguments: wrongMore.indices) func aWrongKeyIsSaidWithItsPlace(_ index: Int) throws {
        let (line, says) = Self.wrongMore[index]
        let found = try Self.errors(Self.good + "\n" + line)
        #expect(found.contains { $0.hasPrefix("5:") && $0.contains(says) }, "\(line): \(found)")
    }

    @Test func everyErrorOfEveryFileIsSaidAtOnce() throws {
        do throws(DocumentErrors) {
            _ = try SubscriberFile.load(
                files: [("a/one.yaml", "subscriber: one"), ("a/two.yaml", "subscriber: two\nurl: x")],
                catalogue: EventCatalogue.load(files: []))
            Issue.record("it was accepted")
        } catch {
            #expect(Set(error.errors.map(\.file)) == ["a/one.yaml", "a/two.yaml"] && error.errors.count >= 6)
        }
    }

    @Test func theShippedSubscribersAreRight() throws {
        let found = try SubscriberFile.load(files: try Plant.files("subscribers"), catalogue: try Plant.catalogue())
        #expect(found.map(\.name) == ["mes-partner"] && !found[0].isEnabled)
    }

    // MARK: What it wants

    @Test func patternsSitesAndTheFilterMustAllAgree() throws {
        var one = try Self.read(
            Self.good.replacing("production-order.*", with: "scrap.reported, lot.held.v1") + "\nsites: [plant-1]")
        #expect(one.wants(Plant.event()))
        #expect(!one.wants(Plant.event(site: "plant-2")) && !one.wants(Plant.event(site: nil)))
        #expect(one.wants(Plant.event("lot.held")) && !one.wants(Plant.event("lot.released")))
        one.filter = try SubscriberFilter("data.quantity > 1.5 && sequence == 3 && site == 'plant-1'")
        #expect(one.wants(Plant.event()) && !one.wants(Plant.event(data: ["quantity": 1])))
    }

    static let filters: [(String, Bool)] = [
        ("name == 'scrap.reported'", true), ("type == 'dev.millgate.scrap.reported.v1'", true),
        ("subject.startsWith('production-order/')", true), ("id == '01J'", true), ("sequence > 3", false),
        ("has(data.quantity)", true), ("has(data.reason)", false), ("data.reason == 'x'", false),
        ("time > timestamp('2020-01-01T00:00:00Z')", true), ("data.quantity / 0 == 1", false),
    ]

    @Test(arguments: filters) func aFilterSelectsAndWhatCannotBeEvaluatedDoesNot(_ text: String, _ holds: Bool) throws {
        #expect(try SubscriberFilter(text).holds(Plant.event()) == holds)
    }

    @Test(arguments: ["quantity > 1", "name = 'x'", "", "1 + 1"])
    func aFilterThatIsNoConditionIsRefused(_ text: String) {
        #expect(throws: (any Error).self) { try SubscriberFilter(text) }
    }
}
