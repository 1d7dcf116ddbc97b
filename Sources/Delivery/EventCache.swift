import Events
import Webhooks

/// An event of the log with the bodies that were made of it: made once for all endpoints that get the same.
final class CachedEvent {
    let recorded: RecordedEvent
    private var contents: [(format: Subscriber.Format, mask: Set<String>, content: WebhookRequest.Content)] = []

    init(_ recorded: RecordedEvent) { self.recorded = recorded }

    func content(_ format: Subscriber.Format, masking mask: Set<String>) -> WebhookRequest.Content {
        for known in contents where known.format == format && known.mask == mask { return known.content }
        var shown = recorded
        shown.event.data = shown.event.data.masking(mask)
        let made = WebhookRequest.Content(shown, format: format)
        contents.append((format, mask, made))
        return made
    }
}

/// Parts of the log in memory, shared by all endpoints: those near the log's end read each event once, and one that is
/// far behind reads whole chunks of its own.
struct EventCache {
    /// Events of one chunk.
    static let chunkSize: Int64 = 256
    /// Chunks kept; the one that was used least recently goes. Default 32.
    static let chunksMax = 32

    struct Chunk {
        /// In the order of the log; numbers that were removed are missing.
        var events: [CachedEvent]
        /// Everything up to this number was read.
        var upTo: Int64
        var used: UInt64

        /// The place of the first event behind a number.
        func place(after number: Int64) -> Int {
            var low = 0
            var high = events.count
            while low < high {
                let middle = (low + high) / 2
                if events[middle].recorded.number <= number { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private var chunks: [Int64: Chunk] = [:]
    private var clock: UInt64 = 0

    /// The index of the chunk that holds what comes after a number.
    static func index(after number: Int64) -> Int64 { number / chunkSize }

    mutating func chunk(_ index: Int64) -> Chunk? {
        clock += 1
        chunks[index]?.used = clock
        return chunks[index]
    }

    /// Where the reading of a chunk must go on.
    func readAfter(_ index: Int64) -> Int64 { chunks[index]?.upTo ?? index * Self.chunkSize }

    mutating func add(_ events: [RecordedEvent], to index: Int64, upTo: Int64) {
        clock += 1
        let last = (index + 1) * Self.chunkSize
        var chunk = chunks[index] ?? Chunk(events: [], upTo: index * Self.chunkSize, used: clock)
        for event in events where event.number > chunk.upTo && event.number <= last {
            chunk.events.append(CachedEvent(event))
        }
        // The reading may have seen more than there was when it was asked for.
        chunk.upTo = max(chunk.upTo, min(upTo, last), chunk.events.last?.recorded.number ?? 0)
        chunk.used = clock
        chunks[index] = chunk
        if chunks.count > Self.chunksMax, let oldest = chunks.min(by: { $0.value.used < $1.value.used }) {
            chunks[oldest.key] = nil
        }
    }

    func event(_ number: Int64) -> CachedEvent? {
        guard let chunk = chunks[Self.index(after: number - 1)] else { return nil }
        let place = chunk.place(after: number - 1)
        guard place < chunk.events.count, chunk.events[place].recorded.number == number else { return nil }
        return chunk.events[place]
    }
}
