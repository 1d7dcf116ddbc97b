import Testing

@testable import Server

struct HandshakeQueueTests {
    private final class Thing {}

    @Test func handshakesThatAreOverLeaveTheQueueAlthoughTheNextConnectionHasTheSameAddress() {
        let address = ObjectIdentifier(Thing())
        var queue = HandshakeQueue()
        var now: UInt32 = 0
        var asked = 0
        for _ in 0..<10_000 {
            now = queue.begin(address) {
                asked += 1
                return $0.number == now
            }
            queue.end()
            now = 0
        }
        #expect(queue.underWay == 0)
        #expect(queue.count <= HandshakeQueue.slack + 1)
        #expect(asked <= 2 * 10_000)
    }

    @Test func theOldestUnderWayIsFoundAmongMany() {
        let things = (0..<1_000).map { _ in Thing() }
        var queue = HandshakeQueue()
        var numbers: Set<UInt32> = []
        for (i, thing) in things.enumerated() {
            let number = queue.begin(ObjectIdentifier(thing)) { numbers.contains($0.number) }
            // Every tenth stays under way.
            if i % 10 == 0 { numbers.insert(number) } else { queue.end() }
        }
        #expect(queue.underWay == 100)
        #expect(queue.count <= 2 * 100 + HandshakeQueue.slack + 1)
        var found: [HandshakeQueue.Entry] = []
        while let entry = queue.popOldest() { if numbers.contains(entry.number) { found.append(entry) } }
        #expect(found.map(\.connection) == things.indices.filter { $0 % 10 == 0 }.map { ObjectIdentifier(things[$0]) })
    }
}
