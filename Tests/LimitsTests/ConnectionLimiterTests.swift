import Limits
import Testing

@Test func connectionsAreCappedForEachAddressAndInAll() {
    let limiter = ConnectionLimiter(ConnectionLimiter.Configuration(perAddressMax: 2, totalMax: 3))
    let (a, b) = (AddressKey(ipv4: 1), AddressKey(ipv4: 2))
    #expect(limiter.admit(a) == .admitted)
    #expect(limiter.admit(a) == .admitted)
    #expect(limiter.admit(a) == .tooManyFromAddress)
    #expect(limiter.count == 2)
    #expect(limiter.admit(b) == .admitted)
    #expect(limiter.admit(b) == .tooMany)
    #expect(limiter.count == 3)
    limiter.release(a)
    #expect(limiter.admit(b) == .admitted)
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
                total == 60 ? .tooMany : open[address] == 5 ? .tooManyFromAddress : .admitted
            #expect(limiter.admit(address) == expected)
            if expected == .admitted { open[address, default: 0] += 1 }
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
                for i in 0..<2_000 as Range<UInt32> where limiter.admit(AddressKey(ipv4: i % 4)) == .admitted {
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
