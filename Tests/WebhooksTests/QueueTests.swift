import Bytes
import Testing

@testable import Webhooks

let t0 = WallInstant(seconds: 1_795_500_000)

@Suite struct QueueTests {
    static func queue(_ ordering: EndpointSettings.Ordering, concurrency: Int = 4) -> EndpointQueue {
        var settings = EndpointSettings()
        settings.ordering = ordering
        settings.concurrencyMax = concurrency
        return EndpointQueue(settings, position: 0, now: t0)
    }

    static func ok(_ status: Int = 200) -> DeliveryOutcome { .answered(status: status, retryAfter: nil) }

    @Test func attemptsComeAtTheTimesOfTheStandard() throws {
        var queue = Self.queue(.none)
        queue.offer(1, subject: "a", isWanted: true, now: t0)
        var now = t0
        var pauses: [Nanoseconds] = []
        while queue.exceptions[1] != nil || queue.position == 0 {
            let taken1 = queue.start(now)
            let message = try #require(taken1)
            #expect(message.attempts == pauses.count)
            let taken2 = queue.start(now)
            #expect(taken2 == nil)
            queue.finish(1, Self.ok(500), now: now)
            guard let due = queue.exceptions[1]?.due else { break }
            pauses.append(due - now)
            let taken3 = queue.start(due + -1)
            #expect(taken3 == nil)
            now = due
        }
        let standard: [Nanoseconds] = RetrySchedule.standard.pauses.dropFirst().map { $0 }
        #expect(pauses.count == 9)
        for (pause, wanted) in zip(pauses, standard) { #expect(pause >= wanted && pause <= wanted + wanted / 5 + 1) }
        let changes = queue.takeChanges()
        #expect(changes.dead.map(\.attempts) == [10] && changes.dead[0].reason == "status 500")
        #expect(changes.position == 1 && queue.outstanding == 0)
    }

    static let meanings: [(Int, DeliveryOutcome.Meaning)] = [
        (200, .delivered), (204, .delivered), (299, .delivered), (301, .refused), (307, .refused), (400, .refused),
        (404, .refused), (410, .gone), (429, .throttled(for: nil)), (500, .refused), (502, .throttled(for: nil)),
        (503, .throttled(for: nil)), (504, .throttled(for: nil)), (505, .refused),
    ]

    @Test(arguments: meanings) func answersMeanWhatTheStandardSays(_ status: Int, _ meaning: DeliveryOutcome.Meaning) {
        #expect(Self.ok(status).meaning == meaning)
    }

    @Test func retryAfterIsSecondsOrADateAndIsBounded() {
        let now = WallInstant(seconds: 784_111_777)
        #expect(DeliveryOutcome.retryAfter("120", now: now) == .seconds(120))
        #expect(DeliveryOutcome.retryAfter("Sun, 06 Nov 1994 08:50:37 GMT", now: now) == .seconds(60))
        #expect(DeliveryOutcome.retryAfter("999999999", now: now) == .hours(24))
        #expect(DeliveryOutcome.retryAfter("-3", now: now) == 0)
        #expect(DeliveryOutcome.retryAfter("soon", now: now) == nil)
    }

    @Test func tooMuchLeavesTheWholeEndpointAlone() {
        var queue = Self.queue(.none)
        for number in Int64(1)...3 { queue.offer(number, subject: "s\(number)", isWanted: true, now: t0) }
        _ = queue.start(t0)
        queue.finish(1, .answered(status: 429, retryAfter: .seconds(90)), now: t0)
        let taken4 = queue.start(t0 + .seconds(89))
        #expect(taken4 == nil)
        #expect(queue.wake(after: t0) == t0 + .seconds(90))
        let taken5 = queue.start(t0 + .seconds(90))
        #expect(taken5 != nil)
    }

    @Test func anEventInRetryHoldsItsOwnSubjectAndNoOther() {
        var queue = Self.queue(.aggregate)
        for (number, subject) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] as [(Int64, String)] {
            queue.offer(number, subject: subject, isWanted: true, now: t0)
        }
        let taken6 = queue.start(t0)
        #expect(taken6?.number == 1)
        let taken7 = queue.start(t0)
        #expect(taken7?.number == 2)
        let taken8 = queue.start(t0)
        #expect(taken8 == nil, "3 and 4 wait for 1 and 2")
        queue.finish(1, Self.ok(500), now: t0)
        queue.finish(2, Self.ok(), now: t0)
        let taken9 = queue.start(t0)
        #expect(taken9?.number == 4)
        queue.finish(4, Self.ok(), now: t0)
        #expect(queue.position == 4 && queue.exceptions.keys.sorted() == [1, 3] && queue.exceptions[3]?.due == nil)
        // What comes later of the same subject stands behind.
        queue.offer(5, subject: "a", isWanted: true, now: t0)
        let later = t0 + .minutes(1)
        let taken10 = queue.start(later)
        #expect(taken10?.number == 1)
        queue.finish(1, Self.ok(), now: later)
        let taken11 = queue.start(later)
        #expect(taken11?.number == 3)
        queue.finish(3, Self.ok(), now: later)
        let taken12 = queue.start(later)
        #expect(taken12?.number == 5)
    }

    @Test func aPoisonedEventIsGivenUpAndThoseBehindItGoOn() {
        var settings = EndpointSettings()
        settings.schedule = RetrySchedule(pauses: [0, .seconds(1)])
        var queue = EndpointQueue(settings, position: 0, now: t0)
        queue.offer(1, subject: "a", isWanted: true, now: t0)
        queue.offer(2, subject: "a", isWanted: true, now: t0)
        for step in 0..<2 {
            let now = t0 + .seconds(Int64(step) * 2)
            let taken13 = queue.start(now)
            #expect(taken13?.number == 1)
            queue.finish(1, Self.ok(400), now: now)
        }
        let taken14 = queue.takeChanges()
        #expect(taken14.dead.map(\.number) == [1])
        let taken15 = queue.start(t0 + .seconds(2))
        #expect(taken15?.number == 2)
    }

    @Test func strictOrderSendsOneAfterTheOther() {
        var queue = Self.queue(.strict)
        for number in Int64(1)...3 { queue.offer(number, subject: "s\(number)", isWanted: true, now: t0) }
        let taken16 = queue.start(t0)
        #expect(taken16?.number == 1)
        let taken17 = queue.start(t0)
        #expect(taken17 == nil)
        queue.finish(1, Self.ok(500), now: t0)
        let taken18 = queue.start(t0)
        #expect(taken18 == nil && queue.wake(after: t0).map { $0 >= t0 + .seconds(5) } == true)
        let taken19 = queue.start(t0 + .seconds(10))
        #expect(taken19?.number == 1)
        queue.finish(1, Self.ok(), now: t0 + .seconds(10))
        let taken20 = queue.start(t0 + .seconds(10))
        #expect(taken20?.number == 2)
    }

    @Test func fiveFailuresOpenTheCircuitAndASuccessClosesIt() {
        var queue = Self.queue(.none, concurrency: 1)
        for number in Int64(1)...20 { queue.offer(number, subject: "s", isWanted: true, now: t0) }
        for number in Int64(1)...5 {
            let taken21 = queue.start(t0)
            #expect(taken21?.number == number)
            queue.finish(number, Self.ok(500), now: t0)
        }
        let taken22 = queue.start(t0)
        #expect(queue.circuit.isOpen && taken22 == nil)
        // Retries keep their schedule; a fresh event goes as a probe only.
        let later = t0 + .seconds(31)
        var started: [Int64] = []
        while let message = queue.start(later) {
            started.append(message.number)
            queue.finish(message.number, Self.ok(), now: later)
            if !queue.circuit.isOpen { break }
        }
        #expect(started.count == 1 && !queue.circuit.isOpen)
    }

    @Test func goneAndDaysOfFailuresDisableAndEventsWait() {
        var queue = Self.queue(.none)
        queue.offer(1, subject: "s", isWanted: true, now: t0)
        _ = queue.start(t0)
        queue.finish(1, Self.ok(410), now: t0)
        #expect(queue.status == .disabled(reason: "status 410", since: t0) && queue.capacity == 0)
        let taken23 = queue.start(t0 + .hours(1))
        #expect(taken23 == nil && queue.exceptions[1]?.attempts == 0)
        queue.enable(t0 + .hours(2))
        let taken24 = queue.start(t0 + .hours(2))
        #expect(taken24?.number == 1)
        queue.finish(1, Self.ok(500), now: t0 + .hours(2))
        var now = t0 + .hours(2)
        var number: Int64 = 2
        while queue.status == .active, now < t0 + .hours(24 * 8) {
            now = now + .minutes(10)
            if queue.capacity > 0, number < 5_000 {
                queue.offer(number, subject: "s\(number)", isWanted: true, now: now)
                number += 1
            }
            while let message = queue.start(now) { queue.finish(message.number, Self.ok(503), now: now) }
        }
        #expect(now - (t0 + .hours(2)) >= .hours(24 * 5) && now - t0 < .hours(24 * 5 + 3))
        let taken25 = queue.takeChanges()
        #expect(taken25.status == queue.status)
    }

    @Test func aMessageIsRedrivenAFewTimesAndNotForEver() {
        var queue = Self.queue(.none)
        var letter = WebhookMessage(number: 7, subject: "s", attempts: 10, since: t0)
        for round in 1...WebhookMessage.redrivesMax {
            let taken26 = queue.redrive(letter, now: t0)
            #expect(taken26)
            let taken27 = queue.redrive(letter, now: t0)
            #expect(taken27 == false, "it is under way")
            let message = queue.start(t0)
            #expect(message?.number == 7 && message?.redrives == round && message?.attempts == 0)
            queue.finish(7, Self.ok(), now: t0)
            letter.redrives = round
        }
        let taken28 = queue.redrive(letter, now: t0)
        #expect(!taken28)
    }

    @Test func aRateSpacesDeliveriesAndHoursHoldThem() {
        var settings = EndpointSettings()
        settings.rate = 2
        settings.hours = DeliveryHours()
        settings.hours?.from = 6 * 60
        settings.hours?.to = 7 * 60
        var queue = EndpointQueue(settings, position: 0, now: t0)
        for number in Int64(1)...9 { queue.offer(number, subject: "s\(number)", isWanted: true, now: t0) }
        var started = 0
        for tick in 0..<40 {
            let now = t0 + .milliseconds(Int64(tick) * 50)
            guard let message = queue.start(now) else { continue }
            started += 1
            queue.finish(message.number, Self.ok(), now: now)
        }
        #expect(started == 4)
        let taken29 = queue.start(t0 + .hours(1))
        #expect(taken29 == nil, "it is 07:00")
        #expect(queue.wake(after: t0 + .hours(1)).map { $0 > t0 + .hours(1) } == true)
    }

    @Test func rewindingSendsEverythingBehindAPointAgain() {
        var queue = Self.queue(.aggregate)
        for number in Int64(1)...4 { queue.offer(number, subject: "s\(number)", isWanted: true, now: t0) }
        for _ in 0..<4 { _ = queue.start(t0) }
        for number in Int64(1)...3 { queue.finish(number, Self.ok(), now: t0) }
        queue.rewind(to: 1)
        #expect(queue.capacity == 0, "4 is in flight")
        queue.finish(4, Self.ok(), now: t0)
        #expect(queue.position == 1 && queue.taken == 1)
        queue.offer(2, subject: "s2", isWanted: true, now: t0)
        let taken30 = queue.start(t0)
        #expect(taken30?.number == 2)
    }
}
