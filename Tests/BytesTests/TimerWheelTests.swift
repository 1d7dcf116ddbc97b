import Seeded
import Testing

@testable import Bytes

private func at(_ milliseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: .milliseconds(milliseconds))
}

@Test func aTimerFiresOnceAndNeverEarly() {
    var wheel = TimerWheel(now: at(1_000))
    _ = wheel.add(at: at(1_025), payload: 7)
    var fired: [UInt64] = []
    wheel.advance(to: at(1_024), fired: &fired)
    #expect(fired.isEmpty)
    wheel.advance(to: at(1_029), fired: &fired)
    #expect(fired.isEmpty)  // Rounded up to the tick of 10 ms.
    wheel.advance(to: at(1_030), fired: &fired)
    #expect(fired == [7])
    wheel.advance(to: at(60_000), fired: &fired)
    #expect(fired == [7])
    #expect(wheel.count == 0)
    #expect(wheel.next(after: at(60_000)) == nil)
}

@Test func aTimerInThePastFiresAtTheNextTick() {
    var wheel = TimerWheel(now: at(1_000))
    _ = wheel.add(at: at(10), payload: 1)
    var fired: [UInt64] = []
    wheel.advance(to: at(1_010), fired: &fired)
    #expect(fired == [1])
}

@Test func aTimerThatMeansNeverIsHeldWithoutOverflow() {
    var wheel = TimerWheel(now: at(1_000))
    let id = wheel.add(at: MonotonicInstant(nanoseconds: .max), payload: 1)
    var fired: [UInt64] = []
    wheel.advance(to: at(1_000_000_000), fired: &fired)
    #expect(fired.isEmpty)
    let wasWaiting = wheel.cancel(id)
    #expect(wasWaiting)
}

@Test func anOldIdentifierCannotCancelTheTimerThatTookItsPlace() {
    var wheel = TimerWheel(now: at(0))
    let first = wheel.add(at: at(50), payload: 1)
    let firstWasWaiting = wheel.cancel(first)
    #expect(firstWasWaiting)
    let firstWasWaitingStill = wheel.cancel(first)
    #expect(!firstWasWaitingStill)
    let second = wheel.add(at: at(50), payload: 2)
    let oldIdentifierCancelled = wheel.cancel(first)
    #expect(!oldIdentifierCancelled)
    let noneCancelled = wheel.cancel(.none)
    #expect(!noneCancelled)
    #expect(wheel.count == 1)
    let secondWasWaiting = wheel.cancel(second)
    #expect(secondWasWaiting)
}

@Test func aClockThatStepsBackMovesNothing() {
    var wheel = TimerWheel(now: at(1_000))
    _ = wheel.add(at: at(1_100), payload: 1)
    var fired: [UInt64] = []
    wheel.advance(to: at(5), fired: &fired)
    wheel.advance(to: at(1_099), fired: &fired)
    #expect(fired.isEmpty)
    wheel.advance(to: at(1_100), fired: &fired)
    #expect(fired == [1])
}

@Test func wheelAgreesWithASortedListOverRandomOperations() {
    for seed in 0..<12 as Range<UInt64> {
        var random = SeededGenerator(seed: seed)
        let tick: Nanoseconds = [1, 1_000, .milliseconds(10)][Int(seed % 3)]
        var now = MonotonicInstant(nanoseconds: Int64.random(in: 0...1 << 40, using: &random))
        var wheel = TimerWheel(tick: tick, now: now)
        var model: [UInt64: (deadline: Int64, id: TimerWheel.TimerID)] = [:]
        var payload: UInt64 = 0
        for _ in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                payload += 1
                let spread = [3, 300, 3_000, 100_000][Int.random(in: 0..<4, using: &random)] * tick
                let deadline = now + Int64.random(in: -tick...spread, using: &random)
                let id = wheel.add(at: deadline, payload: payload)
                // In ticks, rounded up, and never the tick that has passed.
                let due = max((max(deadline.nanoseconds, 0) + tick - 1) / tick, now.nanoseconds / tick + 1)
                model[payload] = (due, id)
            case 5:
                if let key = model.keys.randomElement(using: &random), let entry = model[key] {
                    let wasWaiting = wheel.cancel(entry.id)
                    #expect(wasWaiting)
                    model[key] = nil
                }
            default:
                let step = [1, 20, 300, 5_000][Int.random(in: 0..<4, using: &random)] * tick
                now = now + Int64.random(in: 0...step, using: &random)
                var fired: [UInt64] = []
                wheel.advance(to: now, fired: &fired)
                let due = model.filter { $0.value.deadline <= now.nanoseconds / tick }.keys
                #expect(fired.sorted() == due.sorted())
                for key in due { model[key] = nil }
            }
            #expect(wheel.count == model.count)
            let next = wheel.next(after: now)
            if let earliest = model.values.map(\.deadline).min() {
                let limit = earliest * tick
                #expect(next.map { $0.nanoseconds <= limit && $0 > now } == true)
                // Exact where all are in the first turn.
                if model.values.allSatisfy({ $0.deadline - now.nanoseconds / tick <= 256 }) {
                    #expect(next?.nanoseconds == limit)
                }
            } else {
                #expect(next == nil)
            }
        }
    }
}
