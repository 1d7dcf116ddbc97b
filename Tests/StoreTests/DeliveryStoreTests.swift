import Bytes
import Testing
import Webhooks

@testable import Store

@Suite struct DeliveryStoreTests {
    static let now = WallInstant(seconds: 1_795_500_000)

    static func message(_ number: Int64, redrives: Int = 0) -> WebhookMessage {
        WebhookMessage(
            number: number, subject: "order/\(number)", attempts: 3, due: now, since: now, reason: "status 500",
            redrives: redrives)
    }

    @Test func whatWasSavedIsThereAfterAnotherStart() async throws {
        let directory = try TemporaryDirectory()
        var store = try DeliveryStore(directory: directory.path)
        var changes = EndpointChanges()
        changes.position = 10
        changes.kept = [4: Self.message(4), 12: Self.message(12)]
        changes.dead = [Self.message(3), Self.message(11)]
        changes.status = .disabled(reason: "status 410", since: Self.now)
        changes.failingSince = .some(Self.now)
        try await store.save([("partner", changes)], attempts: [], now: Self.now)
        await store.close()
        store = try DeliveryStore(directory: directory.path)
        let kept = try #require(try await store.load().first)
        #expect(kept.name == "partner" && kept.position == 10 && kept.failingSince == Self.now)
        #expect(kept.status == .disabled(reason: "status 410", since: Self.now))
        #expect(kept.messages.sorted { $0.number < $1.number } == [Self.message(4), Self.message(12)])
        #expect(kept.settled == [11], "given up before the position came there")
        #expect(try await store.oldestNumber() == 3)
        let letters = try await store.deadLetters(of: "partner")
        #expect(letters.map(\.message.number) == [3, 11] && letters[0].diedAt == Self.now)
        #expect(try await store.deadLetters(of: "partner", since: Self.now + 1).isEmpty)
        #expect(try await store.deadLetters(of: "partner", until: Self.now).isEmpty)
        #expect(try await store.deadLetterCounts() == ["partner": 2])
        // Delivered, and a letter that is sent again.
        var later = EndpointChanges()
        later.removed = [4]
        later.kept = [11: Self.message(11, redrives: 1)]
        later.status = .active
        later.failingSince = .some(nil)
        try await store.save([("partner", later)], attempts: [], now: Self.now)
        let again = try #require(try await store.load().first)
        #expect(again.status == .active && again.failingSince == nil && again.settled.isEmpty)
        #expect(Set(again.messages.map(\.number)) == [11, 12])
        try await store.purge(deadBefore: Self.now + 1)
        let left = try await store.deadLetters(of: nil)
        let last = try await store.load()
        #expect(left.isEmpty && last.first?.messages.count == 2)
        await store.close()
    }

    @Test func ofAttemptsTheNewestAreKept() async throws {
        let directory = try TemporaryDirectory()
        let store = try DeliveryStore(directory: directory.path)
        let attempts = (1...(DeliveryStore.attemptsMax + 50)).map { number in
            DeliveryStore.Attempt(
                endpoint: "partner", number: Int64(number), event: "e\(number)", attempt: 1, time: Self.now,
                duration: .milliseconds(3), status: number % 2 == 0 ? 500 : nil, reason: "no", address: "192.0.2.1",
                request: "POST", response: "")
        }
        try await store.save([], attempts: attempts, now: Self.now)
        #expect(try await store.attempts(of: "partner", limit: 2) == Array(attempts.suffix(2).reversed()))
        #expect(try await store.attempts(of: "partner", limit: 1_000).count == DeliveryStore.attemptsMax)
        await store.close()
    }

    @Test func aRotationLeavesTheOldSecretForAWhile() async throws {
        let directory = try TemporaryDirectory()
        let store = try DeliveryStore(directory: directory.path)
        try await store.rotate("partner", to: "one", now: Self.now, overlap: Self.now)
        try await store.rotate("partner", to: "two", now: Self.now + .hours(1), overlap: Self.now + .hours(2))
        var found = try await store.secrets()
        #expect(found.map(\.text) == ["two", "one"])
        #expect(found[0].until == nil && found[1].until == Self.now + .hours(2))
        try await store.rotate("partner", to: "three", now: Self.now + .hours(3), overlap: Self.now + .hours(4))
        found = try await store.secrets()
        #expect(found.map(\.text) == ["three", "two"], "what is over is forgotten")
        try await store.register(.init(name: "partner", document: "a", by: "anna", at: Self.now))
        try await store.register(.init(name: "partner", document: "b", by: "ben", at: Self.now))
        #expect(try await store.registrations().map(\.document) == ["b"])
        try await store.remove("partner")
        let registered = try await store.registrations()
        let secrets = try await store.secrets()
        let endpoints = try await store.load()
        #expect(registered.isEmpty && secrets.isEmpty && endpoints.isEmpty)
        await store.close()
    }
}
