import Bytes
import Limits
import Seeded
import Testing

private func configuration(inFlight: Int, queued: Int = 100, standard: Int = 4, batch: Int = 16)
    -> AdmissionQueue.Configuration
{
    var configuration = AdmissionQueue.Configuration()
    configuration.inFlightMax = inFlight
    configuration.realtimeQueuedMax = queued
    configuration.standardQueuedMax = queued
    configuration.batchQueuedMax = queued
    configuration.standardShare = standard
    configuration.batchShare = batch
    return configuration
}

private func ticket(_ entry: AdmissionQueue.Entry) throws -> AdmissionQueue.Ticket {
    switch entry {
    case .admitted(let ticket), .queued(let ticket), .queuedInPlaceOf(let ticket, displaced: _): return ticket
    case .refused:
        struct Refused: Error {}
        throw Refused()
    }
}

private let late = MonotonicInstant.seconds(1_000_000)

@Test func callsGoAtOnceUpToTheCapAndThenInTheOrderOfArrival() throws {
    var queue = AdmissionQueue(configuration(inFlight: 2))
    let first = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let second = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let entries = (0..<3).map { _ in queue.enter(.standard, deadline: late, now: .seconds(2)) }
    let waiting = try entries.map(ticket)
    let expected = waiting.map { AdmissionQueue.Entry.queued($0) }
    #expect(entries == expected)
    #expect(queue.inFlight == 2 && queue.waiting(.standard) == 3)
    #expect(queue.longestWait(.standard, now: .seconds(5)) == .seconds(3))
    var woken = queue.leave(second, now: .seconds(3))
    #expect(woken.granted == [waiting[0]])
    woken = queue.leave(second, now: .seconds(3))
    #expect(woken.isEmpty)
    woken = queue.leave(first, now: .seconds(3))
    #expect(woken.granted == [waiting[1]])
    #expect(queue.inFlight == 2)
}

@Test func clientsHaveTheirTurnsHoweverManyWaitersOneHas() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1))
    var running = try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(1)))
    var names: [AdmissionQueue.Ticket: String] = [:]
    // `n` is nobody in particular: each such call is a client of its own.
    for (client, name) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (0, "n1"), (2, "b2"), (0, "n2"), (3, "c1")] {
        let entry = queue.enter(.standard, client: UInt64(client), deadline: late, now: .seconds(1))
        names[try ticket(entry)] = name
    }
    var order: [String] = []
    for step in 0..<10 {
        if step == 2 {
            // Who comes late is of the next round, before the third call of who came first.
            names[try ticket(queue.enter(.standard, client: 4, deadline: late, now: .seconds(2)))] = "d1"
        }
        guard let next = queue.leave(running, now: .seconds(2)).granted.first else { break }
        order.append(try #require(names[next]))
        running = next
    }
    #expect(order == ["a1", "b1", "n1", "n2", "c1", "a2", "b2", "d1", "a3"])
    #expect(queue.leave(running, now: .seconds(3)).isEmpty && queue.inFlight == 0)
}

@Test func whoComesWithItsFirstTakesThePlaceInAFullLineOfWhoHasMany() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1, queued: 3))
    let running = try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(1)))
    let greedy = try (0..<3).map { _ in
        try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(1)))
    }
    guard
        case .queuedInPlaceOf(let second, let displaced) = queue.enter(
            .standard, client: 2, deadline: late, now: .seconds(1))
    else {
        Issue.record("it is refused")
        return
    }
    #expect(displaced == greedy[2] && queue.waiting(.standard) == 3)
    #expect(queue.cancel(greedy[2], now: .seconds(1)).isEmpty, "it is gone")
    // Its second would be of the same round as the last that waits: no better.
    #expect(queue.enter(.standard, client: 2, deadline: late, now: .seconds(1)) == .refused(retryAfter: .seconds(1)))
    #expect(queue.leave(running, now: .seconds(1)).granted == [greedy[0]])
    #expect(queue.leave(greedy[0], now: .seconds(1)).granted == [second])
    #expect(queue.totals(.standard).refused == 2)
}

@Test func aClientThatHoldsUpItsAnswersLeavesAQuarterOfThePlaces() throws {
    var queue = AdmissionQueue(configuration(inFlight: 8))
    let slow = try (0..<8).map { _ in try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(1))) }
    for ticket in slow { #expect(queue.setHeldUp(ticket, true, now: .seconds(2)).isEmpty) }
    #expect(!queue.isWanted(slow[0]), "nobody waits")
    let other = try ticket(queue.enter(.standard, client: 2, deadline: late, now: .seconds(2)))
    #expect(queue.isWanted(slow[0]))
    #expect(queue.leave(slow[0], now: .seconds(3)).granted == [other])
    #expect(queue.leave(other, now: .seconds(3)).isEmpty)
    #expect(!queue.isWanted(slow[1]), "there is a place for everybody else")
    let own = try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(3)))
    #expect(queue.inFlight == 7 && queue.waiting(.standard) == 1)
    #expect(queue.isWanted(slow[1]), "its own next call needs one of its places")
    guard case .admitted(let third) = queue.enter(.batch, client: 3, deadline: late, now: .seconds(3)) else {
        Issue.record("others go past who may not")
        return
    }
    #expect(queue.leave(third, now: .seconds(3)).isEmpty)
    // Also when it takes them again, until it has six in flight.
    #expect(queue.setHeldUp(slow[1], false, now: .seconds(4)).isEmpty)
    #expect(queue.leave(slow[1], now: .seconds(4)).isEmpty)
    #expect(queue.leave(slow[2], now: .seconds(4)).granted == [own])
    for ticket in slow + [own] { _ = queue.leave(ticket, now: .seconds(5)) }
    #expect(queue.inFlight == 0)
    #expect(admitted(&queue, client: 1, now: .seconds(6)) == 6, "its calls of a moment ago were held up")
}

@Test func aSlowClientHasNoMoreThanItsShareWhenAllItsPlacesWereTakenBackAtOnce() throws {
    var queue = AdmissionQueue(configuration(inFlight: 8))
    var slow = try (0..<8).map { _ in try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(1))) }
    for ticket in slow { #expect(queue.setHeldUp(ticket, true, now: .seconds(2)).isEmpty) }
    let waiting = try (0..<16).map { _ in
        try ticket(queue.enter(.standard, client: 1, deadline: late, now: .seconds(2)))
    }
    let other = try ticket(queue.enter(.standard, client: 2, deadline: late, now: .seconds(2)))
    var granted: [AdmissionQueue.Ticket] = []
    for ticket in slow { granted += queue.leave(ticket, now: .seconds(3)).granted }
    #expect(granted.contains(other))
    slow = granted.filter { $0 != other }
    #expect(slow.count == 6 && Set(slow).isSubset(of: waiting))
    #expect(admitted(&queue, client: 2, now: .seconds(3)) == 1, "the eighth place is for others")
    #expect(queue.expire(now: .seconds(14)).granted.isEmpty, "there is none")
    for ticket in slow + [other] { _ = queue.leave(ticket, now: .seconds(14)) }
    #expect(queue.inFlight == 8, "ten seconds later it may have all again")
}

/// How many of eight calls of a client may go at once.
private func admitted(_ queue: inout AdmissionQueue, client: UInt64, now: MonotonicInstant) -> Int {
    var count = 0
    for _ in 0..<8 {
        if case .admitted = queue.enter(.standard, client: client, deadline: late, now: now) { count += 1 }
    }
    return count
}

@Test func realtimeGoesBeforeStandardBeforeBatch() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1, standard: 0, batch: 0))
    var running = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let batch = try ticket(queue.enter(.batch, deadline: late, now: .seconds(1)))
    let standard = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let realtime = try ticket(queue.enter(.realtime, deadline: late, now: .seconds(1)))
    for expected in [realtime, standard, batch] {
        let woken = queue.leave(running, now: .seconds(2))
        #expect(woken.granted == [expected])
        running = expected
    }
    #expect(queue.leave(running, now: .seconds(3)).isEmpty)
    #expect(queue.inFlight == 0)
}

@Test(arguments: [(2, 3), (4, 16), (3, 3), (0, 5), (4, 0)])
func eachClassGetsItsShareUnderAFloodOfRealtime(standardShare: Int, batchShare: Int) throws {
    var queue = AdmissionQueue(configuration(inFlight: 1, queued: 10_000, standard: standardShare, batch: batchShare))
    var running = try ticket(queue.enter(.realtime, deadline: late, now: .seconds(1)))
    var classes: [AdmissionQueue.Ticket: AdmissionClass] = [:]
    for admissionClass in AdmissionClass.allCases {
        for _ in 0..<2_000 {
            classes[try ticket(queue.enter(admissionClass, deadline: late, now: .seconds(1)))] = admissionClass
        }
    }
    var order: [AdmissionClass] = []
    for _ in 0..<1_000 {
        let woken = queue.leave(running, now: .seconds(2))
        running = try #require(woken.granted.first)
        order.append(try #require(classes[running]))
    }
    func longestGap(_ admissionClass: AdmissionClass) -> Int {
        var gap = 0
        var longest = 0
        for granted in order {
            gap = granted == admissionClass ? 0 : gap + 1
            longest = max(longest, gap)
        }
        return longest
    }
    #expect(longestGap(.batch) == (batchShare == 0 ? 1_000 : batchShare - 1))
    if standardShare == 0 {
        #expect(!order.contains(.standard))
    } else {
        #expect((standardShare - 1...standardShare).contains(longestGap(.standard)))
    }
    // No class gets more than it is owed while realtime waits.
    if batchShare > 0 { #expect(order.filter { $0 == .batch }.count <= 1_000 / batchShare + 1) }
}

@Test func eachClassHasItsOwnBound() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1, queued: 2))
    _ = queue.enter(.batch, deadline: late, now: .seconds(1))
    for admissionClass in AdmissionClass.allCases {
        for _ in 0..<2 { _ = try ticket(queue.enter(admissionClass, deadline: late, now: .seconds(1))) }
        #expect(queue.enter(admissionClass, deadline: late, now: .seconds(1)) == .refused(retryAfter: .seconds(1)))
        #expect(queue.waiting(admissionClass) == 2)
        #expect(queue.totals(admissionClass).refused == 1)
    }
}

@Test func waitersTimeOutAtTheirDeadlineAndNotBefore() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1))
    let running = try ticket(queue.enter(.realtime, deadline: late, now: .seconds(1)))
    let a = try ticket(queue.enter(.realtime, deadline: .seconds(5), now: .seconds(1)))
    let b = try ticket(queue.enter(.realtime, deadline: .seconds(4), now: .seconds(1)))
    let c = try ticket(queue.enter(.realtime, deadline: .seconds(6), now: .seconds(1)))
    #expect(queue.nextDeadline == .seconds(4))
    var woken = queue.expire(now: .milliseconds(3_999))
    #expect(woken.isEmpty)
    woken = queue.expire(now: .seconds(4))
    #expect(woken.timedOut == [b] && woken.granted.isEmpty)
    #expect(queue.nextDeadline == .seconds(5))
    // A place that becomes free at the deadline goes past the one that is too late.
    woken = queue.leave(running, now: .seconds(5))
    #expect(woken.timedOut == [a] && woken.granted == [c])
    #expect(queue.nextDeadline == nil)
    #expect(queue.totals(.realtime).timedOut == 2)
    #expect(queue.enter(.realtime, deadline: .seconds(5), now: .seconds(5)) == .refused(retryAfter: .seconds(4)))
}

@Test func aWaiterThatGivesUpAfterItsGrantPassesThePlaceOn() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1))
    let running = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let a = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let b = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let c = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    #expect(queue.cancel(b, now: .seconds(2)).isEmpty)
    _ = queue.leave(running, now: .seconds(2))
    let woken = queue.cancel(a, now: .seconds(2))
    #expect(woken.granted == [c])
    #expect(queue.cancel(a, now: .seconds(2)).isEmpty)
    #expect(queue.leave(a, now: .seconds(2)).isEmpty)
    #expect(queue.inFlight == 1)
}

@Test func theCapCanBeRaisedAndLoweredWhileCallsRun() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1))
    let running = try ticket(queue.enter(.standard, deadline: late, now: .seconds(1)))
    let waiting = try (0..<4).map { _ in try ticket(queue.enter(.standard, deadline: late, now: .seconds(1))) }
    #expect(queue.setInFlightMax(3, now: .seconds(2)).granted == [waiting[0], waiting[1]])
    #expect(queue.setInFlightMax(1, now: .seconds(2)).isEmpty)
    #expect(queue.inFlight == 3)
    #expect(queue.leave(running, now: .seconds(3)).isEmpty)
    #expect(queue.leave(waiting[0], now: .seconds(3)).isEmpty)
    #expect(queue.leave(waiting[1], now: .seconds(3)).granted == [waiting[2]])
    #expect(queue.setInFlightMax(0, now: .seconds(3)).isEmpty)
    #expect(queue.inFlightMax == 1)
}

@Test func theAdviceToComeBackGrowsWithTheQueueAndStaysInItsBounds() throws {
    var queue = AdmissionQueue(configuration(inFlight: 1))
    let running = try ticket(queue.enter(.standard, deadline: late, now: .seconds(0)))
    _ = queue.leave(running, now: .seconds(2))
    #expect(queue.averageHold == .seconds(2))
    #expect(queue.retryAfter(.standard) == .seconds(2))
    for _ in 0..<4 { _ = queue.enter(.realtime, deadline: late, now: .seconds(2)) }
    #expect(queue.retryAfter(.realtime) == .seconds(8))
    for _ in 0..<90 { _ = queue.enter(.realtime, deadline: late, now: .seconds(2)) }
    #expect(queue.retryAfter(.batch) == .seconds(30))
}

@Test(arguments: 0..<8 as Range<UInt64>)
func queueKeepsItsPromisesOverRandomSteps(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let cap = Int.random(in: 1...6, using: &random)
    let bound = Int.random(in: 1...12, using: &random)
    var queue = AdmissionQueue(configuration(inFlight: cap, queued: bound, standard: 3, batch: 5))
    var now = MonotonicInstant.seconds(1)
    var inFlight: [AdmissionQueue.Ticket] = []
    var lines: [AdmissionClass: [(ticket: AdmissionQueue.Ticket, deadline: MonotonicInstant)]] = [:]
    var everSeen: Set<AdmissionQueue.Ticket> = []

    func apply(_ woken: AdmissionQueue.Wakeups) {
        for ticket in woken.timedOut {
            let line = AdmissionClass.allCases.first { lines[$0, default: []].contains { $0.ticket == ticket } }
            guard let line, let place = lines[line]?.firstIndex(where: { $0.ticket == ticket }) else {
                Issue.record("a ticket timed out that doesn't wait")
                return
            }
            if let waiter = lines[line]?.remove(at: place), waiter.deadline > now { Issue.record("timed out early") }
        }
        for ticket in woken.granted {
            // First of its class, always.
            guard let line = AdmissionClass.allCases.first(where: { lines[$0]?.first?.ticket == ticket }) else {
                Issue.record("granted out of turn")
                return
            }
            if let waiter = lines[line]?.removeFirst(), waiter.deadline <= now { Issue.record("granted too late") }
            inFlight.append(ticket)
        }
    }

    for _ in 0..<steps(300_000) {
        now = now + Int64.random(in: 0...Nanoseconds.milliseconds(50), using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            let admissionClass = AdmissionClass.allCases.randomElement(using: &random) ?? .batch
            let deadline = now + Int64.random(in: 0...Nanoseconds.seconds(2), using: &random)
            let waited = lines.values.contains { !$0.isEmpty }
            switch queue.enter(admissionClass, deadline: deadline, now: now) {
            case .admitted(let ticket):
                if waited { Issue.record("overtook a waiter") }
                if !everSeen.insert(ticket).inserted { Issue.record("a ticket was used twice") }
                inFlight.append(ticket)
            case .queued(let ticket):
                if inFlight.count < cap { Issue.record("waits although a place is free") }
                if !everSeen.insert(ticket).inserted { Issue.record("a ticket was used twice") }
                lines[admissionClass, default: []].append((ticket, deadline))
            case .queuedInPlaceOf: Issue.record("nobody has more waiters than another here")
            case .refused(let retryAfter):
                let full = lines[admissionClass, default: []].count == bound
                if inFlight.count < cap || !(full || deadline <= now) { Issue.record("refused without need") }
                if retryAfter < .seconds(1) || retryAfter > .seconds(30) { Issue.record("advice out of bounds") }
            }
        case 5..<8:
            guard let place = inFlight.indices.randomElement(using: &random) else { continue }
            apply(queue.leave(inFlight.remove(at: place), now: now))
        case 8:
            apply(queue.expire(now: now))
        default:
            if Bool.random(using: &random), let place = inFlight.indices.randomElement(using: &random) {
                apply(queue.cancel(inFlight.remove(at: place), now: now))
            } else if let line = lines.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &random),
                let place = lines[line]?.indices.randomElement(using: &random),
                let waiter = lines[line]?.remove(at: place)
            {
                apply(queue.cancel(waiter.ticket, now: now))
            }
        }
        let waiting = lines.values.reduce(0) { $0 + $1.count }
        // Never more than the cap, and no wake-up lost: nobody waits while a place is free.
        if inFlight.count > cap || queue.inFlight != inFlight.count { Issue.record("the cap is broken") }
        if waiting > 0 && inFlight.count < cap { Issue.record("a wake-up was lost") }
        let earliest = lines.values.flatMap { $0.map(\.deadline) }.min()
        if queue.nextDeadline != earliest { Issue.record("next deadline") }
        if AdmissionClass.allCases.contains(where: { queue.waiting($0) != lines[$0, default: []].count }) {
            Issue.record("a waiter was lost")
        }
    }
    // All leave: everybody who waits is served or times out.
    while let ticket = inFlight.popLast() { apply(queue.leave(ticket, now: now)) }
    #expect(lines.values.map(\.count).reduce(0, +) == 0)
    #expect(queue.inFlight == 0 && queue.nextDeadline == nil)
}
