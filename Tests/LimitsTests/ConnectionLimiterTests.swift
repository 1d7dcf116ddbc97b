import Bytes
import Limits
import Seeded
import Testing

@Test func connectionsAreCappedForEachAddressAndInAll() {
    let limiter = ConnectionLimiter(ConnectionLimiter.Configuration(perAddressMax: 2, totalMax: 3))
    let (a, b) = (AddressKey(ipv4: 1), AddressKey(ipv4: 2))
    #expect(limiter.admit(a, now: MonotonicInstant(nanoseconds: 0)) == .admitted)
    #expect(limiter.admit(a, now: MonotonicInstant(nanoseconds: 0)) == .admitted)
    #expect(limiter.admit(a, now: MonotonicInstant(nanoseconds: 0)) == .tooManyFromAddress)
    #expect(limiter.count == 2)
    #expect(limiter.admit(b, now: MonotonicInstant(nanoseconds: 0)) == .admitted)
    #expect(limiter.admit(b, now: MonotonicInstant(nanoseconds: 0)) == .tooMany)
    #expect(limiter.count == 3)
    limiter.release(a)
    #expect(limiter.admit(b, now: MonotonicInstant(nanoseconds: 0)) == .admitted)
    limiter.release(a)
    limiter.release(b)
    limiter.release(b)
    #expect(limiter.count == 0)
    #expect(limiter.addresses == 0)
    // One too many changes nothing.
    limiter.release(b)
    #expect(limiter.count == 0)
}

@Test func connectionCountsAgreeWithAModel() {
    var random = SeededGenerator(seed: 21)
    let limiter = ConnectionLimiter(ConnectionLimiter.Configuration(perAddressMax: 5, totalMax: 60))
    var open: [AddressKey: Int] = [:]
    for _ in 0..<steps(400_000) {
        let address = AddressKey(ipv4: UInt32.random(in: 0..<40, using: &random))
        let total = open.values.reduce(0, +)
        if Bool.random(using: &random) {
            let expected: ConnectionLimiter.Verdict =
                total == 60 ? .tooMany : open[address] == 5 ? .tooManyFromAddress : total >= 57 ? .crowded : .admitted
            #expect(limiter.admit(address, now: MonotonicInstant(nanoseconds: 0)) == expected)
            if expected == .admitted || expected == .crowded { open[address, default: 0] += 1 }
        } else if let count = open[address] {
            limiter.release(address)
            open[address] = count > 1 ? count - 1 : nil
        }
    }
    #expect(limiter.count == open.values.reduce(0, +))
    #expect(limiter.addresses == open.count)
}

@Test func connectionsFromManyThreadsAreCountedExactly() async {
    let limiter = ConnectionLimiter(ConnectionLimiter.Configuration(perAddressMax: 50, totalMax: 1_000))
    let most = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
            group.addTask {
                var admitted = 0
                for i in 0..<2_000 as Range<UInt32>
                where limiter.admit(AddressKey(ipv4: i % 4), now: MonotonicInstant(nanoseconds: 0)) == .admitted {
                    admitted += 1
                }
                return admitted
            }
        }
        return await group.reduce(0, +)
    }
    #expect(most == 200)
    #expect(limiter.count == 200)
}

@Test func anAddressMayOpenOnlySoManyConnectionsInASecond() {
    let limiter = ConnectionLimiter(.init(perAddressMax: 1_000, totalMax: 10_000, perAddressRate: 10))
    let (fast, slow) = (AddressKey(ipv4: 1), AddressKey(ipv4: 2))
    var now = MonotonicInstant(nanoseconds: 5)
    for _ in 0..<40 { #expect(limiter.admit(fast, now: now) == .admitted) }
    #expect(limiter.admit(fast, now: now) == .tooFastFromAddress)
    #expect(limiter.count == 40)
    #expect(limiter.admit(slow, now: now) == .admitted)
    now = now + .milliseconds(100)
    #expect(limiter.admit(fast, now: now) == .admitted)
    #expect(limiter.admit(fast, now: now) == .tooFastFromAddress)
    // Closing connections earns nothing.
    for _ in 0..<41 { limiter.release(fast) }
    #expect(limiter.admit(fast, now: now) == .tooFastFromAddress)
    #expect(limiter.count == 1)
}

@Test func theLastSixteenthOfTheRoomIsToldOf() {
    let limiter = ConnectionLimiter(.init(perAddressMax: 100, totalMax: 32))
    let address = AddressKey(ipv4: 1)
    for _ in 0..<30 { #expect(limiter.admit(address, now: MonotonicInstant(nanoseconds: 0)) == .admitted) }
    for _ in 0..<2 { #expect(limiter.admit(address, now: MonotonicInstant(nanoseconds: 0)) == .crowded) }
    #expect(limiter.admit(address, now: MonotonicInstant(nanoseconds: 0)) == .tooMany)
}

@Test func whoWasCutOffForFloodsHasToWaitAndNobodyElse() {
    let limiter = ConnectionLimiter(.init(perAddressMax: 10_000, totalMax: 100_000, perAddressRate: 500))
    let (flooding, other) = (AddressKey(ipv4: 1), AddressKey(ipv4: 2))
    var now = MonotonicInstant(nanoseconds: 5)
    var floods = 0
    func flood() {
        while limiter.admit(flooding, now: now) == .admitted {
            floods += 1
            limiter.chargeFlood(flooding, now: now)
            limiter.release(flooding)
        }
    }
    flood()
    #expect(floods == 10)
    #expect(limiter.admit(flooding, now: now) == .tooFastFromAddress)
    #expect(limiter.admit(other, now: now) == .admitted)
    // However often it has tried: one more in the time that a flood costs.
    for step in 1...10 {
        now = now + .milliseconds(200)
        flood()
        #expect(floods == 10 + step / 2)
    }
    now = now + .seconds(4)
    floods = 0
    flood()
    #expect(floods == 10)
    // Where fewer connections are allowed than a flood costs, it costs all that there are, and only its own address.
    let slow = ConnectionLimiter(.init(perAddressMax: 100, totalMax: 1_000, perAddressRate: 5))
    slow.chargeFlood(flooding, now: now)
    #expect(slow.admit(flooding, now: now) == .tooFastFromAddress)
    for i in 2..<100 { #expect(slow.admit(AddressKey(ipv4: UInt32(i)), now: now) == .admitted) }
    #expect(slow.admit(flooding, now: now + .seconds(4)) == .admitted)
    // Without a rate nothing is kept.
    let free = ConnectionLimiter(.init(perAddressMax: 10, totalMax: 100))
    for _ in 0..<100 { free.chargeFlood(flooding, now: now) }
    #expect(free.admit(flooding, now: now) == .admitted)
}
