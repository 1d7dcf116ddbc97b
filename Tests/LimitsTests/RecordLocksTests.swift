import Bytes
import Limits
import Seeded
import Testing

private let late = MonotonicInstant.seconds(1_000_000)

private func held(_ acquisition: RecordLocks.Acquisition) throws -> RecordLocks.Ticket {
    switch acquisition {
    case .acquired(let ticket), .waiting(let ticket): return ticket
    case .refused:
        struct Refused: Error {}
        throw Refused()
    }
}

extension RecordLocks {
    fileprivate mutating func acquire(_ keys: String...) throws -> (ticket: Ticket, waits: Bool) {
        let acquisition = acquire(keys, deadline: late, now: .seconds(1))
        let waits = if case .waiting = acquisition { true } else { false }
        return (try held(acquisition), waits)
    }
}

@Test func oneRecordIsHeldByOneCallAfterTheOther() throws {
    var locks = RecordLocks()
    let a = try locks.acquire("mrp.production,17")
    let b = try locks.acquire("mrp.production,17")
    let c = try locks.acquire("mrp.production,17")
    let other = try locks.acquire("mrp.production,18")
    #expect(!a.waits && b.waits && c.waits && !other.waits)
    #expect(locks.holders == 2 && locks.waiters == 2 && locks.keys == 2)
    var woken = locks.release(a.ticket, now: .seconds(2))
    #expect(woken.granted == [b.ticket])
    woken = locks.release(a.ticket, now: .seconds(2))
    #expect(woken.isEmpty)
    woken = locks.release(b.ticket, now: .seconds(2))
    #expect(woken.granted == [c.ticket])
    _ = locks.release(c.ticket, now: .seconds(2))
    _ = locks.release(other.ticket, now: .seconds(2))
    #expect(locks.holders == 0 && locks.keys == 0 && locks.nextDeadline == nil)
}

@Test func callsThatNameTheSameRecordsInAnyOrderDontBlockEachOtherForEver() throws {
    var locks = RecordLocks()
    let ab = try locks.acquire("a", "b")
    let ba = try locks.acquire("b", "a")
    let bc = try locks.acquire("c", "b", "b")
    let ca = try locks.acquire("a", "c")
    #expect(!ab.waits && ba.waits && bc.waits && ca.waits)
    var woken = locks.release(ab.ticket, now: .seconds(2))
    #expect(woken.granted == [ba.ticket])
    woken = locks.release(ba.ticket, now: .seconds(2))
    #expect(woken.granted == [bc.ticket])
    woken = locks.release(bc.ticket, now: .seconds(2))
    #expect(woken.granted == [ca.ticket])
}

@Test func aLaterCallDoesNotOvertakeOneThatWaitsForSeveralRecords() throws {
    var locks = RecordLocks()
    let a = try locks.acquire("a")
    let ab = try locks.acquire("a", "b")
    // `b` is free, but belongs to the call that came first.
    let b = try locks.acquire("b")
    #expect(ab.waits && b.waits)
    // When it gives up, `b` goes on.
    let woken = locks.cancel(ab.ticket, now: .seconds(2))
    #expect(woken.granted == [b.ticket])
    _ = locks.release(a.ticket, now: .seconds(2))
}

@Test func aCallWithoutRecordsWaitsForNothing() throws {
    var locks = RecordLocks()
    guard case .acquired(let ticket) = locks.acquire([], deadline: .seconds(0), now: .seconds(1)) else {
        Issue.record("it waits")
        return
    }
    #expect(locks.release(ticket, now: .seconds(1)).isEmpty)
}

@Test func waitersTimeOutAndThoseBehindThemMoveUp() throws {
    var locks = RecordLocks()
    let a = try locks.acquire("a")
    let soon = try held(locks.acquire(["a", "b"], deadline: .seconds(5), now: .seconds(1)))
    let soonToo = try held(locks.acquire(["b"], deadline: .seconds(5), now: .seconds(1)))
    let b = try locks.acquire("b")
    #expect(locks.nextDeadline == .seconds(5))
    #expect(locks.expire(now: .milliseconds(4_999)).isEmpty)
    let woken = locks.expire(now: .seconds(5))
    // The second is due as well: it isn't granted what the first leaves.
    #expect(Set(woken.timedOut) == [soon, soonToo])
    #expect(woken.granted == [b.ticket])
    #expect(locks.waiters == 0 && locks.holders == 2)
    _ = locks.release(a.ticket, now: .seconds(5))
}

@Test func aHolderThatIsDoneAtTheDeadlineOfTheNextServesTheOneAfter() throws {
    var locks = RecordLocks()
    let a = try locks.acquire("a")
    let due = try held(locks.acquire(["a"], deadline: .seconds(5), now: .seconds(1)))
    let next = try locks.acquire("a")
    let woken = locks.release(a.ticket, now: .seconds(5))
    #expect(woken.timedOut == [due] && woken.granted == [next.ticket])
}

@Test func aGrantThatNobodyWantsAnyMoreGoesOn() throws {
    var locks = RecordLocks()
    let a = try locks.acquire("a")
    let b = try locks.acquire("a")
    let c = try locks.acquire("a")
    _ = locks.release(a.ticket, now: .seconds(2))
    #expect(locks.cancel(b.ticket, now: .seconds(2)).granted == [c.ticket])
    #expect(locks.cancel(b.ticket, now: .seconds(2)).isEmpty)
    #expect(locks.holders == 1)
}

@Test func waitersAreBounded() throws {
    var configuration = RecordLocks.Configuration()
    configuration.waitersPerKeyMax = 2
    configuration.waitersMax = 3
    configuration.keysPerCallMax = 2
    var locks = RecordLocks(configuration)
    for _ in 0..<3 { _ = try locks.acquire("a") }
    #expect(locks.acquire(["a"], deadline: late, now: .seconds(1)) == .refused(key: "a"))
    #expect(locks.acquire(["a", "b"], deadline: late, now: .seconds(1)) == .refused(key: "a"))
    // What was refused left nothing behind.
    let b = try locks.acquire("b")
    #expect(!b.waits)
    _ = try locks.acquire("b")
    #expect(locks.acquire(["b"], deadline: late, now: .seconds(1)) == .refused(key: nil))
    #expect(locks.acquire(["x", "y", "z"], deadline: late, now: .seconds(1)) == .refused(key: nil))
    let twice = try locks.acquire("x", "y", "x")
    #expect(!twice.waits)
    #expect(locks.acquire(["x"], deadline: .seconds(1), now: .seconds(1)) == .refused(key: nil))
}

@Test(arguments: 0..<8 as Range<UInt64>)
func locksKeepTheirPromisesOverRandomSteps(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let names = ["a", "b", "c", "d", "e", "f"]
    var locks = RecordLocks()
    var now = MonotonicInstant.seconds(1)
    struct Model {
        let ticket: RecordLocks.Ticket
        let keys: Set<String>
        let deadline: MonotonicInstant
        var holds: Bool
    }
    // In the order of arrival.
    var calls: [Model] = []

    /// The rule, said naively: a call holds its locks when no earlier one that is still there names any of them.
    func settle() {
        var taken: Set<String> = []
        for i in calls.indices {
            calls[i].holds = taken.isDisjoint(with: calls[i].keys)
            taken.formUnion(calls[i].keys)
        }
    }

    func apply(_ woken: RecordLocks.Wakeups) {
        for ticket in woken.timedOut {
            guard let place = calls.firstIndex(where: { $0.ticket == ticket }) else {
                Issue.record("an unknown ticket timed out")
                return
            }
            if calls[place].holds || calls[place].deadline > now { Issue.record("timed out without need") }
            calls.remove(at: place)
        }
        let before = Set(calls.filter(\.holds).map(\.ticket))
        settle()
        let after = Set(calls.filter(\.holds).map(\.ticket))
        if after.subtracting(before) != Set(woken.granted) || !before.isSubset(of: after) {
            Issue.record("granted \(woken.granted.count), expected \(after.subtracting(before).count)")
        }
    }

    for _ in 0..<steps(200_000) {
        now = now + Int64.random(in: 0...Nanoseconds.milliseconds(20), using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4:
            guard calls.count < 20 else { continue }
            let keys = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                names[Int.random(in: 0..<names.count, using: &random)]
            }
            let deadline = now + Int64.random(in: 1...Nanoseconds.seconds(1), using: &random)
            let blocked = calls.contains { !$0.keys.isDisjoint(with: keys) }
            let acquisition = locks.acquire(keys, deadline: deadline, now: now)
            let waits = if case .waiting = acquisition { true } else { false }
            if waits != blocked { Issue.record("waits: \(waits), expected \(blocked)") }
            calls.append(
                Model(ticket: try held(acquisition), keys: Set(keys), deadline: deadline, holds: !blocked))
        case 4..<7:
            let holders = calls.indices.filter { calls[$0].holds }
            guard let place = holders.randomElement(using: &random) else { continue }
            let woken = locks.release(calls.remove(at: place).ticket, now: now)
            apply(woken)
        case 7:
            guard let place = calls.indices.randomElement(using: &random) else { continue }
            let woken = locks.cancel(calls.remove(at: place).ticket, now: now)
            apply(woken)
        default:
            apply(locks.expire(now: now))
            if calls.contains(where: { !$0.holds && $0.deadline <= now }) { Issue.record("a deadline was missed") }
        }
        // No deadlock: where anybody waits, somebody holds.
        if !calls.isEmpty && !calls.contains(where: \.holds) { Issue.record("deadlock") }
        if locks.holders != calls.filter(\.holds).count { Issue.record("holders") }
        if locks.waiters != calls.filter({ !$0.holds }).count { Issue.record("waiters") }
        if locks.nextDeadline != calls.filter({ !$0.holds }).map(\.deadline).min() { Issue.record("next deadline") }
    }
    while let place = calls.firstIndex(where: \.holds) {
        let woken = locks.release(calls.remove(at: place).ticket, now: now)
        apply(woken)
    }
    #expect(calls.isEmpty)
    #expect(locks.keys == 0 && locks.holders == 0 && locks.waiters == 0)
}
