import Bytes
import Events
import Testing

@testable import Delivery

@Suite struct EventCacheTests {
    static func events(_ numbers: ClosedRange<Int64>, without gone: Set<Int64> = []) -> [RecordedEvent] {
        numbers.filter { !gone.contains($0) }.map { number in
            RecordedEvent(
                number: number, sequence: 1,
                event: BusinessEvent(
                    id: "e\(number)", name: "lot.held", subject: "lot/1", time: WallInstant(seconds: 1), data: .null))
        }
    }

    @Test func aReadingThatSawMoreThanItWasAskedForGivesNothingTwice() throws {
        var cache = EventCache()
        cache.add(Self.events(1...12), to: 0, upTo: 10)
        #expect(cache.readAfter(0) == 12)
        cache.add(Self.events(11...20), to: 0, upTo: 20)
        let found = cache.chunk(0)
        let chunk = try #require(found)
        #expect(chunk.events.map(\.recorded.number) == Array(1...20) && chunk.upTo == 20)
        #expect(chunk.place(after: 0) == 0 && chunk.place(after: 12) == 12 && chunk.place(after: 20) == 20)
    }

    @Test func whatWasRemovedIsAGapAndNotAnEnd() throws {
        var cache = EventCache()
        cache.add(Self.events(1...300, without: [5, 6, 7]), to: 0, upTo: 300)
        let found = cache.chunk(0)
        let chunk = try #require(found)
        #expect(chunk.upTo == 256 && chunk.events.count == 253)
        #expect(cache.event(5) == nil && cache.event(8)?.recorded.number == 8 && cache.event(257) == nil)
        #expect(chunk.events[chunk.place(after: 4)].recorded.number == 8)
    }

    @Test func theChunkThatWasUsedLeastRecentlyGoes() {
        var cache = EventCache()
        for index in 0..<Int64(EventCache.chunksMax) { cache.add([], to: index, upTo: (index + 1) * 256) }
        _ = cache.chunk(0)
        cache.add([], to: 99, upTo: 100 * 256)
        let kept = [0, 1, 99].map { cache.chunk($0) != nil }
        #expect(kept == [true, false, true])
    }

    @Test func theBodyIsMadeOnceForAllWhoGetTheSame() {
        let event = CachedEvent(Self.events(1...1)[0])
        let first = event.content(.structured, masking: [])
        #expect(first.body == event.content(.structured, masking: []).body)
        #expect(event.content(.thin, masking: []).body != first.body)
    }
}
